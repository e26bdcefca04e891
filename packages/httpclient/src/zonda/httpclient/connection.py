"""The client's HTTP/1.1 driver: it moves bytes between a stream and the protocol.

One exchange at a time: its request goes out with one write if it is small, the stream pushes
chunks in, the protocol makes events of them, and events become calls of the exchange. Nothing of
it makes a task or a future, except writing a body in pieces. After an exchange the connection is
`reusable`, or it has to be closed; whoever owns it does that.

Between exchanges the stream is read on: a server that closes, or that speaks without being
asked, ends the connection there and then, and the pool learns of it.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from zonda.httpclient.errors import HTTPProtocolError, HTTPStreamClosedError, HTTPTooLargeError
from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import (
    END_OF_MESSAGE,
    ClientConnection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    IncompleteMessage,
    InformationalResponse,
    Limits,
    RemoteProtocolError,
    Request,
    Response,
    State,
)
from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.httpclient.connecting import Route
    from zonda.iostream import IOStream

Buffer = bytes | bytearray | memoryview


# Bytes of one read: of a small response, and of a large one, where it saves turns of the loop.
_CHUNK = 64 * 1024
_LARGE_CHUNK = 256 * 1024


class ExchangeEvents(Protocol):
    """What a connection tells the exchange that it carries.

    Attributes:
        collects: Whether ``data_received`` never returns anything to wait for.
    """

    collects: bool

    def informational(self, response: InformationalResponse) -> None:
        """A 1xx response has arrived."""

    def headers_received(self, response: Response) -> None:
        """The head of the response has arrived."""

    def data_received(self, data: bytes) -> Awaitable[object] | None:
        """A piece of the body; the next one waits for what is returned."""

    def finished(self, trailers: HTTPHeaders | None) -> None:
        """The response is complete. The connection has no part in the exchange any more."""

    def failed(self, error: Exception) -> None:
        """There will be no (more of a) response. The connection is closed."""


class Owner(Protocol):
    """Who keeps the connection while it is idle."""

    def discard(self, connection: HTTP1ClientConnection) -> None:
        """It has closed."""


class HTTP1ClientConnection:
    """One connection to a server or proxy.

    Args:
        stream: Open; nothing has been read from it.
        route: How it was made.
        limits: The protocol's limits.
        owner: Told when an idle connection closes.

    Attributes:
        exchanges: How many were begun.
        touched: Whether a byte has arrived since the last one was begun.
        allowed_idle: Seconds that the server keeps it open when idle, None if it has not said.
    """

    __slots__ = (
        "__weakref__",
        "_exchange",
        "_lost",
        "_owner",
        "_pumping",
        "_waiting",
        "_write_future",
        "_writing_paused",
        "allowed_idle",
        "exchanges",
        "protocol",
        "route",
        "stream",
        "touched",
    )

    def __init__(self, stream: IOStream, route: Route, limits: Limits, owner: Owner) -> None:
        self.stream = stream
        self.route = route
        self.protocol = ClientConnection(limits)
        self.exchanges = 0
        self.touched = False
        self.allowed_idle: float | None = None
        self._owner = owner
        self._exchange: ExchangeEvents | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._write_future: asyncio.Future[None] | None = None
        self._writing_paused = False
        self._pumping = False
        self._lost: Exception | None = None  # the stream went while the exchange was busy
        stream.set_sink(self)

    # -- life ------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the stream is open."""
        return not self.stream.closed()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow the one that has finished."""
        stream = self.stream
        return (
            self.protocol.our_state is State.IDLE
            and not stream.closed()
            # A server that has answered before it has read all may never do so.
            and not stream.bytes_queued
        )

    def looks_stale(self) -> bool:
        """Whether the server has probably closed it, seen a moment before the loop sees it."""
        try:
            poll = select.poll()
            poll.register(self.stream.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError, AttributeError):
            return False  # no poll() here: this is a service, not a promise

    def allow_any_body(self) -> None:
        """The next response may be of any size."""
        self.protocol.set_body_limit(None)

    def close(self) -> None:
        """Close it; an exchange that is under way is not told."""
        self._exchange = None
        self._stop_waiting()
        self.stream.close()

    # -- sending ---------------------------------------------------------------------------------

    def send_request(
        self,
        exchange: ExchangeEvents,
        method: str,
        target: str,
        headers: HTTPHeaders,
        body: bytes,
    ) -> None:
        """Begin an exchange with a request that is complete.

        Raises:
            LocalProtocolError: The request is not valid; nothing was sent.
        """
        buffers = self.protocol.send_request(method, target, headers, body)
        self._begin(exchange)
        if len(buffers) == 1:
            self.stream.send(buffers[0])
        else:
            self.stream.send_buffers(buffers)

    def send_known(self, exchange: ExchangeEvents, method: str, head: bytes) -> None:
        """The same for a request without a body whose head was made by `known_head`."""
        self.protocol.send_known(method, head)
        self._exchange = exchange
        self.exchanges += 1
        self.touched = False
        self.stream.send(head)

    def start_request(self, exchange: ExchangeEvents, request: Request) -> None:
        """Begin an exchange with the head of a request; `write` and `end` bring the body.

        Raises:
            LocalProtocolError: The request is not valid; nothing was sent.
        """
        buffers = self.protocol.send(request)
        self._begin(exchange)
        self.stream.send_buffers(buffers)

    def _begin(self, exchange: ExchangeEvents) -> None:
        self._exchange = exchange
        self.exchanges += 1
        self.touched = False

    def write(self, data: Buffer) -> asyncio.Future[None]:
        """Send a piece of the body; the future is done when the next one may follow.

        Raises:
            LocalProtocolError: More than was announced.
            HTTPStreamClosedError: The connection is closed.
        """
        if not self.is_open:
            raise HTTPStreamClosedError("Connection closed", self.stream.error)
        self._send(self.protocol.send(Data(data)))
        future = self._write_future
        if future is None:
            future = asyncio.get_running_loop().create_future()
            if self._writing_paused:
                self._write_future = future
            else:
                future.set_result(None)
        return future

    def end(self) -> None:
        """End the body.

        Raises:
            LocalProtocolError: Less than was announced.
        """
        self._send(self.protocol.send(END_OF_MESSAGE))

    def _send(self, buffers: Sequence[Buffer]) -> None:
        if buffers:
            self.stream.send_buffers(buffers)

    # -- what the stream says --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the server."""
        exchange = self._exchange
        if exchange is None:
            self.stream.close()  # a response to nothing, or a farewell
            return
        self.touched = True
        if exchange.collects:
            whole = self.protocol.receive_whole(data)
            if whole is not None:
                self._take_whole(exchange, *whole)
                return
        if len(data) == _CHUNK:
            self.stream.read_chunk_size = _LARGE_CHUNK  # there is more where that came from
        self.protocol.receive_data(data)
        if self._waiting is None:
            self._pump()

    def eof_received(self) -> None:
        """The server sends no more."""
        if self._exchange is None:
            self.stream.close()
            return
        if getattr(self.stream, "truncated", False) and self.protocol.their_state is State.BODY:
            # Over TLS the end of data must be announced: this may be an attacker's.
            self._lost = HTTPStreamClosedError("Connection closed without TLS close_notify")
        else:
            self.protocol.receive_data(b"")
        if self._waiting is None:
            self._pump()

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed."""
        self._wake_writer(error)
        if self._exchange is None:
            self._owner.discard(self)
            return
        if self._lost is None:
            self._lost = _stream_closed(self.touched, error)
        if self._waiting is None:
            self._pump()

    def pause_writing(self) -> None:
        """The server reads more slowly than we write."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writing_paused = False
        self._wake_writer(None)

    def _wake_writer(self, error: BaseException | None) -> None:
        future, self._write_future = self._write_future, None
        if future is not None and not future.done():
            if self.is_open:
                future.set_result(None)
            else:
                future.set_exception(_stream_closed(self.touched, error))
                future.exception()  # not everybody waits for a write

    # -- from events to the exchange -------------------------------------------------------------

    def _pump(self) -> None:
        """Hand on what the protocol has, until it needs more or the exchange has to wait."""
        if self._pumping:
            return
        self._pumping = True
        next_event = self.protocol.next_event
        try:
            while (exchange := self._exchange) is not None:
                event = next_event()
                kind = type(event)
                if kind is Data:
                    waiting = exchange.data_received(event.data)  # type: ignore[union-attr, arg-type]
                    if waiting is not None and self._wait(waiting):
                        return
                elif kind is EndOfMessage:
                    self._complete(exchange, event.trailers)  # type: ignore[union-attr]
                    return
                elif kind is Response:
                    exchange.headers_received(event)  # type: ignore[arg-type]
                elif kind is InformationalResponse:
                    exchange.informational(event)  # type: ignore[arg-type]
                elif kind is ConnectionClosed:
                    self._fail(self._lost or _stream_closed(self.touched, None))
                    return
                else:
                    break
            if self._lost is not None and self._exchange is not None:
                self._fail(self._lost)
        except IncompleteMessage as error:
            failure = self._lost or _stream_closed(self.touched, None)
            failure.__cause__ = failure.__cause__ or error
            self._fail(failure)
        except RemoteProtocolError as error:
            if error.status in (413, 431):
                self._fail(HTTPTooLargeError(error.message), error)
            else:
                self._fail(HTTPProtocolError(error.message), error)
        except Exception as error:
            self._fail(error)  # of one of the request's callbacks
        finally:
            self._pumping = False

    def _take_whole(self, exchange: ExchangeEvents, response: Response, body: bytes) -> None:
        """Do what `_pump` does with all events of a response, which are there at once."""
        try:
            exchange.headers_received(response)
            if body and self._exchange is exchange:  # callbacks may have closed the connection
                exchange.data_received(body)
            if self._exchange is exchange:
                self._complete(exchange, None)
        except Exception as error:
            self._fail(error)

    def _complete(self, exchange: ExchangeEvents, trailers: HTTPHeaders | None) -> None:
        self._exchange = None
        if self.stream.read_chunk_size == _LARGE_CHUNK:
            self.stream.read_chunk_size = _CHUNK
        protocol = self.protocol
        if protocol.keep_alive and protocol.our_state is State.DONE and self._lost is None:
            protocol.start_next_cycle()
        exchange.finished(trailers)

    def _fail(self, error: Exception, cause: Exception | None = None) -> None:
        exchange, self._exchange = self._exchange, None
        if cause is not None:
            error.__cause__ = cause
        self.stream.close()
        if exchange is not None:
            exchange.failed(error)

    def _wait(self, waiting: Awaitable[object]) -> bool:
        """Hold the next event back; False if there is nothing to wait for."""
        future = asyncio.ensure_future(waiting)
        if future.done():
            future.result()
            return False
        self._waiting = future
        self.stream.pause_reading()
        future.add_done_callback(self._ready)
        return True

    def _ready(self, future: asyncio.Future[Any]) -> None:
        if future is not self._waiting:
            if not future.cancelled():
                future.exception()  # of an exchange that is over
            return
        self._waiting = None
        try:
            future.result()
        except asyncio.CancelledError:
            self._fail(HTTPStreamClosedError("the streaming callback was cancelled"))
            return
        except Exception as error:
            self._fail(error)
            return
        self._pump()
        if self._waiting is None:
            self.stream.resume_reading()

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()


def _stream_closed(touched: bool, error: BaseException | None) -> HTTPStreamClosedError:
    if isinstance(error, StreamClosedError):
        error = error.real_error
    closed = HTTPStreamClosedError("Connection closed" if touched else "Stream closed", error)
    closed.__cause__ = error
    return closed
