"""One request under an ASGI server: its messages to a delegate, and the answer back.

Two things go on at once. What the server says (the body, messages of a WebSocket, the disconnect)
is fed to the delegate; what the handler writes is sent. A request whose handler does not wait, on a
server that has the body ready, needs one coroutine for both and no task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from zonda.httpserver.asgi.types import Receive, Scope, Send
from zonda.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate
from zonda.httputil.websocket import CloseCode
from zonda.ioloop.log import app_log, gen_log
from zonda.ioloop.stepping import StartedTask, start_coroutine
from zonda.iostream import StreamClosedError
from zonda.web.asgi.connection import ASGIConnection
from zonda.web.asgi.request import read_scope
from zonda.web.asgi.websocket import ASGIWebSocketConnection
from zonda.web.errorpage import error_page, reason_phrase

if TYPE_CHECKING:
    from zonda.web.application import Application

# For a server to report the end of a WebSocket that we have closed, in seconds. Some never do, and
# granian does not even send the Close while somebody waits in `receive`.
CLOSE_TIMEOUT = 1.0


async def serve_request(
    application: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer one request, or carry one WebSocket, from beginning to end.

    Args:
        application: Who answers.
        scope: The request.
        receive: Returns the server's messages.
        send: Takes ours.
    """
    if scope["type"] == "websocket":
        exchange: _Exchange = _WebSocketExchange(application, ASGIWebSocketConnection(scope))
    else:
        exchange = _Exchange(application, ASGIConnection(scope))
    await exchange.run(receive, send)


async def _send_all(exchange: _Exchange, send: Send) -> None:
    """Send what is queued."""
    queue = exchange.connection.queue
    while queue:
        messages, future = queue.popleft()
        try:
            for message in messages:
                if message["type"] == "websocket.close" and exchange.feeding is not None:
                    await exchange.stop_receiving()
                await send(message)
        except OSError as error:
            # The server says that the client is gone.
            exchange.end()
            if not future.done():
                future.set_exception(StreamClosedError(real_error=error))
                future.exception()
        else:
            if not future.done():
                future.set_result(None)


