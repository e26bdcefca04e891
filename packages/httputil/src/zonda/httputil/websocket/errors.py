"""Errors of the WebSocket protocol.

::

    WebSocketError
    +-- HandshakeError       the opening handshake is no good; also an HTTPInputError: `status`
    +-- ConnectionFailed     the peer broke RFC 6455: `code` goes into our Close frame
    +-- LocalError           our side asked for what the protocol does not allow now
    +-- WebSocketClosedError the connection is closed, or about to be: nothing can be sent
"""

from collections.abc import Mapping

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.websocket.closecodes import CloseCode


class WebSocketError(Exception):
    """Base of the errors of `zonda.httputil.websocket`."""


class HandshakeError(WebSocketError, HTTPInputError):
    """An opening handshake that does not lead to a WebSocket (RFC 6455 §4).

    Attributes:
        message: What is wrong.
        status: What a server answers with: 400, 405, or 426 for another version.
        headers: Fields that belong into that answer.
    """

    def __init__(
        self, message: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        HTTPInputError.__init__(self, message, status)
        self.headers: Mapping[str, str] = {} if headers is None else headers


class ConnectionFailed(WebSocketError):
    """The peer sent what must fail the connection (RFC 6455 §7.1.7). Nothing more is parsed.

    Attributes:
        code: For our Close frame: 1002, 1007 or 1009.
        reason: What is wrong, in a few words; short enough for a Close frame.
    """

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} ({int(self.code)})"


class LocalError(WebSocketError):
    """Our side asked for something that cannot be sent, or not any more."""


class WebSocketClosedError(WebSocketError):
    """Something was to be sent on a connection that is closed, or closing."""

    def __str__(self) -> str:
        return self.args[0] if self.args else "the WebSocket is closed"
