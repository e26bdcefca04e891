"""URLs and authorities, as far as HTTP needs them.

In: str. Out: str, tuples and iterators. `parse_authority` raises `HTTPInputError` for what is no authority.
"""

import re
from typing import Final

from zonda.httputil.errors import HTTPInputError

_HOST_AND_PORT: Final = re.compile(r"(.+):([0-9]+)")
# uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2), but no comma: that is what two Host fields
# look like once somebody has joined them.
_AUTHORITY: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]++\]"
    r"|\[[vV][0-9A-Fa-f]++\.[A-Za-z0-9_\-.~!$&'()*+;=:]++\]"
    r"|(?:[A-Za-z0-9_\-.~!$&'()*+;=]|%[0-9A-Fa-f]{2})*+)"
    r"(?::([0-9]{0,5}+))?+"
)


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Split ``host:port``; the port is None when there is none, or no number.

    >>> split_host_and_port("example.com:8080"), split_host_and_port("[::1]")
    (('example.com', 8080), ('[::1]', None))
    """
    match = _HOST_AND_PORT.fullmatch(netloc)
    if match is None:
        return netloc, None
    return match[1], int(match[2])


def parse_authority(authority: str) -> tuple[str, int | None]:
    """The host, in lower case, and the port of a Host header or of a request target.

    Args:
        authority: The value; an empty one is valid (RFC 9112 §3.2) and has an empty host.

    Raises:
        HTTPInputError: Not ``uri-host [ ":" port ]``.

    >>> parse_authority("Example.com:80")
    ('example.com', 80)
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None or (match[2] and int(match[2]) > 65535):
        raise HTTPInputError(f"invalid Host {authority[:80]!a}")
    return match[1].lower(), int(match[2]) if match[2] else None
