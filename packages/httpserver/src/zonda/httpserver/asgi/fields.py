"""Header fields as ASGI has them, pairs of bytes with names in lower case, and back.

Both ways go through bounded tables of what has been seen before: clients send the same lines, and
applications the same names, again and again.
"""

from collections.abc import Iterable

from zonda.httpserver.datecache import http_date
from zonda.httputil import HTTPHeaders
from zonda.httputil.field_names import CANONICAL_NAMES
from zonda.httputil.shared_fields import SharedFields

Pairs = Iterable[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names and values in octets."""

HANDSHAKE_FIELDS = frozenset(
    (
        b"connection",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"upgrade",
    )
)
"""Fields of a WebSocket handshake's answer that are the server's."""

_TABLE_SIZE = 1024
_LONGEST_LINE = 160
# What nobody should find in the memory of a process for longer than a request lasts.
_SECRET = frozenset((b"authorization", b"cookie", b"proxy-authorization", b"x-api-key"))


class _Lines(dict[str, tuple[bytes, bytes]]):
    """A field line of a validated block -> its pair."""

    def __missing__(self, line: str) -> tuple[bytes, bytes]:
        name, _, value = line.partition(":")
        pair = name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1")
        if pair[0] not in _SECRET and len(line) <= _LONGEST_LINE:
            if len(self) >= _TABLE_SIZE:
                self.clear()
            self[line] = pair
        return pair


class _Names(dict[bytes, str]):
    """A name as applications send it -> as `HTTPHeaders` has it."""

    def __missing__(self, name: bytes) -> str:
        text = CANONICAL_NAMES[bytes(name).decode("latin-1")]
        if len(self) < _TABLE_SIZE:
            self[bytes(name)] = text
        return text


_lines = _Lines()
_names = _Names()


def asgi_fields(headers: HTTPHeaders) -> list[tuple[bytes, bytes]]:
    """Return the fields of a request for a scope, in order.

    >>> asgi_fields(HTTPHeaders({"Host": "example.com", "Accept": "*/*"}))
    [(b'host', b'example.com'), (b'accept', b'*/*')]
    """
    block = headers._block
    if type(block) is SharedFields:  # those of the request before on this connection
        pairs = block.pairs
        if pairs is None:
            pairs = block.pairs = _pairs_of(block.text)
        return pairs.copy()
    if type(block) is tuple:
        [block] = block
    if type(block) is str:  # not split yet: mostly nobody else has asked for a field
        return _pairs_of(block)
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers.get_all()
    ]


def _pairs_of(block: str) -> list[tuple[bytes, bytes]]:
    lines = _lines
    return [lines[line] for line in block.split("\r\n") if line]


def asks_for_websocket(headers: HTTPHeaders) -> bool:
    """Whether a GET with these fields wants to become a WebSocket (RFC 6455 §4.1).

    >>> asks_for_websocket(HTTPHeaders({"Host": "a", "Upgrade": "WebSocket"}))
    True
    """
    block = headers._block
    if type(block) is SharedFields and not block.may_upgrade:
        return False
    return "websocket" in headers.get("Upgrade", "").lower()


def response_fields(pairs: Pairs) -> HTTPHeaders:
    """Return the headers of a response; ``Date`` is added, ``Transfer-Encoding`` is the server's.

    Values are checked by the protocol when they are written.

    Raises:
        InvalidFieldName: A name is not a token.

    >>> response_fields([(b"content-type", b"text/plain"), (b"date", b"now")])
    HTTPHeaders([('Content-Type', 'text/plain'), ('Date', 'now')])
    """
    names = _names
    fields: dict[str, str] = {}
    repeated: list[tuple[str, str]] | None = None
    for name, value in pairs:
        key = names[name]
        if key in fields:
            repeated = repeated or []
            repeated.append((key, bytes(value).decode("latin-1")))
        else:
            fields[key] = value.decode("latin-1")
    if "Date" not in fields:
        fields["Date"] = http_date()
    fields.pop("Transfer-Encoding", None)
    headers = HTTPHeaders._from_canonical(fields)
    if repeated is not None:
        for key, text in repeated:
            if key != "Transfer-Encoding":
                headers.add(key, text.strip(" \t"))
    return headers
