"""The head of a message, as compiled expressions.

In: one head (start line, field lines, empty line; CRLF line ends) decoded as Latin-1. Out: the
parts of the start line and the field block, validated in one pass in C, nothing split and no
mapping built. There is no "not yet" here: the connections find the end of the head first. What the
expressions refuse goes to `diagnose_request` or `diagnose_response`, which walk it line by line to
say what is wrong with it.

All repetitions are possessive: no input makes the expressions backtrack.
"""

import re
from typing import Final

from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.limits import Limits

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# obs-text (RFC 9110 §5.5) is allowed in values; control characters but TAB are not.
_VALUE: Final = r"[\t\x20-\x7e\x80-\xff]*+"

TOKEN: Final = re.compile(_TOKEN)
"""A method or field name (RFC 9110 section 5.6.2)."""
VALUE: Final = re.compile(_VALUE)
"""A field value."""
FIELD_BLOCK: Final = re.compile(rf"(?:{_TOKEN}:{_VALUE}\r\n)*+")
"""Valid field lines, none of them folded, each with its CRLF."""
TEXT_OCTETS: Final = bytes(octet for octet in range(256) if octet == 9 or 32 <= octet != 127)
"""What a value may consist of, as octets."""


def _any_case(*names: str) -> str:
    # Explicit classes: with IGNORECASE the engine loses its shortcuts and takes longer.
    return "|".join(re.sub("[a-z]", lambda m: f"[{m[0].upper()}{m[0]}]", name) for name in names)


# The beginning of a field line that decides about framing, persistence or routing and says anything
# but the default of HTTP/1.1. Two letters are looked at before anything else: that lets nearly all
# other fields of browsers and proxies pass at once.
_UNUSUAL: Final = (
    r"[CcEeHhTtUu][OoPpRrXx](?:"
    + _any_case("st", "ntent-length", "ansfer-encoding", "grade", "pect")
    + "|"
    + _any_case("nnection")
    + r"(?!: [Kk]eep-[Aa]live\r)):"
)

# Groups: method, target, minor version, field block; the value of Host, which need not come first;
# the part of the block from the first unusual line on, a second Host included.
# With Host and without an unusual line, nothing has to be looked for in the block. A target has no
# "#" (RFC 9112 §3.2 has no fragment, and recipients disagree about what one means). Octets beyond
# ASCII are let through, against the RFC: curl and older browsers send UTF-8 as it is, and nothing
# is ambiguous about it.
REQUEST_HEAD: Final = re.compile(
    rf"({_TOKEN}) ([!\"$-~\x80-\xff]++) HTTP/1\.([0-9])\r\n"
    rf"((?:(?!{_UNUSUAL}){_TOKEN}:{_VALUE}\r\n)*+(?:[Hh]ost:({_VALUE})\r\n)?+"
    rf"(?:(?!{_UNUSUAL}){_TOKEN}:{_VALUE}\r\n)*+"
    rf"((?:{_TOKEN}:{_VALUE}\r\n)*+))\r\n"
)
# Groups: method, target. The line of nearly all requests, for those whose fields are known already:
# HTTP/1.1, and the origin form of the target, which leaves everything else to the fields.
ORIGIN_REQUEST_LINE: Final = re.compile(
    rf"(?!CONNECT )({_TOKEN}) (/[!\"$-~\x80-\xff]*+) HTTP/1\.1\r\n"
)
# Groups: minor version, status, reason, field block. The space before an absent reason phrase may
# be missing: RFC 9112 §4 wants it, many servers leave it out.
RESPONSE_HEAD: Final = re.compile(
    rf"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ({_VALUE}))?+\r\n((?:{_TOKEN}:{_VALUE}\r\n)*+)\r\n"
)

# What must never be in a head, recognisable before the head is complete: control characters, LF
# without CR, CR without LF. (A CR at the very end may yet be followed by its LF.)
FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")

_REQUEST_LINE: Final = re.compile(rf"({_TOKEN}) ([^ \t]++) HTTP/([0-9])\.([0-9])")
_STATUS_LINE: Final = re.compile(rf"HTTP/([0-9])\.([0-9]) ([1-9][0-9][0-9])(?: {_VALUE})?+")


