"""Whether a request that changes something was sent by a page of this site.

In: the fields a browser adds by itself, the host the request is for, and a function that knows
which other origins are trusted. Out: None, or the reason to refuse. Methods that change nothing are
the caller's to leave out.

==================  ===========================================================================
Sec-Fetch-Site      passes
==================  ===========================================================================
same-origin, none   always: the page's own request, or the user's
another             if ``Origin`` is there and trusted
absent              without ``Origin`` (no browser); if ``Origin`` names the request's host and
                    port, whatever its scheme; or if it is trusted
==================  ===========================================================================
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from zonda.httputil import HTTPHeaders

_OWN = frozenset(("same-origin", "none"))


def why_refused(headers: HTTPHeaders, host: str, is_trusted: Callable[[str], bool]) -> str | None:
    """Return why a request is refused, for the log; None if it is not.

    Args:
        headers: The request's.
        host: The host it is for, with its port if there is one in the ``Host`` field.
        is_trusted: Says whether another origin may send such requests.

    >>> why_refused(HTTPHeaders({"Origin": "https://a.example"}), "A.example", lambda origin: False)
    >>> why_refused(HTTPHeaders({"Origin": "https://b.example"}), "a.example", lambda origin: False)
    "origin 'https://b.example' is not trusted"
    """
    site = headers.get("Sec-Fetch-Site")
    if site in _OWN:
        return None
    origin = headers.get("Origin")
    if site is None:
        if origin is None or is_same_host(origin, host) or is_trusted(origin):
            return None
        return f"origin {origin!r} is not trusted"
    if origin is not None and is_trusted(origin):
        return None
    return f"Sec-Fetch-Site is {site!r}, and origin {origin!r} not trusted"


def is_same_host(origin: str, host: str) -> bool:
    """Say whether an origin has this host and port; its scheme does not count.

    >>> is_same_host("https://a.example:8000", "a.example:8000")
    True
    >>> is_same_host("null", "a.example")
    False
    """
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:  # a bracket that is not closed
        return False
    return netloc.lower() == host.lower()
