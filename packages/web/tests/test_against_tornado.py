# mypy: allow-subclassing-any, allow-untyped-decorators
"""The same program on `zonda.web` and on the original, request by request.

Runs where Tornado is installed. What differs on purpose is a row of its own, with the reason.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import zonda.httpserver
import zonda.web
from zonda.httpserver.testing import RawClient, RawResponse
from zonda.iostream.netutil import bind_sockets

TEMPLATES = {
    "page.html": """<html><head><title>t</title></head>
<body>
{% module Entry("a<b", x=1) %}
{% module Entry("c", x=2) %}
{% raw modules.Nav() %}
{% module Template("sub.html", q=5) %}
{{ linkify("see http://a.example/") }}|{% raw method(1) %}|{{ request.path }}|
{{ static_url("f.txt") }}|{{ reverse_url("page") }}|{{ _("hi") }}|{{ current_user }}|
{{ locale.code }}
</body></html>""",
    "sub.html": (
        """{{ set_resources(embedded_css="p{}", javascript_files="/j2.js", """
        """html_head="<meta/>") }}<sub>{{ q }}</sub>"""
    ),
}


def application(web: Any, folder: Path, **settings: Any) -> Any:
    """The program, on either of the two."""

    class Entry(web.UIModule):
        def render(self, text: str, x: int) -> str:
            return f"<p>{text} {x} {self.request.path}</p>"

        def embedded_css(self) -> str:
            return "p { color: red }"

        def embedded_javascript(self) -> str:
            return "alert(1)"

        def css_files(self) -> list[str]:
            return ["f.txt", "/b.css", "/b.css"]

        def javascript_files(self) -> str:
            return "f.txt"

        def html_head(self) -> str:
            return "<!--head-->"

        def html_body(self) -> str:
            return "<!--body-->"

    class Nav(web.UIModule):
        def render(self) -> Any:
            return self.render_string("sub.html", q=9, set_resources=lambda **_: "")

    class Page(web.RequestHandler):
        def get(self) -> None:
            self.render("page.html")

    class Xsrf(web.RequestHandler):
        def get(self) -> None:
            form = self.xsrf_form_html()
            assert self.xsrf_token.decode() in form
            self.write(f"{len(form)} {self.xsrf_token == self.xsrf_token}")

        def post(self) -> None:
            self.write("ok")

        put = patch = delete = options = post

    class User(web.RequestHandler):
        def get_current_user(self) -> Any:
            return self.get_argument("user", None)

        @web.authenticated
        def get(self) -> None:
            self.write(str(self.current_user))

        head = post = get

    class Slash(web.RequestHandler):
        @web.addslash
        def get(self, *groups: str) -> None:
            self.write("slash")

        head = post = get

    class NoSlash(web.RequestHandler):
        @web.removeslash
        def get(self, *groups: str) -> None:
            self.write("no slash")

        head = post = get

    class Fails(web.RequestHandler):
        def get(self, code: str) -> None:
            reason = self.get_argument("reason", None)
            raise web.HTTPError(int(code), "m %s", "x", reason=reason)

    class Signed(web.RequestHandler):
        def get(self) -> None:
            self.set_signed_cookie("s", "v")
            self.set_secure_cookie("t", b"\xff", expires_days=None, httponly=True)
            given = self.get_argument("given", None)
            self.write({"s": str(self.get_signed_cookie("s", given))})
            self.write({"k": self.get_signed_cookie_key_version("s", given)})

    class Cookies(web.RequestHandler):
        def get(self) -> None:
            self.set_cookie("b", "2", samesite="Lax")
            self.set_cookie("c", "3,4", path="/c", secure=True, max_age=5)
            self.clear_all_cookies(path="/x", domain="d.example")
            self.clear_cookie("b", path="/y")
            self.write({name: morsel.value for name, morsel in self.cookies.items()})

    class Static(web.RequestHandler):
        include_host = True

        def get(self) -> None:
            name = self.get_argument("name", "f.txt")
            self.write(f"{self.static_url(name)} {self.static_url(name, include_host=False)}")

    class Ends(web.RequestHandler):
        def get(self) -> None:
            self.write("x")
            raise web.Finish("y")

    class Language(web.RequestHandler):
        def get(self) -> None:
            self.write(f"{self.locale.code} {self.get_browser_locale('de').code}")

    redirect = web.RedirectHandler
    return web.Application(
        [
            web.URLSpec("/page", Page, name="page"),
            ("/xsrf", Xsrf),
            ("/user", User),
            (r"(.*)/slash/?", Slash),
            (r"(.*)/noslash/?", NoSlash),
            (r"/err/(\d+)", Fails),
            ("/signed", Signed),
            ("/cookies", Cookies),
            ("/static_url", Static),
            ("/ends", Ends),
            ("/language", Language),
            (r"/r/(.*)", redirect, {"url": "{0}"}),
            (r"/q/(.*)", redirect, {"url": "/x/{0}", "permanent": False}),
            (r"/h/(.*)", redirect, {"url": "http://{0}/y"}),
            (r"/k/(?P<n>.*)", redirect, {"url": "/x?n={n}"}),
            (r"/s/(.*)", redirect, {"url": "https://h.example/{0}"}),
            ("/e", web.ErrorHandler, {"status_code": 402}),
        ],
        cookie_secret="secret",
        template_path=str(folder),
        static_path=str(folder),
        ui_modules={"Entry": Entry, "Nav": Nav},
        ui_methods={"method": lambda handler, n: f"<{n} {handler.request.method}>"},
        **{"login_url": "/login", **settings},
    )


PROTECTED = {
    "cross_origin_protection": True,
    "trusted_origins": ["https://good.example"],
    "xsrf_cookies": True,
}
TOKEN = ["Cookie: _xsrf=61626364", "X-Xsrftoken: 61626364"]
LOGIN = {"login_url": "https://h.example/in"}

Row = tuple[str, str, list[str], dict[str, Any]]
ROWS: list[Row] = [
    *(
        ("GET", path, [], {})
        for path in (
            "/page",
            "/xsrf",
            "/nope",
            "/e",
            "/user",
            "/user?user=ann",
            "/user?a=b%20c&d=%C3%A9",
            "/slash",
            "/slash/",
            "/slash?a=b",
            "/x/noslash/?q=1",
            "/x/noslash//",
            "/x/noslash",
            "//evil.example/slash",
            "/\\evil.example/slash",
            "//evil.example/noslash/",
            "/err/404",
            "/err/404?reason=Foo",
            "/err/404?reason=a%3Cb%3E",
            "/err/404?reason=a%0D%0Ab",
            "/err/418",
            "/err/999",
            "/err/204",
            "/err/304",
            "/signed",
            "/cookies",
            "/static_url",
            "/static_url?name=../x",
            "/ends",
            "/language",
            "/r/foo",
            "/r//foo",
            "/r///evil.example",
            "/r/https://evil.example",
            "/r/%0d%0aX:1",
            "/r/%5C%5Cevil.example",
            "/q/foo?a=1&a=2&b=",
            "/q//evil",
            "/h/evil.example",
            "/k/foo?z=1",
            "/s/foo",
            "/s/%3fa=b",
            "/robots.txt",
            "/favicon.ico",
            "/static/f.txt",
            "/static",
            "/staticf.txt",
        )
    ),
    ("POST", "/user", [], {}),
    ("POST", "/slash", [], {}),
    ("POST", "/x/noslash/", [], {}),
    ("POST", "/q/foo", [], {}),
    ("HEAD", "/q/foo", [], {}),
    ("POST", "/xsrf", [], {}),
    ("BREW", "/xsrf", [], {}),
    ("GET", "/user", [], LOGIN),
    ("GET", "/user", [], {"login_url": "/in?a=b"}),
    ("GET", "/xsrf", [], {"xsrf_cookie_version": 1}),
    ("GET", "/xsrf", [], {"xsrf_cookie_name": "x", "xsrf_cookie_kwargs": {"samesite": "Lax"}}),
    ("GET", "/cookies", ['Cookie: u=1; v="2,3"; =w; x'], {}),
    ("GET", "/language", ["Accept-Language: de;q=0.8, fr, en-us;q=0.1"], {}),
    *(
        (method, path, fields, PROTECTED)
        for method in ("POST", "PUT", "DELETE", "OPTIONS")
        for path in ("/xsrf", "/nope", "/e")
        for fields in ([], TOKEN, TOKEN[:1], ["Sec-Fetch-Site: cross-site", *TOKEN])
    ),
    *(
        ("POST", "/xsrf", [*fields, *TOKEN], PROTECTED)
        for fields in (
            ["Origin: https://evil.example"],
            ["Origin: https://A.example"],
            ["Origin: https://good.example"],
            ["Origin: null"],
            ["Sec-Fetch-Site: same-origin", "Origin: https://evil.example"],
            ["Sec-Fetch-Site: same-site"],
            ["Sec-Fetch-Site: none"],
            ["Sec-Fetch-Site: cross-site", "Origin: https://good.example"],
            ["Sec-Fetch-Site: cross-site", "Origin: https://a.example"],
        )
    ),
    *(
        ("POST", f"/xsrf?_xsrf={argument}", [f"Cookie: _xsrf={cookie}"], {"xsrf_cookies": True})
        for argument, cookie in (
            ("abc", "abc"),
            ("abcd", "abc"),
            ("61626364", "61626364"),
            ("61626364", "abcd"),
            ("61626364", "2|00000000|61626364|1"),
            ("61626364", "2|00000000|61626364|x"),
            ("61626364", "2|0000|61626364|1"),
            ("2%7C01010101%7C60636265%7C1", "2|00000000|61626364|1"),
            ("2%7Czz", "61626364"),
            ("", "61626364"),
        )
    ),
]

COMPARED = (
    "Content-Type",
    "Location",
    "Set-Cookie",
    "Etag",
    "Cache-Control",
    "Content-Length",
    "Last-Modified",
    "Accept-Ranges",
)
# What is random or tells the time, with its length.
_VARYING = re.compile(
    r"(?P<token>(?:2\|[0-9a-f]{8}\|)?[0-9a-f]{32}(?:\|[0-9]{10})?(?=;|$))"
    r"|(?P<signed>\|10:[0-9]{10}\||\|[0-9a-f]{64}\")"
    r"|(?P<date>[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT)"
)


def told(response: RawResponse) -> dict[str, Any]:
    headers = {name: response.headers.get_list(name) for name in COMPARED}
    headers["Set-Cookie"] = [_VARYING.sub("...", value) for value in headers["Set-Cookie"]]
    return {
        "status": response.status,
        "reason": response.reason,
        "body": response.body,
        **headers,
    }


@asynccontextmanager
async def serving(web: Any, httpserver: Any, application: Any) -> AsyncIterator[int]:
    server = httpserver.HTTPServer(application)
    (sock,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    try:
        yield sock.getsockname()[1]
    finally:
        server.stop()
        await server.close_all_connections()
        web.RequestHandler._template_loaders.clear()


@pytest.fixture(scope="module")
def tornado_web() -> ModuleType:
    tornado: ModuleType = pytest.importorskip("tornado.web")
    if tornado is zonda.web:
        pytest.skip("the drop-in is switched on")
    return tornado


async def both(
    tornado_web: Any, folder: Path, row: Row, caplog: pytest.LogCaptureFixture
) -> list[dict[str, Any]]:
    import tornado.httpserver  # noqa: PLC0415 - there, as the fixture has found

    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    (folder / "f.txt").write_text("hello\n")
    (folder / "robots.txt").write_text("robots\n")
    method, target, fields, settings = row
    lines = [f"{method} {target} HTTP/1.1", "Host: a.example", *fields]
    if method in ("POST", "PUT"):
        lines.append("Content-Length: 0")
    data = ("\r\n".join(lines) + "\r\n\r\n").encode()
    answers = []
    for web, httpserver in ((tornado_web, tornado.httpserver), (zonda.web, zonda.httpserver)):
        app = application(web, folder, **settings)
        async with serving(web, httpserver, app) as port, RawClient(port) as client:
            answers.append(told(await client(data, method)))
    levels = {record.levelno for record in caplog.records}
    assert logging.CRITICAL not in levels
    caplog.clear()
    return answers


@pytest.mark.parametrize("row", ROWS, ids=[f"{n} {row[0]} {row[1]}" for n, row in enumerate(ROWS)])
async def test_same_answers(
    tornado_web: Any, tmp_path: Path, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    theirs, ours = await both(tornado_web, tmp_path, row, caplog)
    assert ours == theirs


DIFFERENT: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    # Nothing has been written: that a GET would have no content either is more than is known.
    ("HEAD", "/user?a=b", {"Content-Length": ["0"]}, {"Content-Length": []}),
    ("HEAD", "/x/noslash/", {"Content-Length": ["0"]}, {"Content-Length": []}),
    # A URI has neither spaces nor bytes beyond ASCII in it.
    (
        "GET",
        "/q/f%20o%C3%A9",
        {"Location": ["/x/f o\xc3\xa9"]},
        {"Location": ["/x/f%20o%C3%A9"]},
    ),
]


@pytest.mark.parametrize(("method", "target", "they_say", "we_say"), DIFFERENT)
async def test_differences(
    tornado_web: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    method: str,
    target: str,
    they_say: dict[str, Any],
    we_say: dict[str, Any],
) -> None:
    theirs, ours = await both(tornado_web, tmp_path, (method, target, [], {}), caplog)
    assert theirs | they_say == theirs
    assert ours == theirs | we_say
