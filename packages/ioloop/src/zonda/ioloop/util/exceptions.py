"""What can be read from an exception, and how one caught earlier is raised again."""

import builtins
from types import TracebackType
from typing import NoReturn

# Tornado's name for it, of the days when there were several.
TimeoutError = builtins.TimeoutError


def errno_from_exception(e: BaseException) -> int | None:
    """The error number of ``e``: its ``errno``, else its first argument, else None.

    Example:
        >>> errno_from_exception(OSError(2, "No such file or directory"))
        2
        >>> errno_from_exception(OSError()) is None
        True
    """
    number = getattr(e, "errno", None)
    if number is not None:
        return number  # type: ignore[no-any-return]
    if e.args:
        return e.args[0]  # type: ignore[no-any-return]
    return None


def raise_exc_info(
    exc_info: "tuple[type[BaseException] | None, BaseException | None, TracebackType | None]",
) -> NoReturn:
    """Raise the exception of an ``exc_info`` triple again, with its traceback.

    Raises:
        TypeError: the triple holds no exception.

    Example:
        >>> import sys
        >>> try:
        ...     {}["missing"]
        ... except KeyError:
        ...     caught = sys.exc_info()
        >>> raise_exc_info(caught)
        Traceback (most recent call last):
        KeyError: 'missing'
    """
    try:
        if exc_info[1] is None:
            raise TypeError("raise_exc_info was given a triple without an exception")
        raise exc_info[1].with_traceback(exc_info[2])
    finally:
        # The traceback holds this frame, and this frame the triple: break the cycle.
        del exc_info
