"""Interfaces between a connection and what handles its messages.

A connection calls a `HTTPServerConnectionDelegate` once a request, and the `HTTPMessageDelegate` it
got from it with the parts of the message; the handler answers through a `HTTPConnection`. Nothing
here does any work: the methods that must be provided raise NotImplementedError, the others do
nothing.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.startline import RequestStartLine, ResponseStartLine

if TYPE_CHECKING:
    from asyncio import Future


class HTTPServerConnectionDelegate:
    """What a server asks for each request that begins on a connection."""

    def start_request(
        self, server_conn: object, request_conn: "HTTPConnection"
    ) -> "HTTPMessageDelegate":
        """A request begins: return who receives it.

        Args:
            server_conn: Opaque object that stands for the connection, the same for all its
                requests.
            request_conn: Where the answer to this one request is written.
        """
        raise NotImplementedError

    def on_close(self, server_conn: object) -> None:
        """The connection that `server_conn` stands for is closed."""


class HTTPMessageDelegate:
    """Receives one message, request or response, piece by piece."""

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
    ) -> Awaitable[None] | None:
        """The head is complete. An awaitable result holds the body back until it is done."""

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A piece of the body. An awaitable result holds the next piece back until it is done."""

    def finish(self) -> None:
        """The message is complete."""

    def whole_message(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        body: bytes,
    ) -> bool:
        """All of the message is there already: a connection that knows asks this first.

        Returns:
            Whether that was all there is to be told. If not, as by default, `headers_received`,
            `data_received` and `finish` follow as for any other message.
        """
        return False

    def on_connection_close(self) -> None:
        """The connection closed before the exchange was over; `finish` will not be called."""


class RequestContext(Protocol):
    """Whom a request came from.

    Attributes:
        remote_ip: Address of the client.
        protocol: ``http`` or ``https``.
    """

    remote_ip: str
    protocol: str


class HTTPConnection:
    """Where one message is written to.

    Attributes:
        context: Address and scheme of the peer, if known: ``remote_ip`` and ``protocol``.
    """

    context: RequestContext | None = None

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "Future[None]":
        """Write the head, and with it the first piece of the body if there is one.

        Returns:
            A future that is done when the bytes have left for the network (for flow control).
        """
        raise NotImplementedError

    def write(self, chunk: bytes) -> "Future[None]":
        """Write a piece of the body; the result is as with `write_headers`."""
        raise NotImplementedError

    def finish(self) -> None:
        """The message has been written in full."""
        raise NotImplementedError
