"""WebSockets (RFC 6455): `WebSocketHandler` for servers, `websocket_connect` for clients.

    class Echo(WebSocketHandler):
        async def on_message(self, message):
            await self.write_message(message)

    Application([(r"/echo", Echo)]).listen(8888)

Settings of the application:

==============================  ==================================================================
``websocket_ping_interval``     seconds between pings (none)
``websocket_ping_timeout``      seconds within which a pong must come (the interval)
``websocket_max_message_size``  bytes of a message, after decompression (10 MiB)
``websocket_close_timeout``     seconds for the closing handshake (5)
``websocket_queue_limit``       bytes of messages that may wait for a slow client (16 MiB)
``websocket_queue_policy``      what happens there: ``"wait"``, ``"drop_oldest"``, ``"close"``;
                                see `WebSocketHandler.write_message`
==============================  ==================================================================

The client's names, `websocket_connect` and `WebSocketClientConnection`, are those of
`zonda.httpclient.websocket`. They are looked up there when they are first asked for, so that a
server needs no client; without zonda-httpclient that is an ImportError which says so.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zonda.httputil.websocket import WebSocketClosedError, WebSocketError
from zonda.ioloop.log import app_log, gen_log
from zonda.web.websocket.broadcast import broadcast
from zonda.web.websocket.handler import WebSocketHandler
from zonda.web.websocket.parameters import WebSocketParams
from zonda.web.websocket.protocol import WebSocketProtocol
from zonda.web.websocket.protocol13 import WebSocketProtocol13

if TYPE_CHECKING:
    from zonda.httpclient.websocket import WebSocketClientConnection, websocket_connect

__all__ = [
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandler",
    "WebSocketParams",
    "WebSocketProtocol",
    "WebSocketProtocol13",
    "app_log",
    "broadcast",
    "gen_log",
    "websocket_connect",
]

_OF_THE_CLIENT = frozenset(("WebSocketClientConnection", "websocket_connect"))


def __getattr__(name: str) -> Any:
    if name not in _OF_THE_CLIENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module("zonda.httpclient.websocket")
    except ModuleNotFoundError as error:
        if error.name not in ("zonda.httpclient", "zonda.httpclient.websocket"):
            raise
        raise ImportError(
            f"{name} needs the WebSocket client: install zonda-httpclient", name=error.name
        ) from error
    return globals().setdefault(name, getattr(module, name))
