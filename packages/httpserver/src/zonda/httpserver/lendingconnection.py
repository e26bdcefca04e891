"""A connection whose stream the application may read from while it answers a request.

Proxies for CONNECT do so, in programs that do not know of `detach`: they call ``read_*`` of the
stream that is the connection's, and write to it. In: such a call. Out: the stream is nobody's sink
until the response is complete, or the stream closed; the connection ends with that request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zonda.httpserver.timedconnection import TimedConnection

if TYPE_CHECKING:
    from zonda.httpserver.context import HTTPRequestContext
    from zonda.httpserver.counters import Counters
    from zonda.httpserver.deadlines import DeadlineTimer
    from zonda.httpserver.parameters import HTTP1ConnectionParameters
    from zonda.httputil.http1 import Limits
    from zonda.iostream import IOStream


class LendingConnection(TimedConnection):
    """What `HTTP1ServerConnection` does about its stream being read; not used by itself."""

    __slots__ = ("_lent",)

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
        self._lent = False

    def lend(self) -> bool:
        """Let the application read from the stream (see `zonda.iostream.sink.Sink`).

        Returns:
            False without a request that has come whole and is not answered.
        """
        exchange = self._exchange
        if exchange is None or exchange.finished or not exchange.request_complete:
            return False
        stream = self.stream
        rest = self.protocol.trailing_data
        self.protocol.close_after_response()
        self._lent = True
        self._reading_paused = False
        stream.set_sink(None)
        if rest:
            stream.unread(rest)
        # If the application sets one of its own instead, the timer will notice.
        stream.set_close_callback(self.lost_while_lent)
        return True

    def lost_while_lent(self) -> None:
        """The stream is closed, which nobody tells us as long as we are not its sink."""
        if self._lent:
            self._lent = False
            self.connection_lost(self.stream.error)

    def _take_back(self) -> None:
        """The response is complete, and so is what the application does with the stream, mostly."""
        self._lent = False
        if self.stream.reading():
            self._end_of_life()
        else:
            sink: Any = self
            self.stream.set_close_callback(None)
            self.stream.set_sink(sink)

    def connection_lost(self, error: BaseException | None) -> None:
        """See `zonda.iostream.sink.Sink`."""
        raise NotImplementedError

    def _end_of_life(self) -> None:
        """Forget the stream, and be forgotten."""
        raise NotImplementedError
