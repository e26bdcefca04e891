"""The tokens of a template."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web.template import ParseError
from zonda.web.template.lexer import Expression, Tag, Text, Token, tokens

ROWS: list[tuple[str, list[Token]]] = [
    ("", []),
    ("a", [Text("a", 1)]),
    ("a{", [Text("a{", 1)]),
    ("{ {", [Text("{ {", 1)]),
    ("}} %} #}", [Text("}} %} #}", 1)]),
    ("{{ a }}", [Expression("a", 1)]),
    ("{{a}}{%b c%}", [Expression("a", 1), Tag("b c", 1)]),
    ("{# a #}", []),
    ("{##}", []),
    ("{# {{ %} #}b", [Text("b", 1)]),
    ("a\n{{ b\n }}\n{% c %}", [Text("a\n", 1), Expression("b", 2), Text("\n", 3), Tag("c", 4)]),
    ("{#\n\n#}{{ a }}", [Expression("a", 3)]),
    ("{{{ a }}}", [Text("{", 1), Expression("a", 1), Text("}", 1)]),
    ("{{{{ a }}}}", [Text("{{", 1), Expression("a", 1), Text("}}", 1)]),
    ("{{! a }}", [Text("{{", 1), Text(" a }}", 1)]),
    ("{%!", [Text("{%", 1)]),
    ("{#! a", [Text("{#", 1), Text(" a", 1)]),
    ("\n{{!\n{{ a }}", [Text("\n", 1), Text("{{", 2), Text("\n", 2), Expression("a", 3)]),
    ("{{ {1: {2: 3} } }}", [Expression("{1: {2: 3} }", 1)]),
    ('{{ "%}" }}', [Expression('"%}"', 1)]),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_rows(text: str, expected: list[Token]) -> None:
    assert list(tokens(text, "x")) == expected


@pytest.mark.parametrize("text", ["{{", "{%", "{#", "{{ a", "{% a }}", "{# a", "{{{", "{{%", "{#}"])
def test_tag_that_does_not_end(text: str) -> None:
    with pytest.raises(ParseError, match=" without ") as caught:
        list(tokens("a\n" + text, "x"))
    assert (caught.value.filename, caught.value.lineno) == ("x", 2)


@pytest.mark.parametrize("text", ["{{}}", "{{ }}", "{%\n%}", "{{{}}"])
def test_nothing_in_a_tag(text: str) -> None:
    with pytest.raises(ParseError, match="nothing between"):
        list(tokens(text, "x"))


@given(st.text("ab \n{}%#!"))
def test_lines_are_right_whatever_the_text(text: str) -> None:
    found: list[Token] = []
    with contextlib.suppress(ParseError):
        found.extend(tokens(text, "x"))
    for token in found:
        assert token.value
        assert token.value in text.split("\n", token.line - 1)[-1]


@given(st.lists(st.text("ab \n}%#!")))
def test_text_without_braces_is_kept(parts: list[str]) -> None:
    text = "".join(parts)
    assert "".join(token.value for token in tokens(text, "x")) == text


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("{", 2),
        ("{ ", 1),
        ("{{!", 100_000),
        ("{##}", 0),
        ("{{{a}}}", 200_001),
        ("{{a}}\n", 200_000),
    ],
)
def test_much_of_it(unit: str, expected: int) -> None:
    """A hundred thousand at once: whoever looks back or ahead takes minutes for it."""
    # What ends in a brace must not be taken for the beginning of a tag: "{{!" stands for "{{".
    text = unit * 100_000 + ("!" if unit == "{" else "")
    assert sum(1 for _ in tokens(text, "x")) == expected
