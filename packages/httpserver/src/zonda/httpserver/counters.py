"""What a server has done so far, in numbers.

Plain additions on the way of a request, and nothing else: no lock (all of a server runs in one
thread) and no clock. Rates are the difference of two readings.
"""

from __future__ import annotations

from collections.abc import Sized


class Counters:
    """The numbers of one server (``server.counters``); connections without a server share one.

    Attributes:
        connections: Connections that were accepted.
        requests: Requests whose head was valid.
        bytes_in: Bytes read from clients, as HTTP: after TLS, before an upgrade.
        bytes_out: Bytes handed to streams, likewise.
        refused: Requests that the server itself has answered: malformed, too large, too slow.
        errors: Responses with a status from 500 on, and exceptions that took the place of one.

    >>> Counters().as_dict()["requests"]
    0
    """

    __slots__ = (
        "_open",
        "_upgraded",
        "bytes_in",
        "bytes_out",
        "connections",
        "errors",
        "refused",
        "requests",
    )

    def __init__(self, connections: Sized = (), upgraded: Sized = ()) -> None:
        self._open = connections
        self._upgraded = upgraded
        self.connections = 0
        self.requests = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.refused = 0
        self.errors = 0

    @property
    def open_connections(self) -> int:
        """Connections that speak HTTP now."""
        return len(self._open)

    @property
    def open_websockets(self) -> int:
        """Connections that have switched protocols, and are open."""
        return len(self._upgraded)

    def as_dict(self) -> dict[str, int]:
        """Return all numbers by name, for whatever publishes them."""
        names = (
            "connections",
            "open_connections",
            "open_websockets",
            "requests",
            "bytes_in",
            "bytes_out",
            "refused",
            "errors",
        )
        return {name: getattr(self, name) for name in names}
