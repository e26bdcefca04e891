"""`ASGIContainer`: an ASGI 3 application as something that `HTTPServer` and routers serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from http import HTTPStatus
from typing import Any

from zonda.httpserver.asgi.fields import asks_for_websocket
from zonda.httpserver.asgi.http import HTTPCycle
from zonda.httpserver.asgi.lifespan import ASGILifespan, LifespanMode
from zonda.httpserver.asgi.scope import http_scope
from zonda.httpserver.asgi.types import ASGIApplication
from zonda.httpserver.asgi.websocket import WebSocketCycle
from zonda.httpserver.asgi.websocketoptions import WebSocketOptions
from zonda.httpserver.emptyanswer import EmptyAnswer
from zonda.httpserver.errors import LifespanError
from zonda.httpserver.lifespan import Lifespan
from zonda.httpserver.routing.router import Router
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.ioloop.log import gen_log


class ASGIContainer(Router):
    """Serves an ASGI 3 application: HTTP, WebSocket and lifespan.

    It goes where a router goes: ``HTTPServer(ASGIContainer(app))``, or the target of a rule, beside
    handlers::

        Application([
            (r"/", MainHandler),
            (r"/api/.*", ASGIContainer(app, root_path="/api")),
        ])

    Requests outside ``root_path`` are left to the rules behind it. The application sees the whole
    path, prefix included, as ASGI has it.

    The server tells the application of its start and its end; requests that come before it is
    ready wait for it. Without a server, use the container as an async context manager.

    Args:
        app: The application, a callable of scope, receive and send.
        root_path: Where it is mounted, without a slash at the end.
        lifespan: ``"auto"`` (an application that knows nothing of lifespans is served all the
            same), ``"on"`` (it must start in good order), or ``"off"`` (it is not asked).
        websocket: Limits and options of its WebSockets.
        shutdown_timeout: Seconds that `shutdown` gives calls which outlive their connections,
            before they are cancelled; None for any number.

    >>> async def app(scope, receive, send):
    ...     await send({"type": "http.response.start", "status": 200, "headers": []})
    ...     await send({"type": "http.response.body", "body": b"hello"})
    >>> container = ASGIContainer(app, lifespan="off")
    """

    def __init__(
        self,
        app: ASGIApplication,
        *,
        root_path: str = "",
        lifespan: LifespanMode = "auto",
        websocket: WebSocketOptions | None = None,
        shutdown_timeout: float | None = 10.0,
    ) -> None:
        self.shutdown_timeout = shutdown_timeout
        self.app = app
        self.root_path = root_path.rstrip("/")
        self.websocket = websocket or WebSocketOptions()
        self.lifespan = ASGILifespan(app, lifespan)
        self._tasks: set[asyncio.Future[None]] = set()
        self._ready = self.lifespan.ready

    async def __aenter__(self) -> ASGIContainer:
        await self.startup()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.shutdown()

    def lifespans(self) -> Iterator[Lifespan]:
        """This container, for the server to start and stop."""
        yield self

    async def startup(self) -> None:
        """Start the application, once, and wait until it is ready.

        Raises:
            LifespanError: It has failed.
        """
        await self.lifespan.startup()

    async def shutdown(self) -> None:
        """Wait for what the application still does (background tasks), then stop it.

        Raises:
            LifespanError: It has failed to stop in good order.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.shutdown_timeout)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            gen_log.info("Cancelled %d calls of the ASGI application", len(self._tasks))
            await asyncio.wait(self._tasks)
        await self.lifespan.shutdown()

    def start_message(
        self,
        server_conn: object,
        request_conn: HTTPConnection,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
    ) -> HTTPMessageDelegate:
        """Return the delegate for a request whose head is there."""
        method, target, version = start_line
        if self.root_path or target[:1] != "/":
            # May be none of ours, or has a form that has to be taken apart.
            return super().start_message(server_conn, request_conn, start_line, headers)
        path, _, query = target.partition("?")
        return self._delegate(request_conn, method, path, query, version, headers)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate for a request, None if it is outside ``root_path``."""
        root = self.root_path
        path = request.path
        if root and path != root and not path.startswith(root + "/"):
            return None
        assert request.connection is not None
        return self._delegate(
            request.connection,
            request.method,
            path,
            request.query,
            request.version,
            request.headers,
        )

    def _delegate(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        query: str,
        version: str,
        headers: HTTPHeaders,
    ) -> HTTPMessageDelegate:
        if not self._ready:
            self._ready = self.lifespan.ready
            if not self._ready:
                return _NotYet(self, connection, (method, path, query, version, headers))
        scope = http_scope(
            connection,
            method,
            path,
            query,
            version,
            headers,
            self.root_path,
            self.lifespan.state,
        )
        if method == "GET" and asks_for_websocket(headers):
            return WebSocketCycle(self.app, scope, connection, self._tasks, self.websocket)
        return HTTPCycle(self.app, scope, connection, self._tasks)


class _NotYet(HTTPMessageDelegate):
    """Holds a request until the application has started."""

    def __init__(
        self,
        container: ASGIContainer,
        connection: HTTPConnection,
        request: tuple[str, str, str, str, HTTPHeaders],
    ) -> None:
        self._container = container
        self._connection = connection
        self._request = request
        self._delegate: HTTPMessageDelegate | None = None
        self._gone = False

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        try:
            await self._container.lifespan.startup()
        except LifespanError:
            self._delegate = EmptyAnswer(self._connection, HTTPStatus.SERVICE_UNAVAILABLE)
            return  # logged by who has started the server
        if self._gone:
            return
        self._delegate = self._container._delegate(self._connection, *self._request)
        waiting = self._delegate.headers_received(start_line, headers)
        if waiting is not None:
            await waiting

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk) if self._delegate is not None else None

    def finish(self) -> None:
        if self._delegate is not None:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        self._gone = True
        if self._delegate is not None:
            self._delegate.on_connection_close()
