"""The form of a request target and the authority in it: RFC 9112 §3.2, RFC 9110 §7.2.

In: method and target, or the value of a ``Host`` field, free of white space and control characters
already. Out: the authority that the request is for. Raises `RemoteProtocolError`.
"""

import re
from typing import Final

from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.head import HTTP_WHITESPACE

# uri-host [":" port]. A registered name is allowed everything that RFC 3986 allows but the comma:
# that is what two Host fields look like after a proxy has joined them.
_HOST: Final = (
    r"(?:\[[0-9A-Fa-f:.]++\]"  # IPv6
    r"|\[[vV][0-9A-Fa-f]++\.[\w\-.~!$&'()*+,;=:]++\]"  # IPvFuture
    r"|(?:[\w\-.~!$&'()*+;=]|%[0-9A-Fa-f]{2})*+)"
)
_HOST_AND_PORT: Final = re.compile(rf"{_HOST}(?::([0-9]{{0,5}}+))?+", re.ASCII)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+://([^/?]*+)(?:[/?].*+)?+")


KNOWN_HOSTS: Final[dict[str, str]] = {}
"""Field values that were found valid, as received -> without white space at the ends.

A server sees the same few again and again. Clients can put anything here, so it is bounded.
"""
_KNOWN_HOSTS_LIMIT: Final = 512
_KNOWN_HOST_LENGTH: Final = 80


def check_host(value: str) -> str:
    """The host and port that a ``Host`` field states; it may be empty.

    Raises:
        RemoteProtocolError: It states something else.

    >>> check_host(" [::1]:8080")
    '[::1]:8080'
    """
    known = KNOWN_HOSTS.get(value)
    if known is not None:
        return known
    host = value.strip(HTTP_WHITESPACE)
    match = _HOST_AND_PORT.fullmatch(host)
    if match is None or (match[1] and int(match[1]) > 65535):
        raise RemoteProtocolError("invalid Host field")
    if len(value) <= _KNOWN_HOST_LENGTH:
        if len(KNOWN_HOSTS) >= _KNOWN_HOSTS_LIMIT:
            KNOWN_HOSTS.clear()
        KNOWN_HOSTS[value] = host
    return host


def target_authority(method: str, target: str) -> str | None:
    """Check the form of `target`; the authority that it names, `None` if it names none.

    Raises:
        RemoteProtocolError: Not a form that goes with `method`.

    >>> target_authority("GET", "http://example.com:8080/path")
    'example.com:8080'
    >>> target_authority("CONNECT", "example.com:443")
    'example.com:443'
    >>> target_authority("OPTIONS", "*")
    """
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        match = _HOST_AND_PORT.fullmatch(target)
        if match is None or not host or not port or int(port) > 65535:
            raise RemoteProtocolError("the target of CONNECT is not a host and port")
        return target
    if target.startswith("/"):
        return None
    if target == "*":
        if method != "OPTIONS":
            raise RemoteProtocolError("the target * goes with OPTIONS only")
        return None
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise RemoteProtocolError("the request target has none of the four forms")
    authority = match[1]
    host_match = _HOST_AND_PORT.fullmatch(authority)
    if (
        host_match is None
        or authority[:1] in ("", ":")
        or (host_match[1] and int(host_match[1]) > 65535)
    ):
        raise RemoteProtocolError("invalid authority in the request target")
    return authority
