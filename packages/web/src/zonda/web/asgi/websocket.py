"""WebSockets under an ASGI server, which does handshake, frames, pings and limits itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from zonda.httpserver.asgi.types import Message
from zonda.httputil import HTTPHeaders
from zonda.httputil.websocket import CloseCode, WebSocketClosedError, message_content
from zonda.web.asgi.connection import ASGIConnection, asgi_pairs
from zonda.web.websocket.protocol import WebSocketProtocol

if TYPE_CHECKING:
    from zonda.web.websocket.handler import WebSocketHandler

# Fields of a handler's response that say nothing in a handshake's.
_NOT_IN_HANDSHAKES = frozenset(
    (
        "Connection",
        "Content-Length",
        "Content-Type",
        "Date",
        "Server",
        "Transfer-Encoding",
        "Upgrade",
    )
)
# Codes that are never sent: the peer has given none.
_NO_CODES = (CloseCode.NO_CODE, CloseCode.ABNORMAL)


class ASGIWebSocketConnection(ASGIConnection):
    """The connection of a request for a WebSocket; a response to it is a refusal.

    Args:
        scope: The scope of the WebSocket.
    """

    protocol: ASGIWebSocketProtocol | None = None

    def websocket(self, handler: WebSocketHandler) -> ASGIWebSocketProtocol:
        """Return what carries the messages of a handler (see `zonda.web.websocket.protocol`)."""
        self.protocol = ASGIWebSocketProtocol(handler, self)
        return self.protocol

    def say(self, message: Message) -> asyncio.Future[None]:
        """Send a message of the WebSocket."""
        return self._put([message])

    def _start(self, status: int, headers: HTTPHeaders) -> Message:
        self.headers_written = True
        if "websocket.http.response" not in self.extensions:
            return {"type": "websocket.close", "code": 1000}  # in place of a handshake: a 403
        return {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": asgi_pairs(headers),
        }

    def _body(self, data: bytes, *, more: bool) -> Message:
        return {"type": "websocket.http.response.body", "body": data, "more_body": more}

    def _put(self, messages: list[Message]) -> asyncio.Future[None]:
        if "websocket.http.response" not in self.extensions:
            messages = [
                message
                for message in messages
                if not message["type"].startswith("websocket.http.response")
            ]
        return super()._put(messages)


class ASGIWebSocketProtocol(WebSocketProtocol):
    """One WebSocket of an ASGI server, as its handler sees it.

    Args:
        handler: The handler.
        connection: The connection of its request.
    """

    def __init__(self, handler: WebSocketHandler, connection: ASGIWebSocketConnection) -> None:
        super().__init__(handler)
        self._connection = connection
        self._subprotocol: str | None = None
        self._open = False
        self._deaf = False
        self.sent_code: int | None = None  # of our Close
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        """Accept, and run ``handler.open``.

        Raises:
            ValueError: The handler chose a subprotocol that was not offered.
        """
        offered = list(self._connection.scope.get("subprotocols") or ())
        self._subprotocol = self.choose_subprotocol(offered)
        handler.set_status(101)
        handler._transforms = ()  # there is no content to transform
        handler._prepare_head(b"", False)
        self._connection.say(
            {
                "type": "websocket.accept",
                "subprotocol": self._subprotocol,
                "headers": asgi_pairs(handler._headers, _NOT_IN_HANDSHAKES),
            }
        )
        self._open = True
        handler._headers_written = True
        handler._switched = True
        handler._end()
        try:
            await self.handler_opens()
        finally:
            self.opened.set_result(None)

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message (see `WebSocketHandler.write_message`)."""
        data = message_content(message, binary)
        if not self._open:
            raise WebSocketClosedError
        kind = "text" if isinstance(data, str) else "bytes"
        return self._connection.say({"type": "websocket.send", kind: data})

    def write_ping(self, data: bytes) -> None:
        """ASGI knows no pings: the server sends its own."""

    def start_pinging(self) -> None:
        """ASGI knows no pings: the server sends its own."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close."""
        if self._open:
            self._open = False
            self.sent_code = code or 1000
            self._connection.say(
                {"type": "websocket.close", "code": self.sent_code, "reason": reason or ""}
            )

    def fail(self, code: CloseCode) -> None:
        """Close because something went wrong."""
        self._deaf = True
        self.close(int(code))

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return not self._open

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on."""
        return self._subprotocol

    def set_nodelay(self, x: bool) -> None:
        """The socket is the server's: no effect."""

    # -- what the server says --------------------------------------------------------------------

    async def received(self, message: Message) -> None:
        """Give a message to the handler, and wait until it is through with it."""
        if self._deaf:
            return
        text = message.get("text")
        await self.handler_receives(message["bytes"] if text is None else text)

    def disconnected(self, message: Message) -> None:
        """Tell the handler of the end."""
        self._open = False
        code = message.get("code", CloseCode.NO_CODE)
        if code not in _NO_CODES:
            self.close_code = code
            self.close_reason = message.get("reason") or ""
        self.on_connection_close()
