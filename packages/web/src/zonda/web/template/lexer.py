"""The text of a template in, its tokens out, each with the line where it begins.

There is no I/O and no state: `tokens` is a generator over a whole text, and costs time linear in
its length. A tag that does not end raises `ParseError`. What a tag means is the parser's matter.

=============  ==============================
in the text    token
=============  ==============================
``{{ x }}``    Expression("x")
``{% x %}``    Tag("x")
``{# x #}``    none
``{{!``        Text("{{"), and likewise for ``{%!`` and ``{#!``
anything else  Text
=============  ==============================
"""

from collections.abc import Iterator
from typing import NamedTuple

from zonda.web.template.errors import ParseError


class Text(NamedTuple):
    """Static text, not empty."""

    value: str
    line: int


class Expression(NamedTuple):
    """What stands between ``{{`` and ``}}``, stripped, not empty."""

    value: str
    line: int


class Tag(NamedTuple):
    """What stands between ``{%`` and ``%}``, stripped, not empty."""

    value: str
    line: int


Token = Text | Expression | Tag

_ENDS = {"{{": "}}", "{%": "%}", "{#": "#}"}


def tokens(text: str, name: str) -> Iterator[Token]:
    """Yield the tokens of ``text``; ``name`` is for errors only.

    >>> list(tokens("Hi {{ name }}!", "x"))
    [Text(value='Hi ', line=1), Expression(value='name', line=1), Text(value='!', line=1)]

    Raises:
        ParseError: for a tag that does not end, or has nothing in it.
    """
    start = 0  # of the static text that has not been yielded
    line = 1  # at start
    position = 0
    while True:
        position = text.find("{", position)
        opening = text[position : position + 2]
        if position == -1 or len(opening) < 2:
            break
        # Of three or more braces the last two open the expression.
        if opening not in _ENDS or text.startswith("{{{", position):
            position += 1
            continue
        if position > start:
            yield Text(text[start:position], line)
            line += text.count("\n", start, position)
        start = position + 2
        if text.startswith("!", start):
            yield Text(opening, line)
            start = position = start + 1
            continue
        closing = _ENDS[opening]
        end = text.find(closing, start)
        if end == -1:
            raise ParseError(f"{opening} without {closing}", name, line)
        if opening != "{#":
            value = text[start:end].strip()
            if not value:
                raise ParseError(f"nothing between {opening} and {closing}", name, line)
            yield (Expression if opening == "{{" else Tag)(value, line)
        line += text.count("\n", start, end)
        start = position = end + 2
    if start < len(text):
        yield Text(text[start:], line)
