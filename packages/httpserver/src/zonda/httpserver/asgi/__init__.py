"""ASGI 3 applications (HTTP, WebSocket, lifespan) on `zonda.httpserver.HTTPServer`.

    server = HTTPServer(ASGIContainer(app))

`ASGIContainer` is a router: it is what a server serves, or the target of a rule beside others. The
types of the interface, which are plain callables and dictionaries, are in
`zonda.httpserver.asgi.types`.
"""

from zonda.httpserver.asgi.container import ASGIContainer
from zonda.httpserver.asgi.lifespan import ASGILifespan
from zonda.httpserver.asgi.types import ASGIApplication, Message, Receive, Scope, Send

__all__ = [
    "ASGIApplication",
    "ASGIContainer",
    "ASGILifespan",
    "Message",
    "Receive",
    "Scope",
    "Send",
]
