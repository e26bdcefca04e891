"""``request.connection`` under an ASGI server: responses in, messages for the server out.

A handler writes without waiting, an ASGI server wants to be waited for. In between is a short
queue: each write goes in with a future, which is done when the server has taken it. That is the
back-pressure, and how a handler learns that the client is gone (`StreamClosedError`).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import NoReturn

from zonda.httpserver.asgi.types import Message, Scope
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.iostream import StreamClosedError

# The server's own business, or not known to all versions of HTTP.
_CONNECTION_FIELDS = frozenset(("Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"))
DEFAULT_MAX_BODY_SIZE = 100 * 1024 * 1024
"""Most bytes of a request's body, by default: 100 MiB."""


class ASGIContext:
    """Who speaks, over which scheme (``connection.context``).

    Args:
        scope: The scope of the request.

    Attributes:
        remote_ip: The client's address; ``0.0.0.0`` where there is none worth showing.
        protocol: ``http`` or ``https``.
        address: Address and port as the server tells them, or None.
        address_family: None: the socket is not known.
    """

    def __init__(self, scope: Scope) -> None:
        client = scope.get("client")
        self.address = None if client is None else tuple(client)
        self.remote_ip: str = "0.0.0.0" if client is None else str(client[0])
        self.protocol = "https" if scope.get("scheme") in ("https", "wss") else "http"
        self.address_family: socket.AddressFamily | None = None

    def __str__(self) -> str:
        return self.remote_ip


class ASGIStream:
    """What handlers ask a connection's stream: whether it is closed; and to close it.

    Args:
        connection: The connection.
    """

    socket = None

    def __init__(self, connection: ASGIConnection) -> None:
        self._connection = connection

    def closed(self) -> bool:
        """Whether the client is gone."""
        return self._connection.closed

    def close(self) -> None:
        """End without the rest of the response; the server sees to the connection."""
        self._connection.abort()

    abort = close


class ASGIConnection(HTTPConnection):
    """Where the response to one request goes.

    Args:
        scope: The scope of the request.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context = ASGIContext(scope)
        self.stream = ASGIStream(self)
        self.is_head = scope.get("method") == "HEAD"
        self.max_body_size = DEFAULT_MAX_BODY_SIZE
        self.closed = False  # the client is gone, or we have given up
        self.finished = False  # the response is complete
        self.headers_written = False
        self.queue: deque[tuple[list[Message], asyncio.Future[None]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._close_callback: Callable[[], object] | None = None
        self._wake: asyncio.Future[None] | None = None

    # -- what handlers use -----------------------------------------------------------------------

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Send the head of the response and the first piece of its body.

        Raises:
            HTTPOutputError: The head is out already.
        """
        assert isinstance(start_line, ResponseStartLine)
        if start_line.code < 200:
            return self._early(start_line, headers)
        if self.headers_written or self.finished:
            raise HTTPOutputError("a response was sent already")
        messages = [self._start(start_line.code, headers)]
        if chunk and not self.is_head:
            messages.append(self._body(chunk, more=True))
        return self._put(messages)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body.

        Raises:
            HTTPOutputError: There is no head yet, or the response is finished.
        """
        if self.finished or not self.headers_written:
            raise HTTPOutputError("content without a response, or behind one")
        return self._put([] if self.is_head or not chunk else [self._body(chunk, more=True)])

    def finish(self, trailers: HTTPHeaders | None = None) -> None:
        """Say that the response is complete; trailers are left out."""
        if not self.finished:
            self.finished = True
            self._put([self._body(b"", more=False)])

    def respond(
        self, status: int, reason: str, headers: HTTPHeaders, body: bytes
    ) -> asyncio.Future[None]:
        """Send a whole response (ASGI has no room for the reason).

        Raises:
            HTTPOutputError: A response was sent already.
        """
        if self.headers_written or self.finished:
            raise HTTPOutputError("a response was sent already")
        if "Content-Length" not in headers and status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        start = self._start(status, headers)
        self.finished = True
        return self._put([start, self._body(b"" if self.is_head else body, more=False)])

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` when the client goes before the response is finished."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Accept a body of at most so many bytes."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float | None) -> None:
        """The server has its own ideas about that: no effect."""

    def detach(self) -> NoReturn:
        """There is no stream to be had.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("an ASGI server does not give its connections away")

    # -- messages --------------------------------------------------------------------------------

    def _start(self, status: int, headers: HTTPHeaders) -> Message:
        self.headers_written = True
        return {"type": "http.response.start", "status": status, "headers": asgi_pairs(headers)}

    def _body(self, data: bytes, *, more: bool) -> Message:
        return {"type": "http.response.body", "body": data, "more_body": more}

    def _early(self, start_line: ResponseStartLine, headers: HTTPHeaders) -> asyncio.Future[None]:
        """Send an informational response, as far as ASGI knows it."""
        if start_line.code != 103 or "http.response.early_hint" not in self.extensions:
            return self._put([])
        links = [link.encode("latin-1") for link in headers.get_list("Link")]
        return self._put([{"type": "http.response.early_hint", "links": links}])

    @property
    def extensions(self) -> dict[str, object]:
        """What the server offers beyond the basics."""
        extensions: dict[str, object] = self.scope.get("extensions") or {}
        return extensions

    def _put(self, messages: list[Message]) -> asyncio.Future[None]:
        future = self._loop.create_future()
        if self.closed:
            self._fail(future)
        elif messages:
            self.queue.append((messages, future))
            self.wake()
        else:
            future.set_result(None)
        return future

    @staticmethod
    def _fail(future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_exception(StreamClosedError())
            future.exception()  # not everybody waits for a write

    # -- what the exchange uses ------------------------------------------------------------------

    def wake(self) -> None:
        """Something has changed that `changed` waits for."""
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    async def changed(self) -> None:
        """Wait until there is something to send, or the end."""
        self._wake = self._loop.create_future()
        await self._wake

    def abort(self) -> None:
        """Give up: nothing more is sent."""
        self.closed = True
        for _, future in self.queue:
            self._fail(future)
        self.queue.clear()
        self.wake()

    def lost(self) -> None:
        """The client is gone."""
        self.abort()
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()


def asgi_pairs(
    headers: HTTPHeaders, without: Iterable[str] = _CONNECTION_FIELDS
) -> list[tuple[bytes, bytes]]:
    """Return headers for a message, except those of the connection.

    Args:
        headers: The headers.
        without: Names that are left out, in their usual spelling.
    """
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers.get_all()
        if name not in without
    ]
