"""UI modules and methods, templates as pages, and what modules bring into a page."""

import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from zonda.web import Application, RequestHandler, TemplateModule, UIModule
from zonda.web.pageparts import add_parts, linked_scripts, linked_styles
from zonda.web.template import DictLoader
from zonda.web.uimodules import load_methods, load_modules


class Entry(UIModule):
    def render(self, text: str, n: int = 0) -> str:
        return f"<p>{text} {n} {self.request.path} {self.current_user}</p>"

    def embedded_css(self) -> str:
        return "p { color: red }"

    def embedded_javascript(self) -> str:
        return "run()"

    def css_files(self) -> list[str]:
        return ["a.css", "/b.css", "/b.css"]

    def javascript_files(self) -> str:
        return "https://b.example/x.js?a&b"

    def html_head(self) -> str:
        return "<!--head-->"

    def html_body(self) -> str:
        return "<!--body-->"


class Nav(UIModule):
    def render(self) -> bytes:
        return self.render_string("nav.html", q=9)


def shout(handler: RequestHandler, text: str) -> str:
    return f"{text.upper()} {handler.request.method}"


PAGE = """<html><head><title>t</title></head><body>
{% module Entry("a", n=1) %}{% module Entry("b") %}{% module Nav() %}
{% module Template("part.html", q=5) %}{% module Template("part.html", q=6) %}
{% module linkify("see http://a.example/") %}{% module xsrf_form_html() %}
{{ shout("hi") }} {{ request.path }} {{ handler.get_status() }} {{ current_user }} {{ locale.code }}
{{ reverse_url("page") }} {{ _("word") }} {{ modules.Nav() }}
</body></html>"""
PART = """{{ set_resources(embedded_css="q{}", javascript_files=["/y.js"], html_head="<meta>") }}
<i>{{ q }}</i>"""


class Page(RequestHandler):
    def get_current_user(self) -> str:
        return "<ann>"

    def get(self) -> None:
        self.render(self.get_argument("page", "page.html"))

    async def post(self) -> None:
        await self.render_async("wait.html", now=self.now)

    async def now(self) -> str:
        return "<now>"

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        return f"/s/{path}"


LOADER = DictLoader(
    {
        "page.html": PAGE,
        "part.html": PART,
        "nav.html": "<nav>{{ q }}</nav>",
        "wait.html": "{{ await now() }}",
        "bad.html": "{% module Template('bad1.html', q=1) %}"
        "{% module Template('bad1.html', q=2) %}",
        "bad1.html": "{{ set_resources(embedded_css=str(q)) }}",
        "unknown.html": "{% module Nothing() %}",
        "loose.html": "{% module Entry('x') %}",
    }
)


def application(**settings: Any) -> Application:
    return Application(
        [("/", Page, {}, "page")],
        ui_modules={"Entry": Entry, "Nav": Nav},
        ui_methods={"shout": shout},
        **{"template_loader": LOADER, **settings},
    )


async def test_page(ask: Any) -> None:
    body = (await ask(application(), "GET", "/")).body.decode()
    head, _, rest = body.partition("</head>")
    assert head == (
        "<html><head><title>t</title>"
        '<link href="/s/a.css" type="text/css" rel="stylesheet"/>'
        '<link href="/b.css" type="text/css" rel="stylesheet"/>\n'
        '<style type="text/css">\np { color: red }\nq{}\n</style>\n'
        "<!--head--><meta>\n"
    )
    assert rest.startswith("<body>\n<p>a 1 / <ann></p><p>b 0 / <ann></p><nav>9</nav>\n")
    assert rest.endswith(
        '<script src="https://b.example/x.js?a&amp;b" type="text/javascript"></script>'
        '<script src="/y.js" type="text/javascript"></script>\n'
        '<script type="text/javascript">\n//<![CDATA[\nrun()\n//]]>\n</script>\n'
        "<!--body-->\n</body></html>"
    )
    assert '<a href="http://a.example/">' in rest
    assert '<input type="hidden" name="_xsrf"' in rest
    assert "HI GET / 200 &lt;ann&gt; en_US\n/ word &lt;nav&gt;9&lt;/nav&gt;" in rest
    assert re.search("<i>5</i>.*<i>6</i>", rest, re.DOTALL)


async def test_a_page_without_head_and_body(ask: Any) -> None:
    body = (await ask(application(), "GET", "/?page=loose.html")).body
    assert body.startswith(b"<link ")
    assert body.endswith(b"<!--body-->\n")


