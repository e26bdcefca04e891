"""What a router is: it finds the delegate that answers a request, once the head is there."""

from collections.abc import Awaitable, Iterator
from http import HTTPStatus
from typing import Any

from zonda.httpserver.emptyanswer import EmptyAnswer
from zonda.httpserver.lifespan import Lifespan
from zonda.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.headers import HTTPHeaders
from zonda.ioloop.log import app_log


class Router(HTTPServerConnectionDelegate):
    """Something that finds the delegate for a request.

    Subclasses implement `find_handler`. A router can be given to ``HTTPServer`` in place of an
    application.
    """

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate that will answer ``request``, or None for "not mine".

        Args:
            request: The request; its head is complete, its body is not there yet.
            **kwargs: What an outer router's matcher found.
        """
        raise NotImplementedError(f"{type(self).__name__} must override find_handler()")

    def lifespans(self) -> Iterator[Lifespan]:
        """What the server starts before and stops after the requests (see `Lifespan`); nothing."""
        return iter(())

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return a delegate that routes once the head of the request is there."""
        return _RoutingDelegate(self, server_conn, request_conn)

    def start_message(
        self,
        server_conn: object,
        request_conn: HTTPConnection,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
    ) -> HTTPMessageDelegate:
        """Return the delegate for a request whose head is there already.

        `start_request` without the delegate that only waits for the head: `HTTPServer` calls this
        one, with the head in hand, unless a subclass has overridden `start_request`.
        """
        if headers._block is None:  # from another protocol than ours: to be checked
            request = HTTPServerRequest(
                connection=request_conn,
                server_connection=server_conn,
                start_line=start_line,
                headers=headers,
            )
        else:
            request = HTTPServerRequest._received(start_line, headers, request_conn, server_conn)
        delegate = self.find_handler(request)
        if delegate is None:
            app_log.debug("No handler for %s %s", request.method, request.path)
            delegate = EmptyAnswer(request_conn, HTTPStatus.NOT_FOUND)
        return delegate


class ReversibleRouter(Router):
    """A router that can also tell the URL of a named rule."""

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """Return the URL path of the rule called ``name``, or None when there is none.

        Args:
            name: The rule's name.
            *args: Values for the groups of its pattern, in order; they are percent-encoded.
        """
        raise NotImplementedError(f"{type(self).__name__} must override reverse_url()")


class _RoutingDelegate(HTTPMessageDelegate):
    """Waits for the head, asks the router, and passes everything on to what it names."""

    __slots__ = ("delegate", "request_conn", "router", "server_conn")

    def __init__(self, router: Router, server_conn: object, request_conn: HTTPConnection) -> None:
        self.router = router
        self.server_conn = server_conn
        self.request_conn = request_conn
        self.delegate: HTTPMessageDelegate | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        delegate = self.router.start_message(
            self.server_conn,
            self.request_conn,
            start_line,  # type: ignore[arg-type] # a server gets requests only
            headers,
        )
        self.delegate = delegate
        return delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        assert self.delegate is not None
        return self.delegate.data_received(chunk)

    def finish(self) -> None:
        self.delegate.finish()  # type: ignore[union-attr] # the head came before

    def on_connection_close(self) -> None:
        if self.delegate is not None:
            self.delegate.on_connection_close()
