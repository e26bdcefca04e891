"""The code that templates become, and where its lines come from."""

import traceback

import pytest

from zonda.web.template import DictLoader, Template, TemplateSyntaxError
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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a{{ 1 }}b", "_tt_buffer += ( b'a', _tt_escape((1)), b'b', )"),
        ("{{ 1 }}", "_tt_buffer.append(_tt_escape((1)))"),
        ("{% if x %}a{% end %}", "_tt_buffer.append((b'a' if (x) else b''))"),
        ("{% if x %}a{# #}b{% else %}c{% end %}", "_tt_buffer.append((b'ab' if (x) else b'c'))"),
        ("{% if x %}{% else %}c{% end %}", "_tt_buffer.append((b'' if (x) else b'c'))"),
        (
            "{% if x %}a{% elif y %}c{% end %}",
            "if x: _tt_buffer.append(b'a') elif y: _tt_buffer.append(b'c')",
        ),
        ("{% if x %}{{ 1 }}{% end %}", "if x: _tt_buffer.append(_tt_escape((1)))"),
        ("{% while x %}a{% end %}", "while x: _tt_buffer.append(b'a')"),
        (
            "{% try %}a{{ 1 }}{% finally %}{% end %}",
            "try: _tt_buffer.append(b'a') _tt_buffer.append(_tt_escape((1))) finally: pass",
        ),
    ],
)
def test_pieces_without_a_statement_in_between_are_added_in_one_go(text: str, code: str) -> None:
    lines = generate(Template(text, name="t")).text.splitlines()
    written = " ".join(line.partition("  # t:")[0].strip() for line in lines)
    assert f" {code} return _tt_join" in written


def test_what_comes_before_an_error_that_is_caught_is_output() -> None:
    text = (
        "{% try %}a{{ 1 }}{% if 1 %}b{% end %}{{ 1 // 0 }}c{% except ZeroDivisionError %}d{% end %}"
    )
    assert Template(text).generate() == b"a1bd"
    inside = (
        "{% try %}a{% apply str %}b{{ 1 // 0 }}{% end %}{% except ZeroDivisionError %}c{% end %}"
    )
    assert Template(inside).generate() == b"ac"


def test_comment_in_a_condition_takes_the_colon_with_it() -> None:
    with pytest.raises(TemplateSyntaxError):  # as in Tornado
        Template("{% if x # y %}a{% end %}")


def test_error_in_a_long_run_names_its_line() -> None:
    text = "a{{ 1 }}\nb{{ 2 }}\nc{{ nothing }}\nd{{ 4 }}\n"
    with pytest.raises(NameError) as caught:
        Template(text, name="t.html").generate()
    lines = traceback.format_exception(caught.value)
    assert "# t.html:3" in lines[-2]


def test_a_long_run_has_an_end() -> None:
    text = "".join(f"{{{{ {n} }}}} " for n in range(1000))
    code = generate(Template(text)).text
    assert 20 <= code.count("_tt_buffer += (") <= 21
    assert Template(text).generate().split() == [b"%d" % n for n in range(1000)]