async def test_await_in_a_template(ask: Any) -> None:
    assert (await ask(application(), "POST", "/")).body == b"&lt;now&gt;"


@pytest.mark.parametrize("page", ["bad.html", "unknown.html"])
async def test_mistakes(ask: Any, expect_log: Any, page: str) -> None:
    with expect_log("zonda.application", "Uncaught"), expect_log("zonda.access"):
        assert (await ask(application(), "GET", f"/?page={page}")).status == 500


async def test_template_path(ask: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("{{ current_user }}  {{ 1 }}\n")
    settings = {"template_loader": None, "template_path": str(tmp_path)}
    try:
        response = await ask(application(**settings), "GET", "/")
        assert response.body == b"&lt;ann&gt; 1\n"
        page.write_text("changed")
        # Kept, unless the setting says otherwise.
        assert (await ask(application(**settings), "GET", "/")).body == response.body
        again = application(**settings, compiled_template_cache=False)
        assert (await ask(again, "GET", "/")).body == b"changed"
        assert list(RequestHandler._template_loaders) == [str(tmp_path)]
    finally:
        RequestHandler._template_loaders.clear()
    page.write_text("{{ current_user }}  {{ 1 }}\n")
    plain = application(**settings, autoescape=None, template_whitespace="all")
    try:
        assert (await ask(plain, "GET", "/")).body == b"<ann>  1\n"
    finally:
        RequestHandler._template_loaders.clear()


def test_templates_beside_the_program(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ x }}")
    program = "def page(handler): return handler.render_string('a.html', x=1)"
    names: dict[str, Any] = {}
    exec(compile(program, str(tmp_path / "program.py"), "exec"), names)
    handler = handler_of(Application())
    try:
        assert names["page"](handler) == b"1"
    finally:
        RequestHandler._template_loaders.clear()


def handler_of(application: Application) -> RequestHandler:
    from zonda.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine  # noqa: PLC0415

    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=HTTPHeaders({"Host": "a"})
    )
    return RequestHandler(application, request)


def test_settings_take_modules_dictionaries_and_lists() -> None:
    source = ModuleType("source")
    source.__dict__.update(Entry=Entry, _Nav=Nav, shout=shout, Shout=shout, _shout=shout, n=5)
    assert load_modules(source) == {"Entry": Entry, "_Nav": Nav}
    assert load_methods(source) == {"shout": shout}
    assert load_modules([source, {"Other": Nav}]) == {"Entry": Entry, "_Nav": Nav, "Other": Nav}
    made = Application(ui_modules=[source], ui_methods=[source])
    assert set(made.ui_modules) == {"Entry", "_Nav", "Template", "linkify", "xsrf_form_html"}
    handler = handler_of(made)
    assert handler.ui["shout"]("a") == handler.ui.shout("a") == "A GET"
    assert handler.ui.modules["Template"].__self__.__class__ is TemplateModule
    with pytest.raises(AttributeError, match="Nothing"):
        handler.ui.modules.Nothing  # noqa: B018


def test_namespace() -> None:
    names = handler_of(Application(ui_methods={"shout": shout})).get_template_namespace()
    assert set(names) == {
        "_",
        "_tt_modules",
        "current_user",
        "handler",
        "locale",
        "modules",
        "pgettext",
        "request",
        "reverse_url",
        "shout",
        "static_url",
        "xsrf_form_html",
    }


def test_hooks_that_say_nothing_add_nothing() -> None:
    module = UIModule(handler_of(Application()))
    resolver: Any = SimpleNamespace()
    assert add_parts(b"<head></head><body></body>", [module], resolver) == (
        b"<head></head><body></body>"
    )
    with pytest.raises(NotImplementedError):
        module.render()


def test_urls_are_escaped() -> None:
    assert linked_scripts(['/"><script>']) == (
        '<script src="/&quot;&gt;&lt;script&gt;" type="text/javascript"></script>'
    )
    assert '"/&quot;' in linked_styles(['/"'])


async def test_rendering_twice_is_an_error(ask: Any) -> None:
    class Twice(Page):
        def get(self) -> None:
            self.finish("once")
            with pytest.raises(RuntimeError, match="after finish"):
                self.render("nav.html", q=1)

    application = Application([("/", Twice)], template_loader=LOADER)
    assert (await ask(application, "GET", "/")).body == b"once"
