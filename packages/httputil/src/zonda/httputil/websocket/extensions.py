"""``Sec-WebSocket-Extensions`` (RFC 6455 §9.1): extension names and their parameters."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from zonda.httputil.websocket.errors import HandshakeError

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_OWS = r"[ \t]*+"
# A quoted value has to be a token once its quotes are gone, so it has no escapes worth undoing.
_PARAMETER = re.compile(rf'{_OWS};{_OWS}({_TOKEN}){_OWS}(?:={_OWS}(?:({_TOKEN})|"({_TOKEN})"))?+')
_NAME = re.compile(rf"{_OWS}({_TOKEN})")
_END = re.compile(rf"{_OWS}(?:,|\Z)")

_MAX_EXTENSIONS = 16


Parameters = Sequence[tuple[str, str | None]]
"""Names and values in order; None for a name without a value."""


class Extension(NamedTuple):
    """One extension of a list.

    Attributes:
        name: Its name.
        parameters: Its parameters, in order, with values; those without one have None. What to
            make of a name that occurs twice is for the extension to say.
    """

    name: str
    parameters: Parameters


def parse_extensions(values: Iterable[str]) -> list[Extension]:
    """Parse the values of all fields, in order.

    Raises:
        HandshakeError: They are malformed, or name too many extensions.

    >>> parse_extensions(['a; b=1; c="2"; d'])
    [Extension(name='a', parameters=[('b', '1'), ('c', '2'), ('d', None)])]
    """
    extensions: list[Extension] = []
    for value in values:
        position = 0
        while position < len(value):
            empty = _END.match(value, position)
            if empty is not None:  # empty members of a list are nothing (RFC 9110 §5.6.1)
                position = empty.end()
                continue
            if len(extensions) == _MAX_EXTENSIONS:
                raise HandshakeError("too many WebSocket extensions")
            name = _NAME.match(value, position)
            if name is None:
                raise HandshakeError("malformed Sec-WebSocket-Extensions")
            position = name.end()
            parameters: list[tuple[str, str | None]] = []
            while (parameter := _PARAMETER.match(value, position)) is not None:
                key, plain, quoted = parameter.groups()
                parameters.append((key, plain if quoted is None else quoted))
                position = parameter.end()
            extensions.append(Extension(name[1], parameters))
            end = _END.match(value, position)
            if end is None:
                raise HandshakeError("malformed Sec-WebSocket-Extensions")
            position = end.end()
    return extensions


def format_extensions(extensions: Iterable[Extension]) -> str:
    """The opposite of `parse_extensions`.

    >>> format_extensions([Extension("a", [("b", "1"), ("c", None)])])
    'a; b=1; c'
    """
    texts = []
    for name, parameters in extensions:
        parts = [name]
        for key, value in parameters:
            parts.append(key if value is None else f"{key}={value}")
        texts.append("; ".join(parts))
    return ", ".join(texts)
