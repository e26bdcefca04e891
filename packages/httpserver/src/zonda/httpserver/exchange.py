"""One request and its response, as the application sees it: ``request.connection``.

Each request has an exchange of its own. What an application writes after its response is finished,
or after the connection is gone, therefore never ends up in somebody else's response: it raises
`HTTPOutputError` or gives a future with `StreamClosedError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from zonda.httpserver.upgrades import Departed
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.http1 import Data, EndOfMessage, InformationalResponse, ReadyHead, Response

if TYPE_CHECKING:
    from zonda.httpserver.connection import HTTP1ServerConnection
    from zonda.httpserver.context import HTTPRequestContext
    from zonda.httpserver.upgrades import Forget, Upgraded
    from zonda.iostream import FileRange, IOStream

_END = EndOfMessage()


class HTTP1Exchange(HTTPConnection):
    """The connection that belongs to one request.

    Args:
        connection: The connection that the request came over.
        is_head: Whether the request is a HEAD, whose response has no body.
    """

    __slots__ = (
        "_close_callback",
        "_connection",
        "context",
        "delegate",
        "finished",
        "headers_written",
        "is_head",
        "max_body_size",
        "refusal",
        "request_complete",
    )

    def __init__(self, connection: HTTP1ServerConnection, is_head: bool) -> None:
        self._connection = connection
        # Address and scheme of the connection.
        self.context: HTTPRequestContext = connection.context
        self._close_callback: Callable[[], object] | None = None
        self.delegate: HTTPMessageDelegate | None = None
        self.is_head = is_head
        self.headers_written = False
        self.finished = False
        self.request_complete = False
        # Status and content size of what the server has answered in place of the application. Not
        # set for most: nobody but the access log asks.
        self.refusal: tuple[int, int]
        self.max_body_size: int | None = None  # None: what the server's settings say

    @property
    def stream(self) -> IOStream:
        """The stream below; its owner is the server until `detach`."""
        return self._connection.stream

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Send the head of the response and the first piece of its body.

        Without ``Content-Length`` the body is chunked (HTTP/1.1) or ends with the connection
        (HTTP/1.0). A status of 1xx is an informational response: the final one has still to follow,
        except behind 101: the stream speaks another protocol then, see `detach`.

        Args:
            start_line: Status and reason.
            headers: The fields; framing fields are added as needed.
            chunk: Body bytes.

        Returns:
            A future that is done when more may be written without piling up.

        Raises:
            HTTPOutputError: A character that may not be sent; too long a body; a second head.
        """
        assert isinstance(start_line, ResponseStartLine)
        if self.finished:
            raise HTTPOutputError("this response is finished already")
        code = start_line.code
        if 100 <= code < 200:
            return self._connection.send(
                self._connection.protocol.send(
                    InformationalResponse(code, start_line.reason, headers)
                )
            )
        if code >= 500:
            self._connection._counters.errors += 1
        protocol = self._connection.protocol
        buffers = protocol.send(Response(code, start_line.reason, headers))
        self.headers_written = True
        if chunk and not self.is_head:
            buffers += protocol.send(Data(chunk))
        return self._connection.send(buffers)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body.

        Returns:
            A future that is done when more may be written without piling up.

        Raises:
            HTTPOutputError: There is no head yet, the response is finished, or this is more than
                ``Content-Length`` says.
        """
        if self.finished:
            raise HTTPOutputError("this response is finished already")
        if not chunk or self.is_head:
            return self._connection.send([])
        return self._connection.send(self._connection.protocol.send(Data(chunk)))

    @property
    def can_send_files(self) -> bool:
        """Whether `write_file` works: on plain sockets, where the system has ``sendfile``."""
        return getattr(self._connection.stream, "can_send_files", False)

    def write_file(self, file: FileRange) -> asyncio.Future[None]:
        """As `write`, with a part of a file, which goes to the socket without being read.

        Args:
            file: The part; closed when it is sent, refused or of no use any more.
        """
        if self.finished or self.is_head:
            file.close()
            return self.write(b"")
        try:
            # To the protocol it is a buffer whose length matters and whose bytes do not.
            data = Data(cast(bytes, file))
            buffers = self._connection.protocol.send(data)
        except HTTPOutputError:
            file.close()
            raise
        return self._connection.send_files(buffers)

    def finish(self, trailers: HTTPHeaders | None = None) -> None:
        """Say that the response is complete.

        Args:
            trailers: Fields behind a chunked body; left out where there is no place for them.

        Raises:
            HTTPOutputError: ``Content-Length`` says more than was written; the connection is
                closed, because the peer would wait for the rest.
        """
        if self.finished:
            return
        self.finished = True
        connection = self._connection
        if not connection.is_open:
            return  # the connection ends the exchange when it is told of its loss
        try:
            buffers = connection.protocol.send(_END if trailers is None else EndOfMessage(trailers))
        except HTTPOutputError:
            connection.abort()
            raise
        if buffers:
            connection.send(buffers)
        connection.response_complete(self)

    def respond(
        self, status: int, reason: str, headers: HTTPHeaders, body: bytes
    ) -> asyncio.Future[None]:
        """Send a whole response in one write: `write_headers` and `finish` at once.

        Args:
            status: The status code.
            reason: The reason phrase.
            headers: The fields, ``Content-Length`` included where the status has a body.
            body: All of it.

        Returns:
            A future that is done when the bytes are out or few.

        Raises:
            HTTPOutputError: As `write_headers`; nothing has been sent then.
        """
        if self.finished:
            raise HTTPOutputError("this response is finished already")
        connection = self._connection
        if status >= 500:
            connection._counters.errors += 1
        whole = connection.protocol.respond(status, reason, headers, body)
        if whole is not None:
            self.headers_written = self.finished = True
            self.delegate = None
            return connection.send_whole(whole)
        buffers = connection.protocol.send_response(status, reason, headers, body)
        self.headers_written = self.finished = True
        future = connection.send(buffers)
        connection.response_complete(self)
        return future

    def respond_ready(
        self, head: ReadyHead, rest: bytes, body: bytes
    ) -> asyncio.Future[None] | None:
        """As `respond`, for a head that was made before, if that can be.

        Args:
            head: From `zonda.httputil.http1.ready_head`, of a status below 500.
            rest: Field lines that it lacks.
            body: All of the content.

        Returns:
            None if this response needs a decision: nothing has happened then.
        """
        if self.finished:
            return None
        connection = self._connection
        whole = connection.protocol.respond_ready(head, rest, body)
        if whole is None:
            return None
        self.headers_written = self.finished = True
        self.delegate = None
        return connection.send_whole(whole)

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` (without arguments) when the connection closes before the response."""
        self._close_callback = callback

    def set_drain_callback(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` (without arguments) when the server is about to end.

        For responses that would go on for ever otherwise.
        """
        self._connection.set_drain_callback(self, callback)

    def set_max_body_size(self, max_body_size: int) -> None:
        """Accept a body of at most so many bytes in this request.

        To be called before its body is read, from ``headers_received`` or ``prepare``.
        """
        self.max_body_size = max_body_size
        self._connection.protocol.set_body_limit(max_body_size)

    def set_body_timeout(self, timeout: float | None) -> None:
        """Give this request's body so many seconds from now (None: no limit)."""
        self._connection.set_body_timeout(timeout)

    def set_min_body_rate(self, rate: float | None) -> None:
        """Have this request's body come with so many bytes a second (None: as slowly as it likes).

        To be called from ``headers_received`` or ``prepare``, for clients that send a body bit by
        bit and mean it.
        """
        self._connection.set_min_body_rate(rate)

    @property
    def draining(self) -> bool:
        """Whether the server is about to end (`HTTPServer.drain`): long responses had better."""
        return self._connection.draining

    def detach(self) -> IOStream:
        """Take the stream away from HTTP, after an upgrade for example.

        Returns:
            The stream. What the peer sent behind the request is what it reads first.
        """
        self.finished = True
        return self._connection.detach()

    def upgrade(self, successor: Upgraded) -> tuple[IOStream, Forget]:
        """Take the stream for another protocol, which the server looks after from now on.

        Args:
            successor: The connection of that protocol; told when the server drains or closes.

        Returns:
            The stream, as from `detach`, and what to call when the successor is through.
        """
        self.finished = True
        self.delegate = self._close_callback = None
        stream, forget = self._connection.upgrade(successor)
        self._connection = cast("HTTP1ServerConnection", Departed(stream))
        return stream, forget

    def peer_gone(self) -> None:
        """Tell the application that nobody waits for the response any more."""
        delegate, self.delegate = self.delegate, None
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()
        if delegate is not None:
            delegate.on_connection_close()
