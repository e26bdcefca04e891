"""The line that the waiters of a lock or queue stand in.

First come, first served. A waiter whose time is up, or that is cancelled, stays in the line as a
dead entry, which costs nothing to leave and is skipped when its turn comes. The line is swept when
it has doubled since the last sweep, so that an operation costs O(1) amortised and dead entries
never outnumber those that waited at the last sweep by more than a constant.

Out: futures (`zonda.ioloop.waiter`). Raises ``TimeoutError`` in the waiter, ``TypeError`` for a
time-out that is neither number nor timedelta.
"""

import asyncio
import datetime
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.waiter import MadeWaiter, Owner, TimedWaiter, Waiter

__all__ = ["Timeout", "Waiters", "fail_with_timeout", "seconds_left"]

T = TypeVar("T")

_SWEEP_MARGIN: Final = 64

#: A deadline on the loop's clock (``IOLoop.time()``, seconds since the epoch), or a duration from
#: now. 0 means not to wait at all.
Timeout = float | datetime.timedelta


def seconds_left(timeout: Timeout) -> float:
    """How long from now ``timeout`` is, in seconds; 0 or less when it is due.

    Raises:
        TypeError: neither a number nor a timedelta.

    Example:
        >>> seconds_left(datetime.timedelta(minutes=1)), seconds_left(0)
        (60.0, 0.0)
    """
    if isinstance(timeout, datetime.timedelta):
        return timeout.total_seconds()
    if isinstance(timeout, int | float):
        # 0, "do not wait", is the commonest deadline and needs no clock.
        return timeout - IOLoop.current().time() if timeout > 0 else 0.0
    raise TypeError(f"a timeout is a number or a timedelta, not {timeout!r}")


def fail_with_timeout(waiter: asyncio.Future[Any]) -> None:
    """Let a waiter whose time is up raise ``TimeoutError``.

    Example:
        >>> async def main():
        ...     waiter = asyncio.Future()
        ...     fail_with_timeout(waiter)
        ...     await waiter
        >>> asyncio.run(main())
        Traceback (most recent call last):
        TimeoutError: Timeout
    """
    waiter.set_exception(TimeoutError("Timeout"))


class Waiters(deque[MadeWaiter[T]], Generic[T]):
    """The waiters, first come first served, dead ones included: if it is empty nobody waits.

    Example:
        >>> async def main():
        ...     line = Waiters()
        ...     first, second = line.wait_for(None), line.wait_for(None)
        ...     line.popleft().grant(1)
        ...     return await first, line.alive()
        >>> asyncio.run(main())
        (1, 1)
    """

    __slots__ = ("_sweep_at",)

    def __init__(self) -> None:
        self._sweep_at = _SWEEP_MARGIN

    def alive(self) -> int:
        """How many still wait. This one operation is O(n)."""
        return sum(not waiter.done() for waiter in self)

    def wait_for(
        self,
        owner: Owner[T] | None,
        timeout: Timeout | None = None,
        expire: Callable[[asyncio.Future[Any]], object] = fail_with_timeout,
    ) -> asyncio.Future[T]:
        """A new waiter at the end of the line, or outside of it if it shall not wait at all.

        Args:
            owner: where a grant goes that does not arrive. None: there is nothing to lose.
            timeout: after that the waiter is given to ``expire``.
            expire: finishes the waiter.
        """
        waiter: Waiter[T]
        if timeout is None:
            waiter = Waiter()
            waiter._owner = owner
            waiter._inner = None
        else:
            seconds = seconds_left(timeout)
            if seconds <= 0:
                late: asyncio.Future[T] = asyncio.Future(loop=own_asyncio_loop())
                expire(late)
                return late
            timed: TimedWaiter[T] = TimedWaiter()
            timed._owner = owner
            timed._inner = None
            timed.start(seconds, expire)
            waiter = timed
        if len(self) >= self._sweep_at:
            self.sweep()
        self.append(waiter)
        return waiter

    def sweep(self) -> None:
        """Drop the dead; due when the line has got as long as ``_sweep_at``."""
        alive = [waiter for waiter in self if not waiter.done()]
        self.clear()
        self.extend(alive)
        self._sweep_at = 2 * len(alive) + _SWEEP_MARGIN

    def finish_all(self, value: T) -> None:
        """Finish everyone who waits now. None of it goes back: all others have got it too."""
        while self:
            waiter = self.popleft()
            waiter._owner = None
            waiter.grant(value)
