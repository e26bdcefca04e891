"""`Application`: which handler a request gets, and what settings do."""

from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.routing import HostMatches, Rule
from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPServerRequest,
    ParseBodyConfig,
    ParseUrlEncodedConfig,
    RequestStartLine,
)
from zonda.web import (
    Application,
    ErrorHandler,
    RequestHandler,
    StaticFileHandler,
    URLSpec,
    url,
)


class A(RequestHandler):
    pass


class B(RequestHandler):
    pass


def chosen(application: Application, path: str, host: str = "h") -> tuple[type, Any]:
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": host}),
        connection=HTTPConnection(),
    )
    delegate: Any = application.find_handler(request)
    return delegate.handler_class, delegate.handler_kwargs


def test_order_and_arguments() -> None:
    application = Application([("/a", A, {"k": 1}), ("/.", B), ("/b", A)])
    assert chosen(application, "/a") == (A, {"k": 1})
    assert chosen(application, "/b") == (B, {})


def test_rules_added_later_are_seen() -> None:
    application = Application([("/a", A)])
    assert chosen(application, "/a")[0] is A
    application.wildcard_router.add_rules([("/b", B)])
    assert chosen(application, "/b")[0] is B
    application.wildcard_router.rules.insert(0, URLSpec("/a", B))
    assert chosen(application, "/a")[0] is B


def test_nothing_matches() -> None:
    assert chosen(Application(), "/a") == (ErrorHandler, {"status_code": 404})
    custom = Application(default_handler_class=A, default_handler_args={"k": 2})
    assert chosen(custom, "/a") == (A, {"k": 2})


def test_nested_rules_and_dotted_names() -> None:
    inner = [("/in", "zonda.web.defaulthandlers.ErrorHandler", {"status_code": 410})]
    application = Application([(HostMatches("one"), inner), url("/in", A)])
    assert chosen(application, "/in", "one") == (ErrorHandler, {"status_code": 410})
    assert chosen(application, "/in", "two") == (A, {})


def test_hosts_and_the_default_host() -> None:
    application = Application([("/", A)], default_host="one")
    application.add_handlers("one", [("/", B), ("/only", B)])
    assert chosen(application, "/", "one")[0] is B
    assert chosen(application, "/", "ip")[0] is A
    # The rules of the default host serve others, too, behind the general ones.
    assert chosen(application, "/only", "ip")[0] is B


def test_an_overridden_find_handler_is_asked() -> None:
    class Own(Application):
        def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
            return self.get_handler_delegate(request, B, {"own": True})

    assert chosen(Own([("/", A)]), "/") == (B, {"own": True})


def test_rules_may_be_objects() -> None:
    application = Application([Rule(HostMatches("one"), A)])
    assert chosen(application, "/any", "one")[0] is A


def test_settings() -> None:
    debugging = Application(debug=True, autoreload=False)
    assert debugging.settings == {
        "debug": True,
        "autoreload": False,
        "serve_traceback": True,
        "compiled_template_cache": False,
        "static_hash_cache": False,
    }
    quiet = Application(debug=True, autoreload=False, serve_traceback=False)
    assert quiet.settings["serve_traceback"] is False
    assert not Application().settings


def test_reverse_url() -> None:
    application = Application([url("/a/(.)", A, name="a")])
    assert application.reverse_url("a", "x") == "/a/x"
    with pytest.raises(KeyError):
        application.reverse_url("b")


def static_application(folder: Path, **settings: Any) -> Application:
    (folder / "a.txt").write_text("text")
    (folder / "robots.txt").write_text("robots")
    return Application([("/static/.*|/rob.*|/url", Url)], static_path=str(folder), **settings)


class Url(RequestHandler):
    def get(self) -> None:
        name = self.get_argument("name", "a.txt")
        self.write(self.static_url(name) + " " + self.static_url(name, include_host=True))


class HostUrl(Url):
    include_host = True


async def test_static_files(ask: Any, expect_log: Any, tmp_path: Path) -> None:
    application = static_application(tmp_path)
    assert (await ask(application, "GET", "/static/a.txt")).body == b"text"
    assert (await ask(application, "GET", "/robots.txt")).body == b"robots"
    with expect_log("zonda.access", "404"):
        assert (await ask(application, "GET", "/favicon.ico")).status == 404
    short, long = (await ask(application, "GET", "/url")).body.decode().split()
    assert short.startswith("/static/a.txt?v=")
    assert long == "http://a.example" + short
    with_version = await ask(application, "GET", short)
    assert "max-age" in with_version.headers["Cache-Control"]
    # What only begins like the prefix is not below it.
    for target in ("/static", "/staticfoo"):
        with expect_log("zonda.access", "404"):
            assert (await ask(application, "GET", target)).status == 404


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x"])
async def test_static_url_stays_in_its_folder(
    ask: Any, expect_log: Any, tmp_path: Path, name: str
) -> None:
    with expect_log("zonda.general", "403"), expect_log("zonda.access"):
        response = await ask(static_application(tmp_path), "GET", f"/url?name={name}")
    assert response.status == 403


