"""Futures that have their result from the start, at a fraction of what a future costs.

In: a value. Out: a future that is done. Most are awaited or yielded at once and dropped, and never
need what a future consists of: a loop (in Python 3.11 asking for it is a system call), the loop's
debug flag, a list of callbacks. So `finished` makes an object of a future's type whose ``__init__``
has not been called, with the value beside it: a tenth of a microsecond where a future takes five.
Awaiting it gives the value, ``done``, ``result`` and the like answer for it. Any other use makes it
real first, on the loop that runs then; whoever uses it cannot tell.

`Unmade` is public for those who drive coroutines: ``type(x) is Unmade`` and ``x._value`` spare them
even the iterator. On hot paths ``x = Unmade(); x._value = value`` spares them the call.
`made_by_use` is for other futures of the kind.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from zonda.ioloop.factory import own_asyncio_loop

__all__ = ["Finished", "Unmade", "finished", "made_by_use"]

_T = TypeVar("_T")
_FutureType = TypeVar("_FutureType", bound="type[asyncio.Future[Any]]")

# What a future has and an object that is none yet can do without being made one.
_KEPT = frozenset(
    {"__class_getitem__", "__del__", "__doc__", "__getattribute__", "__init__", "__new__"}
)


def made_by_use(kind: _FutureType) -> _FutureType:
    """Decorate a subclass of Future whose ``__init__`` is not called when one is made.

    Whatever a future has, and the class does not define itself, calls ``_make_real()`` first, which
    has to give the object another class and call ``asyncio.Future.__init__`` on it. A
    ``__getattribute__`` could do the same, but would slow down the class's own attributes.

    Example:
        >>> class Made(asyncio.Future):
        ...     __slots__ = ()
        >>> @made_by_use
        ... class Late(Made):
        ...     __slots__ = ()
        ...     def _make_real(self):
        ...         self.__class__ = Made
        ...         asyncio.Future.__init__(self)
        >>> async def main():
        ...     future = Late()
        ...     return type(future).__name__, future.done(), type(future).__name__
        >>> asyncio.run(main())
        ('Late', False, 'Made')
    """
    for name, member in vars(asyncio.Future).items():
        if name not in vars(kind) and name not in _KEPT:
            setattr(kind, name, _method(name) if callable(member) else _attribute(name))
    # This very function, so that a call of the class goes from C to C.
    kind.__init__ = object.__init__  # type: ignore[method-assign,assignment]
    return kind


def _method(name: str) -> Callable[..., object]:
    def method(self: Any, *args: Any, **kwargs: Any) -> object:
        self._make_real()
        return getattr(self, name)(*args, **kwargs)

    method.__name__, method.__doc__ = name, getattr(asyncio.Future, name).__doc__
    return method


def _attribute(name: str) -> property:
    def get(self: Any) -> object:
        self._make_real()
        return getattr(self, name)

    def put(self: Any, value: object) -> None:
        self._make_real()
        setattr(self, name, value)

    return property(get, put)


class Finished(asyncio.Future[_T]):
    """A future that was made with its result; see `finished`.

    Example:
        >>> async def main():
        ...     future = finished(42)
        ...     future.add_done_callback(lambda future: print(future.result()))
        ...     return type(future).__name__
        >>> asyncio.run(main())
        42
        'Finished'
    """

    __slots__ = ("_value",)

    _value: _T


@made_by_use
class Unmade(Finished[_T]):
    """A `Finished` future before its ``__init__``: most uses of it make it real.

    Example:
        >>> type(finished(42)) is Unmade
        True
    """

    __slots__ = ()

    def _make_real(self) -> None:
        value = self._value
        self.__class__ = Finished  # type: ignore[assignment]
        asyncio.Future.__init__(self, loop=own_asyncio_loop())
        self.set_result(value)

    def done(self) -> bool:
        """Return True."""
        return True

    def result(self) -> _T:
        """Return the value."""
        return self._value

    def exception(self) -> None:
        """Return None."""

    def cancelled(self) -> bool:
        """Return False."""
        return False

    def cancel(self, msg: Any = None) -> bool:
        """Return False: it is done."""
        return False

    def __await__(self) -> Generator[Any, None, _T]:
        # A generator that ends at once.
        if False:
            yield  # type: ignore[unreachable]
        return self._value

    __iter__ = __await__


def finished(value: _T) -> "asyncio.Future[_T]":
    """Make a future that has its result.

    Example:
        >>> async def main():
        ...     return await finished(42)
        >>> asyncio.run(main())
        42
    """
    future: Unmade[_T] = Unmade()
    future._value = value
    return future
