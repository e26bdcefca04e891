"""User names and passwords of the Basic scheme (RFC 7617).

In: the two as str or bytes; the value of an Authorization header. Out: octets, the header value;
the two again. What is not a Basic credential gives None; a user name that the scheme cannot carry
raises ValueError.
"""

import base64
import re
import unicodedata
from typing import Final

_BASIC: Final = re.compile(
    r"basic +((?:[A-Z0-9+/]{4})*+(?:[A-Z0-9+/]{2}==|[A-Z0-9+/]{3}=)?)", re.IGNORECASE | re.ASCII
)


def encode_username_password(username: str | bytes, password: str | bytes) -> bytes:
    """``username:password`` as octets: str in normal form C and UTF-8, bytes as they are.

    >>> encode_username_password("Ren\\u00e9", b"secret")
    b'Ren\\xc3\\xa9:secret'
    """
    return _octets(username) + b":" + _octets(password)


def format_basic(username: str | bytes, password: str | bytes) -> str:
    """The value of an Authorization header.

    Raises:
        ValueError: A colon in the user name, or a control character in either.

    >>> format_basic("Aladdin", "open sesame")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """
    if b":" in _octets(username):
        raise ValueError("a user name must not have a colon in it")
    octets = encode_username_password(username, password)
    if re.search(rb"[\x00-\x1f\x7f]", octets):
        raise ValueError("user name and password must not have control characters in them")
    return "Basic " + base64.b64encode(octets).decode("ascii")


def parse_basic(value: str) -> tuple[str, str] | None:
    """User name and password of an Authorization header, None if it holds no Basic credentials.

    Compare what comes out with `hmac.compare_digest`.

    >>> parse_basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    ('Aladdin', 'open sesame')
    """
    match = _BASIC.fullmatch(value.strip(" \t"))
    if match is None:
        return None
    try:
        text = base64.b64decode(match[1]).decode("utf-8")
    except UnicodeDecodeError:
        return None
    username, colon, password = text.partition(":")
    return (username, password) if colon else None


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else unicodedata.normalize("NFC", text).encode("utf-8")
