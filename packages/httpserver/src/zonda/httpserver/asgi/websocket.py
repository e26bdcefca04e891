"""One WebSocket of an ASGI application: handshake, then messages between a stream and the app.

The protocol is `zonda.httputil.websocket`. Here its events become messages of ASGI and the reverse:
this object is the delegate of the request, and from the handshake on the sink of its stream.

Reading pauses while more than a few messages wait for ``receive``, and after `EVENTS_PER_TURN`
events, for others' sake. A message of the application goes straight to the socket; the application
waits only while the peer reads too slowly, and only the newest of its pings is answered then.

A bad handshake is answered here (400, 405, 426); the application sees valid ones only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any

from zonda.httpserver.asgi.fields import HANDSHAKE_FIELDS, response_fields
from zonda.httpserver.asgi.running import start_application
from zonda.httpserver.asgi.scope import websocket_scope
from zonda.httpserver.asgi.types import ASGIApplication, Message
from zonda.httpserver.asgi.websocketoptions import WebSocketOptions
from zonda.httpserver.disconnect import comes_from_disconnect
from zonda.httpserver.errors import ApplicationProtocolError
from zonda.httpserver.upgrades import Forget
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil import websocket as protocol
from zonda.httputil.websocket import CloseCode, HandshakeRequest, Keepalive
from zonda.ioloop.log import app_log, gen_log
from zonda.iostream import StreamClosedError

EVENTS_PER_TURN = 256
"""Events handled in one go before other connections get their turn."""
# Messages, and their size in all, that may wait for the application before reading pauses.
_QUEUE_LENGTH = 32
_QUEUE_SIZE = 256 * 1024

# Where the connection is, as ASGI sees it.
_CONNECTING, _DENYING, _OPEN, _CLOSED = range(4)

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class WebSocketCycle(HTTPMessageDelegate):
    """Runs an application for one WebSocket.

    Args:
        app: The application.
        scope: The scope of the request.
        connection: Its connection.
        tasks: Holds the application's task while it waits.
        options: Limits and options.
    """

    __slots__ = (
        "_close_timer",
        "_connection",
        "_denial",
        "_disconnect",
        "_handshake",
        "_headers",
        "_keepalive",
        "_leave",
        "_ping_timer",
        "_pong",
        "_protocol",
        "_queue",
        "_queued",
        "_reading_paused",
        "_room",
        "_state",
        "_stream",
        "_tasks",
        "_waiters",
        "app",
        "options",
        "scope",
    )

    def __init__(
        self,
        app: ASGIApplication,
        scope: dict[str, Any],
        connection: HTTPConnection,
        tasks: set[asyncio.Future[None]],
        options: WebSocketOptions,
    ) -> None:
        self.app = app
        self.scope = scope
        self.options = options
        self._connection: Any = connection
        self._tasks = tasks
        self._handshake: HandshakeRequest | None = None
        self._protocol: protocol.ServerConnection | None = None
        self._stream: Any = None
        self._leave: Forget | None = None
        self._state = _CONNECTING
        self._queue: deque[Message] = deque([{"type": "websocket.connect"}])
        self._queued = 0
        self._reading_paused = False
        self._disconnect: Message | None = None  # what `receive` ends with
        self._waiters: list[asyncio.Future[None]] = []
        self._room: asyncio.Future[None] | None = None
        self._pong: bytes | None = None  # of a ping that came while the peer did not read
        self._denial: tuple[int, HTTPHeaders] | None = None
        self._keepalive: Keepalive | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None

    # -- the request -----------------------------------------------------------------------------

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Check the handshake."""
        assert isinstance(start_line, RequestStartLine)
        self._headers = headers
        try:
            self._handshake = protocol.read_request(start_line.method, start_line.version, headers)
        except protocol.HandshakeError as error:
            gen_log.info("WebSocket handshake refused: %s", error)
            self._state = _CLOSED
            self._deny(error.status, HTTPHeaders(error.headers), f"{error}\n".encode())
            return
        websocket_scope(self.scope, self._handshake.subprotocols)

    def finish(self) -> None:
        """The request is complete: start the application."""
        if self._handshake is None:
            return
        try:
            task = start_application(self.app, self.scope, self.receive, self.send)
        except Exception as error:
            self._app_ended(error)
            return
        except asyncio.CancelledError:
            self._app_ended(None)
            return
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._task_ended)
        else:
            self._app_ended(None)

    def on_connection_close(self) -> None:
        """The client is gone before its handshake was answered."""
        self._lost(CloseCode.ABNORMAL, "")

    # -- the end of the application --------------------------------------------------------------

    def _task_ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        self._app_ended(None if task.cancelled() else task.exception())

    def _app_ended(self, error: BaseException | None) -> None:
        if error is not None:
            path = self.scope["raw_path"].decode("latin-1")
            if self._disconnect is not None and comes_from_disconnect(error):
                gen_log.info("WebSocket %r: the client is gone", path)
            else:
                app_log.error(
                    "Uncaught exception in ASGI application, WebSocket %r", path, exc_info=error
                )
        elif self._state == _CONNECTING and self._disconnect is None:
            app_log.error("%s", _fault("returned without answering the handshake"))
        if self._state == _CONNECTING:
            self._state = _CLOSED
            if self._disconnect is None:
                fields = HTTPHeaders({"Content-Type": "text/plain; charset=utf-8"})
                self._deny(500, fields, b"Internal Server Error")
        elif self._state == _DENYING:
            self._state = _CLOSED
            self._connection.stream.abort()
        elif self._state == _OPEN:
            self._say_close(1000 if error is None else 1011, "")

    # -- receive ---------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next message: ``connect``, what the peer sends, ``disconnect``."""
        while True:
            if self._queue:
                message = self._queue.popleft()
                if self._queued or self._reading_paused:
                    self._taken(message)
                return message
            if self._disconnect is not None:
                return dict(self._disconnect)
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _taken(self, message: Message) -> None:
        self._queued -= len(message.get("text") or message.get("bytes") or "")
        if (
            self._reading_paused
            and len(self._queue) <= _QUEUE_LENGTH // 2
            and self._queued <= _QUEUE_SIZE // 2
            and self._stream is not None
        ):
            self._resume_reading()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # -- send ------------------------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        """Take a message of the application.

        Raises:
            StreamClosedError: The peer is gone, or has closed.
            ApplicationProtocolError: This message may not come now, or is of no known type.
        """
        kind = message["type"]
        state = self._state
        if kind == "websocket.send" and state == _OPEN:
            text = message.get("text")
            data = message.get("bytes") if text is None else text
            if data is None:
                raise _fault("sent a message with neither text nor bytes")
            self._write_message(data)
        elif self._disconnect is not None:
            if kind != "websocket.close":
                raise StreamClosedError
            return
        elif kind == "websocket.close" and state == _OPEN:
            self._say_close(message.get("code", 1000), message.get("reason") or "")
        elif kind == "websocket.accept" and state == _CONNECTING:
            self._accept(message)
        elif kind == "websocket.close" and state == _CONNECTING:
            self._state = _CLOSED
            self._set_disconnect(CloseCode.ABNORMAL, "")
            self._deny(403, HTTPHeaders(), b"")
        elif kind == "websocket.http.response.start" and state == _CONNECTING:
            self._state = _DENYING
            self._denial = message["status"], response_fields(message.get("headers", ()))
        elif kind == "websocket.http.response.body" and state == _DENYING:
            await self._deny_piece(message)
        else:
            raise _fault(f"sent {kind!r} out of order")
        if self._room is not None:
            await asyncio.shield(self._room)

    def _write_message(self, data: str | bytes) -> None:
        assert self._protocol is not None
        try:
            buffers = self._protocol.send_message(data)
        except protocol.LocalError as error:
            if self._protocol.state is protocol.State.OPEN:
                raise
            raise StreamClosedError from error
        if len(buffers) == 1:
            self._stream.send(buffers[0])
        else:
            self._stream.send_buffers(buffers)

    # -- the handshake's answer ------------------------------------------------------------------

    def _accept(self, message: Message) -> None:
        assert self._handshake is not None
        try:
            headers, agreement = protocol.accept(
                self._handshake, message.get("subprotocol"), self.options.deflate
            )
        except ValueError as error:
            raise _fault(str(error)) from error
        for name, value in message.get("headers", ()):
            if name.lower() in HANDSHAKE_FIELDS:
                raise _fault(f"{name!r} of a handshake is the server's")
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        connection = self._connection
        start_line = ResponseStartLine("HTTP/1.1", 101, "Switching Protocols")
        connection.write_headers(start_line, headers)
        self._protocol = protocol.ServerConnection(agreement.deflate, self.options.max_message_size)
        self._state = _OPEN
        self._stream, self._leave = connection.upgrade(self)
        interval = self.options.ping_interval
        if interval is not None:
            loop = asyncio.get_running_loop()
            self._keepalive = Keepalive(interval, self.options.ping_timeout, now=loop.time())
            self._ping_timer = loop.call_at(self._keepalive.next_time, self._ping)
        self._stream.set_sink(self)

    def _deny(self, status: int, headers: HTTPHeaders, body: bytes) -> None:
        """Answer with an HTTP response instead."""
        if "Content-Length" not in headers:
            headers["Content-Length"] = str(len(body))
        reason = _PHRASES.get(status, "")
        start_line = ResponseStartLine("HTTP/1.1", status, reason)
        self._connection.write_headers(start_line, headers, body)
        self._connection.finish()

    async def _deny_piece(self, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._denial is None:
            future = self._connection.write(body)
        else:
            (status, headers), self._denial = self._denial, None
            if not more:
                self._state = _CLOSED
                self._set_disconnect(CloseCode.ABNORMAL, "")
                self._deny(status, headers, body)
                return
            start_line = ResponseStartLine("HTTP/1.1", status, _PHRASES.get(status, ""))
            future = self._connection.write_headers(start_line, headers, body)
        if not more:
            self._state = _CLOSED
            self._set_disconnect(CloseCode.ABNORMAL, "")
            self._connection.finish()
        elif not future.done():
            await future

    # -- what the stream says --------------------------------------------------------------------

    def data_received(self, chunk: bytes) -> None:
        """Take bytes from the peer (those of a request that has a body are of no interest)."""
        connection = self._protocol
        if connection is None:
            return
        connection.receive_data(chunk)
        if not self._reading_paused:
            self._pump(connection)

    def _pump(self, connection: protocol.ServerConnection) -> None:
        """Handle what the protocol has: until it has no more, or somebody has to be waited for."""
        left = EVENTS_PER_TURN
        try:
            for event in connection.events(EVENTS_PER_TURN):
                if type(event) is protocol.Message:
                    if self._state == _OPEN:  # after our Close nobody asks for it
                        self._keep(event.data)
                        if len(self._queue) > _QUEUE_LENGTH or self._queued > _QUEUE_SIZE:
                            self._pause_reading()
                            break
                elif type(event) is protocol.Ping:
                    if self._room is not None:
                        self._pong = event.payload
                    elif connection.state is protocol.State.OPEN:
                        self._stream.send_buffers(connection.send_pong(event.payload))
                elif type(event) is protocol.Pong:
                    if self._keepalive is not None:
                        self._keepalive.pong(event.payload, asyncio.get_running_loop().time())
                else:
                    self._peer_closes(connection)
                left -= 1
                if not left:
                    break
            if not self._reading_paused and (not left or connection.more):
                self._pause_reading()
                asyncio.get_running_loop().call_soon(self._resume_reading)
        except protocol.ConnectionFailed as error:
            gen_log.info("WebSocket failed: %s", error)
            self._stream.send_buffers(connection.send_close(error.code, error.reason))
            self._end(error.code, error.reason)
        if self._waiters:
            self._wake()

    def _keep(self, data: str | bytes) -> None:
        """Put a message where ``receive`` finds it."""
        kind = "text" if type(data) is str else "bytes"
        self._queue.append({"type": "websocket.receive", kind: data})
        self._queued += len(data)

    def _pause_reading(self) -> None:
        self._reading_paused = True
        self._stream.pause_reading()

    def _resume_reading(self) -> None:
        """Go on with what is here already, and then with reading."""
        connection = self._protocol
        if connection is None or not self._reading_paused or self._stream.closed():
            return
        self._reading_paused = False
        self._pump(connection)
        if not self._reading_paused:
            self._stream.resume_reading()

    def eof_received(self) -> None:
        """The peer sends no more, without a Close."""
        self._stream.close()

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed."""
        connection = self._protocol
        assert connection is not None
        code = connection.close_code
        self._lost(CloseCode.ABNORMAL if code is None else code, connection.close_reason or "")

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write."""
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It has caught up."""
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)
        pong, self._pong = self._pong, None
        connection = self._protocol
        if pong is not None and connection is not None and connection.state is protocol.State.OPEN:
            self._stream.send_buffers(connection.send_pong(pong))

    # -- the end ---------------------------------------------------------------------------------

    def drain(self) -> None:
        """The server is going away (1001)."""
        self._say_close(CloseCode.GOING_AWAY, "")

    def abort(self) -> None:
        """The server is gone."""
        self._stream.close()

    def _peer_closes(self, connection: protocol.ServerConnection) -> None:
        code = connection.close_code
        assert code is not None
        answer = None if code == CloseCode.NO_CODE else code
        self._stream.send_buffers(connection.send_close(answer))
        self._end(code, connection.close_reason or "")

    def _say_close(self, code: int, reason: str) -> None:
        connection = self._protocol
        assert connection is not None
        if self._state != _OPEN:
            return
        self._state = _CLOSED
        self._stream.send_buffers(connection.send_close(code, reason))
        # What the peer says until its Close is of no interest, but has to be read.
        self._set_disconnect(code, reason)
        if self._reading_paused:
            self._queue.clear()
            self._queued = 0
            self._resume_reading()
        if not self._stream.closed():
            self._close_timer = asyncio.get_running_loop().call_later(
                self.options.close_timeout, self._stream.close
            )

    def _end(self, code: int, reason: str) -> None:
        """Both sides have said Close, or the peer is not worth listening to."""
        self._state = _CLOSED
        self._set_disconnect(code, reason)
        self._stream.close_when_flushed()

    def _set_disconnect(self, code: int, reason: str) -> None:
        if self._disconnect is None:
            self._disconnect = {
                "type": "websocket.disconnect",
                "code": int(code),
                "reason": reason,
            }
            self._wake()

    def _lost(self, code: int, reason: str) -> None:
        self._state = _CLOSED
        self._set_disconnect(code, reason)
        for timer in (self._ping_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        self._ping_timer = self._close_timer = None
        self.resume_writing()
        if self._leave is not None:
            self._leave(self)

    def _ping(self) -> None:
        keepalive, connection = self._keepalive, self._protocol
        assert keepalive is not None
        assert connection is not None
        loop = asyncio.get_running_loop()
        now = loop.time()
        if connection.state is not protocol.State.OPEN:
            return
        if keepalive.is_dead(now) and self._reading_paused:
            # Its pong may be here: nobody has looked, because the application takes no more.
            keepalive = self._keepalive = Keepalive(keepalive.interval, keepalive.timeout, now=now)
        elif keepalive.is_dead(now):
            gen_log.info("WebSocket: no answer to a ping, closing")
            self._stream.send_buffers(connection.send_close(1011, "ping timeout"))
            self._set_disconnect(CloseCode.ABNORMAL, "")
            self._stream.abort()
            return
        if keepalive.wants_ping(now):
            self._stream.send_buffers(connection.send_ping(keepalive.ping(now)))
        self._ping_timer = loop.call_at(keepalive.next_time, self._ping)


def _fault(what: str) -> ApplicationProtocolError:
    return ApplicationProtocolError("ASGI", what)
