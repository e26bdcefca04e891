"""Cookies of requests and responses (RFC 6265).

In: the value of a Cookie header. Out: a dict, or the standard library's morsels. Nothing a peer sends
raises: pairs that are no cookies are left out, good ones beside them stay. Linear in the input.
"""

import re
from http.cookies import CookieError, SimpleCookie
from typing import Final

# The quoted strings of http.cookies: a backslash before three octal digits, or before the character itself.
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
    pair without ``=``, or with nothing before it, has the empty name, as in browsers: what follows can
    never pass for the name of another cookie.

    >>> parse_cookie('a=1; b="x,y"; =__Host-c=2')
    {'a': '1', 'b': 'x,y', '': '__Host-c=2'}
    """
    cookies = {}
    for pair in cookie.split(";"):
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", name
        name = name.strip()
        value = value.strip()
        if name or value:
            cookies[name] = unquote_cookie(value)
    return cookies


def cookie_jar(cookie: str | None) -> SimpleCookie:
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
