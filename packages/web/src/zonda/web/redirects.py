r"""Where a redirect really goes: URLs as browsers read them.

A browser drops spaces and control characters at both ends, TAB, CR and LF everywhere, and takes a
backslash for a slash; ``/\evil.example`` is another site for it. What a client has had a hand in is
therefore read that way before it becomes a ``Location``.
"""

import re
from urllib.parse import quote, urlsplit

_ENDS = "".join(map(chr, range(33)))
_DROPPED = str.maketrans("\\", "/", "\t\r\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a URI may hold (RFC 3986 §2), and "%" of what is encoded already.
_URI = "!#$%&'()*+,-./:;=?@[]_~"


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
    url = as_browser(url)
    if url.startswith("//"):
        return True
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return True
    return bool(parts.scheme or parts.netloc)


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
    try:
        before, after = urlsplit(as_browser(template)), urlsplit(as_browser(url))
    except ValueError:
        return False
    # Three slashes are two for a browser, unless there is no scheme.
    if not after.netloc and after.path.startswith("//"):
        return False
    return (before.scheme, before.netloc) == (after.scheme, after.netloc)


def as_location(url: str) -> str:
    """Return a URL with what a URI cannot hold percent-encoded as UTF-8.

    >>> as_location("/f o/%20?a=é")
    '/f%20o/%20?a=%C3%A9'
    """
    return quote(url, safe=_URI)
