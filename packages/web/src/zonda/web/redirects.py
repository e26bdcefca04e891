r"""Where a redirect really goes: URLs as browsers read them.

A browser drops spaces and control characters at both ends, TAB, CR and LF everywhere, and takes a
backslash for a slash; ``/\evil.example`` is another site for it. What a client has had a hand in is
therefore read that way before it becomes a ``Location``.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from zonda.httputil.escape import utf8

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

_ENDS: Final = "".join(map(chr, range(33)))
_DROPPED: Final = str.maketrans("\\", "/", "\t\r\n")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# However many slashes there are from the second one on, a host follows.
_START: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*:)?(/*)([^/?#]*)")
# What a URI may hold (RFC 3986 §2), and "%" of what is encoded already.
_URI: Final = "!#$%&'()*+,-./:;=?@[]_~"


def send(handler: RequestHandler, url: str, permanent: bool, status: int | None) -> None:
    """Do what `RequestHandler.redirect` does.

    Args:
        handler: The handler.
        url: Where to, as it is sent.
        permanent: 301 in place of 302.
        status: Any 3xx in place of both.
    """
    if handler._headers_written:
        raise RuntimeError("Cannot redirect after headers have been written")
    if status is None:
        status = 301 if permanent else 302
    elif not 300 <= status <= 399:
        raise ValueError(f"a redirection has a status from 300 to 399, not {status!r}")
    handler.set_status(status)
    handler.set_header("Location", utf8(url))
    handler.finish()


def as_browser(url: str) -> str:
    r"""Return a URL with the characters that a browser drops or changes dropped and changed.

    >>> as_browser(" \x01/\t\\evil.example ")
    '//evil.example'
    """
    return url.strip(_ENDS).translate(_DROPPED)


def leads_away(url: str) -> bool:
    r"""Say whether a path may send the browser to another site.

    >>> [leads_away(path) for path in ("/a//b", "//b/a", r"/\b", r"\/b", "https:b", "a/b")]
    [False, True, True, True, True, False]
    """
    scheme, slashes, _ = _start(url)
    return bool(scheme) or len(slashes) > 1


def same_place(template: str, url: str) -> bool:
    """Say whether a URL has the scheme and authority of the template it was made from.

    Args:
        template: With fields of `str.format` in it.
        url: With the fields filled.

    >>> same_place("/x/{0}", "/x/a"), same_place("{0}", "//evil.example")
    (True, False)
    >>> same_place("https://{0}/", "https://evil.example/")
    False
    """
    if _CONTROL.search(url):
        return False
    # What counts is the part in front of the first field; a slash ends its authority.
    text, name, _, _ = next(iter(Formatter().parse(template)), ("", None, None, None))
    fixed = text if name is None else text + "/"
    scheme, slashes, authority = _start(url)
    if len(slashes) > 1 and not authority:
        return False  # no place at all
    its_scheme, _, its_authority = _start(fixed)
    return (scheme.lower(), authority) == (its_scheme.lower(), its_authority)


def _start(url: str) -> tuple[str, str, str]:
    """Scheme, slashes and authority as a browser sees them; without two slashes no authority."""
    match = _START.match(as_browser(url))
    assert match is not None
    scheme, slashes, authority = match.groups(default="")
    return scheme, slashes, authority if scheme or len(slashes) > 1 else ""


def as_location(url: str) -> str:
    """Return a URL with what a URI cannot hold percent-encoded as UTF-8.

    >>> as_location("/f o/%20?a=é")
    '/f%20o/%20?a=%C3%A9'
    """
    return quote(url, safe=_URI)
