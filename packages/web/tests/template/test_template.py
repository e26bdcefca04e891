"""The template language. A row is run by Tornado too, where it is installed."""

import asyncio
import gc
import linecache
import traceback
import warnings
import weakref
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web.template import DictLoader, ParseError, Template, TemplateSyntaxError
from zonda.web.template.codegen import MAX_DEPTH, MAX_PARTS


@pytest.fixture(params=["zonda.web.template", "tornado.template"])
def language(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = pytest.importorskip(request.param)
    return module


class Modules:
    """What a handler puts into the namespace of its templates."""

    def Entry(self, text: str) -> str:
        return f"<b>{text}</b>"

    def Raw(self) -> bytes:
        return b"<\xff"


def brackets(value: bytes) -> str:
    return f"[{value.decode()}]"


NAMES: dict[str, Any] = {
    "a": "<a>",
    "n": 3,
    "none": None,
    "data": b"<\xc3\xa9>",
    "brackets": brackets,
    "upper": lambda value: value.upper(),
    "shown": repr,
    "_tt_modules": Modules(),
}

ALONE: list[tuple[str, bytes]] = [
    # template, output
    ("", b""),
    ("caf\xe9", b"caf\xc3\xa9"),
    ("a\r\nb\rc\n\n  d", b"a\r\nb\rc\n\n  d"),
    # expressions
    ("{{ a }}|{% raw a %}", b"&lt;a&gt;|<a>"),
    ("{{ none }} {{ n }} {{ 1.5 }} {{ data }}", b"None 3 1.5 &lt;\xc3\xa9&gt;"),
    ("{{ [1, '<'] }}", b"[1, &#x27;&lt;&#x27;]"),
    ("{{ 1, 2 }}", b"(1, 2)"),
    ("{{ *[1, 2], }}", b"(1, 2)"),
    ("{{ 1 if n else 2 }}{{ (lambda x: x + 1)(n) }}", b"14"),
    ("{{ 1 # the first }}{{ 2 }}", b"12"),
    ("{{ (1\n + 2) }}", b"3"),
    ('{{ """x\ny""" }}', b"x\ny"),
    ("{{ x = 3 }}{{ x }}", b"33"),
    ("{{ (x := 3) }}{{ x }}", b"33"),
    ("{{ 1; x = 4 }}{{ x }}", b"14"),
    ("{{ [each * n for each in range(n)] }}", b"[0, 3, 6]"),
    ("{{ {1: {2: 3} } }}", b"{1: {2: 3}}"),
    ("{{{ n }}}{{{{ n }}}}", b"{3}{{3}}"),
    ("{{! n }}{%! n %}{#! n #}", b"{{ n }}{% n %}{# n #}"),
    # statements
    ("{% set x = 1 %}{{ x }}{% set x += 2 %}{{ x }}", b"13"),
    ("{% set x = [1,\n2] %}{{ x }}", b"[1, 2]"),
    ("{% set x = 1 # one %}{{ x }}", b"1"),
    ("{% set x, y = 1, 2 %}{{ y }}", b"2"),
    ("{% import os.path %}{{ os.path.sep }}", b"/"),
    ("{% from os import sep as s %}{{ s }}", b"/"),
    ("{# a #}{% comment {{ a }} %}x{# {% if %} {{ #}", b"x"),
    # control
    ("{% if n %}a{% else %}b{% end %}", b"a"),
    ("{% if 0 %}a{% elif n == 3 %}b{% else %}c{% end %}", b"b"),
    ("{% if 0 %}{% else %}{# #}{% end %}x", b"x"),
    ("{% if n %}{% end what %}x", b"x"),
    ("{%if n%}x{%end%}", b"x"),
    ("{% for x in [1, 2] %}{{ x }}{% else %}z{% end %}", b"12z"),
    ("{% for x, y in [(1, 2)] %}{{ x + y }}{% end %}{{ x }}", b"31"),
    ("{% for x in [] %}{% end %}", b""),
    ("{% set x = 3 %}{% while x %}{{ x }}{% set x -= 1 %}{% end %}", b"321"),
    ("{% while 0 %}{% else %}z{% end %}", b"z"),
    (
        "{% for x in range(5) %}{% if x == 1 %}{% continue %}"
        "{% elif x == 3 %}{% break %}{% end %}{{ x }}{% end %}",
        b"02",
    ),
    ("{% for x in [1] %}{% while 1 %}{% break %}{% end %}{% break %}{% end %}ok", b"ok"),
    ("{% for x in [1] %}{% block b %}{% break %}{% end %}{% end %}ok", b"ok"),
    ("{% for x in [1] %}{% try %}{% break %}{% finally %}f{% end %}{% end %}", b"f"),
    (
        "{% try %}a{{ 1 / 0 }}{% except ZeroDivisionError as e %}{{ e }}"
        "{% else %}no{% finally %}f{% end %}",
        b"adivision by zerof",
    ),
    ("{% try %}a{% except %}{% else %}b{% end %}", b"ab"),
    ("{% try %}a{% finally %}b{% end %}", b"ab"),
    ("{% try %}a{{ nope }}{% except %}E{% end %}", b"aE"),
    # apply
    ("{% apply upper %}a{{ a }}{% end %}", b"A&LT;A&GT;"),
    ("{% apply shown %}a{% end %}", b"b'a'"),
    ("{% apply upper %}a{% apply brackets %}b{% end %}c{% end %}", b"A[B]C"),
    ("{% apply upper %}{% end %}", b""),
    ("{% set x = 1 %}{% apply upper %}{{ x }}y{% end %}", b"1Y"),
    ("{% apply linkify %}http://x.com{% end %}", b'<a href="http://x.com">http://x.com</a>'),
    ("{% set s = squeeze %}{{ s(' a  b ') }}", b"a b"),
    # escaping
    ("{% autoescape None %}{{ a }}", b"<a>"),
    ("{% autoescape %}{{ a }}", b"<a>"),
    ("{{ a }}{% autoescape None %}{{ a }}", b"<a><a>"),
    ("{% autoescape brackets %}{{ a }}{{ n }}{% raw n %}", b"[<a>][3]3"),
    ("{% autoescape url_escape %}{{ a }}", b"%3Ca%3E"),
    ("{% autoescape url_escape %}{% autoescape brackets %}{{ a }}", b"[<a>]"),
    ("{% autoescape f %}{% set f = brackets %}{{ n }}", b"[3]"),
    ("{% set xhtml_escape = brackets %}{{ n }}", b"[3]"),
    ("{% for xhtml_escape in [brackets] %}{{ n }}{% end %}", b"[3]"),
    ("{% apply upper %}{% set xhtml_escape = brackets %}{{ a }}{% end %}", b"[<A>]"),
    # names
    ("{{ escape('<') }}", b"&amp;lt;"),
    ("{{ json_encode('</') }}|{{ url_escape('a b') }}", b"&quot;&lt;\\/&quot;|a+b"),
    ("{{ datetime.date(2026, 1, 2) }}", b"2026-01-02"),
    ("{{ _tt_utf8('a') }}{{ 'x' in _tt_string_types or str in _tt_string_types }}", b"aTrue"),
    ("{{ __name__ }}", b"page_html"),
    ("{{ len(__loader__.get_source('x')) > 10 }}", b"True"),
    # modules
    ("{% module Entry('<') %}{% module Raw() %}", b"<b><</b><\xff"),
    # white space
    ("{% whitespace single %}  a \n\n b  c\t d", b" a\nb c d"),
    ("{% whitespace oneline %}  a \n b  c", b" a b c"),
    ("{% whitespace single %}{{ 1 }}  {{ 2 }} \n\n {{ 3 }}", b"1 2\n3"),
    ("{% whitespace single %}a  <pre>  b", b"a  <pre>  b"),
    ("{% whitespace single %}a  {# #}  b", b"a  b"),
    ("{% block b %}{% whitespace single %}a  b{% end %}a  b", b"a ba b"),
]


@pytest.mark.parametrize(("text", "output"), ALONE)
def test_alone(language: ModuleType, text: str, output: bytes) -> None:
    # White space as it is, but the name has a dot.
    template = language.Template(text, name="page.html", whitespace="all")
    assert template.generate(**NAMES) == output
    assert template.generate(**NAMES) == output
    assert (
        language.Template(text.encode(), "page.html", whitespace="all").generate(**NAMES) == output
    )


FAMILIES: list[tuple[dict[str, str], bytes]] = [
    # templates by name, of which "a" is rendered; output
    (
        {"a": "{% extends 'b' %}{% block x %}A{% end %}lost", "b": "<{% block x %}B{% end %}>"},
        b"<A>",
    ),
    ({"a": '{% extends "b" %}', "b": "<{% block x %}B{% end %}>"}, b"<B>"),
    ({"a": "{% block x %}A{% end %}{% extends b %}", "b": "<{% block x %}{% end %}>"}, b"<A>"),
    (
        {
            "a": "{% extends b %}{% extends c %}{% block x %}A{% end %}",
            "b": "b{% block x %}{% end %}",
            "c": "c{% block x %}{% end %}",
        },
        b"cA",
    ),
    ({"a": "{% block x %}1{% end %}{% block x %}2{% end %}"}, b"22"),
    ({"a": "{% block x y %}1{% end %}"}, b"1"),
    ({"a": "{% block x %}1{% block y %}2{% end %}{% end %}"}, b"12"),
    (
        {
            "c": "{% block x %}1{% block y %}2{% end %}{% end %}",
            "b": "{% extends c %}{% block x %}b{% block y %}bb{% end %}{% end %}",
            "a": "{% extends b %}{% block y %}aa{% end %}",
        },
        b"baa",
    ),
    (
        {
            "c": "{% block x %}1{% end %}",
            "b": "{% extends c %}{% block x %}b{% block y %}bb{% end %}{% end %}",
            "a": "{% extends b %}{% block y %}aa{% end %}",
        },
        b"baa",
    ),
    (
        {
            "a": "{% extends b %}{% if 0 %}{% block x %}A{% end %}{% end %}"
            "{% apply upper %}{% block y %}a{% end %}{% end %}",
            "b": "{% block x %}{% end %}{% block y %}{% end %}",
        },
        b"Aa",
    ),
    ({"a": "{% include b %}|{{ x }}", "b": "b{% set x = 3 %}"}, b"b|3"),
    ({"a": "{% for x in [1, 2] %}{% include b %}{% end %}", "b": "{{ x }};"}, b"1;2;"),
    ({"a": "{% include b %}{% block x %}A{% end %}", "b": "{% block x %}b{% end %}"}, b"AA"),
    (
        {
            "a": "{% extends c %}{% block x %}A{% end %}",
            "b": "{% block x %}b{% end %}",
            "c": "{% include b %}{% block x %}c{% end %}",
        },
        b"AA",
    ),
    (
        {
            "a": "{% extends c %}{% include b %}",
            "b": "{% block x %}b{% end %}",
            "c": "c{% block x %}{% end %}",
        },
        b"cb",
    ),
    ({"a": "{% include b %}{{ '<' }}", "b": "{% autoescape None %}{{ '<' }}"}, b"<&lt;"),
    (
        {
            "a": "{% extends b %}{% block x %}{{ '<' }}{% end %}",
            "b": "{% autoescape None %}{{ '<' }}{% block x %}{% end %}"
            "{% block y %}{{ '<' }}{% end %}",
        },
        b"<&lt;<",
    ),
    (
        {
            "a": "{% autoescape None %}{% extends b %}{% block x %}{{ '<' }}{% end %}",
            "b": "{{ '<' }}{% block x %}{% end %}{% block y %}{{ '<' }}{% end %}",
        },
        b"&lt;<&lt;",
    ),
    ({"a": "a  b{% include b.html %}", "b.html": "a  b"}, b"a  ba b"),
    (
        {
            "a": "{% include d/b %}",
            "d/b": "{% include e/c %}",
            "d/e/c": "{% include ../f %}",
            "d/f": "f",
        },
        b"f",
    ),
    ({"a": "{% import os %}{% block x %}{{ os.sep }}{% end %}"}, b"/"),
    (
        {"a": "{% apply upper %}x{% include b %}{% end %}", "b": "{% apply brackets %}b{% end %}"},
        b"X[B]",
    ),
    (
        {
            "a": "{% if 1 %}{% include b %}{% end %}{% if 1 %}{% block x %}{% end %}{% end %}",
            "b": "",
        },
        b"",
    ),
]


@pytest.mark.parametrize(("texts", "output"), FAMILIES)
def test_family(language: ModuleType, texts: dict[str, str], output: bytes) -> None:
    assert language.DictLoader(texts).load("a").generate(**NAMES) == output


RAISES: list[tuple[str, type[Exception]]] = [
    ("{{ nope }}", NameError),
    ("{{ a }}{% set a = 2 %}", UnboundLocalError),
    ("{% apply upper %}{% set x = 1 %}{% end %}{{ x }}", NameError),
    ("{{ 1 / 0 }}", ZeroDivisionError),
    ("{{ invalid }}", UnicodeDecodeError),
    ("{% apply nothing %}a{% end %}", TypeError),
    ("{% apply number %}a{% end %}", TypeError),
    ("{% autoescape nothing %}{{ a }}", TypeError),
    ("{% module Nope() %}", AttributeError),
]


@pytest.mark.parametrize(("text", "error"), RAISES)
def test_raises(language: ModuleType, text: str, error: type[Exception]) -> None:
    names = {**NAMES, "invalid": b"\xff", "nothing": lambda _: None, "number": lambda _: 3}
    with pytest.raises(error):
        language.Template(text).generate(**names)


WHITESPACE: list[tuple[dict[str, Any], str]] = [
    # arguments, what becomes of "a  b\n\n c"
    ({"name": "x.html"}, "a b\nc"),
    ({"name": "x.js"}, "a b\nc"),
    ({"name": "x.txt"}, "a  b\n\n c"),
    ({}, "a  b\n\n c"),
    ({"name": "x.html", "compress_whitespace": False}, "a  b\n\n c"),
    ({"name": "x.txt", "compress_whitespace": True}, "a b\nc"),
    ({"name": "x.html", "whitespace": "all"}, "a  b\n\n c"),
    ({"name": "x.txt", "whitespace": "oneline"}, "a b c"),
]


@pytest.mark.parametrize(("arguments", "expected"), WHITESPACE)
def test_whitespace(language: ModuleType, arguments: dict[str, Any], expected: str) -> None:
    template = language.Template("a  b\n\n c", **arguments)
    assert template.generate() == expected.encode()


@pytest.mark.parametrize(
    "arguments", [{"whitespace": "foo"}, {"whitespace": "all", "compress_whitespace": True}]
)
def test_whitespace_that_makes_no_sense(language: ModuleType, arguments: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="whitespace"):
        language.Template("x", **arguments)


@pytest.mark.parametrize(
    ("autoescape", "output"),
    [(None, b"<"), ("", b"<"), ("url_escape", b"%3C"), ("brackets", b"[<]")],
)
def test_autoescape_argument(language: ModuleType, autoescape: str | None, output: bytes) -> None:
    template = language.Template("{{ '<' }}", autoescape=autoescape)
    assert template.generate(brackets=brackets) == output
    assert template.autoescape == autoescape


def test_escape_function_of_the_namespace(language: ModuleType) -> None:
    template = language.Template("{{ '<' }}{% apply upper %}{{ 'a' }}{% end %}")
    output = template.generate(upper=lambda value: value.upper(), xhtml_escape=brackets)
    assert output == b"[<][A]"


@given(st.text())
def test_text_comes_out_as_it_is(text: str) -> None:
    text = text.replace("{", "(")
    assert Template(text).generate() == text.encode()


@given(st.text() | st.integers() | st.binary(), st.booleans())
def test_value_cannot_break_out(value: object, in_loader: bool) -> None:
    text = "<i title='{{ value }}'>"
    template = DictLoader({"a": text}).load("a") if in_loader else Template(text)
    if isinstance(value, bytes) and value.decode(errors="replace").encode() != value:
        with pytest.raises(UnicodeDecodeError):
            template.generate(value=value)
        return
    inside = template.generate(value=value)[len(b"<i title='") : -len(b"'>")]
    assert not set(b"<>'\"") & set(inside)


# Errors say where


PLACES: list[tuple[dict[str, str], str]] = [
    # templates, the end of the traceback's source line
    ({"a": "one\ntwo{{ 1 / 0 }}\nthree"}, "# a:2"),
    ({"a": "\n{% if 1 / 0 %}{% end %}"}, "# a:2"),
    ({"a": "\n{% set x = 1 / 0 %}"}, "# a:2"),
    ({"a": "\n{{ x = 1 / 0 }}"}, "# a:2"),
    ({"a": "\n{{ (1 +\n 1 / 0) }}"}, "# a:2"),
    ({"a": "\n{% apply f %}\n{{ 1 / 0 }}{% end %}"}, "# a:3"),
    ({"a": "x\n{% include b %}", "b": "\n\n{{ 1 / 0 }}"}, "# b:3 (via a:2)"),
    (
        {
            "a": "{% extends b %}\n\n{% block x %}\n{{ 1 / 0 }}{% end %}",
            "b": "\n{% block x %}{% end %}",
        },
        "# a:4 (via b:2)",
    ),
    (
        {
            "a": "{% extends b %}\n\n{% block x %}\n{% include d %}{% end %}",
            "b": "\n{% include c %}",
            "c": "{% block x %}{% end %}",
            "d": "\n\n{% if 1 / 0 %}{% end %}",
        },
        "# d:3 (via a:4, c:1, b:2)",
    ),
]


@pytest.mark.parametrize(("texts", "place"), PLACES)
def test_traceback_shows_the_place(language: ModuleType, texts: dict[str, str], place: str) -> None:
    template = language.DictLoader(texts).load("a")
    with pytest.raises(ZeroDivisionError) as caught:
        template.generate(f=str)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.line or "").endswith(place)


