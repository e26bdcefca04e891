"""What the two connections say to their drivers, and the drivers to them.

A message is a head (`Request`, `Response`), any number of `Data`, and an `EndOfMessage`. Events are
plain objects with slots, cheap to make; treat them as immutable.
"""

import enum
from typing import Final

from zonda.httputil.headers import HTTPHeaders


class Signal(enum.Enum):
    """What ``next_event`` returns when there is no event."""

    NEED_DATA = "need data"
    """Feed more with ``receive_data``, then ask again."""
    PAUSED = "paused"
    """The message is complete and the next one has to wait for ``start_next_cycle``, or another
    protocol has taken over. Stop reading: what arrives is only buffered."""


class Request:
    """The head of a request.

    Attributes:
        method: Method token as sent (methods are case-sensitive).
        target: Request target as sent; its form (RFC 9112 §3.2) has been validated.
        headers: The field section.
        version: ``"HTTP/1.0"`` or ``"HTTP/1.1"``. A higher minor version is treated, and reported,
            as 1.1 (RFC 9110 §6.2).
        host: Host and port that the request is for: the authority of an absolute or authority form
            target, else the ``Host`` field; `None` when there is neither (HTTP/1.0).
        content_length: Length of the content in bytes, `None` if not known in advance (`chunked`)
            and 0 without content.
        chunked: Whether the content arrives with the chunked transfer coding.
        keep_alive: Whether the client lets the connection persist after this exchange.
        expect_continue: Whether it sent ``Expect: 100-continue`` (HTTP/1.1 only).
        upgrade: The ``Upgrade`` field, if `Connection` has the ``upgrade`` option, else `None`.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "expect_continue",
        "headers",
        "host",
        "keep_alive",
        "method",
        "target",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        method: str,
        target: str,
        headers: HTTPHeaders,
        version: str = "HTTP/1.1",
        host: str | None = None,
        content_length: int | None = 0,
        chunked: bool = False,
        keep_alive: bool = True,
        expect_continue: bool = False,
        upgrade: str | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.version = version
        self.host = host
        self.content_length = content_length
        self.chunked = chunked
        self.keep_alive = keep_alive
        self.expect_continue = expect_continue
        self.upgrade = upgrade

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target!r} {self.version} host={self.host!r}>"


class InformationalResponse:
    """The head of a 1xx response; a final `Response` follows (except after 101).

    Attributes:
        status: 100 to 199.
        reason: Reason phrase, possibly empty.
        headers: The field section.
        version: Version that the server sent.
    """

    __slots__ = ("headers", "reason", "status", "version")

    def __init__(
        self,
        status: int,
        reason: str = "",
        headers: HTTPHeaders | None = None,
        version: str = "HTTP/1.1",
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = HTTPHeaders() if headers is None else headers
        self.version = version

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.reason!r} {self.version}>"


class Response(InformationalResponse):
    """The head of a final response, status 200 and above; attributes as above."""

    __slots__ = ()


class Data:
    """A piece of content, transfer coding removed. Pieces have no meaning of their own.

    Attributes:
        data: Received: `bytes`, never empty. To send: any bytes-like object.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<Data {len(self.data)} bytes>"


class EndOfMessage:
    """The message is complete.

    Attributes:
        trailers: The trailer section of a chunked message, `None` without one. Trailers are kept
            apart from the headers for good (RFC 9110 §6.5.1).
    """

    __slots__ = ("trailers",)

    def __init__(self, trailers: HTTPHeaders | None = None) -> None:
        self.trailers = trailers

    def __repr__(self) -> str:
        return f"<EndOfMessage trailers={self.trailers!r}>"


class ConnectionClosed:
    """The peer ended its side between two messages."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<ConnectionClosed>"


END_OF_MESSAGE: Final = EndOfMessage()
"""The end of a message without trailers; returned for each one (compare with ``is`` or by type)."""

CONNECTION_CLOSED: Final = ConnectionClosed()

ServerEvent = Request | Data | EndOfMessage | ConnectionClosed | Signal
"""What ``ServerConnection.next_event`` returns."""

ClientEvent = InformationalResponse | Response | Data | EndOfMessage | ConnectionClosed | Signal
"""What ``ClientConnection.next_event`` returns."""
