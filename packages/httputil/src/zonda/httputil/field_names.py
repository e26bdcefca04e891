"""Names of header fields: any spelling of one to the canonical one, ``Http-Header-Case``.

In: a name. Out: the canonical spelling. `CANONICAL_NAMES[name]` raises `InvalidFieldName` for what
is no token (RFC 9110 §5.1), `canonical_name` gives it back as it is.
"""

import re
from typing import Final

from zonda.httputil.errors import InvalidFieldName

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

_WELL_KNOWN: Final = """
    Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges
    Access-Control-Allow-Credentials Access-Control-Allow-Headers Access-Control-Allow-Methods
    Access-Control-Allow-Origin Access-Control-Expose-Headers Access-Control-Max-Age
    Access-Control-Request-Headers Access-Control-Request-Method Age Allow Alt-Svc Authorization
    Cache-Control Connection Content-Disposition Content-Encoding Content-Language Content-Length
    Content-Location Content-Range Content-Security-Policy Content-Type Cookie Date Dnt Etag
    Expect Expires Forwarded From Host If-Match If-Modified-Since If-None-Match If-Range
    If-Unmodified-Since Keep-Alive Last-Modified Link Location Max-Forwards Origin Pragma Priority
    Proxy-Authenticate Proxy-Authorization Proxy-Connection Range Referer Referrer-Policy
    Retry-After Sec-Ch-Ua Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Sec-Fetch-Dest Sec-Fetch-Mode
    Sec-Fetch-Site Sec-Fetch-User Sec-Gpc Sec-Websocket-Accept Sec-Websocket-Extensions
    Sec-Websocket-Key Sec-Websocket-Protocol Sec-Websocket-Version Server Set-Cookie
    Strict-Transport-Security Te Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests
    User-Agent Vary Via Www-Authenticate X-Consumed-Content-Encoding X-Content-Type-Options
    X-Csrftoken X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Frame-Options X-Real-Ip
    X-Request-Id X-Requested-With X-Scheme X-Xss-Protection X-Xsrftoken
""".split()  # noqa: SIM905


class CanonicalNames(dict[str, str]):
    """Any spelling of a token -> its canonical spelling; a lookup that misses computes it.

    A look-up in a dict costs a tenth of the string operations. What peers send lands here too, so
    the table forgets all but the well-known names when it is full, and keeps no long ones.
    """

    LIMIT = 2048
    LONGEST = 48

    def __init__(self) -> None:
        super().__init__()
        self._seed()

    def _seed(self) -> None:
        for name in _WELL_KNOWN:
            self[name] = self[name.lower()] = name
        for name in (
            "DNT",
            "ETag",
            "TE",
            "WWW-Authenticate",
            "X-XSRFToken",
            "X-CSRFToken",
            "X-Real-IP",
        ):
            self[name] = name.title()

    def __missing__(self, name: str) -> str:
        """The canonical form of a token; raises InvalidFieldName for what is none."""
        if not _TOKEN.fullmatch(name):
            raise InvalidFieldName(name)
        canonical = "-".join([word.capitalize() for word in name.split("-")])
        if len(name) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
                self._seed()
            self[name] = canonical
        return canonical


CANONICAL_NAMES: Final = CanonicalNames()
"""The names that are known so far; ask it with ``CANONICAL_NAMES[name]``."""


def canonical_name(name: str) -> str:
    """The canonical spelling of `name`; what is no token, and so no field has, stays as it is.

    >>> canonical_name("content-TYPE")
    'Content-Type'
    """
    try:
        return CANONICAL_NAMES[name]
    except InvalidFieldName:
        return name
