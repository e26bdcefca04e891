"""Calling a function again and again.

In: a function (or coroutine function) and a period. Out: calls of it on the loop, at the times
``start + n * period`` of the loop's clock (`IOLoop.time`), never two at once. Times that passed
while a call was under way, or while the machine slept, are skipped. What a call raises is logged,
and the next one comes all the same.
"""

import asyncio
import datetime
import inspect
import math
import random
from collections.abc import Awaitable, Callable

from zonda.ioloop.log import app_log
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.stepping import start_coroutine

__all__ = ["PeriodicCallback"]


class PeriodicCallback:
    """Calls a function every so many milliseconds.

    Args:
        callback: takes no arguments. If it returns an awaitable, the next call waits for that.
        callback_time: the period: milliseconds, or a timedelta.
        jitter: vary each period at random by this fraction of it: 0.1 means from 95 to 105 percent.

    Raises:
        ValueError: the period is not positive.

    Example:
        >>> async def main():
        ...     count, enough = 0, asyncio.Event()
        ...     def tick():
        ...         nonlocal count
        ...         count += 1
        ...         if count == 3:
        ...             enough.set()
        ...     periodic = PeriodicCallback(tick, 1)
        ...     periodic.start()
        ...     await enough.wait()
        ...     periodic.stop()
        ...     return count
        >>> asyncio.run(main())
        3
    """

    def __init__(
        self,
        callback: Callable[[], Awaitable[object] | None],
        callback_time: datetime.timedelta | float,
        jitter: float = 0,
    ) -> None:
        self.callback = callback
        if isinstance(callback_time, datetime.timedelta):
            callback_time = callback_time / datetime.timedelta(milliseconds=1)
        if not callback_time > 0:
            raise ValueError("Periodic callback must have a positive callback_time")
        self.callback_time: float = callback_time
        self.jitter = jitter
        self._running = False
        self._timeout: object | None = None
        # A call is under way: the next is scheduled when it is over, whatever comes between.
        self._busy = False
        self._task: asyncio.Future[object] | None = None

    def start(self) -> None:
        """Start; the first call comes after one period. No effect if it runs already.

        The loop is the current one. A call of before a `stop` that is still under way ends first.
        """
        if self._running:
            return
        self._running = True
        self.io_loop = IOLoop.current()
        self._next_timeout = self.io_loop.time()
        if not self._busy:
            self._schedule_next()

    def stop(self) -> None:
        """Stop. A coroutine that is under way goes on to its end."""
        self._running = False
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None

    def is_running(self) -> bool:
        """Return whether `start` was called, and `stop` not since then."""
        return self._running

    def _run(self) -> None:
        self._timeout = None
        self._busy = True
        try:
            result: object = self.callback()
            if asyncio.iscoroutine(result):
                result = start_coroutine(result)
            if inspect.isawaitable(result):
                self._task = asyncio.ensure_future(result)
                self._task.add_done_callback(self._settle)
                return
        except asyncio.CancelledError:
            pass
        except Exception:
            app_log.error("Exception in callback %r", self.callback, exc_info=True)
        except BaseException:
            # The loop ends; if it is started again, this goes on.
            self._over()
            raise
        self._over()

    def _settle(self, task: "asyncio.Future[object]") -> None:
        self._task = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            app_log.error("Exception in callback %r", self.callback, exc_info=error)
        self._over()

    def _over(self) -> None:
        self._busy = False
        if self._running:
            self._schedule_next()

    def _schedule_next(self) -> None:
        self._update_next(self.io_loop.time())
        self._timeout = self.io_loop.add_timeout(self._next_timeout, self._run)

    def _update_next(self, current_time: float) -> None:
        """Move the time of the next call past ``current_time`` (seconds, as `IOLoop.time`)."""
        period = self.callback_time / 1000
        if self.jitter:
            period *= 1 + self.jitter * (random.random() - 0.5)
        late = current_time - self._next_timeout
        if late >= 0:
            # Stay in step: skip whole periods.
            self._next_timeout += (math.floor(late / period) + 1) * period
        elif late >= -period:
            # Called a little too early by this clock (which was set back a little, or is coarser
            # than the timer): the call just made was the one of that time.
            self._next_timeout += period
        else:
            # The clock was set back by more than a period. Do not wait until it has caught up.
            self._next_timeout = current_time + period