def test_traceback_is_of_the_template_that_failed() -> None:
    """Two templates of one name, as after a change on disk: each shows its own lines."""
    for text in ("{{ 1 / 0 }}", "\n\n{{ [] [0] }}"):
        with pytest.raises((ZeroDivisionError, IndexError)) as caught:
            Template(text, name="same.html").generate()
        lines = [frame.line or "" for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert text.strip(" {}\n") in lines[-1]
    linecache.clearcache()


SYNTAX: list[tuple[dict[str, str], str, int]] = [
    # templates, the one that is wrong, its line
    ({"a": "\n{{ 1 2 }}"}, "a", 2),
    ({"a": "\n{{ 1\n+2 }}"}, "a", 2),
    ({"a": '\n{{ "}}" }}'}, "a", 2),
    ({"a": "\n\n{% if a: %}{% end %}"}, "a", 3),
    ({"a": "\n{% if 1 %}a{% else %}\n\nb{% else %}c{% end %}"}, "a", 4),
    ({"a": "\n{% from os import * %}"}, "a", 2),
    ({"a": "\n{% for x in [] %}{% else %}{% break %}{% end %}"}, "a", 2),
    ({"a": "\n{% include b %}", "b": "\n\n\n{% raw ( %}"}, "b", 4),
    ({"a": "\n{% set x = 1; return %}{{ ) }}"}, "a", 2),
    ({"a": "{{ a\0b }}"}, "a", 1),
]


@pytest.mark.parametrize(("texts", "name", "line"), SYNTAX)
def test_python_that_does_not_compile(texts: dict[str, str], name: str, line: int) -> None:
    with pytest.raises(SyntaxError) as caught:
        DictLoader(texts).load("a")
    assert isinstance(caught.value, TemplateSyntaxError)
    assert (caught.value.filename, caught.value.lineno) == (name, line)


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"a": "{% include a %}"}, "includes itself"),
    ({"a": "{% include b %}", "b": "{% if 1 %}{% include a %}{% end %}"}, "includes itself"),
    ({"a": "{% extends a %}"}, "extends itself"),
    ({"a": "{% extends b %}", "b": "{% extends c %}", "c": "{% extends b %}"}, "extends itself"),
    ({"a": "{% include b %}", "b": "{% extends c %}", "c": ""}, "cannot be included"),
    (
        {f"n{i}" if i else "a": f"{{% include n{i + 1} %}}" for i in range(MAX_DEPTH + 5)}
        | {f"n{MAX_DEPTH + 5}": ""},
        "more than",
    ),
    ({"a": "{{ (yield 3) }}"}, "yield"),
]


