"""Jinja templates, by themselves and in handlers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

jinja2 = pytest.importorskip("jinja2")

from zonda.httpserver.testing import RawClient, serve  # noqa: E402 - after the check
from zonda.web import Application, RequestHandler, UIModule  # noqa: E402
from zonda.web.jinja import JinjaLoader  # noqa: E402

ROWS: list[tuple[str, dict[str, Any], bytes]] = [
    # template, names, output
    ("caf\xe9 {{ a }}", {"a": "<\xe9>"}, b"caf\xc3\xa9 &lt;\xc3\xa9&gt;"),
    ("{{ a|safe }}", {"a": "<"}, b"<"),
    ("{{ json_encode(a)|safe }}", {"a": ["</"]}, b'["<\\/"]'),
    ("{{ url_escape(a) }}{{ squeeze(' b  c ') }}", {"a": "<"}, b"%3Cb c"),
    ("{{ linkify('http://x.com <') }}", {}, b'<a href="http://x.com">http://x.com</a> &lt;'),
    ("{% include 'part' %}{% extends 'base' %}{% block b %}B{% endblock %}", {}, b"part[B]"),
    ("{{ f }}", {}, b"from the loader"),
    ("{{ f }}", {"f": "mine"}, b"mine"),
    ("{{ xsrf_form_html() }}", {"xsrf_form_html": lambda: "<input>"}, b"<input>"),
]


@pytest.mark.parametrize(("text", "names", "output"), ROWS)
async def test_rows(text: str, names: dict[str, Any], output: bytes) -> None:
    texts = {"page": text, "part": "part", "base": "[{% block b %}{% endblock %}]"}
    loader = JinjaLoader(jinja2.DictLoader(texts), {"f": "from the loader"})
    assert loader.load("page").generate(**dict(names)) == output
    assert await loader.load("page").generate_async(**dict(names)) == output


def test_directory(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("old {{ a }}")
    loader = JinjaLoader(tmp_path)
    assert loader.load("page.txt").generate(a="<") == b"old &lt;"  # whatever the name ends in
    assert loader.load("page.txt").name == "page.txt"
    with pytest.raises(jinja2.TemplateNotFound):
        loader.load("../page.txt")


def test_reset() -> None:
    texts = {"page": "old"}
    loader = JinjaLoader(jinja2.DictLoader(texts), auto_reload=False)
    assert loader.load("page").generate() == b"old"
    texts["page"] = "new"
    assert loader.load("page").generate() == b"old"
    loader.reset()
    assert loader.load("page").generate() == b"new"
    JinjaLoader(jinja2.DictLoader(texts), cache_size=0).reset()


def test_environment_of_ones_own() -> None:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"a": "<< a >>"}),
        variable_start_string="<<",
        variable_end_string=">>",
    )
    environment.globals["squeeze"] = "mine"
    loader = JinjaLoader(environment)
    assert loader.environment is environment
    assert loader.load("a").generate(a="<") == b"<"  # escaping is as the environment has it
    assert environment.globals["squeeze"] == "mine"
    with pytest.raises(TypeError, match="trim_blocks"):
        JinjaLoader(environment, trim_blocks=True)


def test_names_relative_to_a_parent() -> None:
    class Relative(jinja2.Environment):  # type: ignore[misc, name-defined]
        def join_path(self, template: str, parent: str) -> str:
            return f"{parent.rpartition('/')[0]}/{template}"

    loader = JinjaLoader(Relative(loader=jinja2.DictLoader({"d/a": "a"})))
    assert loader.load("a", parent_path="d/b").generate() == b"a"


async def test_waiting_template() -> None:
    async def late() -> str:
        await asyncio.sleep(0)
        return "<"

    loader = JinjaLoader(jinja2.DictLoader({"a": "{{ f() }}"}), enable_async=True)
    assert await loader.load("a").generate_async(f=late) == b"&lt;"


class Entry(UIModule):
    def render(self, text: str) -> str:
        return f"<b>{text}</b>"

    def embedded_css(self) -> str:
        return "b {}"


class Page(RequestHandler):
    def get(self) -> None:
        self.render("page", who="<me>")


async def test_handler_renders() -> None:
    text = (
        "<head></head>{{ who }} {{ modules.Entry('x') }} {{ request.path }}{{ xsrf_form_html() }}"
    )
    loader = JinjaLoader(jinja2.DictLoader({"page": text}))
    application = Application([("/", Page)], template_loader=loader, ui_modules={"Entry": Entry})
    async with serve(application) as port, RawClient(port) as client:
        response = await client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert response.status == 200
    assert b"&lt;me&gt; <b>x</b> /<input " in response.body
    assert b"b {}" in response.body.partition(b"</head>")[0]
