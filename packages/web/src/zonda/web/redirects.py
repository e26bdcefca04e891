r"""Where a redirect really goes: URLs as browsers read them.

A browser drops spaces and control characters at both ends, TAB, CR and LF everywhere, and takes a
backslash for a slash; ``/\evil.example`` is another site for it. What a client has had a hand in is
therefore read that way before it becomes a ``Location``.
"""

import re
from string import Formatter
from typing import Final
from urllib.parse import quote

_ENDS: Final = "".join(map(chr, range(33)))
_DROPPED: Final = str.maketrans("\\", "/", "\t\r\n")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# However many slashes there are from the second one on, a host follows.
_START: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*:)?(/*)([^/?#]*)")
# What a URI may hold (RFC 3986 §2), and "%" of what is encoded already.
_URI: Final = "!#$%&'()*+,-./:;=?@[]_~"


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
