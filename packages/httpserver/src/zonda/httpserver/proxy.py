"""Requests that come through a proxy which says who the client is (``xheaders``)."""

from collections.abc import Awaitable
from typing import Any

from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)


class ProxyDelegate(HTTPMessageDelegate):
    """Applies the proxy's headers to the connection's context for the time of one request.

    Args:
        delegate: Gets everything.
        request_conn: Its ``context`` (see `HTTPRequestContext`) is what changes.
    """

    def __init__(self, delegate: HTTPMessageDelegate, request_conn: HTTPConnection) -> None:
        self.connection: Any = request_conn
        self.delegate = delegate

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Believe the headers."""
        self.connection.context._apply_xheaders(headers)
        return self.delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass on."""
        return self.delegate.data_received(chunk)

    def finish(self) -> None:
        """Pass on and forget."""
        self.delegate.finish()
        self.connection.context._unapply_xheaders()

    def on_connection_close(self) -> None:
        """Pass on and forget."""
        self.delegate.on_connection_close()
        self.connection.context._unapply_xheaders()
