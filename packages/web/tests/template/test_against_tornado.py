"""Templates put together at random mean the same to Tornado: one output, or an error in both.

Left out is where Tornado passes over what is wrong in a part that is never output: ``extends``
inside another tag, ``try`` without ``except``.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web import template as ours

theirs = pytest.importorskip("tornado.template")


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Tornado logs the code of each template that does not compile."""
    logger: logging.Logger = theirs.app_log
    logger.disabled = True
    yield
    logger.disabled = False


PIECES = st.sampled_from(
    [
        *("a ", "\n", "  ", "{", "}", "<b>", "{{!", "{%!", "{# x #}", "<pre>", "caf\xe9"),
        *("{{ a }}", "{{ n }}", "{{ a + 1 }}", "{{ x }}", "{% raw a %}", "{{ x = 1 }}"),
        *("{% set x = 2 %}", "{% set a = 'y' %}", "{% comment c %}", "{% import os %}"),
        *("{% if n %}", "{% if 0 %}", "{% elif n %}", "{% else %}", "{% end %}", "{% end %}"),
        *("{% end %}", "{% for x in [1, 2] %}", "{% while n < 0 %}", "{% break %}"),
        "{% continue %}",
        *("{% apply up %}", "{% block b %}", "{% block c %}", "{% include 'part' %}"),
        *("{% autoescape None %}", "{% autoescape up %}"),
        *("{% whitespace single %}", "{% whitespace oneline %}", "{% whitespace all %}"),
    ]
)
OTHERS = {
    "part": "{% block b %}part{{ a }}{% end %}",
    "base": "{% block c %}base{% end %}{% autoescape None %}{{ a }}{% block b %}{% end %}",
}
NAMES: dict[str, Any] = {"a": "<\xe9>", "n": 3, "up": lambda data: data.upper()}


def outcome(language: Any, text: str) -> bytes | None:
    """What comes out; None for an error."""
    try:
        output: bytes = language.DictLoader({**OTHERS, "main": text}).load("main").generate(**NAMES)
    except Exception:
        return None
    return output


FIRST = st.sampled_from(["", "{% extends 'base' %}"])


@given(FIRST, st.lists(PIECES, max_size=12).map("".join))
def test_random(first: str, text: str) -> None:
    text = first + text
    assert outcome(ours, text) == outcome(theirs, text)


CONTROL = st.sampled_from(
    ["if n", "if 0", "for x in [1, 2]", "try", "apply up", "block b", "block c"]
)


@given(
    FIRST,
    st.recursive(
        PIECES,
        lambda inner: st.builds(
            lambda head, parts, other: (
                f"{{% {head} %}}{''.join(parts)}"
                + ("{% except ValueError %}" if head == "try" else "")
                + ("{% else %}" + other if head.startswith(("if", "for")) else "")
                + "{% end %}"
            ),
            CONTROL,
            st.lists(inner, max_size=4),
            inner,
        ),
        max_leaves=12,
    ),
)
def test_random_nested(first: str, text: str) -> None:
    text = first + text
    assert outcome(ours, text) == outcome(theirs, text)
