"""Arguments of a request as text.

The parsers give lists of bytes; handlers want one `str`, the last, or all of them. White space
around a value is stripped unless told otherwise, control characters other than white space become
blanks.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from zonda.web.errors import MissingArgumentError

T = TypeVar("T")

Decode = Callable[..., str]

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


class Required:
    """The type of `REQUIRED`."""

    def __repr__(self) -> str:
        return "<required>"


REQUIRED = Required()
"""In place of a default: the argument must be there."""


def all_values(
    source: Mapping[str, Sequence[bytes]], name: str, strip: bool, decode: Decode
) -> list[str]:
    """Return every value of an argument, in order.

    Args:
        source: The parsed arguments.
        name: The argument's name.
        strip: Whether to strip white space at both ends.
        decode: `RequestHandler.decode_argument`.
    """
    return [_clean(decode(value, name=name), strip) for value in source.get(name, ())]


def checked_flag(strip: object) -> bool:
    """Catch ``get_arguments(name, default)``, a slip that would otherwise pass unnoticed.

    Raises:
        TypeError: ``strip`` is no bool.
    """
    if not isinstance(strip, bool):
        raise TypeError("the second argument is strip, a bool: a list of values has no default")
    return strip


def last_value(
    source: Mapping[str, Sequence[bytes]],
    name: str,
    default: T | Required,
    strip: bool,
    decode: Decode,
) -> str | T:
    """Return the last value of an argument, which is the one that counts.

    Raises:
        MissingArgumentError: It is not there and there is no default.
    """
    last = None
    for value in source.get(name, ()):
        last = decode(value, name=name)  # each of them, as each may be invalid
    if last is not None:
        return _clean(last, strip)
    if isinstance(default, Required):
        raise MissingArgumentError(name)
    return default


def _clean(text: str, strip: bool) -> str:
    if not text.isprintable():  # a quicker look that is enough for nearly all
        text = _CONTROL.sub(" ", text)
    return text.strip() if strip else text
