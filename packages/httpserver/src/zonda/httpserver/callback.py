"""The simplest application: a function that takes a complete request.

Chunks of the body come in; once it is complete, the request goes to the callback, whose business
it is to answer through ``request.connection``.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from zonda.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.headers import HTTPHeaders

RequestCallback = Callable[[HTTPServerRequest], None]
"""Takes a request whose body is complete; it answers through ``request.connection``."""


class CallableAdapter(HTTPMessageDelegate):
    """Collects a request and calls a function with it.

    Args:
        request_callback: Called with the `HTTPServerRequest` when its body is complete.
        request_conn: Where the answer goes.
    """

    def __init__(self, request_callback: RequestCallback, request_conn: HTTPConnection) -> None:
        self.connection = request_conn
        self.request_callback = request_callback
        self.request: HTTPServerRequest | None = None
        self._chunks: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Make the request."""
        self.request = HTTPServerRequest(
            connection=self.connection,
            start_line=cast(RequestStartLine, start_line),
            headers=headers,
        )
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep a piece of the body."""
        self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        """Hand the request over."""
        assert self.request is not None
        self.request.body = b"".join(self._chunks)
        self._chunks = []
        self.request_callback(self.request)

    def on_connection_close(self) -> None:
        """Drop what was collected."""
        self._chunks = []
