"""The futures that locks and queues hand out, and the line they stand in.

A *waiter* is an asyncio future. Whoever has something to give (an item, a permit, a wake-up)
takes the first of the line that still waits and *grants* it. Three things can come between:

* The waiter's time is up, or it is cancelled. It stays in the line as a dead entry, which costs
  nothing to leave and is skipped when its turn comes. The line is swept when it has doubled since
  the last sweep, so that an operation costs O(1) amortised and dead entries never outnumber
  those that waited at the last sweep by more than a constant.
* The task that awaits the waiter is cancelled *after* the grant and before it ran. A plain future
  would lose what was granted. `Waiter` sees the exception come in at its ``await`` and gives the
  grant back: the item to the queue, the permit to the semaphore.
* The coroutine is closed or collected while it waits. The waiter is cancelled then, so that
  nothing is granted to nobody.

Out: ``Waiter`` (an awaitable, a future in every respect) and ``Waiters`` (the line). Raises
``TimeoutError`` in the waiter, ``TypeError`` for a time-out that is neither number nor timedelta.
"""

import asyncio
import datetime
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, TypeVar

from zonda.ioloop.loop import IOLoop

T = TypeVar("T")
W = TypeVar("W", bound="Waiter[Any]")

_SWEEP_MARGIN: Final = 64

#: A deadline on the loop's clock (``IOLoop.time()``, seconds since the epoch), or a duration from
#: now. 0 means not to wait at all.
Timeout = float | datetime.timedelta


def seconds_left(timeout: Timeout) -> float:
    """How long from now ``timeout`` is, in seconds; 0 or less when it is due."""
    if isinstance(timeout, datetime.timedelta):
        return timeout.total_seconds()
    if isinstance(timeout, int | float):
        # 0, "do not wait", is the commonest deadline and needs no clock.
        return timeout - IOLoop.current().time() if timeout > 0 else 0.0
    raise TypeError(f"a timeout is a number or a timedelta, not {timeout!r}")


class Waiter(asyncio.Future[T]):
    """A future whose grant is not lost when its awaiter is cancelled at the last moment."""

    #: Called with the granted value when it could not be delivered.
    give_back: Callable[[T], object] | None = None
    _timer: asyncio.TimerHandle | None = None
    _undelivered = False

    def start_timer(self, timeout: Timeout, expire: Callable[[Any], object]) -> None:
        """Call ``expire(self)`` when ``timeout`` is over, at once if it is now, unless done."""
        seconds = seconds_left(timeout)
        if seconds > 0:
            self._timer = self.get_loop().call_later(seconds, self._expired, expire)
        else:
            expire(self)

    def grant(self, value: T) -> None:
        """Finish the wait with ``value``. The waiter must not be done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.set_result(value)

    def cancel(self, msg: object = None) -> bool:
        """Cancel the wait, and its timer with it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return super().cancel(msg)

    def __await__(self) -> Generator[Any, None, T]:
        if not self.done():
            self._asyncio_future_blocking = True
            try:
                yield self
            except BaseException:
                self.abandon()
                raise
        if self._undelivered:
            # Two tasks awaited one waiter and the other one gave the grant back.
            raise asyncio.CancelledError
        return self.result()

    # For generator-based coroutines, ``yield from``.
    __iter__ = __await__

    def _expired(self, expire: Callable[[Any], object]) -> None:
        self._timer = None
        if not self.done():
            expire(self)

    def abandon(self) -> None:
        """Say that nobody awaits this waiter any more: cancel it, or give back its grant."""
        if not self.done():
            if not self.get_loop().is_closed():
                self.cancel()
        elif not self.cancelled() and self.exception() is None and self.give_back is not None:
            give_back, self.give_back = self.give_back, None
            self._undelivered = True
            give_back(self.result())


def fail_with_timeout(waiter: Waiter[Any]) -> None:
    """Let a waiter whose time is up raise ``TimeoutError``."""
    waiter.set_exception(TimeoutError("Timeout"))


class Waiters(Generic[W]):
    """A line of waiters, first come first served."""

    __slots__ = ("_line", "_sweep_at")

    def __init__(self) -> None:
        self._line: deque[W] = deque()
        self._sweep_at = _SWEEP_MARGIN

    def __len__(self) -> int:
        """How many still wait. This one operation is O(n)."""
        return sum(not waiter.done() for waiter in self._line)

    def append(self, waiter: W, timeout: Timeout | None, expire: Callable[[W], object]) -> None:
        """Put ``waiter`` at the end of the line, to be given to ``expire`` when time is up."""
        if timeout is not None:
            waiter.start_timer(timeout, expire)
            if waiter.done():
                return
        line = self._line
        if len(line) >= self._sweep_at:
            line = self._line = deque(waiter for waiter in line if not waiter.done())
            self._sweep_at = 2 * len(line) + _SWEEP_MARGIN
        line.append(waiter)

    def pop(self) -> W | None:
        """Take the first that still waits out of the line; None when there is none."""
        line = self._line
        while line:
            waiter = line.popleft()
            if not waiter.done():
                return waiter
        return None

    def grant_all(self, value: object) -> None:
        """Grant ``value`` to everyone who waits now."""
        line, self._line = self._line, deque()
        for waiter in line:
            if not waiter.done():
                waiter.grant(value)
