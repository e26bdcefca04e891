"""Tokens against cross-site request forgery.

A browser holds a random token in a cookie, and each form repeats it: a page of another site can
make the browser send the cookie, but cannot read it. This module makes, reads and compares tokens;
which requests are checked is the gate's business.

=======  ==========================================================================================
version  text
=======  ==========================================================================================
1        the token in hexadecimal digits
2        ``2|MASK|TOKEN xor MASK|TIMESTAMP``, in hexadecimal digits, with a new mask each time: the
         same token looks different in each response, so that its length under compression says
         nothing about it
=======  ==========================================================================================

Both are those of Tornado. What cannot be read is None; only `check` raises.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zonda.web.errors import HTTPError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

TOKEN_BYTES: Final = 16
"""Random bytes of a token."""
_MASK_BYTES: Final = 4
_VERSION: Final = re.compile(r"([1-9][0-9]{0,2})\|")
# Others' tokens may be longer than ours.
_VERSION_2: Final = re.compile(
    r"2\|((?:[0-9a-fA-F]{2}){4})\|((?:[0-9a-fA-F]{2}){1,256})\|([0-9]{1,18})"
)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")


@dataclass(frozen=True, slots=True)
class XsrfToken:
    """A token.

    Attributes:
        token: The secret itself.
        timestamp: When it was made, in seconds since 1970.
        version: That of the text it was read from; None for a new one.
    """

    token: bytes
    timestamp: int
    version: int | None

    def matches(self, other: XsrfToken) -> bool:
        """Say in constant time whether both are the same secret."""
        return hmac.compare_digest(self.token, other.token)

    def format(self, version: int) -> bytes:
        """Return the text of the token; that of version 2 is another one each time.

        Raises:
            ValueError: There is no such version.

        >>> XsrfToken(b"abcd", 1300000000, None).format(1)
        b'61626364'
        """
        if version == 1:
            return self.token.hex().encode()
        if version == 2:
            mask = secrets.token_bytes(_MASK_BYTES)
            masked = _mask(self.token, mask)
            return f"2|{mask.hex()}|{masked.hex()}|{self.timestamp}".encode()
        raise ValueError(f"there is no version {version} of XSRF tokens")


def _mask(data: bytes, mask: bytes) -> bytes:
    return bytes([byte ^ mask[index & 3] for index, byte in enumerate(data)])


def new_token() -> XsrfToken:
    """Make a token that nobody can guess."""
    return XsrfToken(secrets.token_bytes(TOKEN_BYTES), int(time.time()), None)


def parse_token(text: str) -> XsrfToken | None:
    """Read a token from a cookie, an argument or a header; None if it is none.

    >>> parse_token("2|01010101|60636265|1300000000")
    XsrfToken(token=b'abcd', timestamp=1300000000, version=2)
    """
    if not text:
        return None
    if _VERSION.match(text):
        match = _VERSION_2.fullmatch(text)
        if match is None:
            return None
        token = _mask(bytes.fromhex(match[2]), bytes.fromhex(match[1]))
        return XsrfToken(token, int(match[3]), 2)
    # Before there were digits, any text would do.
    token = bytes.fromhex(text) if _HEX.fullmatch(text) else text.encode("utf-8", "replace")
    return XsrfToken(token, int(time.time()), 1)


def secret_of(handler: RequestHandler) -> XsrfToken:
    """Return the token of the request's cookie, or a new one that lasts as long as the handler."""
    token = handler._xsrf_secret
    if token is None:
        cookie = handler.get_cookie(handler.settings.get("xsrf_cookie_name", "_xsrf"))
        token = handler._xsrf_secret = parse_token(cookie or "") or new_token()
    return token


def issue(handler: RequestHandler) -> bytes:
    """Return a text of the token for this response, and set the cookie if there is none yet."""
    settings = handler.settings
    token = secret_of(handler)
    text = token.format(settings.get("xsrf_cookie_version", 2))
    if token.version is None:
        attributes = dict(settings.get("xsrf_cookie_kwargs", {}))
        if handler.current_user:
            attributes.setdefault("expires_days", 30)
        handler.set_cookie(settings.get("xsrf_cookie_name", "_xsrf"), text, **attributes)
    return text


def check(handler: RequestHandler) -> None:
    """Refuse a request without its cookie's token.

    Raises:
        HTTPError: 403: the token is missing or wrong.
    """
    headers = handler.request.headers
    text = (
        handler.get_argument("_xsrf", "")
        or headers.get("X-Xsrftoken")
        or headers.get("X-Csrftoken")
    )
    if not text:
        raise HTTPError(403, "no XSRF token: neither an argument _xsrf nor a header field")
    token = parse_token(text)
    if token is None:
        raise HTTPError(403, "malformed XSRF token")
    if not token.matches(secret_of(handler)):
        raise HTTPError(403, "the XSRF token is not that of the cookie")
