"""The sending half of a server's connection: responses, refusals, and the end behind them.

In: buffers from the exchanges, and statuses of what cannot be answered by the application. Out:
bytes on the stream, and futures that say when more may be written. Nothing is raised: a stream that
is closed gives futures with `StreamClosedError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zonda.httpserver.counters import Counters
from zonda.httpserver.deadlines import DeadlineTimer
from zonda.httpserver.parameters import HTTP1ConnectionParameters
from zonda.httpserver.refusal import refusal, refusal_size
from zonda.httputil import HTTPServerConnectionDelegate
from zonda.httputil.http1 import InformationalResponse, Limits, ServerConnection
from zonda.ioloop.log import gen_log
from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.httpserver.context import HTTPRequestContext
    from zonda.httpserver.exchange import HTTP1Exchange
    from zonda.iostream import FileRange, IOStream

Buffer = bytes | bytearray | memoryview

#: What a peer may still send after an error response before it is cut off, in bytes.
LINGER_BYTES = 1024 * 1024
# Of connections that were made without a server.
_UNREAD = Counters()

_CONTINUE = InformationalResponse(100, "Continue")


class Outgoing:
    """What `HTTP1ServerConnection` sends; not used by itself.

    Args:
        stream: An open stream that nothing has been read from.
        params: Settings; the defaults of `HTTP1ConnectionParameters` if None.
        context: Address and scheme, which requests show as ``remote_ip`` and ``protocol``.
        timer: The deadlines' timer.
        limits: The protocol's limits; those of ``params`` if None.
        counters: The server's numbers.
    """

    __slots__ = (
        "__weakref__",
        "_counters",
        "_delegate",
        "_done",
        "_exchange",
        "_lingering",
        "_peer_finished",
        "_reading_paused",
        "_since",
        "_takes_whole",
        "_timer",
        "_write_future",
        "_writing_paused",
        "context",
        "params",
        "protocol",
        "stream",
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
        self.stream = stream
        self._counters = counters or _UNREAD
        self.params = params or HTTP1ConnectionParameters()
        self.context: Any = context
        self.protocol = ServerConnection(limits or self.params.limits())
        self._timer = timer
        self._delegate: HTTPServerConnectionDelegate | None = None
        self._exchange: HTTP1Exchange | None = None
        self._takes_whole = False  # a request that comes in one piece may be taken as one
        self._write_future: asyncio.Future[None] | None = None
        self._done: asyncio.Future[None] | None = None
        self._writing_paused = False
        self._reading_paused = False
        self._peer_finished = False
        self._lingering: int | None = None
        self._since = timer.now  # since when this phase lasts

    @property
    def is_open(self) -> bool:
        """Whether anything written would be sent."""
        return not self.stream.closed()

    def abort(self) -> None:
        """Reset the connection: the response cannot be completed and must not look complete."""
        self.stream.abort()

    def send(self, buffers: Sequence[Buffer]) -> asyncio.Future[None]:
        """Write, and tell when more may be written (see `HTTP1Exchange.write`)."""
        stream = self.stream
        if stream.closed():
            future = asyncio.get_running_loop().create_future()
            future.set_exception(StreamClosedError(real_error=stream.error))
            future.exception()
            return future
        if len(buffers) == 1:
            stream.send(buffers[0])
        elif buffers:
            stream.send_buffers(buffers)
        self._counters.bytes_out += sum(map(len, buffers))
        if not self._writing_paused:
            done = self._done
            if done is None:
                done = self._done = asyncio.get_running_loop().create_future()
                done.set_result(None)
            return done  # nobody can change a future that is done: one serves all
        if self._write_future is None or self._write_future.done():
            self._write_future = asyncio.get_running_loop().create_future()
        return self._write_future

    def send_whole(self, data: bytes) -> asyncio.Future[None]:
        """Send a whole response, of which the protocol says that there is nothing more to it."""
        stream = self.stream
        done = self._done
        if stream.closed() or done is None:
            future = self.send((data,))
        else:
            self._counters.bytes_out += len(data)
            stream.send(data)
            future = self.send(()) if self._writing_paused else done
        self._exchange = None
        self._since = self._timer.now
        return future

    def send_files(self, buffers: Sequence[Buffer | FileRange]) -> asyncio.Future[None]:
        """As `send`, where some of the buffers are parts of files (see `HTTP1Exchange`)."""
        self._counters.bytes_out += sum(map(len, buffers))
        self.stream.send_files(buffers)
        return self.send([])

    def _continue(self, length: int) -> None:
        """Ask for the body, unless it is too long or the application has answered without it."""
        exchange = self._exchange
        limit = self.protocol.body_limit
        if (
            exchange is not None
            and not exchange.headers_written
            and self.protocol.expects_continue
            and (limit is None or length <= limit)
            and self.is_open
        ):
            self.send(self.protocol.send(_CONTINUE))

    def _refuse(self, status: int, why: str) -> None:
        """Answer a bad request, once, and close."""
        gen_log.info("Malformed HTTP message from %s: %s", self.context, why)
        self._counters.refused += 1
        self._answer_and_close(status)

    def _answer_and_close(self, status: int) -> None:
        """End what is going on with an error response, if there is still room for one."""
        if status >= 500:
            self._counters.errors += 1
        exchange, self._exchange = self._exchange, None
        started = exchange is not None and exchange.headers_written
        if exchange is not None:
            exchange.finished = True
            if not started:
                exchange.refusal = status, refusal_size(status)
            exchange.peer_gone()
        else:
            # See `RefusalObserver`: not all delegates are.
            observe = getattr(self._delegate, "request_refused", None)
            if observe is not None:
                received = self.protocol.trailing_data
                observe(self.context, received, status, self._timer.now - self._since)
        if not self.is_open:
            return
        if started:
            # A response is half out already; only its end can say that something went wrong.
            self.abort()
            return
        self.stream.send(refusal(status))
        self._linger()

    def _linger(self) -> None:
        """Let the peer read the answer: close now and what it still sends would reset it."""
        self._lingering = LINGER_BYTES
        self._takes_whole = False
        self._since = self._timer.now
        self.stream.write_eof()
        if self._peer_finished:
            self.stream.close_when_flushed()
        else:
            self._reading_paused = False
            self.stream.resume_reading()
