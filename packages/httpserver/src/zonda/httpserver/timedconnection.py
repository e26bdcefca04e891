"""The deadlines of one connection: how long it waits for its peer, and for what.

In: the clock of a `DeadlineTimer`, which asks once a second. Out: a 408, a reset or a close when
the peer has kept the connection waiting for too long. Waiting for the application is not held
against the peer. Nothing is raised.
"""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from zonda.httpserver.outgoing import Outgoing
from zonda.ioloop.log import gen_log

if TYPE_CHECKING:
    from zonda.httpserver.context import HTTPRequestContext
    from zonda.httpserver.counters import Counters
    from zonda.httpserver.deadlines import DeadlineTimer
    from zonda.httpserver.parameters import HTTP1ConnectionParameters
    from zonda.httputil.http1 import Limits
    from zonda.iostream import IOStream

#: Seconds of idleness after which a connection keeps nothing of the requests it has had.
FORGET_AFTER = 5.0
#: Seconds before the rate of a body counts: connections start slowly.
RATE_GRACE = 10.0
#: Seconds that a client which was told that it may gets to ask once more while the server drains
#: (the clock is coarse: at least one of them will have passed).
PATIENCE = 2.0


class TimedConnection(Outgoing):
    """The deadlines of `HTTP1ServerConnection`; not used by itself."""

    __slots__ = (
        "_body_bytes",
        "_body_deadline",
        "_body_rate",
        "_body_since",
        "_progress",
        "_taken",
        "_waiting",
    )

    def __init__(
        self,
        stream: IOStream,
        params: HTTP1ConnectionParameters | None,
        context: HTTPRequestContext | None,
        timer: DeadlineTimer,
        limits: Limits | None,
        counters: Counters | None,
    ) -> None:
        super().__init__(stream, params, context, timer, limits, counters)
        self._waiting: asyncio.Future[Any] | None = None  # the application holds events back
        self._progress = timer.now  # when the peer last sent or took something
        self._taken = -1
        self._body_deadline: float | None = None
        # What has come of the request under way since when, and how much has to come a second.
        self._body_since = 0.0
        self._body_bytes = 0
        self._body_rate: float | None = None

    def set_body_timeout(self, timeout: float | None) -> None:
        """Give the body that is being received so many seconds from now; None for no limit."""
        self._body_deadline = None if timeout is None else self._timer.now + timeout

    def set_min_body_rate(self, rate: float | None) -> None:
        """Have the body that is being received come with so many bytes a second; None for any."""
        self._body_rate = rate

    def lost_while_lent(self) -> None:
        """The stream is closed; see `LendingConnection`."""

    def check_deadlines(self, now: float) -> None:
        """Close if the peer has kept us waiting for too long (the timer asks once a second)."""
        if self.stream.closed():
            self.lost_while_lent()
            return
        params = self.params
        if self.stream.bytes_queued:
            taken = self.stream.bytes_taken  # what the application adds is no progress
            if taken != self._taken:
                self._taken = taken
                self._progress = now
            elif _overdue(now, self._progress, params.write_timeout):
                gen_log.info("%s takes no data: closing the connection", self.context)
                self.abort()
            return
        self._taken = -1
        exchange = self._exchange
        if self._lingering is not None:
            if now - self._since >= params.linger_timeout:
                self.stream.close()
        elif exchange is None:
            if self.protocol.bytes_buffered:
                if _overdue(now, self._since, params.header_timeout):
                    self._refuse(408, "the head of the request takes too long")
            elif _overdue(now, self._since, params.idle_timeout) or (
                self.protocol.closing and now - self._since >= PATIENCE
            ):
                self.stream.close()
            elif now - self._since >= FORGET_AFTER:
                self.protocol.forget_fields()
                self._done = None
        elif not exchange.request_complete and self._waiting is None:
            if self._body_deadline is not None and now >= self._body_deadline:
                self._refuse(408, "the body of the request takes too long")
            elif _overdue(now, self._progress, params.read_timeout):
                self._refuse(408, "the body of the request does not arrive")
            elif self._body_rate is not None:
                seconds = now - self._body_since
                if seconds >= RATE_GRACE and self._body_bytes < self._body_rate * seconds:
                    self._refuse(408, "the body of the request comes too slowly")
        elif exchange.request_complete:
            # Nobody but this connection, and `exchange` here, holds it: nobody will ever answer,
            # and of a peer that sends no more there will be no other sign.
            if self._peer_finished and _references(self) <= _ALONE + 1:
                self.stream.close()
        else:
            # The peer has to wait for the application: that is not held against it.
            self._body_since = now
            self._body_bytes = 0


def _references(connection: Any) -> int:
    """How many references there are to the exchange of ``connection``, those in here included."""
    exchange = connection._exchange
    return sys.getrefcount(exchange)


_ALONE = _references(SimpleNamespace(_exchange=object()))
"""As many if only its connection holds it; what counts in here depends on the interpreter."""


def _overdue(now: float, since: float, timeout: float | None) -> bool:
    return timeout is not None and now - since >= timeout