@pytest.mark.parametrize(("texts", "message"), REFUSED)
def test_refused(texts: dict[str, str], message: str) -> None:
    with pytest.raises(ParseError, match=message):
        DictLoader(texts).load("a")


@pytest.mark.parametrize("content", ["x", "", "{% block b %}{% end %}"])
def test_includes_of_includes_have_an_end(content: str) -> None:
    """Forty small templates that would expand to 2^40 parts."""
    texts = {f"n{i}": f"{{% include n{i + 1} %}}" * 2 for i in range(40)} | {"n40": content}
    with pytest.raises(ParseError, match=f"more than {MAX_PARTS} parts"):
        DictLoader(texts).load("n0")


def test_deep_python_is_no_crash() -> None:
    with pytest.raises(ParseError):
        Template("{{ " + "(" * 5000 + ")" * 5000 + " }}")
    with pytest.raises(ParseError):
        Template("{{ " + "-" * 200_000 + "1 }}")


def test_no_loader() -> None:
    for tag in ("include", "extends"):
        with pytest.raises(ParseError, match="without a loader"):
            Template(f"{{% {tag} 'x' %}}")


def test_name_cannot_become_code() -> None:
    name = "x\nraise SystemExit('run')\n#"
    assert Template("a{{ 1 }}", name=name).generate() == b"a1"
    loader = DictLoader({name: "a{{ 1 }}", "b": "{% include c %}"})
    assert loader.load(name).generate() == b"a1"


