"""Deadlines of many fetches with one timer of the loop.

Nearly all fetches of a client have the same few limits, and nearly all end long before them. So
there is one queue for each length of time, in which deadlines are in order by themselves; a fetch
that ends is taken out of a dict, and the loop has one timer, for the deadline that comes first.
That one is left alone when its fetch ends: when it fires, it looks what is first now.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timed(Protocol):
    """Something that has a deadline."""

    def deadline_passed(self, seconds: float) -> None:
        """The ``seconds`` that were given to `Deadlines.add` have passed."""


class Phase:
    """The deadline of a phase, to be given to `Deadlines.add`: it ends in an error.

    Args:
        seconds: How long the phase may last.
        fail: Takes the error.
        error: What it is.
    """

    __slots__ = ("_error", "_fail", "seconds")

    def __init__(
        self, seconds: float, fail: Callable[[Exception], object], error: Exception
    ) -> None:
        self.seconds = seconds
        self._fail = fail
        self._error = error

    def deadline_passed(self, seconds: float) -> None:
        """See `Timed`."""
        self._fail(self._error)


class Deadlines:
    """See the module's text.

    Args:
        loop: Whose clock and timers are used.
    """

    __slots__ = ("_handle", "_loop", "_queues", "_when")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: dict[float, dict[Timed, float]] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._when = 0.0  # of _handle

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, timed: Timed, seconds: float, now: float) -> None:
        """Tell ``timed`` when ``seconds`` from ``now`` (the loop's time) have passed."""
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = {}
        queue[timed] = when = now + seconds
        if self._handle is None or when < self._when:
            self._arm(when)

    def discard(self, timed: Timed, seconds: float) -> None:
        """Do not tell it."""
        queue = self._queues.get(seconds)
        if queue is not None:
            queue.pop(timed, None)

    def close(self) -> None:
        """Tell nobody any more."""
        self._queues.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._when = when
        self._handle = self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._handle = None
        now = self._loop.time()
        first = None
        overdue: list[tuple[Timed, float]] = []
        for seconds, queue in list(self._queues.items()):
            for timed, when in queue.items():
                # Timers may come early, by the clock's resolution.
                if when > now + 0.001:
                    first = when if first is None else min(first, when)
                    break
                overdue.append((timed, seconds))
            else:
                del self._queues[seconds]
        for timed, seconds in overdue:
            self.discard(timed, seconds)
        if first is not None:
            self._arm(first)
        for timed, seconds in overdue:
            timed.deadline_passed(seconds)
