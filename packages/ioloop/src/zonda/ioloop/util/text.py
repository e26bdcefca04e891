"""The string types by Tornado's names, and the inverse of ``re.escape``."""

import re

unicode_type = str
basestring_type = str
bytes_type = bytes

_escaped = re.compile(r"\\(.)", re.DOTALL)
_alphanumeric = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def _unescape(match: re.Match[str]) -> str:
    character = match[1]
    if character in _alphanumeric:
        raise ValueError(f"cannot unescape {match[0]!r}: it is a class or a reference")
    return character


def re_unescape(s: str) -> str:
    r"""Undo ``re.escape``.

    Raises:
        ValueError: ``s`` holds an escape that ``re.escape`` never writes, such as ``\d``.

    Example:
        >>> re_unescape(r"/a\.b\-c")
        '/a.b-c'
    """
    return _escaped.sub(_unescape, s)