class _Exchange:
    """Feeds an HTTP request to its delegate."""

    def __init__(self, application: Application, connection: ASGIConnection) -> None:
        self.connection = connection
        self._application = application
        self._delegate: HTTPMessageDelegate | None = None
        self._told = False
        self.feeding: asyncio.Task[None] | None = None  # `feed`, if it has to wait
        self.receiving = False  # and it waits for the server

    async def run(self, receive: Receive, send: Send) -> None:
        """Feed and send until all is over."""
        connection = self.connection
        feeding: Any = start_coroutine(self.feed(receive))
        if isinstance(feeding, StartedTask):
            self.feeding = feeding
            feeding.add_done_callback(lambda _: connection.wake())
        try:
            while True:
                await _send_all(self, send)
                if not (self.is_over() or self.feeding is None or self.feeding.done()):
                    await connection.changed()
                elif not connection.queue:
                    break
            await self.hear_the_end(receive)
        finally:
            await self.stop_feeding()
            self.end()

    async def stop_feeding(self) -> None:
        """Listen no more."""
        feeding = self.feeding
        if feeding is not None and not feeding.done():
            feeding.cancel()
            await asyncio.wait([feeding])

    async def stop_receiving(self) -> None:
        """Do not wait for the server while something is sent that ends the connection."""
        if self.receiving:
            await self.stop_feeding()

    async def hear_the_end(self, receive: Receive) -> None:
        """Wait for what the server has to say about the end, if it can be anything."""

    def is_over(self) -> bool:
        """Whether nothing more will be sent."""
        return self.connection.finished or self.connection.closed

    async def feed(self, receive: Receive) -> None:
        """Tell the delegate what the server says, until the response is complete."""
        try:
            await self._feed(receive)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", self.connection.context, error)
            self._refuse(error.status)
        except Exception:
            app_log.error("Uncaught exception", exc_info=True)
            self._refuse(500)

    async def _feed(self, receive: Receive) -> None:
        connection = self.connection
        start_line, headers = read_scope(connection.scope)
        delegate = self._delegate = self._application.start_message(
            connection, connection, start_line, headers
        )
        waiting = delegate.headers_received(start_line, headers)
        if waiting is not None:
            await waiting
        size = 0
        length = headers.get("Content-Length", "")
        announced = int(length) if length.isdecimal() else 0
        more = True
        while more and not connection.finished:
            if max(size, announced) > connection.max_body_size:
                raise HTTPInputError("the body is too large", 413)
            message = await receive()
            if message["type"] == "http.disconnect":
                self._disconnected()
                return
            body = message.get("body", b"")
            size += len(body)
            if size > connection.max_body_size:
                raise HTTPInputError("the body is too large", 413)
            if body:
                waiting = delegate.data_received(body)
                if waiting is not None:
                    await waiting
            more = message.get("more_body", False)
        if not more and not connection.finished:
            delegate.finish()
        # Only the end is of interest now: the client may go before it has its answer.
        while not self.is_over():
            if (await receive())["type"] == "http.disconnect" and not connection.finished:
                self._disconnected()

    def _disconnected(self) -> None:
        if self._told:
            return
        self._told = True
        self.connection.lost()
        delegate, self._delegate = self._delegate, None
        if delegate is not None:
            delegate.on_connection_close()

    def end(self) -> None:
        """The client is gone, or the server's call is over, which comes to the same."""
        if self.connection.finished:
            self.connection.abort()
        else:
            self._disconnected()

    def _refuse(self, status: int) -> None:
        connection = self.connection
        if connection.finished or connection.closed:
            return
        if connection.headers_written:
            connection.abort()
            return
        reason = reason_phrase(status)
        body = error_page(status, reason).encode()
        headers = HTTPHeaders({"Content-Type": "text/html; charset=UTF-8"})
        connection.respond(status, reason, headers, body)


class _WebSocketExchange(_Exchange):
    """Feeds the messages of a WebSocket to its handler."""

    connection: ASGIWebSocketConnection

    def __init__(self, application: Application, connection: ASGIWebSocketConnection) -> None:
        super().__init__(application, connection)
        self._through = False

    def is_over(self) -> bool:
        """Whether the handshake was refused, or the WebSocket is closed."""
        return self._through or super().is_over()

    async def hear_the_end(self, receive: Receive) -> None:
        """Wait for the code of the peer, if it was us who has closed."""
        protocol = self.connection.protocol
        if protocol is None or protocol.sent_code is None or self._through:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while (message := await receive())["type"] != "websocket.disconnect":
                    pass
        except TimeoutError:
            return
        self._through = True
        protocol.disconnected(message)

    async def _feed(self, receive: Receive) -> None:
        connection = self.connection
        start_line, headers = read_scope(connection.scope)
        if (await receive())["type"] != "websocket.connect":
            return
        delegate = self._delegate = self._application.start_message(
            connection, connection, start_line, headers
        )
        waiting = delegate.headers_received(start_line, headers)
        if waiting is not None:
            await waiting
        delegate.finish()
        while not self.is_over():
            self.receiving = True
            message = await receive()
            self.receiving = False
            protocol = connection.protocol
            if message["type"] == "websocket.disconnect":
                if protocol is None:
                    self._disconnected()
                else:
                    connection.lost()
                    protocol.disconnected(message)
                self._through = True
            elif protocol is not None:
                await asyncio.shield(protocol.opened)
                await protocol.received(message)

    def end(self) -> None:
        """The client is gone, or the server's call is over."""
        protocol = self.connection.protocol
        if protocol is None:
            super().end()
        else:
            self._through = True
            self.connection.lost()
            protocol.disconnected({"code": protocol.sent_code or CloseCode.NO_CODE})