async def test_static_settings(ask: Any, tmp_path: Path) -> None:
    class Files(StaticFileHandler):
        def set_extra_headers(self, path: str) -> None:
            self.set_header("X-Files", "yes")

    application = static_application(
        tmp_path,
        static_url_prefix="/f/",
        static_handler_class=Files,
        static_handler_args={"default_filename": "a.txt"},
    )
    response = await ask(application, "GET", "/f/")
    assert (response.body, response.headers["X-Files"]) == (b"text", "yes")
    short, _ = (await ask(application, "GET", "/url")).body.decode().split()
    assert short.startswith("/f/a.txt?v=")


async def test_static_url_with_the_handlers_host(ask: Any, tmp_path: Path) -> None:
    application = Application([("/", HostUrl)], static_path=str(tmp_path))
    (tmp_path / "a.txt").write_text("text")
    short, long = (await ask(application, "GET", "/")).body.decode().split()
    assert short == long
    assert short.startswith("http://a.example/static/a.txt?v=")


async def test_static_url_needs_the_setting(ask: Any, expect_log: Any) -> None:
    with expect_log("zonda.application", "Uncaught") as records, expect_log("zonda.access"):
        await ask(Application([("/", Url)]), "GET", "/")
    assert "static_path" in str(records[0].exc_info[1])


def test_literal_paths_are_looked_up_behind_patterns_that_cannot_match(tmp_path: Path) -> None:
    application = Application(
        [("/a/(.)", A), ("/b", A), ("/c.*", A), ("/cd", A), ("/e", A)], static_path=str(tmp_path)
    )
    router = application.wildcard_router
    router._build_index()
    assert set(router.classes) == {"/b", "/e"}


@pytest.mark.parametrize("setting", ["compress_response", "gzip"])
async def test_compression(ask: Any, setting: str) -> None:
    class Large(RequestHandler):
        def get(self) -> None:
            self.write("x" * 10_000)

    settings: dict[str, Any] = {setting: True}
    application = Application([("/", Large)], **settings)
    response = await ask(application, "GET", "/", "Accept-Encoding: gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    # A list of transforms has the last word.
    application = Application([("/", Large)], transforms=[], **settings)
    response = await ask(application, "GET", "/", "Accept-Encoding: gzip")
    assert "Content-Encoding" not in response.headers


class Count(RequestHandler):
    def get(self) -> None:
        self.write(str(len(self.get_arguments("a"))))

    post = get


def form(count: int) -> bytes:
    return b"&".join([b"a=1"] * count)


@pytest.mark.parametrize(
    ("limit", "count", "status"),
    [(5, 5, 200), (5, 6, 400), (2000, 1500, 200), (None, 1000, 200), (None, 1001, 400)],
)
@pytest.mark.parametrize("where", ["query", "body"])
async def test_limits_of_forms(
    ask: Any,
    caplog: pytest.LogCaptureFixture,
    limit: int | None,
    count: int,
    status: int,
    where: str,
) -> None:
    settings: dict[str, Any] = {}
    if limit is not None:
        settings["parse_body_config"] = ParseBodyConfig(
            urlencoded=ParseUrlEncodedConfig(max_arguments=limit)
        )
    application = Application([("/", Count)], **settings)
    if where == "query":
        response = await ask(application, "GET", "/?" + form(count).decode())
    else:
        kind = "Content-Type: application/x-www-form-urlencoded"
        response = await ask(application, "POST", "/", kind, body=form(count))
    caplog.clear()
    assert response.status == status
    if status == 200:
        assert response.body == str(count).encode()


async def test_browser_locale(ask: Any) -> None:
    class Locale(RequestHandler):
        def get(self) -> None:
            self.write(f"{self.locale.code} {self.get_browser_locale('de').code}")
            assert self.locale is self.locale
            self.locale = self.get_browser_locale()

    application = Application([("/", Locale)])
    for fields in ([], ["Accept-Language: xx;q=0.5, *, yy;q=0"]):
        response = await ask(application, "GET", "/", *fields)
        assert response.body.startswith(b"en_US ")


def test_autoreload(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr("zonda.ioloop.autoreload.start", lambda: started.append(True))
    Application(autoreload=False, debug=True)
    assert not started
    Application(debug=True)
    Application(autoreload=True)
    assert len(started) == 2


async def test_the_server_as_a_whole_is_asked_for_its_options() -> None:
    async with serve(Application([(r"/", A)])) as port, RawClient(port) as client:
        response = await client(b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", "OPTIONS")
    assert response.status == 204
    assert "OPTIONS" in response.headers["Allow"]
