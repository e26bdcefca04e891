"""Waiting for something, but not for ever.

In: a deadline and a yieldable. Out: a future that has the yieldable's outcome, or a `TimeoutError`
when the deadline comes first. What was waited for goes on all the same; an exception it raises
later is logged, except quiet ones. Cancelling the future cancels what it waits for.

There is one thing that does not go on: a place in the line of a queue or lock, ``with_timeout(t,
queue.get())``, that nobody else refers to. The next item would go to it, and be lost. Whoever keeps
the future, ``item = queue.get()``, may wait for it a second time.
"""

import asyncio
import datetime
import functools
import sys
from typing import Any, Final

from zonda.ioloop.concurrent import AnyFuture, chain_future, future_add_done_callback
from zonda.ioloop.errors import TimeoutError
from zonda.ioloop.gen.multi import QuietExceptions
from zonda.ioloop.log import app_log
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.waiter import IN_LINE
from zonda.ioloop.yieldable import Moment, convert_yielded

__all__ = ["with_timeout"]

_UNSHARED: Final = 3


def with_timeout(
    timeout: float | datetime.timedelta,
    future: Any,
    quiet_exceptions: QuietExceptions = (),
    *,
    message: str | None = None,
) -> "asyncio.Future[Any]":
    """Wait for ``future`` until a deadline.

    Args:
        timeout: a time on the scale of `IOLoop.time` (seconds since the epoch) or a timedelta from
            now.
        future: anything a coroutine may yield. It is not cancelled when the time is up, unless it
            is a waiter of a queue or lock that nobody else has.
        quiet_exceptions: types of exceptions that are not logged when they come too late.
        message: of the `TimeoutError`; "Timeout" by default.

    Raises (in the future):
        TimeoutError: the deadline came first.

    Example:
        >>> async def main():
        ...     never = asyncio.get_running_loop().create_future()
        ...     await with_timeout(datetime.timedelta(seconds=0), never, message="too slow")
        >>> asyncio.run(main())
        Traceback (most recent call last):
        TimeoutError: too slow
    """
    ioloop = IOLoop.current()
    awaited = convert_yielded(future)
    result: asyncio.Future[Any] = ioloop.asyncio_loop.create_future()
    if isinstance(awaited, Moment):
        result.set_result(None)
        return result
    chain_future(awaited, result)
    if result.done():
        return result

    def expire() -> None:
        if awaited.done():
            return  # the outcome is on its way, and came in time
        if not result.done():
            result.set_exception(TimeoutError("Timeout" if message is None else message))
        # References: the line's, this function's, and the argument of getrefcount. Were there
        # more on some interpreter, the waiter would stay in line.
        if (
            getattr(awaited, "_cancel_message", None) is IN_LINE
            and sys.getrefcount(awaited) <= _UNSHARED
        ):
            awaited.cancel()
            return
        future_add_done_callback(awaited, functools.partial(_log_late, quiet_exceptions))

    def result_done(_: object) -> None:
        ioloop.remove_timeout(timer)
        if result.cancelled():
            awaited.cancel()

    timer = ioloop.add_timeout(timeout, expire)
    result.add_done_callback(result_done)
    return result


def _log_late(quiet_exceptions: QuietExceptions, future: AnyFuture[Any]) -> None:
    if future.cancelled():
        return
    error = future.exception()
    if error is not None and not isinstance(error, quiet_exceptions):
        app_log.error("Exception in Future %r after timeout", future, exc_info=error)
