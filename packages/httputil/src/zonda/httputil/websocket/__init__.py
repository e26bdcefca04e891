"""The WebSocket protocol (RFC 6455, RFC 7692) without I/O.

`handshake` turns an HTTP request into an agreement; `ServerConnection` and `ClientConnection` turn
bytes into messages and messages into bytes; `Keepalive` counts pings and pongs.

    request = read_request(method, version, headers)
    response_headers, agreement = accept(request, deflate=DeflateOptions())
    connection = ServerConnection(agreement.deflate)
"""

from zonda.httputil.websocket.closecodes import CloseCode
from zonda.httputil.websocket.content import message_content
from zonda.httputil.websocket.deflate import (
    DeflateAgreement,
    DeflateOptions,
    compression_options,
)
from zonda.httputil.websocket.errors import (
    ConnectionFailed,
    HandshakeError,
    LocalError,
    WebSocketClosedError,
    WebSocketError,
)
from zonda.httputil.websocket.events import Close, Event, Message, Ping, Pong, Signal
from zonda.httputil.websocket.handshake import (
    Agreement,
    ClientHandshake,
    HandshakeRequest,
    accept,
    accept_key,
    read_request,
)
from zonda.httputil.websocket.keepalive import Keepalive
from zonda.httputil.websocket.masking import apply_mask
from zonda.httputil.websocket.outgoing import OutgoingQueue
from zonda.httputil.websocket.prepared import PreparedMessage
from zonda.httputil.websocket.roles import ClientConnection, ServerConnection
from zonda.httputil.websocket.states import State

__all__ = [
    "Agreement",
    "ClientConnection",
    "ClientHandshake",
    "Close",
    "CloseCode",
    "ConnectionFailed",
    "DeflateAgreement",
    "DeflateOptions",
    "Event",
    "HandshakeError",
    "HandshakeRequest",
    "Keepalive",
    "LocalError",
    "Message",
    "OutgoingQueue",
    "Ping",
    "Pong",
    "PreparedMessage",
    "ServerConnection",
    "Signal",
    "State",
    "WebSocketClosedError",
    "WebSocketError",
    "accept",
    "accept_key",
    "apply_mask",
    "compression_options",
    "message_content",
    "read_request",
]
