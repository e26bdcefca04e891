"""The server's HTTP/1.1 driver: it moves bytes between a stream and the protocol.

The stream pushes chunks in (`data_received`); the protocol turns them into events; events become
calls of the application's delegates. What the application answers becomes bytes and goes straight
to the stream. Nothing of it makes a task or a future for a request that is answered at once, and
there is one write a response.

Pipelined requests are answered in order: the protocol gives no event of the next request until the
response to this one is complete. Meanwhile reading goes on, so that a disconnect is noticed, until
`READ_AHEAD` bytes are waiting; from then on the stream still notices a reset.

A peer that closes its sending side may still read: its response goes on. The application is told
all the same (``on_connection_close``), because most peers that do so are gone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from zonda.httpserver.counters import Counters
from zonda.httpserver.deadlines import DeadlineTimer
from zonda.httpserver.exchange import HTTP1Exchange
from zonda.httpserver.lendingconnection import LendingConnection
from zonda.httpserver.parameters import DEFAULT_CHUNK_SIZE, HTTP1ConnectionParameters
from zonda.httpserver.upgrades import Forget, Upgraded, nobody
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
)
from zonda.httputil.http1 import (
    ConnectionClosed,
    Data,
    EndOfMessage,
    Limits,
    RemoteProtocolError,
    Request,
)
from zonda.ioloop.log import app_log
from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.httpserver.context import HTTPRequestContext
    from zonda.iostream import IOStream

StartMessage = Callable[
    [object, HTTPConnection, RequestStartLine, HTTPHeaders], HTTPMessageDelegate
]


#: Bytes behind the current request that may wait before reading pauses.
READ_AHEAD = 64 * 1024
#: Requests and body pieces handled in one go before other connections get their turn.
EVENTS_PER_TURN = 64
#: Bytes to be read at once of a body that is known to be large, where no ``chunk_size`` says
#: otherwise: a fourth of the calls, and of the turns of the loop.
LARGE_READ = 256 * 1024

_new_tuple = tuple.__new__


class HTTP1ServerConnection(LendingConnection):
    """Serves HTTP/1.1 on one stream.

    Args:
        stream: An open stream that nothing has been read from.
        params: Settings; the defaults of `HTTP1ConnectionParameters` if None.
        context: Address and scheme, which requests show as ``remote_ip`` and ``protocol``.
        timer: The deadlines' timer, shared by all connections of a server; its own if None.
        limits: The protocol's limits; those of ``params`` if None (a server makes them once).
        counters: The server's numbers.
    """

    __slots__ = (
        "_chunk_size",
        "_closed",
        "_drain_callback",
        "_held",
        "_pumping",
        "_rest",
        "_start_message",
    )

    def __init__(
        self,
        stream: IOStream,
        params: HTTP1ConnectionParameters | None = None,
        context: HTTPRequestContext | None = None,
        timer: DeadlineTimer | None = None,
        limits: Limits | None = None,
        counters: Counters | None = None,
    ) -> None:
        if timer is None:  # not `or`: one that asks nobody yet is empty
            timer = DeadlineTimer(asyncio.get_running_loop())
        super().__init__(stream, params, context, timer, limits, counters)
        self._start_message: StartMessage | None = None
        self._pumping = False
        self._chunk_size = self.params.chunk_size or LARGE_READ
        self._rest = b""  # body bytes beyond one chunk, to be delivered next
        # The body of a message that has been taken whole, to be delivered with its end.
        self._held: bytes | None = None
        # Who wants to know, of the exchanges, that the server is about to end, and how.
        self._drain_callback: tuple[HTTP1Exchange, Callable[[], object]] | None = None
        self._closed: asyncio.Future[None] | None = None

    # -- life ------------------------------------------------------------------------------------

    def start_serving(
        self,
        delegate: HTTPServerConnectionDelegate,
        start_message: StartMessage | None = None,
    ) -> None:
        """Begin to read requests and to hand them to ``delegate``.

        Args:
            delegate: Told of requests and of the end.
            start_message: Called in place of its ``start_request``, with the head (see
                `Router.start_message`).
        """
        self._delegate = delegate
        self._start_message = start_message
        self._takes_whole = not self.params.no_keep_alive
        self._timer.add(self)
        self.stream.set_sink(self)

    async def close(self) -> None:
        """Close the connection, whatever is going on, and wait until the application was told."""
        if self._delegate is None:
            return  # closed already, or detached
        self._closed = asyncio.get_running_loop().create_future()
        self.stream.close()
        await self._closed

    def drain(self, idle_since: float = math.inf) -> None:
        """Close as soon as no request is being answered; its response says so to the peer.

        Args:
            idle_since: Leave it open if it has become idle later than that (the timer's clock): the
                peer may be about to ask, or have asked already.
        """
        self.protocol.announce_close()
        if self._drain_callback is not None:
            (asked_by, callback), self._drain_callback = self._drain_callback, None
            if asked_by is self._exchange:
                callback()
        if self._exchange is None and self._since < idle_since:
            self.stream.close_when_flushed()

    def detach(self) -> IOStream:
        """Give the stream away; what was received behind the request is what it reads first."""
        stream = self.stream
        rest = self.protocol.trailing_data
        self._end_of_life()
        stream.set_sink(None)
        if rest:
            stream.unread(rest)
        return stream

    def upgrade(self, successor: Upgraded) -> tuple[IOStream, Forget]:
        """Give the stream to another protocol, and that into the care of the server.

        Returns:
            The stream, as `detach` does, and what to call when the other protocol is through.
        """
        adopt = getattr(self._delegate, "adopt", None)  # see `Adopter`: not all delegates are
        # First, or a server that waits for the last connection to end would find none.
        forget = nobody if adopt is None else adopt(successor)
        return self.detach(), forget

    def set_drain_callback(self, exchange: HTTP1Exchange, callback: Callable[[], object]) -> None:
        """Call ``callback`` when the server drains, if ``exchange`` is still under way."""
        self._drain_callback = (exchange, callback)
        if self.draining:
            # It began when all others had been told already.
            asyncio.get_running_loop().call_soon(self.drain)

    @property
    def draining(self) -> bool:
        """Whether the server is about to end."""
        return bool(getattr(self._delegate, "draining", False))

    # -- what the stream says --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._progress = self._timer.now
        self._counters.bytes_in += len(data)
        if self._takes_whole and self._exchange is None and self._waiting is None:
            # Nearly every GET: it comes in one read, by itself.
            request = self.protocol.receive_request(data)
            if request is not None:
                start_line, headers, body = request  # a call with * would cost more
                self._answer(start_line, headers, body)
                return
        if self._lingering is not None:
            self._lingering -= len(data)
            if self._lingering < 0:
                self.stream.close()
            return
        self._body_bytes += len(data)
        protocol = self.protocol
        if self._exchange is None and not protocol.bytes_buffered:
            self._since = self._progress  # the first byte of a request starts its header deadline
        protocol.receive_data(data)
        self._pump()
        if (
            self._exchange is not None or self._waiting is not None or self._writing_paused
        ) and protocol.bytes_buffered > READ_AHEAD:
            self._reading_paused = True
            self.stream.pause_reading()

    def eof_received(self) -> None:
        """The peer sends no more; it may still read."""
        if self._lingering is not None:
            self.stream.close()
            return
        self._peer_finished = True
        self.protocol.receive_data(b"")
        exchange = self._exchange
        if exchange is not None and not exchange.finished:
            if exchange.request_complete and self._held is None:
                exchange.peer_gone()
            elif self._waiting is not None and self.protocol.truncated:
                # The application holds the body back, and does not know that there is no more.
                self._refuse(400, "the client closed inside the body of its request")
                return
        self._pump()

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed."""
        exchange = self._exchange
        if self._write_future is not None:
            future, self._write_future = self._write_future, None
            if not future.done():
                future.set_exception(StreamClosedError(real_error=error))
                future.exception()  # not everybody waits for a write
        self._end_of_life()
        if exchange is not None:
            try:
                exchange.peer_gone()
            except Exception:
                app_log.error("Uncaught exception in on_connection_close", exc_info=True)

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write: its next request has to wait."""
        self._writing_paused = True
        self._takes_whole = False

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writing_paused = False
        if self._write_future is not None:
            future, self._write_future = self._write_future, None
            if not future.done():
                future.set_result(None)
        self._takes_whole = (
            self._delegate is not None and self._lingering is None and not self.params.no_keep_alive
        )
        if self._exchange is None:
            # Not from here, where the stream is still writing.
            asyncio.get_running_loop().call_soon(self._resume)

    def _end_of_life(self) -> None:
        self._timer.discard(self)
        self._takes_whole = False
        delegate, self._delegate = self._delegate, None
        self._exchange = None
        if delegate is not None:
            delegate.on_close(self)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    # -- from events to delegates ----------------------------------------------------------------

    def _pump(self) -> None:
        """Handle what the protocol has until it needs more, or has to wait for the application."""
        if self._pumping or self._is_waiting():
            return
        self._pumping = True
        protocol = self.protocol
        try:
            if self._rest:
                data, self._rest = self._rest, b""
                self._body_arrives(data)
                if self._is_waiting():
                    return
            if self._held is not None:
                self._deliver_held()
                if self._is_waiting():
                    return
            for _ in range(EVENTS_PER_TURN):
                event = protocol.next_event()
                # By type: the cheapest way to tell them apart.
                kind = type(event)
                if kind is Request:
                    self._request_begins(event)  # type: ignore[arg-type]
                elif kind is EndOfMessage:
                    self._request_ends()
                    if not protocol.bytes_buffered and not self._peer_finished:
                        return  # mostly nothing is pipelined: spare the question
                    if self.stream.closed():
                        return  # nobody is left to answer
                elif kind is Data:
                    self._body_arrives(event.data)  # type: ignore[arg-type, union-attr]
                else:
                    if kind is ConnectionClosed:
                        self.stream.close_when_flushed()
                    return
                if self._is_waiting():
                    return
            # Fair to others: the rest of what this peer has sent comes in the next turn.
            asyncio.get_running_loop().call_soon(self._resume)
        except Exception as error:
            self._failed(error)
        finally:
            self._pumping = False

    def _answer(self, start_line: RequestStartLine, headers: HTTPHeaders, body: bytes) -> None:
        """Let the application answer a request that is complete; the usual ends here, answered."""
        self._counters.requests += 1
        exchange = self._exchange = HTTP1Exchange(self, start_line[0] == "HEAD")
        exchange.request_complete = True
        try:
            start = self._start_message or self._start  # a call less where it can be
            exchange.delegate = message = start(self, exchange, start_line, headers)
            inherits = isinstance(message, HTTPMessageDelegate)  # nobody has to
            # Who has set a limit wants to have it looked at.
            if (
                inherits
                and (not body or exchange.max_body_size is None)
                and message.whole_message(start_line, headers, body)
            ):
                return
            waiting = message.headers_received(start_line, headers)
            if waiting is not None:
                self._wait(waiting)
            self._held = body
            if self._waiting is None:
                self._deliver_held()
        except Exception as error:
            self._failed(error)

    def _deliver_held(self) -> None:
        """Go on with a message that was taken whole."""
        body, self._held = self._held, None
        exchange = self._exchange
        if exchange is None:
            return  # answered already
        if body:
            limit = exchange.max_body_size  # that of the settings has been looked at
            if limit is not None and len(body) > limit:
                raise RemoteProtocolError(f"content larger than {limit} bytes", 413)
            self._body_arrives(body)
            if self._waiting is not None:
                self._held = b""
                return
        self._request_ends()

    def _failed(self, error: BaseException) -> None:
        """Answer for an exception that has come out of the protocol or the application."""
        if isinstance(error, HTTPInputError):
            # The protocol, the application, or a part of the request that is parsed late.
            self._refuse(error.status, str(error))
        else:
            app_log.error("Uncaught exception", exc_info=error)
            self._answer_and_close(500)

    def _is_waiting(self) -> bool:
        """Whether the next event has to wait: for the application, for ever, or for the peer.

        Who sends requests and reads no responses must not fill our memory with them.
        """
        return (
            self._waiting is not None
            or self._delegate is None
            or (self._writing_paused and self._exchange is None)
        )

    def _request_begins(self, event: Request) -> None:
        self._counters.requests += 1
        exchange = self._exchange = HTTP1Exchange(self, event.method == "HEAD")
        params = self.params
        if params.no_keep_alive:
            self.protocol.close_after_response()
        # All of it may be changed by the application when it sees the head.
        self._body_since = self._timer.now
        self._body_bytes = 0
        self._body_rate = params.min_body_rate
        if params.body_timeout is not None:
            self.set_body_timeout(params.body_timeout)
        length = event.content_length
        # Not of chunks: they have to be copied together, which is cheap only in the CPU's cache.
        if length is not None and length > DEFAULT_CHUNK_SIZE and params.chunk_size is None:
            self.stream.read_chunk_size = LARGE_READ
        # As RequestStartLine(...), which is a function in Python around this.
        start_line = _new_tuple(RequestStartLine, (event.method, event.target, event.version))
        exchange.delegate = message = self._start(self, exchange, start_line, event.headers)
        waiting = message.headers_received(start_line, event.headers)
        if waiting is not None:
            self._wait(waiting)
        if event.expect_continue:
            length = event.content_length or 0
            if self._waiting is not None:
                self._waiting.add_done_callback(lambda _: self._continue(length))
            else:
                self._continue(length)

    def _start(
        self,
        server_conn: object,
        exchange: HTTPConnection,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
    ) -> HTTPMessageDelegate:
        if self._start_message is not None:
            return self._start_message(self, exchange, start_line, headers)
        assert self._delegate is not None
        return self._delegate.start_request(self, exchange)

    def _body_arrives(self, data: bytes) -> None:
        size = self._chunk_size
        while data:
            exchange = self._exchange
            if exchange is None or exchange.delegate is None:
                return  # answered already: the rest of the body is of no interest
            chunk, data = (data[:size], data[size:]) if len(data) > size else (data, b"")
            waiting = exchange.delegate.data_received(chunk)
            if waiting is not None:
                self._wait(waiting)
                if self._waiting is not None:
                    self._rest = data
                    return

    def _request_ends(self) -> None:
        exchange = self._exchange
        self._body_deadline = None
        if self.stream.read_chunk_size == LARGE_READ and self.params.chunk_size is None:
            self.stream.read_chunk_size = DEFAULT_CHUNK_SIZE
        if exchange is None:
            return
        exchange.request_complete = True
        if exchange.delegate is not None:
            exchange.delegate.finish()
        if self._peer_finished and not exchange.finished:
            exchange.peer_gone()  # it went before its turn came

    def _wait(self, waiting: Awaitable[None]) -> None:
        """Hold the next event back until the application is ready for it."""
        future = asyncio.ensure_future(waiting)
        if future.done():
            future.result()
            return
        self._waiting = future
        future.add_done_callback(self._ready)

    def _ready(self, future: asyncio.Future[Any]) -> None:
        self._waiting = None
        if future.cancelled():
            self.abort()
            return
        error = future.exception()
        if error is None:
            self._resume()
        else:
            self._failed(error)

    def _resume(self) -> None:
        if not self.is_open:
            return
        self._pump()
        if self._reading_paused and self.protocol.bytes_buffered <= READ_AHEAD:
            self._reading_paused = False
            self.stream.resume_reading()

    def response_complete(self, exchange: HTTP1Exchange) -> None:
        """Go on with the next request, or close."""
        if self._lent:
            self._take_back()
        if self._exchange is not exchange:
            return
        self._exchange = None
        exchange.delegate = None
        protocol = self.protocol
        if not exchange.request_complete:
            # Answered before the body was read. It is not worth reading on for.
            self._linger()
            return
        if not protocol.keep_alive or (self._peer_finished and not protocol.bytes_buffered):
            if protocol.bytes_buffered:
                self._linger()  # who pipelines may be sending still
            else:
                self.stream.close_when_flushed()
            return
        self._since = self._timer.now
        protocol.start_next_cycle()
        if not self._pumping and (protocol.bytes_buffered or self._peer_finished):
            self._resume()
