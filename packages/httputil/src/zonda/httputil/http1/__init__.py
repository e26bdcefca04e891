"""HTTP/1.1 (RFC 9110, RFC 9112) without I/O, both roles.

Bytes go in, events come out; events go in, buffers to write come out. `ServerConnection` and
`ClientConnection` hold one connection each; no socket, no loop, no clock.
"""

from zonda.httputil.http1.client import ClientConnection
from zonda.httputil.http1.errors import (
    IncompleteMessage,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
)
from zonda.httputil.http1.events import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    ClientEvent,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    Request,
    Response,
    ServerEvent,
    Signal,
)
from zonda.httputil.http1.limits import DEFAULT_LIMITS, Limits
from zonda.httputil.http1.response import ReadyHead, ready_head
from zonda.httputil.http1.server import ServerConnection
from zonda.httputil.http1.states import State

__all__ = [
    "CONNECTION_CLOSED",
    "DEFAULT_LIMITS",
    "END_OF_MESSAGE",
    "ClientConnection",
    "ClientEvent",
    "ConnectionClosed",
    "Data",
    "EndOfMessage",
    "IncompleteMessage",
    "InformationalResponse",
    "Limits",
    "LocalProtocolError",
    "ProtocolError",
    "ReadyHead",
    "RemoteProtocolError",
    "Request",
    "Response",
    "ServerConnection",
    "ServerEvent",
    "Signal",
    "State",
    "ready_head",
]
