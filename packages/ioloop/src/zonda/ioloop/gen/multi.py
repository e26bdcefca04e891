"""Waiting for several things at once.

In: a list or a dict of yieldables. Out: a future of the list or dict of their results, when all are
done. The first exception becomes the future's; later ones are logged, except quiet ones. Cancelling
the future cancels everything it waits for.
"""

import asyncio
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from zonda.ioloop.concurrent import AnyFuture, chain_future
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.finished import Unmade, finished
from zonda.ioloop.log import app_log
from zonda.ioloop.yieldable import Moment, as_future, convert_yielded

__all__ = ["Multi", "QuietExceptions", "multi", "multi_future"]

Future = asyncio.Future
_get_running_loop = asyncio._get_running_loop

QuietExceptions = type[BaseException] | tuple[type[BaseException], ...]


def multi(
    children: Iterable[Any] | Mapping[Any, Any], quiet_exceptions: QuietExceptions = ()
) -> "asyncio.Future[Any]":
    """Wait for all of ``children`` at once.

    Args:
        children: an iterable or a mapping of anything a coroutine may yield.
        quiet_exceptions: types of exceptions that are not logged when they come second.

    Returns:
        A future of a list (for an iterable) or of a dict with the same keys.

    Raises:
        BadYieldError: a child cannot be waited for.

    Example:
        >>> async def main():
        ...     slept, other = asyncio.sleep(0, 1), asyncio.sleep(0, 2)
        ...     return await multi([slept, other]), await multi({"a": asyncio.sleep(0, 3)})
        >>> asyncio.run(main())
        ([1, 2], {'a': 3})
    """
    return multi_future(children, quiet_exceptions=quiet_exceptions)


#: Tornado's older name for it.
Multi = multi


def multi_future(
    children: Iterable[Any] | Mapping[Any, Any], quiet_exceptions: QuietExceptions = ()
) -> "asyncio.Future[Any]":
    """Do as `multi`.

    Example:
        >>> async def main():
        ...     return await multi_future({"a": asyncio.sleep(0, 1)})
        >>> asyncio.run(main())
        {'a': 1}
    """
    keys: list[Any] | None = None
    # The cheap question first: the other one goes through the abstract base class.
    if not isinstance(children, list) and isinstance(children, Mapping):
        keys = list(children)
        children = children.values()
    children = list(children)
    if all(type(child) is Unmade for child in children):
        values = [child._value for child in children]
        return finished(values if keys is None else dict(zip(keys, values, strict=True)))
    waiting = [
        child if isinstance(child, Future) else _on_loop(as_future(child)) for child in children
    ]
    gathered: asyncio.Future[Any] = Future(loop=_get_running_loop() or own_asyncio_loop())
    unfinished = {future for future in waiting if not future.done()}
    if not unfinished:
        _gather(keys, waiting, gathered, quiet_exceptions)
        return gathered
    left = len(unfinished)

    def child_done(_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            _gather(keys, waiting, gathered, quiet_exceptions)

    for future in unfinished:
        future.add_done_callback(child_done)
    gathered.add_done_callback(functools.partial(_pass_cancellation, unfinished))
    return gathered


def _on_loop(future: AnyFuture[Any] | Moment) -> "asyncio.Future[Any]":
    """Turn an executor's future, whose callbacks come in other threads, into one of the loop."""
    if isinstance(future, asyncio.Future):
        return future
    mine: asyncio.Future[Any] = own_asyncio_loop().create_future()
    if isinstance(future, Moment):
        mine.set_result(None)
    else:
        chain_future(future, mine)
    return mine


def _pass_cancellation(
    children: "Iterable[asyncio.Future[Any]]", gathered: "asyncio.Future[Any]"
) -> None:
    if gathered.cancelled():
        for future in children:
            future.cancel()


def _gather(
    keys: list[Any] | None,
    waiting: "list[asyncio.Future[Any]]",
    gathered: "asyncio.Future[Any]",
    quiet_exceptions: QuietExceptions,
) -> None:
    """Move the results, or the first exception, of finished futures to ``gathered``."""
    results: list[Any] = []
    failure: BaseException | None = None
    for future in waiting:
        try:
            results.append(future.result())
        except asyncio.CancelledError as error:
            failure = failure or error
        except Exception as error:
            if failure is None and not gathered.cancelled():
                failure = error
            elif not isinstance(error, quiet_exceptions):
                app_log.error("Multiple exceptions in yield list", exc_info=True)
    try:
        if gathered.cancelled():
            return
        if isinstance(failure, asyncio.CancelledError):
            gathered.cancel()
        elif failure is not None:
            gathered.set_exception(failure)
        else:
            gathered.set_result(results if keys is None else dict(zip(keys, results, strict=True)))
    finally:
        failure = None  # its traceback refers to this frame


# What makes lists and dicts yieldable, in coroutines and in what IOLoop callbacks return.
convert_yielded.register(list, multi_future)
convert_yielded.register(tuple, multi_future)
convert_yielded.register(dict, multi_future)
