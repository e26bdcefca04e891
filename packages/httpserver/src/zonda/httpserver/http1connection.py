"""The names of Tornado's ``http1connection``.

The server's driver is in `zonda.httpserver.connection`, its settings in
`zonda.httpserver.parameters`, the connection that works message by message in
`zonda.httpserver.pullconnection`. The three functions here answer questions about framing that
the protocol decides by itself: they are for programs that ask them of headers they got elsewhere.
"""

import re

from zonda.httpserver.connection import HTTP1ServerConnection
from zonda.httpserver.parameters import HTTP1ConnectionParameters
from zonda.httpserver.pullconnection import HTTP1Connection
from zonda.httputil import HTTPHeaders, HTTPInputError
from zonda.ioloop.log import app_log, gen_log

__all__ = [
    "HTTP1Connection",
    "HTTP1ConnectionParameters",
    "HTTP1ServerConnection",
    "app_log",
    "gen_log",
    "is_transfer_encoding_chunked",
    "parse_hex_int",
    "parse_int",
]

_DIGITS = re.compile(r"[0-9]+")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]+")


def parse_int(s: str) -> int:
    """Return the value of a string of ASCII digits: ``int`` without its liberties (RFC 9110 §8.6).

    Raises:
        ValueError: It is anything else: signs, spaces, underscores, other digits.

    >>> parse_int("42")
    42
    """
    if _DIGITS.fullmatch(s) is None:
        raise ValueError(f"not an integer: {s!r}")
    return int(s)


def parse_hex_int(s: str) -> int:
    """Return the value of a string of hexadecimal digits (a chunk's size, RFC 9112 §7.1).

    Raises:
        ValueError: It is anything else, a prefix included.

    >>> parse_hex_int("fF")
    255
    """
    if _HEX_DIGITS.fullmatch(s) is None:
        raise ValueError(f"not a hexadecimal integer: {s!r}")
    return int(s, 16)


def is_transfer_encoding_chunked(headers: HTTPHeaders) -> bool:
    """Return whether a message with these fields is chunked (RFC 9112 §6.1).

    Raises:
        HTTPInputError: They say that it is something else, or give its length as well.
    """
    if "Transfer-Encoding" not in headers:
        return False
    if "Content-Length" in headers:
        raise HTTPInputError("both Transfer-Encoding and Content-Length")
    coding = headers["Transfer-Encoding"]
    # Not lower(): that of a Kelvin sign is a k.
    if re.fullmatch(r"(?ai)chunked", coding) is None:
        raise HTTPInputError(f"Transfer-Encoding is not chunked: {coding!r}")
    return True
