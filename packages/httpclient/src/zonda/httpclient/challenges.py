"""The challenges of WWW-Authenticate and Proxy-Authenticate fields (RFC 9110 §11.6.1).

In: the values of all such fields of a response. Out: a list of `Challenge`, in the order of the
server's preference. What cannot be read ends the reading of that field: its challenges up to there
count. Raises nothing; linear in the input.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_SEPARATORS: Final = re.compile(r"[ \t,]*+")
_SCHEME: Final = re.compile(rf"({_TOKEN})(?:[ \t]++|(?=,)|\Z)")
_PARAMETER: Final = re.compile(
    rf'({_TOKEN})[ \t]*+=[ \t]*+(?:({_TOKEN})|"((?:[^"\\]++|\\.)*+)")[ \t]*+(?=,|\Z)', re.DOTALL
)
_TOKEN68: Final = re.compile(r"([A-Za-z0-9\-._~+/]++=*+)[ \t]*+(?=,|\Z)")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which the server would like to see credentials.

    Attributes:
        scheme: Name of the scheme in lower case.
        parameters: Names in lower case to values, quotes removed; of a repeated name the first.
        token68: What some schemes have in place of parameters.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)
    token68: str | None = None


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """All challenges of a response.

    Args:
        values: The values of its WWW-Authenticate (or Proxy-Authenticate) fields.

    >>> parse_challenges(['Negotiate, Digest realm="a, b", nonce=x', "Basic realm=c"])
    ... # doctest: +NORMALIZE_WHITESPACE
    [Challenge(scheme='negotiate', parameters={}, token68=None),
     Challenge(scheme='digest', parameters={'realm': 'a, b', 'nonce': 'x'}, token68=None),
     Challenge(scheme='basic', parameters={'realm': 'c'}, token68=None)]
    """
    found: list[Challenge] = []
    for value in values:
        _parse(value, found)
    return found


def _parse(value: str, found: list[Challenge]) -> None:
    current: Challenge | None = None
    position = 0
    while True:
        separators = _SEPARATORS.match(value, position)
        assert separators is not None  # it matches the empty string
        position = separators.end()
        if position == len(value):
            return
        if current is not None and (match := _PARAMETER.match(value, position)):
            name, token, quoted = match.groups()
            text = token if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
            current.parameters.setdefault(name.lower(), text)
            position = match.end()
            continue
        match = _SCHEME.match(value, position)
        if match is None:
            return
        position = match.end()
        scheme = match[1].lower()
        match = None
        if not _PARAMETER.match(value, position):
            match = _TOKEN68.match(value, position)
        if match is not None and match.end() > position and value[position - 1] != ",":
            position = match.end()
            current = Challenge(scheme, token68=match[1])
        else:
            current = Challenge(scheme)
        found.append(current)
