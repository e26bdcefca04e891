"""One coarse timer for all connections of a server, in place of one or more a request.

Connections are added when they are made and discarded when they are lost; in between each is
asked about once a second whether it has waited too long (`Timed.check_deadlines`). `now` is the
clock they all share: reading an attribute costs a connection nothing, and a second is precise
enough for deadlines of many. The timer runs only while there are connections.
"""

import asyncio
from typing import Protocol

INTERVAL = 1.0
"""Seconds between two looks at the connections."""


class Timed(Protocol):
    """Something that the timer asks."""

    def check_deadlines(self, now: float) -> None:
        """Act if something is overdue at ``now`` (seconds, the timer's clock)."""


class DeadlineTimer:
    """Asks connections once a second whether something is overdue.

    Args:
        loop: Whose clock and timers are used.
    """

    __slots__ = ("_connections", "_handle", "_loop", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._connections: set[Timed] = set()
        self._handle: asyncio.TimerHandle | None = None
        self.now = loop.time()

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: Timed) -> None:
        """Ask ``connection`` from now on."""
        self._connections.add(connection)
        if self._handle is None:
            self.now = self._loop.time()
            self._handle = self._loop.call_later(INTERVAL, self.tick)

    def discard(self, connection: Timed) -> None:
        """Ask it no more; the last one stops the timer."""
        self._connections.discard(connection)
        if not self._connections and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def tick(self) -> None:
        """Ask all of them now and again an interval later."""
        if self._handle is not None:
            self._handle.cancel()  # asked out of turn
            self._handle = None
        self.now = self._loop.time()
        for connection in tuple(self._connections):
            connection.check_deadlines(self.now)
        if self._connections:
            self._handle = self._loop.call_later(INTERVAL, self.tick)
