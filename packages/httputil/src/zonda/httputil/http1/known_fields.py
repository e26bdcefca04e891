"""The field section of a request, kept when it has come twice: it will probably come again.

A client that keeps its connection mostly repeats its fields to the letter. Octets that are equal
get the same verdict, so what was found out about a section is good for every request of the
connection that ends its head in the same octets: validation, framing, Host, and the mapping, once
somebody has asked for it. That holds for requests of HTTP/1.1 in origin form, where the request
line has no say in any of it.
"""

from typing import Final

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.events import Request
from zonda.httputil.shared_fields import SharedFields

LONGEST: Final = 2048
"""Octets of the longest section that is kept: what a connection may hold on to."""
NEVER: Final = 1 << 62
"""Longer than anything that is received at once."""

_new_headers: Final = HTTPHeaders.__new__


class KnownFields:
    """A validated field section and what it decides.

    Args:
        octets: The section as received, with the empty line behind it.
        block: The same as text, without the empty line.
        host: Value of the ``Host`` field; None without one.
        content_length: Bytes of content; None if not known in advance, 0 without content.
        chunked: Whether the content arrives with the chunked transfer coding.
        keep_alive: Whether the client lets the connection persist.
        expect_continue: Whether there is ``Expect: 100-continue``.
        upgrade: The ``Upgrade`` field, if ``Connection`` has that option; else None.

    Attributes:
        size: Length of `octets`.
        total: The same and that of the content; `NEVER` unless the message ends there and there is
            nothing unusual about the connection.
        fields: What headers of requests with this section share.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "expect_continue",
        "fields",
        "host",
        "keep_alive",
        "octets",
        "size",
        "total",
        "upgrade",
    )

    def __init__(
        self,
        octets: bytes,
        block: str,
        host: str | None,
        content_length: int | None = 0,
        chunked: bool = False,
        keep_alive: bool = True,
        expect_continue: bool = False,
        upgrade: str | None = None,
    ) -> None:
        self.octets = octets
        self.size = len(octets)
        self.fields = SharedFields(block)
        self.host = host
        self.content_length = content_length
        self.chunked = chunked
        self.keep_alive = keep_alive
        self.expect_continue = expect_continue
        self.upgrade = upgrade
        simple = keep_alive and not expect_continue and upgrade is None
        self.total = NEVER if content_length is None or not simple else self.size + content_length

    def request(self, method: str, target: str) -> Request:
        """A request that has this section."""
        headers = _new_headers(HTTPHeaders)
        headers._block = self.fields
        if self.total == self.size:
            return Request(method, target, headers, "HTTP/1.1", self.host)
        return Request(
            method,
            target,
            headers,
            "HTTP/1.1",
            self.host,
            self.content_length,
            self.chunked,
            self.keep_alive,
            self.expect_continue,
            self.upgrade,
        )
