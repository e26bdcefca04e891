"""The futures that locks and queues hand out, and the line they stand in.

A *waiter* is an asyncio future. Whoever has something to give (an item, a permit, a
notification) takes the first of the line that still waits and *grants* it. Two things can come
between:

* The waiter's time is up, or it is cancelled. It stays in the line as a dead entry, which costs
  nothing to leave and is skipped when its turn comes. The line is swept when it has doubled since
  the last sweep, so that an operation costs O(1) amortised and dead entries never outnumber
  those that waited at the last sweep by more than a constant.
* The task that awaits the waiter is cancelled *after* the grant and before it runs. A future that
  is done cannot be cancelled any more, and asyncio throws its result away with the task's step:
  the item or permit would be lost. So a waiter that somebody awaits is not done until that
  somebody runs: the grant waits in the loop's queue, where the wake-up would have waited, and
  there, in one step, either finishes the waiter and calls who awaits it, or finds the waiter
  cancelled and goes back to its owner. It costs no additional turn of the loop.

A waiter marked with `IN_LINE` gets something that would be lost with it: `with_timeout` cancels it
when its time is up and nobody else has it. The marks are in ``_cancel_message``, where a future has
room of its own, and which means nothing until it is cancelled: an attribute in a dict would make a
waiter a third larger and slower.

Out: futures. Raises ``TimeoutError`` in the waiter, ``TypeError`` for a time-out that is neither
number nor timedelta.
"""

import asyncio
import datetime
import operator
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar, cast

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.loop import IOLoop

Future = asyncio.Future

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

#: Marks a waiter that gets something.
IN_LINE: Final = "it was in line"
# Marks a waiter of a coroutine that gives back what it cannot take.
_RETURNS: Final = "it returns what it got"

# A future's own room for it, which type checkers do not know of.
_mark = operator.attrgetter("_cancel_message")

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


class Owner(Protocol[T_contra]):
    """What grants, and what a grant goes back to."""

    def _take_back(self, value: T_contra) -> None:
        """Pass on a grant that could not be delivered."""


def grant(waiter: asyncio.Future[T], value: T, owner: Owner[T]) -> None:
    """Finish ``waiter`` with ``value``, or give it back to ``owner`` if that turns out impossible.

    The waiter must not be done and is not in the line any more.
    """
    # Not a documented attribute, but every Python from 3.5 to 3.14 has it: pairs of callback and
    # context, or None. The tests of lost items fail where it goes.
    callbacks = waiter._callbacks
    if not callbacks or len(callbacks) > 1 or _mark(waiter) is _RETURNS:
        # Nobody awaits it, so that nobody can be cancelled; or several do, and one is enough; or
        # whoever awaits it gives back by itself (Waiters.wait_here).
        waiter.set_result(value)
        return
    ((callback, context),) = callbacks
    try:
        waiter.get_loop().call_soon(_deliver, waiter, value, owner, callback, context=context)
    except RuntimeError:
        # The loop was closed under a waiting task.
        owner._take_back(value)


def _deliver(
    waiter: asyncio.Future[T],
    value: T,
    owner: Owner[T],
    callback: Callable[[asyncio.Future[T]], object],
) -> None:
    if waiter.done():
        owner._take_back(value)
        return
    awaited = waiter.remove_done_callback(callback)
    waiter.set_result(value)
    if awaited:
        callback(waiter)


class TimedWaiter(asyncio.Future[T]):
    """A waiter with a time-out, whose timer goes when the wait ends otherwise."""

    __slots__ = ("timer",)

    timer: asyncio.TimerHandle | None

    def set_result(self, result: T, /) -> None:
        """Finish the wait."""
        self._stop_timer()
        super().set_result(result)

    def cancel(self, msg: object = None) -> bool:
        """Cancel the wait."""
        self._stop_timer()
        return super().cancel(msg)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def expired(self, expire: Callable[[asyncio.Future[T]], object]) -> None:
        """The time is up."""
        self.timer = None
        if not self.done():
            expire(self)


def fail_with_timeout(waiter: asyncio.Future[Any]) -> None:
    """Let a waiter whose time is up raise ``TimeoutError``."""
    waiter.set_exception(TimeoutError("Timeout"))


