"""How many requests run at once, in all and for each host, and who is next.

A fetch asks for a slot before it looks for a connection. It gets one at once, or waits; slots that
become free go round: to the first in the queue of each host in turn, so that a thousand requests
to one host do not hold up the one to another.
"""

from collections.abc import Hashable
from typing import Protocol


class Waiter(Protocol):
    """Who waits for a slot."""

    def slot_granted(self) -> None:
        """It has one now. Must not raise."""


class Slots:
    """See the module's text.

    Args:
        total: How many there are.
        per_host: How many of them one host may have; None for any number.

    >>> class Fetch:
    ...     def slot_granted(self): print("now")
    >>> slots = Slots(1)
    >>> slots.take("a.example", Fetch()), slots.take("b.example", Fetch())
    (True, False)
    >>> slots.give_back("a.example")
    now
    """

    __slots__ = ("_granting", "_per_host", "_queues", "_ready", "_taken", "in_use", "total")

    def __init__(self, total: int, per_host: int | None = None) -> None:
        if total < 1 or (per_host is not None and per_host < 1):
            raise ValueError("there has to be at least one slot")
        self.total = total
        self.in_use = 0
        self._per_host = total if per_host is None else min(per_host, total)
        self._taken: dict[Hashable, int] = {}
        # Dicts for their order, and because one can leave from the middle of a queue.
        self._queues: dict[Hashable, dict[Waiter, None]] = {}
        self._ready: dict[Hashable, None] = {}  # hosts with a queue and below their limit
        self._granting = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._queues.values()))

    def take(self, host: Hashable, waiter: Waiter) -> bool:
        """Take a slot for ``host``, True, or get in line for one, False."""
        taken = self._taken.get(host, 0)
        # Whoever waits for this host comes first; others wait only when all slots are in use.
        if self.in_use < self.total and taken < self._per_host and host not in self._queues:
            self.in_use += 1
            self._taken[host] = taken + 1
            return True
        queue = self._queues.get(host)
        if queue is None:
            queue = self._queues[host] = {}
        queue[waiter] = None
        if taken < self._per_host:
            self._ready[host] = None
        return False

    def leave(self, host: Hashable, waiter: Waiter) -> None:
        """Wait no more."""
        queue = self._queues.get(host)
        if queue is not None and waiter in queue:
            del queue[waiter]
            if not queue:
                del self._queues[host]
                self._ready.pop(host, None)

    def give_back(self, host: Hashable) -> None:
        """Free a slot; whoever is next gets it before this returns."""
        self.in_use -= 1
        taken = self._taken[host] - 1
        if taken:
            self._taken[host] = taken
        else:
            del self._taken[host]
        if self._queues:
            if host in self._queues:
                self._ready[host] = None
            self._grant()

    def _grant(self) -> None:
        if self._granting:
            return  # a waiter has given its slot back at once: the loop below goes on
        self._granting = True
        try:
            while self._ready and self.in_use < self.total:
                host = next(iter(self._ready))
                del self._ready[host]
                queue = self._queues[host]
                waiter = next(iter(queue))
                del queue[waiter]
                if not queue:
                    del self._queues[host]
                self.in_use += 1
                taken = self._taken[host] = self._taken.get(host, 0) + 1
                if queue and taken < self._per_host:
                    self._ready[host] = None  # to the end of the round
                waiter.slot_granted()
        finally:
            self._granting = False
