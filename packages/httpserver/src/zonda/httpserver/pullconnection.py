"""HTTP/1.1 over a stream, one message at a time, in either role: Tornado's ``HTTP1Connection``.

For programs that speak HTTP over a stream of their own (a proxy, a test double, a server in a
server). A message is read by awaiting `HTTP1Connection.read_response`, which pulls bytes and calls
a delegate; one is written with ``write_headers``, ``write`` and ``finish``. What was received
behind a message goes back to the stream, so the next reader finds it there.

`zonda.httpserver.connection` serves connections in a server, `zonda.httpclient` has clients; both
are pushed by the stream instead, which costs far less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from zonda.httpserver.decompression import DecompressingDelegate
from zonda.httpserver.parameters import DEFAULT_CHUNK_SIZE, HTTP1ConnectionParameters
from zonda.httpserver.refusal import refusal
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.http1 import (
    ClientConnection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    IncompleteMessage,
    InformationalResponse,
    Request,
    Response,
    ServerConnection,
    Signal,
    State,
)
from zonda.ioloop.log import app_log, gen_log
from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.httputil.delegates import RequestContext
    from zonda.iostream import IOStream

Buffer = bytes | bytearray | memoryview
_CONTINUE = InformationalResponse(100, "Continue")


class HTTP1Connection(HTTPConnection):
    """One end of an HTTP/1.1 connection.

    Args:
        stream: Open; this object reads from it only inside `read_response`.
        is_client: Whether this end sends requests (or answers them).
        params: Settings. A client uses those that are about what it receives.
        context: What delegates find as ``connection.context``.

    Attributes:
        stream: The stream; None after `detach`.
        is_client: Whether this end sends requests.
        params: Settings.
        context: What delegates find as ``connection.context``.
        max_body_size: What `set_max_body_size` was called with, or None.

    Example::

        connection = HTTP1Connection(stream, is_client=True)
        start = RequestStartLine("GET", "/", "HTTP/1.1")
        connection.write_headers(start, HTTPHeaders({"Host": "example.com"}))
        connection.finish()
        await connection.read_response(delegate)
    """

    def __init__(
        self,
        stream: IOStream,
        is_client: bool,
        params: HTTP1ConnectionParameters | None = None,
        context: RequestContext | None = None,
    ) -> None:
        self.stream: IOStream | None = stream
        self.is_client = is_client
        self.params = params or HTTP1ConnectionParameters()
        self.context = context
        self.max_body_size: int | None = None
        self._limits = self.params.limits()
        self._body_timeout = self.params.body_timeout
        self._close_callback: Callable[[], object] | None = None
        self._written: asyncio.Future[None] | None = None  # a server's answer is complete
        self._protocol = self._new_protocol()

    def _new_protocol(self) -> ClientConnection | ServerConnection:
        if self.is_client:
            return ClientConnection(self._limits)
        protocol = ServerConnection(self._limits)
        if self.params.no_keep_alive:
            protocol.close_after_response()
        return protocol

    # -- reading ---------------------------------------------------------------------------------

    async def read_response(self, delegate: HTTPMessageDelegate) -> bool:
        """Read one message: a client its response, a server a request.

        A server's returns when the request has been answered as well, if it can go on.

        Args:
            delegate: Told of the message. A client's is told of informational responses, too.

        Returns:
            Whether a message was read. If not, it was malformed, too large or too slow, or the
            delegate failed; that was logged, answered (by a server) and the connection closed.

        Raises:
            StreamClosedError: The connection ended before the message did.
        """
        if self.params.decompress:
            delegate = DecompressingDelegate(
                delegate, self, self._limits.body, self.params.chunk_size or DEFAULT_CHUNK_SIZE
            )
        self._written = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(None) as deadline:
                await self._read(delegate, deadline)
        except TimeoutError:
            if not deadline.expired():
                raise
            return self._failed(delegate, 408, "it takes too long")
        except (StreamClosedError, IncompleteMessage) as error:
            stream, protocol = self.stream, self._protocol
            begun = protocol.their_state is State.BODY or isinstance(error, IncompleteMessage)
            self.close()
            if begun:
                delegate.on_connection_close()
            if isinstance(error, StreamClosedError):
                raise
            raise StreamClosedError(real_error=stream.error if stream else None) from error
        except HTTPInputError as error:
            return self._failed(delegate, getattr(error, "status", 400), str(error))
        except Exception:
            app_log.error("Uncaught exception", exc_info=True)
            return self._failed(delegate, 500, None)
        if self.stream is not None and not self.is_client and not self._written.done():
            self.stream.set_close_callback(self._on_close)
            await self._written
            # Both are done, or the protocol has begun anew, unless the connection went before.
            protocol = self._protocol
            if protocol.their_state is State.DONE is not protocol.our_state:
                delegate.on_connection_close()
        return True

    async def _read(self, delegate: HTTPMessageDelegate, deadline: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        params, protocol, size = self.params, self._protocol, self.params.chunk_size
        if not self.is_client:
            deadline.reschedule(_after(loop, params.idle_timeout))
        begun = False
        while (stream := self.stream) is not None:
            event = protocol.next_event()
            if event is Signal.NEED_DATA:
                try:
                    data = await stream.read_bytes(size or DEFAULT_CHUNK_SIZE, partial=True)
                except StreamClosedError:
                    if stream.error is not None:
                        raise
                    data = b""  # what it means depends on how far the message is
                if not begun:
                    begun = True
                    deadline.reschedule(_after(loop, params.header_timeout))
                protocol.receive_data(data)
            elif isinstance(event, Data):
                await _patient(delegate.data_received(bytes(event.data)), deadline)
            elif isinstance(event, EndOfMessage):
                deadline.reschedule(None)
                delegate.finish()
                self._next_cycle()
                return
            elif isinstance(event, (Request, Response, InformationalResponse)):
                deadline.reschedule(None)
                await _patient(delegate.headers_received(_start_line(event), event.headers), None)
                if isinstance(event, Request) and event.expect_continue:
                    self._continue()
                protocol.set_body_limit(
                    self._limits.body if self.max_body_size is None else self.max_body_size
                )
                deadline.reschedule(_after(loop, self._body_timeout))
            elif isinstance(event, ConnectionClosed):
                raise StreamClosedError(real_error=stream.error)
            else:  # the protocol was switched, and the delegate has not detached the stream
                return

    def _continue(self) -> None:
        protocol = self._protocol
        assert isinstance(protocol, ServerConnection)
        if protocol.expects_continue and protocol.our_state is State.IDLE:
            self._send(protocol.send(_CONTINUE))

    def _failed(self, delegate: HTTPMessageDelegate, status: int, why: str | None) -> bool:
        """Close because a message cannot be read; says no to who waits for it."""
        if why is not None:
            gen_log.info("Malformed HTTP message from %s: %s", self.context, why)
        stream = self.stream
        answered = self._protocol.our_state is not State.IDLE
        if stream is not None and not (self.is_client or answered or stream.closed()):
            stream.send(refusal(status))
        self.close()
        delegate.on_connection_close()
        return False

    def set_max_body_size(self, max_body_size: int) -> None:
        """Accept bodies of so many bytes from now on; to be called before one is read."""
        self.max_body_size = max_body_size
        self._protocol.set_body_limit(max_body_size)

    def set_body_timeout(self, timeout: float | None) -> None:
        """Give bodies so many seconds; to be called before one is read."""
        self._body_timeout = timeout

    # -- writing ---------------------------------------------------------------------------------

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Send the head of a message and the first piece of its body.

        Without ``Content-Length`` the body is chunked, except that of a request with a method
        that has none by custom (GET, HEAD ...) and no ``chunk``.

        Args:
            start_line: That of a request if this is a client, of a response otherwise.
            headers: The fields; framing fields are added as needed.
            chunk: Body bytes.

        Returns:
            A future that is done when more may be written.

        Raises:
            HTTPOutputError: A character that may not be sent, or not the time for it.
        """
        protocol = self._protocol
        if isinstance(protocol, ClientConnection):
            if not isinstance(start_line, RequestStartLine):
                raise HTTPOutputError("a client sends requests")
            method, target, version = start_line
            chunked = bool(chunk) or method in ("POST", "PUT", "PATCH")
            buffers = protocol.send(
                Request(method, target, headers, version, content_length=None if chunked else 0)
            )
        else:
            if not isinstance(start_line, ResponseStartLine):
                raise HTTPOutputError("a server sends responses")
            code, reason = start_line.code, start_line.reason
            if 100 <= code < 200:
                return self._send(protocol.send(InformationalResponse(code, reason, headers)))
            buffers = protocol.send(Response(code, reason, headers))
        if chunk:
            buffers += protocol.send(Data(chunk))
        return self._send(buffers)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body; the result is as with `write_headers`.

        Raises:
            HTTPOutputError: There is no head yet, or this is more than ``Content-Length`` says.
        """
        return self._send(self._protocol.send(Data(chunk)) if chunk else [])

    def finish(self) -> None:
        """Say that the message is complete.

        Raises:
            HTTPOutputError: ``Content-Length`` says more than was written; the connection is
                closed.
        """
        stream = self.stream
        if stream is None or stream.closed():
            return
        try:
            buffers = self._protocol.send(EndOfMessage())
        except HTTPOutputError:
            self.close()
            raise
        self._send(buffers)
        self._next_cycle()
        if not self.is_client:
            self._clear(self._written)

    def _send(self, buffers: list[Buffer]) -> asyncio.Future[None]:
        stream = self.stream
        try:
            if stream is None:
                raise StreamClosedError
            return stream.write(b"".join(buffers))
        except StreamClosedError as error:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(error)
            future.exception()  # not everybody waits for a write
            return future

    # -- life ------------------------------------------------------------------------------------

    def _next_cycle(self) -> None:
        """Make ready for another message each way when both are done, or close."""
        protocol, stream = self._protocol, self.stream
        if stream is None or not (protocol.our_state is State.DONE is protocol.their_state):
            return
        if protocol.keep_alive:
            self._protocol = self._new_protocol()
            stream.unread(protocol.trailing_data)
        elif not self.is_client:
            stream.close_when_flushed()

    def _clear(self, written: asyncio.Future[None] | None) -> None:
        self._close_callback = None
        if self.stream is not None:
            self.stream.set_close_callback(None)
        if written is not None and not written.done():
            written.set_result(None)

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` when the connection closes before the message has been written."""
        self._close_callback = callback
        if self.stream is not None:
            self.stream.set_close_callback(None if callback is None else self._on_close)

    def _on_close(self) -> None:
        callback = self._close_callback
        self._clear(self._written)
        if callback is not None:
            callback()

    def close(self) -> None:
        """Close the connection; what has been written is sent before."""
        if self.stream is not None:
            self.stream.close_when_flushed()
        self._clear(self._written)

    def detach(self) -> IOStream | None:
        """Give the stream away; what follows the message is what it reads first."""
        stream = self.stream
        if stream is not None:
            self._clear(self._written)
            self.stream = None
            stream.unread(self._protocol.trailing_data)
        return stream


def _start_line(
    event: Request | Response | InformationalResponse,
) -> RequestStartLine | ResponseStartLine:
    if isinstance(event, Request):
        return RequestStartLine(event.method, event.target, event.version)
    if isinstance(event, Response):
        return ResponseStartLine(event.version, event.status, event.reason)
    return ResponseStartLine("HTTP/1.1", event.status, event.reason)


def _after(loop: asyncio.AbstractEventLoop, seconds: float | None) -> float | None:
    return None if seconds is None else loop.time() + seconds


async def _patient(waiting: Awaitable[None] | None, deadline: asyncio.Timeout | None) -> None:
    """Wait for a delegate; the peer's time stands still."""
    if waiting is None:
        return
    if deadline is None or (when := deadline.when()) is None:
        await waiting
        return
    loop = asyncio.get_running_loop()
    left = when - loop.time()
    deadline.reschedule(None)
    await waiting
    deadline.reschedule(loop.time() + left)
