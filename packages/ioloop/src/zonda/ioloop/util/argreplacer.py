"""Find and exchange one argument of a call, however the caller passed it.

In: the ``args`` and ``kwargs`` of a call and the function's signature. Out: the same call with
one argument changed. Raises ``TypeError`` for a callable that tells nothing about its parameters.
"""

import inspect
from collections.abc import Callable, Sequence


class ArgReplacer:
    """Replaces one named argument in the ``args`` and ``kwargs`` of a call.

    A decorator that wraps a callback, say, need not know whether it came by position or by name.

    Args:
        func: the function that will be called.
        name: the parameter to look at. A function without such a parameter is taken to accept it
            by keyword.

    Example:
        >>> def fetch(url, callback=None): ...
        >>> replacer = ArgReplacer(fetch, "callback")
        >>> replacer.replace("wrapped", ("/", "original"), {})
        ('original', ['/', 'wrapped'], {})
        >>> replacer.replace("wrapped", ("/",), {})
        (None, ('/',), {'callback': 'wrapped'})
    """

    def __init__(self, func: Callable[..., object], name: str) -> None:
        self.name = name
        names = inspect.getfullargspec(func).args
        self.arg_pos: int | None = names.index(name) if name in names else None

    def get_old_value(
        self, args: Sequence[object], kwargs: dict[str, object], default: object = None
    ) -> object:
        """The value the caller passed, or ``default`` if it passed none."""
        if self.arg_pos is not None and self.arg_pos < len(args):
            return args[self.arg_pos]
        return kwargs.get(self.name, default)

    def replace(
        self, new_value: object, args: Sequence[object], kwargs: dict[str, object]
    ) -> tuple[object, Sequence[object], dict[str, object]]:
        """Put ``new_value`` in the argument's place.

        Args:
            new_value: what the function shall get.
            args: left as it is; a changed copy is returned where needed.
            kwargs: changed in place where the argument is not positional.

        Returns:
            The old value (None if the caller passed none), and the call's new ``args`` and
            ``kwargs``.
        """
        if self.arg_pos is not None and self.arg_pos < len(args):
            old = args[self.arg_pos]
            changed = list(args)
            changed[self.arg_pos] = new_value
            return old, changed, kwargs
        old = kwargs.get(self.name)
        kwargs[self.name] = new_value
        return old, args, kwargs
