"""Cookies of requests and responses (RFC 6265).

In: the value of a Cookie header; or what a program wants to set. Out: a dict or the standard
library's morsels; the value of a Set-Cookie header. Nothing a peer sends raises: pairs that are no
cookies are left out, good ones beside them stay. What a program sets raises `InvalidCookie` when it
would not come out as that cookie. Linear in the input.
"""

import re
import time
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final

from zonda.httputil.dates import format_timestamp
from zonda.httputil.errors import InvalidCookie

# The quoted strings of http.cookies: a backslash before three octal digits, or before the character
# itself.
_ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def _unescape(match: re.Match[str]) -> str:
    octal = match[1]
    return chr(int(octal, 8)) if octal else match[2]


def unquote_cookie(value: str) -> str:
    r"""The text of a cookie value that may be a quoted string; in linear time.

    Undoes what `http.cookies` does to values with special characters. Anything that is not in
    double quotes is returned as it is.

    >>> unquote_cookie(r'"a\054 b\"c"')
    'a, b"c'
    """
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    value = value[1:-1]
    return _ESCAPE.sub(_unescape, value) if "\\" in value else value


def parse_cookie(cookie: str) -> dict[str, str]:
    """Split the value of a Cookie header into names and values.

    Pairs are separated by semicolons and nothing else; the last of several with one name wins. A
    pair without ``=``, or with nothing before it, has the empty name, as in browsers: what follows
    can never pass for the name of another cookie.

    >>> parse_cookie('a=1; b="x,y"; =__Host-c=2')
    {'a': '1', 'b': 'x,y', '': '__Host-c=2'}
    """
    cookies = {}
    for pair in cookie.split(";"):
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", name
        # Only what HTTP calls white space: "\x85__Host-a" is not the cookie "__Host-a".
        name = name.strip(" \t")
        value = value.strip(" \t")
        if name or value:
            cookies[name] = unquote_cookie(value)
    return cookies


def cookie_jar(cookie: str) -> SimpleCookie:
    """The cookies of a Cookie header as morsels; a pair that is no cookie is left out.

    >>> cookie_jar("a=1; b,c=2")["a"].value
    '1'
    """
    jar: SimpleCookie = SimpleCookie()
    if cookie:
        for name, value in parse_cookie(cookie).items():
            try:
                jar[name] = value
            except (
                CookieError
            ):  # not a token, a reserved word, or a control character (newer Pythons)
                pass
    return jar


# How http.cookies spells the attributes, in the order it writes them.
_ATTRIBUTES: Final = {
    "comment": "Comment",
    "domain": "Domain",
    "expires": "expires",
    "httponly": "HttpOnly",
    "max-age": "Max-Age",
    "partitioned": "Partitioned",
    "path": "Path",
    "samesite": "SameSite",
    "secure": "Secure",
    "version": "Version",
}
_FLAGS: Final = {"httponly", "partitioned", "secure"}
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z:]+")
_PLAIN_VALUE: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z:]+")
# Nor what is no octet: it would be found out only when the header is written.
_NOT_IN_VALUES: Final = re.compile(r"[\x00-\x1f\x7f\u0100-\U0010ffff]")
_NOT_IN_ATTRIBUTES: Final = re.compile(r"[\x00-\x1f\x7f;\u0100-\U0010ffff]")
# Characters that need no escape inside the quotes.
_ESCAPES: Final = {
    **{code: f"\\{code:03o}" for code in range(256)},
    **{ord(plain): plain for plain in "!#$%&'*+-.^_`|~:0123456789 ()/<=>?@[]{}"},
    **{code: chr(code) for code in (*range(65, 91), *range(97, 123))},
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def quote_cookie(value: str) -> str:
    r"""The opposite of `unquote_cookie`: in quotes, with escapes, unless there is no need.

    >>> quote_cookie('a, b"c')
    '"a\\054 b\\"c"'
    """
    if _PLAIN_VALUE.fullmatch(value):
        return value
    return '"' + value.translate(_ESCAPES) + '"'


def format_set_cookie(
    name: str,
    value: str,
    *,
    domain: str | None = None,
    expires: int | float | tuple[int, ...] | time.struct_time | datetime | None = None,
    path: str | None = None,
    max_age: int | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = None,
    **attributes: object,
) -> str:
    r"""The value of a Set-Cookie header.

    The text is what `http.cookies.SimpleCookie` makes of the same cookie. Every part is checked.

    Args:
        name: A token.
        value: Latin-1 without control characters; quoted if it must be. Encode other text (with
            `zonda.httputil.escape.url_escape`, say).
        domain: Domain attribute; None or empty leaves it out, as with `path` and `samesite`.
        expires: When the cookie expires, whatever `format_timestamp` takes.
        path: Path attribute.
        max_age: Seconds until the cookie expires; 0 or less: now.
        secure: Only over TLS.
        httponly: Out of reach for scripts.
        samesite: ``Strict``, ``Lax`` or ``None``.
        **attributes: The same in any case (``HttpOnly=True``, ``Max_Age=5``), overriding those
            above, and ``comment``, ``version`` and ``partitioned``. None and False leave one out.

    Raises:
        InvalidCookie: A name, value or attribute that must not be in the header, or an attribute
            that does not exist. It is a ValueError, and a `http.cookies.CookieError`.

    >>> format_set_cookie("a", "1", path="/", httponly=True)
    'a=1; HttpOnly; Path=/'
    """
    if not _NAME.fullmatch(name) or name.lower() in _ATTRIBUTES:
        raise InvalidCookie(name, "name", name)
    if _NOT_IN_VALUES.search(value):
        raise InvalidCookie(name, "value", value)
    given: dict[str, object] = {
        "domain": domain,
        "expires": expires,
        "httponly": httponly,
        "max-age": max_age,
        "path": path,
        "samesite": samesite,
        "secure": secure,
    }
    for attribute, setting in attributes.items():
        key = attribute.lower().replace("_", "-")
        if key not in _ATTRIBUTES:
            raise InvalidCookie(name, "attribute", attribute)
        given[key] = setting
    parts = [f"{name}={quote_cookie(value)}"]
    for key in sorted(given):
        text = _attribute(name, key, given[key])
        if text:
            parts.append(text)
    return "; ".join(parts)


def _attribute(cookie: str, key: str, setting: object) -> str | None:
    if setting is None or setting is False or setting == "":
        return None
    label = _ATTRIBUTES[key]
    if key in _FLAGS:
        return label if setting else None
    if key == "max-age":
        return f"{label}={_seconds(cookie, setting)}"
    if key == "expires" and not isinstance(setting, str):
        return f"{label}={_date(cookie, setting)}"
    text = str(setting)
    if _NOT_IN_ATTRIBUTES.search(text):
        raise InvalidCookie(cookie, label, setting)
    return f"{label}={text}"


def _seconds(cookie: str, setting: object) -> int:
    if isinstance(setting, int | float) or (
        isinstance(setting, str) and re.fullmatch(r"-?[0-9]{1,18}", setting)
    ):
        try:
            return int(setting)
        except (ValueError, OverflowError) as error:  # not a number, or infinity
            raise InvalidCookie(cookie, "Max-Age", setting) from error
    raise InvalidCookie(cookie, "Max-Age", setting)


def _date(cookie: str, setting: object) -> str:
    if not isinstance(setting, int | float | tuple | time.struct_time | datetime):
        raise InvalidCookie(cookie, "expires", setting)
    try:
        return format_timestamp(setting)
    except (ValueError, OverflowError) as error:
        raise InvalidCookie(cookie, "expires", setting) from error
