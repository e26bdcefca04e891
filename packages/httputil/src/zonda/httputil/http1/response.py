"""The head of a response as a server sends it, and how its content will be framed.

In: status, reason and headers of the application, and the facts of the request. Out: a
`ResponseHead`. Raises `LocalProtocolError`. RFC 9110 §6.4, §8.6 and RFC 9112 §6, §9 decide.
"""

from typing import Final, NamedTuple

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.content import ContentWriter
from zonda.httputil.http1.errors import LocalProtocolError
from zonda.httputil.http1.framing import own_content_length
from zonda.httputil.http1.head import list_members
from zonda.httputil.http1.output import CONTENT_STATUS_LINES, head_bytes, status_line
from zonda.httputil.shared_fields import FieldTemplate

_field_line: Final = ": ".join  # of a pair
NO_CONTENT_STATUS: Final = frozenset({204, 304})
"""Status codes whose responses have no content."""


class ResponseHead(NamedTuple):
    """What `response_head` decides.

    Attributes:
        head: The bytes of the head.
        writer: For content that follows in pieces or in chunks; `None` if the caller has it all and
            it goes out as it is, or not at all.
        content: Whether the response has content (HEAD, 204, 304 and tunnels have not).
        keep_alive: Whether the connection persists.
        tunnel: Whether this is a successful response to CONNECT.
    """

    head: bytes
    writer: ContentWriter | None
    content: bool
    keep_alive: bool
    tunnel: bool


def response_head(
    status: int,
    reason: str,
    headers: HTTPHeaders,
    size: int | None,
    *,
    method: str | None,
    http10: bool,
    keep_alive: bool,
) -> ResponseHead:
    """The head of a final response.

    Args:
        status: 200 to 999.
        reason: Reason phrase.
        headers: The application's fields; not modified.
        size: Bytes of content, `None` if it comes in pieces.
        method: Of the request, `None` if there was none that could be read.
        http10: The request was HTTP/1.0.
        keep_alive: Whether the connection may persist so far.

    Raises:
        LocalProtocolError: Contradicting or invalid fields, or content where there must be none.
    """
    line = status_line(status, reason)
    if status < 200:
        raise LocalProtocolError(f"not a final status: {status}")
    length = headers.get("Content-Length")
    coding = headers.get("Transfer-Encoding")
    drop: list[str] = []  # names of fields that are left out
    extra = ""  # field lines that are added
    writer = None
    content = True
    tunnel = False
    if size and (status in NO_CONTENT_STATUS or status == 205):
        raise LocalProtocolError(f"a response with status {status} has no content")
    if status in NO_CONTENT_STATUS:
        content = False
        drop.append("Transfer-Encoding")
        if status == 204:
            drop.append("Content-Length")
        elif length is not None:
            own_content_length(length)
        if size is None:
            writer = ContentWriter(0)
    elif method == "HEAD":
        content = False
        if length is not None:
            own_content_length(length)
            drop.append("Transfer-Encoding")
        elif size and coding is None:
            extra = f"Content-Length: {size}\r\n"
        if size is None:
            writer = ContentWriter(0, discard=True)
    elif method == "CONNECT" and status < 300:
        if size:
            raise LocalProtocolError("a successful response to CONNECT has no content")
        content = False
        tunnel = True
        drop += ("Transfer-Encoding", "Content-Length")
    elif status == 205 and size is None and length is None:
        drop.append("Transfer-Encoding")
        extra = "Content-Length: 0\r\n"  # RFC 9110 §15.3.6: no content, and it has to be said
        writer = ContentWriter(0)
    elif coding is not None:
        if length is not None:
            raise LocalProtocolError("both Transfer-Encoding and Content-Length")
        if coding.lower() != "chunked":
            raise LocalProtocolError(f"transfer coding is not supported: {coding!r}")
        if not http10:
            writer = ContentWriter(None, chunked=True)
        else:  # it does not know chunks
            drop.append("Transfer-Encoding")
            if size is not None:
                extra = f"Content-Length: {size}\r\n"
            else:
                keep_alive = False
                writer = ContentWriter(None)
    elif length is not None:
        announced = own_content_length(length)
        if size is None:
            writer = ContentWriter(announced)
        elif announced != size:
            raise LocalProtocolError(f"Content-Length is {announced}, the content has {size} bytes")
    elif size is not None:
        extra = f"Content-Length: {size}\r\n"
    elif http10:
        keep_alive = False
        writer = ContentWriter(None)
    else:
        extra = "Transfer-Encoding: chunked\r\n"
        writer = ContentWriter(None, chunked=True)

    # The application's wish to close counts, its wish to persist does not; other options stay.
    options = list_members(headers.get("Connection", ""))
    keep_alive = keep_alive and "close" not in options and not tunnel
    if http10 or not keep_alive:
        options = [option for option in options if option not in ("close", "keep-alive")]
        if not tunnel:
            options.append("keep-alive" if keep_alive else "close")
    if options:
        extra += f"Connection: {', '.join(options)}\r\n"
    drop.append("Connection")
    pairs = [pair for pair in headers.get_all() if pair[0] not in drop]
    return ResponseHead(head_bytes(line, pairs, extra), writer, content, keep_alive, tunnel)