class LoopHint:
    """Remembers the loop for futures that are done when they are made.

    Asking for the running loop costs a system call in Python 3.11, half of what such a future
    costs. Asking a loop whether it runs is cheap, and for a future that nobody will wait for
    it does not matter which of several running loops it belongs to.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def _done(self, value: T) -> asyncio.Future[T]:
        """A future that has ``value`` already."""
        loop = self._loop
        if loop is None or not loop.is_running():
            loop = self._loop = own_asyncio_loop()
        future: asyncio.Future[T] = asyncio.Future(loop=loop)
        future.set_result(value)
        return future


class Ready(Coroutine[Any, Any, None]):
    """A coroutine of None that never suspends and has no state: one is enough for all."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        # Any iterator will do, and this one costs nothing.
        return cast("Generator[Any, Any, None]", iter(()))

    def send(self, value: object, /) -> NoReturn:
        """Finish at once."""
        raise StopIteration

    def throw(self, *args: Any) -> NoReturn:
        """Raise what is thrown in."""
        raise args[0]

    def close(self) -> None:
        """Do nothing: there is nothing to interrupt."""


READY: Final = Ready()


class Waiters(Generic[T]):
    """A line of waiters, first come first served.

    Attributes:
        line: the waiters, dead ones included. If it is empty nobody waits.
    """

    __slots__ = ("_loop", "_sweep_at", "line")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.line: deque[asyncio.Future[T]] = deque()
        self._sweep_at = _SWEEP_MARGIN

    def __len__(self) -> int:
        """How many still wait. This one operation is O(n)."""
        return sum(not waiter.done() for waiter in self.line)

    def wait(
        self,
        timeout: Timeout | None = None,
        expire: Callable[[asyncio.Future[T]], object] = fail_with_timeout,
    ) -> asyncio.Future[T]:
        """A new waiter at the end of the line, or outside of it if it shall not wait at all.

        Args:
            timeout: after that the waiter is given to ``expire``.
            expire: finishes the waiter.
        """
        loop = self._loop
        if timeout is None and loop is not None and loop.is_running():
            # A loop runs, so that the future may find it: it has a shorter way to it than we.
            waiter: asyncio.Future[T] = Future()
        elif timeout is None:
            loop = self._loop = own_asyncio_loop()
            waiter = Future(loop=loop)
        else:
            loop = own_asyncio_loop()
            seconds = seconds_left(timeout)
            if seconds <= 0:
                waiter = asyncio.Future(loop=loop)
                expire(waiter)
                return waiter
            timed: TimedWaiter[T] = TimedWaiter(loop=loop)
            timed.timer = loop.call_later(seconds, timed.expired, expire)
            waiter = timed
        line = self.line
        if len(line) >= self._sweep_at:
            line = self._sweep()
        line.append(waiter)
        return waiter

    def _sweep(self) -> deque[asyncio.Future[T]]:
        line = self.line = deque(waiter for waiter in self.line if not waiter.done())
        self._sweep_at = 2 * len(line) + _SWEEP_MARGIN
        return line

    async def wait_here(self, owner: Owner[T]) -> None:
        """Wait in line, for coroutines of our own: cheaper than awaiting `wait`.

        The exception can be seen here, so that the grant need not wait for the wake-up.
        """
        waiter: asyncio.Future[T] = Future()
        waiter._cancel_message = _RETURNS  # type: ignore[attr-defined]
        line = self.line
        if len(line) >= self._sweep_at:
            line = self._sweep()
        line.append(waiter)
        try:
            await waiter
        except BaseException:
            if not waiter.cancel() and not waiter.cancelled():
                owner._take_back(waiter.result())
            raise

    def pop(self) -> asyncio.Future[T] | None:
        """Take the first that still waits out of the line; None when there is none."""
        line = self.line
        while line:
            waiter = line.popleft()
            if not waiter.done():
                return waiter
        return None

    def finish_all(self, value: T) -> None:
        """Finish everyone who waits now."""
        line, self.line = self.line, deque()
        for waiter in line:
            if not waiter.done():
                waiter.set_result(value)