# Running


def test_names_are_of_one_run() -> None:
    template = Template("{% set x = y %}{{ x }}{% import os %}")
    assert template.generate(y=1) == b"1"
    assert template.generate(y=2) == b"2"
    with pytest.raises(NameError):
        template.generate()


def test_leaves_nothing_to_the_garbage_collector() -> None:
    class Value:
        pass

    template = Template("{{ value }}{% apply f %}{{ value }}{% end %}")
    value = Value()
    alive = weakref.ref(value)
    gc.disable()
    try:
        template.generate(value=value, f=lambda data: data)
        del value
        assert alive() is None
    finally:
        gc.enable()


def test_code_can_be_read() -> None:
    template = Template("Hello\n{{ name }}", name="x.html")
    assert "def _tt_execute" in template.code
    assert "# x.html:2" in template.code


async def late(value: object) -> object:
    await asyncio.sleep(0)
    return value


async def now(value: object) -> object:
    return value


AWAITS: list[tuple[str, bytes]] = [
    ("{{ await f('<') }}", b"&lt;"),
    ("{% raw await f('<') %}", b"<"),
    ("{% set x = await f(1) %}{{ x + 1 }}", b"2"),
    ("{% for x in await f([1, 2]) %}{{ await f(x) }}{% end %}", b"12"),
    ("{% if await f(0) %}a{% elif await f(1) %}b{% end %}", b"b"),
    ("{% apply upper %}a{{ await f('b') }}{% end %}", b"AB"),
    ("{{ [await f(x) for x in (1, 2)] }}", b"[1, 2]"),
    ("{{ 'await' }}", b"await"),
    ("{% try %}a{{ await f(1) / 0 }}{% except ZeroDivisionError %}E{% end %}", b"aE"),
    ("no {{ 'waiting' }}", b"no waiting"),
]


@pytest.mark.parametrize(("text", "output"), AWAITS)
async def test_await(text: str, output: bytes) -> None:
    template = Template(text)
    names = {"upper": lambda value: value.upper()}
    assert await template.generate_async(f=late, **names) == output
    assert await template.generate_async(f=now, **names) == output
    # Nothing to wait for: no loop is needed.
    assert template.generate(f=now, **names) == output


async def test_await_in_parts_of_other_templates() -> None:
    texts = {
        "a": "{% extends b %}{% block x %}{{ await f(1) }}{% end %}",
        "b": "{% block x %}{% end %}{% include c %}",
        "c": "{{ await f(2) }}",
    }
    assert await DictLoader(texts).load("a").generate_async(f=late) == b"12"


async def test_await_needs_one_who_waits() -> None:
    closed = []

    async def forever() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    template = Template("{{ await f() }}", name="x.html")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match=r"x\.html .*generate_async"):
            template.generate(f=forever)
    assert closed == [True]


async def test_error_after_waiting_shows_the_place() -> None:
    template = Template("\n{{ 1 / await f(0) }}", name="x.html")
    with pytest.raises(ZeroDivisionError) as caught:
        await template.generate_async(f=late)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.line or "").endswith("# x.html:2")
