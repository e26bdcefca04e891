"""Requests that come through a proxy which says who the client is (``xheaders``, ``forwarded``)."""

import socket
from collections.abc import Awaitable
from typing import Any

from zonda.httpserver.trustedpeers import TrustedPeers
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
        xheaders: Believe the fields that begin with ``X-``.
        forwarded: Believe ``Forwarded``; where it is there, it alone.
        trusted: Whose fields are believed; everybody's by default.
    """

    def __init__(
        self,
        delegate: HTTPMessageDelegate,
        request_conn: HTTPConnection,
        xheaders: bool = True,
        forwarded: bool = False,
        trusted: TrustedPeers | None = None,
    ) -> None:
        self.connection: Any = request_conn
        self.delegate = delegate
        self._xheaders = xheaders
        self._forwarded = forwarded
        self._trusted = trusted

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Believe the headers."""
        context = self.connection.context
        if (
            self._trusted is None
            # Who connects to a socket in the file system was let in by its permissions.
            or context.address_family not in (socket.AF_INET, socket.AF_INET6)
            or context._orig_remote_ip in self._trusted
        ):
            if self._forwarded and "Forwarded" in headers:
                context._apply_forwarded(headers)
            elif self._xheaders:
                context._apply_xheaders(headers)
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
