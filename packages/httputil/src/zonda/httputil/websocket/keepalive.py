"""Pings and Pongs: whether the peer is alive, and how fast it answers.

No clock in here: each method is told the time (seconds, any clock that does not jump back). The
driver sends what `Keepalive.ping` returns and comes back when `Keepalive.next_time` says.
"""

import struct

_MAX_IN_FLIGHT = 16


class Keepalive:
    """The pings of one connection.

    Args:
        interval: Seconds from one ping to the next.
        timeout: Seconds within which a pong must come; not more than the interval, which it is
            by default.
        now: The time.

    Attributes:
        latency: Seconds that the last answered ping took, None before.

    Raises:
        ValueError: A number is not positive, or the timeout is longer than the interval.

    >>> keepalive = Keepalive(30, 10, now=0)
    >>> keepalive.next_time
    30
    >>> payload = keepalive.ping(now=30)
    >>> keepalive.next_time
    40
    >>> keepalive.pong(payload, now=30.5), keepalive.latency, keepalive.next_time
    (True, 0.5, 60)
    """

    __slots__ = ("_count", "_in_flight", "_next_ping", "interval", "latency", "timeout")

    def __init__(self, interval: float, timeout: float | None = None, *, now: float) -> None:
        if interval <= 0:
            raise ValueError(f"a ping interval is positive, not {interval}")
        if timeout is not None and not 0 < timeout <= interval:
            raise ValueError(
                f"a ping timeout is positive and at most the interval ({interval}), not {timeout}"
            )
        self.interval = interval
        self.timeout = interval if timeout is None else timeout
        self.latency: float | None = None
        self._in_flight: dict[bytes, float] = {}  # payload -> when it was sent, the oldest first
        self._next_ping = now + interval
        self._count = 0

    @property
    def next_time(self) -> float:
        """When to look again: for the next ping, or because a pong is due."""
        if self._in_flight:
            return min(self._next_ping, next(iter(self._in_flight.values())) + self.timeout)
        return self._next_ping

    def is_dead(self, now: float) -> bool:
        """Say whether a pong is overdue."""
        return bool(self._in_flight) and now >= next(iter(self._in_flight.values())) + self.timeout

    def wants_ping(self, now: float) -> bool:
        """Say whether it is time for the next ping."""
        return now >= self._next_ping

    def ping(self, now: float) -> bytes:
        """Take note of a ping that is sent now, and return its payload (8 bytes)."""
        self._count += 1
        payload = struct.pack("!Q", self._count)
        self._in_flight[payload] = now
        if len(self._in_flight) > _MAX_IN_FLIGHT:
            del self._in_flight[next(iter(self._in_flight))]
        self._next_ping = now + self.interval
        return payload

    def pong(self, payload: bytes, now: float) -> bool:
        """Take note of a pong; it answers the pings before its own, too (RFC 6455 §5.5.3).

        Returns:
            Whether it answers one of ours; others mean nothing.
        """
        sent = self._in_flight.get(payload)
        if sent is None:
            return False
        for answered in list(self._in_flight):
            del self._in_flight[answered]
            if answered == payload:
                break
        self.latency = now - sent
        return True