# The request fields that decide about framing, persistence and routing of a message. Starts with
# the LF of the line before, which the engine finds much faster than any other start of a line.
REQUEST_FRAMING: Final = re.compile(
    r"\n(?=[CcEeHhTtUu])("
    + _any_case("host", "connection", "content-length", "transfer-encoding", "upgrade", "expect")
    + r"):([^\r]*+)",
)
RESPONSE_FRAMING: Final = re.compile(
    r"\n(?=[CcTt])("
    + _any_case("connection", "content-length", "transfer-encoding")
    + r"):([^\r]*+)",
)
HTTP_WHITESPACE: Final = " \t"
"""Optional whitespace around values (RFC 9110 section 5.6.3)."""

_FOLD: Final = re.compile(r"(?<=[^\n])\r\n[ \t]++")


def unfold(head: str) -> str:
    """A head whose folded field lines are joined by a space: RFC 9112 §5.2 has a client do so.

    A folded line behind the start line stays as it is: it belongs to no field.
    """
    start_line, line_end, fields = head.partition("\r\n")
    if fields[:1] in (" ", "\t"):
        return head
    return f"{start_line}{line_end}{_FOLD.sub(' ', fields)}"


def list_members(value: str) -> list[str]:
    """The members of a comma-separated list of tokens, lower case, empty ones left out.

    >>> list_members("Keep-Alive, ,Upgrade")
    ['keep-alive', 'upgrade']
    """
    return [member for raw in value.lower().split(",") if (member := raw.strip(HTTP_WHITESPACE))]


def diagnose_request(head: bytes, limits: Limits) -> RemoteProtocolError:
    """What is wrong with the head of a request that was refused, complete or not.

    Reports the first fault in the order of the bytes, so that the answer does not depend on how
    much of the head had arrived.
    """
    return _diagnose(head, limits, is_request=True)


def diagnose_response(head: bytes, limits: Limits) -> RemoteProtocolError:
    """The same for the head of a response."""
    return _diagnose(head, limits, is_request=False)


def diagnose_trailers(block: bytes, limits: Limits) -> RemoteProtocolError:
    """The same for a trailer section, which has no start line and its own limit."""
    return _diagnose_fields(block, 0, limits.trailer, limits.field_count) or RemoteProtocolError(
        "malformed trailer section"
    )


def _diagnose(head: bytes, limits: Limits, *, is_request: bool) -> RemoteProtocolError:
    what = "request line" if is_request else "status line"
    end = head.find(b"\r\n")
    line = head if end < 0 else head[:end]
    # With the CR of its end: a CR before that one is seen to be bare then.
    if FORBIDDEN.search(head[: min(len(line), limits.start_line) + 1]):
        return RemoteProtocolError(f"control character or bare line end in the {what}")
    if len(line) > limits.start_line:
        return RemoteProtocolError(
            f"{what} longer than {limits.start_line} bytes", 414 if is_request else 400
        )
    if end + 2 > limits.head:
        return RemoteProtocolError(f"head larger than {limits.head} bytes", 431)
    match = (_REQUEST_LINE if is_request else _STATUS_LINE).fullmatch(line.decode("latin-1"))
    if match is None:
        return RemoteProtocolError(f"malformed {what}")
    major, minor = match.group(3, 4) if is_request else match.group(1, 2)
    if major != "1":
        return RemoteProtocolError(f"HTTP version {major}.{minor} is not supported", 505)
    if is_request and not re.fullmatch(r"[!\"$-~\x80-\xff]+", match[2]):
        return RemoteProtocolError("invalid character in the request target")
    fault = _diagnose_fields(head, end + 2, limits.head, limits.field_count)
    return fault or RemoteProtocolError(f"malformed head behind the {what}")


def _diagnose_fields(
    block: bytes, start: int, size_limit: int, count_limit: int
) -> RemoteProtocolError | None:
    count = 0
    while True:
        end = block.find(b"\r\n", start)
        line = block[start:] if end < 0 else block[start:end]
        if FORBIDDEN.search(block[start : min(start + len(line), size_limit) + 1]):
            return RemoteProtocolError("control character or bare line end in a field line")
        if start + len(line) + 2 * (end >= 0) > size_limit:
            return RemoteProtocolError(f"field section larger than {size_limit} bytes", 431)
        if end < 0 or not line:
            return None
        count += 1
        if count > count_limit:
            return RemoteProtocolError(f"more than {count_limit} field lines", 431)
        if line[0] in b" \t":
            return RemoteProtocolError("folded field line")
        name, colon, _ = line.partition(b":")
        if not colon:
            return RemoteProtocolError("field line without a colon")
        if not TOKEN.fullmatch(name.decode("latin-1")):
            return RemoteProtocolError("field name that is not a token")
        start = end + 2
