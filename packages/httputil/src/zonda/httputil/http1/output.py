"""Heads as bytes.

In: the parts of a start line and (name, value) pairs. Out: one `bytes` object, Latin-1, as RFC 9112
§2.1 wants it. Raises `LocalProtocolError` if any part could be read as something else than itself:
names and methods that are not tokens, control characters (CR, LF, NUL) or characters beyond Latin-1
anywhere. Nothing is sent of a refused message.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from zonda.httputil.http1.errors import LocalProtocolError
from zonda.httputil.http1.head import TEXT_OCTETS, TOKEN, VALUE

STATUS_LINES: Final[dict[tuple[int, str], str]] = {
    (status.value, phrase): f"HTTP/1.1 {status.value} {phrase}\r\n"
    for status in HTTPStatus
    for phrase in (status.phrase, "")
}
"""Status lines of the registered codes, with their own phrase and with none."""

CONTENT_STATUS_LINES: Final = {
    key: line
    for key, line in STATUS_LINES.items()
    if key[0] >= 200 and key[0] not in (204, 205, 304)
}
"""Those of them that come with content whatever the request was, HEAD and CONNECT aside."""


def status_line(status: int, reason: str) -> str:
    """A status line for any status from 100 to 999.

    Raises:
        LocalProtocolError: Status out of range, or a reason that is no phrase.

    >>> status_line(299, "Almost")
    'HTTP/1.1 299 Almost\\r\\n'
    """
    known = STATUS_LINES.get((status, reason))
    if known is not None:
        return known
    if not 100 <= status <= 999:
        raise LocalProtocolError(f"status code out of range: {status}")
    check_value("reason phrase", reason)
    return f"HTTP/1.1 {status:d} {reason}\r\n"


def check_value(what: str, value: str) -> None:
    """Refuse a value or phrase that holds control characters or is not Latin-1.

    Raises:
        LocalProtocolError: It does.
    """
    if not VALUE.fullmatch(value):
        raise LocalProtocolError(f"invalid character in the {what}: {value!r}")


_REQUEST_TARGET: Final = re.compile(r"[!\"$-~]+")


def request_line(method: str, target: str, version: str = "HTTP/1.1") -> str:
    """A request line.

    Raises:
        LocalProtocolError: The method is no token, the target is not visible ASCII, or the version
            is neither of the two.

    >>> request_line("GET", "/")
    'GET / HTTP/1.1\\r\\n'
    """
    if not TOKEN.fullmatch(method):
        raise LocalProtocolError(f"method is not a token: {method!r}")
    if not _REQUEST_TARGET.fullmatch(target):
        raise LocalProtocolError(f"invalid character in the request target: {target!r}")
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise LocalProtocolError(f"not a version of HTTP/1: {version!r}")
    return f"{method} {target} {version}\r\n"


def known_head(method: str, target: str, fields: str) -> bytes:
    r"""The head of a request without content, for `ClientConnection.send_known`.

    Args:
        method: Its method (case counts).
        target: In origin form.
        fields: Field lines with their line ends, as `field_lines` returns them: a Host, and none
            that decides about framing or persistence.

    Raises:
        LocalProtocolError: A method or target that is none.

    >>> known_head("GET", "/", "Host: example.com\r\n")
    b'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'
    """
    if target[:1] != "/":
        raise LocalProtocolError("not the form for such a request")
    return f"{request_line(method, target)}{fields}\r\n".encode("latin-1")


def head_bytes(start_line: str, pairs: Iterable[tuple[str, str]], extra: str = "") -> bytes:
    """A whole head.

    Args:
        start_line: From `status_line` or `request_line`.
        pairs: Names, known to be tokens because `HTTPHeaders` lets in no others, and values.
        extra: Further field lines, with their line ends.

    Raises:
        LocalProtocolError: An invalid value.
    """
    lines = [f"{name}: {value}\r\n" for name, value in pairs]
    try:
        head = f"{start_line}{''.join(lines)}{extra}\r\n".encode("latin-1")
    except UnicodeEncodeError:
        head = b""
    # One look at the whole instead of one at each value: nothing is left beside text but the line
    # ends that were put in here.
    ends = len(lines) + extra.count("\n") + 2
    if len(head.translate(None, TEXT_OCTETS)) != 2 * ends:
        check_lines(lines)
        raise LocalProtocolError("invalid character in a start line")
    return head


def check_lines(lines: list[str]) -> None:
    """Find out which of some joined field lines is invalid.

    Raises:
        LocalProtocolError: The first of them that is.
    """
    for line in lines:
        name, _, value = line[:-2].partition(": ")
        _check_name(name)
        check_value(f"value of {name}", value)


def _check_name(name: str) -> None:
    if not TOKEN.fullmatch(name):
        raise LocalProtocolError(f"field name is not a token: {name!r}")


def field_lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Field lines for trailers and other sections off the hot path.

    Raises:
        LocalProtocolError: An invalid name or value.

    >>> field_lines([("Server-Timing", "db;dur=53")])
    'Server-Timing: db;dur=53\\r\\n'
    """
    lines = []
    for name, value in pairs:
        _check_name(name)
        check_value(f"value of {name}", value)
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)
