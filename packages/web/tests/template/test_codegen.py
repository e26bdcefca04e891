"""The code that templates become, and where its lines come from."""

import pytest

from zonda.web.template import DictLoader, Template
from zonda.web.template.codegen import Code, Origin, generate


def test_every_line_has_an_origin() -> None:
    texts = {
        "a": "x\n{% include b %}\n{{ (1 +\n 2) }}{% apply f %}{{ 3 # three }}{% end %}",
        "b": "\n{% if 1 %}{% end %}",
    }
    code = generate(DictLoader(texts).load("a"))
    lines = code.text.splitlines()
    assert len(lines) == len(code.origins)
    for line, origin in zip(lines, code.origins, strict=True):
        place = line.rpartition("  # ")[2]
        if place != line and place[:1] in "ab":
            assert place.partition(" ")[0] == f"{origin.name}:{origin.line}"


@pytest.mark.parametrize(
    ("line", "origin"),
    [(1, Origin("a", 1)), (2, Origin("b", 7)), (3, Origin("b", 7)), (99, Origin("b", 7))],
)
def test_line_without_a_place_has_that_of_the_line_before(line: int, origin: Origin) -> None:
    origins = [Origin("a", 0), Origin("b", 7), Origin("a", 0)]
    assert Code("", origins, waits=False).origin(line) == origin


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("{{ await x }}", True),
        ("{% if await x %}{% end %}", True),
        ("{% set y = [z async for z in x] %}", True),
        ("{% apply f(await x) %}{% end %}", True),
        ("await {{ awaited }}", False),
    ],
)
def test_notices_an_await(text: str, waits: bool) -> None:
    code = generate(Template(text), waits=waits)
    assert code.waits is waits
    assert code.text.startswith("async def " if waits else "def ")


def test_static_text_is_joined_over_blocks_and_includes() -> None:
    texts = {"a": "a{% block x %}b{% end %}{% include b %}c{# #}d", "b": "{% whitespace all %}B"}
    assert generate(DictLoader(texts).load("a")).text.count("append(") == 1


def test_name_is_looked_up_early_only_where_it_is_used() -> None:
    for text, used in (("{{ a }}", True), ("{% raw a %}", False), ("a", False)):
        assert ("_tt_escaper(xhtml_escape)" in generate(Template(text)).text) is used
    assert "_tt_escaper" not in generate(Template("{{ a }}"), early_escape=False).text
