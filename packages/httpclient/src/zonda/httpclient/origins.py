"""Origins: what credentials, cookies and connections belong to.

In: the URL of a request. Out: its scheme, host and port. Raises ValueError for what has none.
"""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """A scheme, a host in lower case without brackets, and a port (RFC 6454 §4)."""

    scheme: str
    host: str
    port: int


def origin_of(url: str) -> Origin:
    """The origin of an ``http`` or ``https`` URL.

    Raises:
        ValueError: Another scheme, no host, or a port that is none.

    >>> origin_of("HTTP://Example.com/path")
    Origin(scheme='http', host='example.com', port=80)
    >>> origin_of("https://[::1]:8443/") == origin_of("https://[::1]:8443/other?x")
    True
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"unsupported URL scheme {parts.scheme[:80]!a}")
    if not parts.hostname:
        raise ValueError("the URL has no host")
    port = parts.port
    return Origin(
        parts.scheme, parts.hostname, DEFAULT_PORTS[parts.scheme] if port is None else port
    )
