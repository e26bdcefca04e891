"""What a coroutine may yield (and a callback return): turning it into a future.

In: futures, awaitables, and whatever types were registered (``zonda.ioloop.gen`` registers lists
and dicts of yieldables). Out: a future. Raises ``BadYieldError`` for anything else. Nothing here
knows the IOLoop; coroutines become tasks of the running asyncio loop (or the thread's own).
"""

import asyncio
import functools
import inspect
from collections.abc import Coroutine, Generator
from concurrent import futures
from types import CoroutineType
from typing import Any

from zonda.ioloop.concurrent import AnyFuture, is_future
from zonda.ioloop.errors import BadYieldError
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.finished import finished
from zonda.ioloop.stepping import StartedTask, start_coroutine

__all__ = ["Moment", "as_future", "convert_yielded", "moment"]

Future = asyncio.Future
Task = asyncio.Task
_get_running_loop = asyncio._get_running_loop


class Moment:
    """Something finished that nevertheless costs one turn of the loop: the type of `moment`.

    ``yield moment`` in a generator coroutine, ``await moment`` in any.

    Example:
        >>> async def main():
        ...     asyncio.get_running_loop().call_soon(print, "others first")
        ...     await moment
        ...     print("then we")
        >>> asyncio.run(main())
        others first
        then we
    """

    __slots__ = ()

    def done(self) -> bool:
        """Return True."""
        return True

    def result(self) -> None:
        """Return None."""

    def __await__(self) -> Generator[None, None, None]:
        yield  # asyncio reads a bare yield as "call me again on the next turn"

    def __repr__(self) -> str:
        return "moment"


#: Yield it to let other callbacks run: ``yield gen.moment``. ``yield None`` does the same.
moment = Moment()


@functools.singledispatch
def convert_yielded(yielded: Any) -> AnyFuture[Any] | Moment:
    """Turn something yieldable into a future.

    Futures (executors' too) come back as they are. Coroutines are started, and get a task if they
    have to wait. Lists, tuples and dicts of yieldables become one future of all results, None and
    `moment` become `moment`.
    Other types are added with ``convert_yielded.register(type, function)``.

    Raises:
        BadYieldError: nobody knows how to wait for it.

    Example:
        >>> async def main():
        ...     return await convert_yielded(asyncio.sleep(0, "slept"))
        >>> asyncio.run(main())
        'slept'
        >>> convert_yielded(42)
        Traceback (most recent call last):
        zonda.ioloop.errors.BadYieldError: yielded unknown object 42
    """
    if yielded is None:
        return moment
    if is_future(yielded):
        return yielded  # type: ignore[no-any-return]
    if inspect.iscoroutine(yielded) and _get_running_loop() is not None:
        return _start(yielded)
    if inspect.isawaitable(yielded):
        return asyncio.ensure_future(yielded, loop=own_asyncio_loop())
    raise BadYieldError(f"yielded unknown object {yielded!r}")


def _start(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
    try:
        result = start_coroutine(coroutine)
    except asyncio.CancelledError:
        future: asyncio.Future[Any] = Future(loop=_get_running_loop())
        future.cancel()
    except Exception as error:
        future = Future(loop=_get_running_loop())
        future.set_exception(error)
    else:
        return result if isinstance(result, StartedTask) else finished(result)
    try:
        return future
    finally:
        del future  # the exception's traceback refers to this frame


def as_future(yielded: Any) -> AnyFuture[Any] | Moment:
    """Do as `convert_yielded`, which looks the commonest types up in a slower way than this.

    Example:
        >>> async def main():
        ...     return await as_future(asyncio.sleep(0, "slept"))
        >>> asyncio.run(main())
        'slept'
    """
    kind = type(yielded)
    if kind is Future or kind is Task:
        return yielded  # type: ignore[no-any-return]
    if kind is CoroutineType and _get_running_loop() is not None:
        return _start(yielded)
    return convert_yielded(yielded)


# The types of the first line of every program, so that they need no further test.
convert_yielded.register(Moment, lambda yielded: yielded)
convert_yielded.register(asyncio.Future, lambda yielded: yielded)
convert_yielded.register(futures.Future, lambda yielded: yielded)
