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
from zonda.httputil.http1.head import TOKEN, VALUE

STATUS_LINES: Final[dict[tuple[int, str], str]] = {
    (status.value, phrase): f"HTTP/1.1 {status.value} {phrase}\r\n"
    for status in HTTPStatus
    for phrase in (status.phrase, "")
}
"""Status lines of the registered codes, with their own phrase and with none."""


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


def request_line(method: str, target: str) -> str:
    """A request line.

    Raises:
        LocalProtocolError: The method is no token, or the target is not visible ASCII.

    >>> request_line("GET", "/")
    'GET / HTTP/1.1\\r\\n'
    """
    if not TOKEN.fullmatch(method):
        raise LocalProtocolError(f"method is not a token: {method!r}")
    if not _REQUEST_TARGET.fullmatch(target):
        raise LocalProtocolError(f"invalid character in the request target: {target!r}")
    return f"{method} {target} HTTP/1.1\r\n"


def field_lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Field lines for trailers and other sections off the hot path.

    Raises:
        LocalProtocolError: An invalid name or value.

    >>> field_lines([("Server-Timing", "db;dur=53")])
    'Server-Timing: db;dur=53\\r\\n'
    """
    lines = []
    for name, value in pairs:
        if not TOKEN.fullmatch(name):
            raise LocalProtocolError(f"field name is not a token: {name!r}")
        check_value(f"value of {name}", value)
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)
