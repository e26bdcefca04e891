"""An `Application` as an ASGI 3 application: it runs under uvicorn, granian, hypercorn and others.

    app = Application([(r"/", MainHandler)])  # uvicorn module:app

Handlers, WebSockets, streaming both ways, disconnects and the lifespan work as on `HTTPServer`.
What needs the connection itself (``detach``, ``get_ssl_certificate``, pings of our own) is not
there: the server keeps that to itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.httpserver.asgi.types import Receive, Scope, Send
from zonda.web.asgi.exchange import serve_request
from zonda.web.asgi.lifespan import serve_lifespan

if TYPE_CHECKING:
    from zonda.web.application import Application

__all__ = ["serve_asgi"]


async def serve_asgi(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request, WebSocket or lifespan of an ASGI server.

    Args:
        application: Who answers.
        scope: What it is about.
        receive: Returns the next message of the server.
        send: Takes a message for the server.

    Raises:
        ValueError: The scope is of a type that is not known here.
    """
    kind = scope["type"]
    if kind in ("http", "websocket"):
        await serve_request(application, scope, receive, send)
    elif kind == "lifespan":
        await serve_lifespan(application, receive, send)
    else:
        raise ValueError(f"no idea what to do with an ASGI scope of type {kind!r}")
