"""First lines of HTTP messages (RFC 9112 §3 and §4).

In: the line as str (Latin-1 decoded), without its line end. Out: a named tuple. Raises
`HTTPInputError`, with status 505 for a version other than HTTP/1.x and 400 for everything else that
is wrong.
"""

import re
from http import HTTPStatus
from typing import Final, NamedTuple

from zonda.httputil.errors import HTTPInputError

# Octets beyond ASCII are let through in a target: sloppy clients send raw UTF-8, and it harms
# nobody.
_REQUEST_LINE: Final = re.compile(
    r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([\x21-\x7e\x80-\xff]++) HTTP/([0-9]\.[0-9])"
)
_STATUS_LINE: Final = re.compile(
    r"HTTP/([0-9]\.[0-9]) ([1-9][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*+)"
)

responses: Final[dict[int, str]] = {status.value: status.phrase for status in HTTPStatus}
"""Reason phrases by status code."""


class RequestStartLine(NamedTuple):
    """Method, request target (`path`: percent-encoded, with the query) and version of a request."""

    method: str
    path: str
    version: str


class ResponseStartLine(NamedTuple):
    """Version, status code and reason phrase of a response."""

    version: str
    code: int
    reason: str


def parse_request_start_line(line: str) -> RequestStartLine:
    """Split a request line into its three parts.

    Args:
        line: The line without CRLF.

    Raises:
        HTTPInputError: Not a request line; `status` is 505 when only the version is unknown.

    >>> parse_request_start_line("GET /foo HTTP/1.1")
    RequestStartLine(method='GET', path='/foo', version='HTTP/1.1')
    """
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HTTPInputError("malformed request line")
    method, path, version = match.groups()
    if version[0] != "1":
        raise HTTPInputError(f"HTTP version {version} is not supported", 505)
    return RequestStartLine(method, path, f"HTTP/{version}")


def parse_response_start_line(line: str) -> ResponseStartLine:
    """Split a status line into its three parts; an absent reason phrase is the empty string.

    Args:
        line: The line without CRLF.

    Raises:
        HTTPInputError: Not a status line of HTTP/1.x.

    >>> parse_response_start_line("HTTP/1.1 200 OK")
    ResponseStartLine(version='HTTP/1.1', code=200, reason='OK')
    """
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise HTTPInputError("malformed status line")
    version, code, reason = match.groups()
    if version[0] != "1":
        raise HTTPInputError(f"HTTP version {version} is not supported", 505)
    return ResponseStartLine(f"HTTP/{version}", int(code), reason)
