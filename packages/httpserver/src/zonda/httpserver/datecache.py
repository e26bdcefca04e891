"""The ``Date`` field's value, formatted once a second."""

import time

from zonda.httputil import format_timestamp

_second = 0
_text = ""
_line = b""


def http_date() -> str:
    """Return the time of day as ``Date`` has it (RFC 9110 §6.6.1)."""
    global _second, _text, _line
    now = int(time.time())
    if now != _second:
        _second = now
        _text = format_timestamp(now)
        _line = f"Date: {_text}\r\n".encode("ascii")
    return _text


def date_line() -> bytes:
    """Return the whole field line, ready to be sent."""
    if int(time.time()) != _second:
        http_date()
    return _line