class ReadyHead:
    r"""The head of a response, validated once to be sent many times: see `ready_head`.

    Attributes:
        octets: Status line and field lines, as they are sent.
        size: Bytes of content that they announce; `None` if they do not say.
    """

    __slots__ = ("octets", "size")

    def __init__(self, octets: bytes, size: int | None) -> None:
        self.octets = octets
        self.size = size


def ready_head(status: int, reason: str, headers: HTTPHeaders) -> ReadyHead | None:
    r"""A head for `ServerConnection.respond_ready`.

    Args:
        status: The status code.
        reason: The reason phrase.
        headers: The fields that are the same each time. Not modified.

    Returns:
        `None` if such a response needs a decision, or if anything is wrong with it: what sends it
        the usual way finds out.

    >>> ready_head(200, "OK", HTTPHeaders({"Server": "Zonda"})).octets
    b'HTTP/1.1 200 OK\r\nServer: Zonda\r\n'
    """
    length = headers.get("Content-Length")
    size = None
    if length is not None:
        try:
            size = own_content_length(length)
        except LocalProtocolError:
            return None
    head = plain_head(status, reason, headers, size or 0)
    if head is None:
        return None
    if size is None:
        return ReadyHead(head.removesuffix(b"Content-Length: 0\r\n\r\n"), None)
    return ReadyHead(head[:-2], size)


def plain_head(status: int, reason: str, headers: HTTPHeaders, size: int) -> bytes | None:
    """The head of a response that needs no decision; None if this one does.

    Most need none: what is written out here is what `response_head` and `head_bytes` would come to.
    """
    line = CONTENT_STATUS_LINES.get((status, reason))
    if line is None:
        return None
    block = headers._block
    if type(block) is FieldTemplate:
        # Ready and known to be valid; what was added to it is looked at as below.
        text = block.text
        for field in headers._fields.items():
            added = _field_line(field)
            if not (added.isascii() and added.isprintable()):
                return None
            text += f"{added}\r\n"
        return f"{line}{text}Content-Length: {size}\r\n\r\n".encode("latin-1")
    pairs = headers._pairs()
    fields = headers._fields  # filled by _pairs(), canonical names
    length = fields.get("Content-Length")
    if (
        (length is not None and length != str(size))
        or "Connection" in fields
        or "Transfer-Encoding" in fields
    ):
        return None
    # The quickest look at names and values that finds every control character. What else it
    # objects to (obs-text, no fields at all) takes the other way.
    lines = list(map(_field_line, pairs))
    text = "".join(lines)
    if not (text.isascii() and text.isprintable() and text):
        return None
    text = "\r\n".join(lines)
    if length is None:
        text = f"{line}{text}\r\nContent-Length: {size}\r\n\r\n"
    else:
        text = f"{line}{text}\r\n\r\n"
    return text.encode("ascii")
