"""The ``Date`` field's value, formatted once a second."""

import time

from zonda.httputil import format_timestamp

_second = 0
_text = ""


def http_date() -> str:
    """Return the time of day as ``Date`` has it (RFC 9110 §6.6.1)."""
    global _second, _text
    now = int(time.time())
    if now != _second:
        _second = now
        _text = format_timestamp(now)
    return _text
