"""The form of a request target and the authority in it: RFC 9112 §3.2, RFC 9110 §7.2.

In: method and target, or the value of a ``Host`` field, free of white space and control characters
already. Out: the authority that the request is for. Raises `RemoteProtocolError`.
"""

import re
from typing import Final

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.head import HTTP_WHITESPACE
from zonda.httputil.urls import parse_authority

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
    _host_and_port(host, "invalid Host field")
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
        fault = "the target of CONNECT is not a host and port"
        host, port = _host_and_port(target, fault)
        if not host or port is None:
            raise RemoteProtocolError(fault)
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
    fault = "invalid authority in the request target"
    if not _host_and_port(authority, fault)[0]:
        raise RemoteProtocolError(fault)
    return authority


def _host_and_port(authority: str, fault: str) -> tuple[str, int | None]:
    try:
        return parse_authority(authority)
    except HTTPInputError as error:
        raise RemoteProtocolError(fault) from error
