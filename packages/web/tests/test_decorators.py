"""`authenticated`, `addslash`, `removeslash` and the legacy `asynchronous`."""

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from zonda.ioloop import IOLoop, gen
from zonda.web import (
    Application,
    RequestHandler,
    addslash,
    asynchronous,
    authenticated,
    removeslash,
)


class Users(RequestHandler):
    def get_current_user(self) -> str | None:
        return self.get_argument("user", None)

    @authenticated
    def get(self) -> None:
        self.write(self.current_user)

    @authenticated
    async def post(self) -> None:
        self.write(self.current_user)

    head = get


@pytest.mark.parametrize(
    ("login_url", "target", "location"),
    [
        ("/login", "/u", "/login?next=%2Fu"),
        ("/login", "/u?a=b%20c&d", "/login?next=%2Fu%3Fa%3Db%2520c%26d"),
        ("https://b.example/in", "/u", "https://b.example/in?next=http%3A%2F%2Fa.example%2Fu"),
        ("/login?x=1", "/u", "/login?x=1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_strangers_go_to_the_login_page(
    ask: Any, method: str, login_url: str, target: str, location: str
) -> None:
    application = Application([("/u", Users)], login_url=login_url)
    response = await ask(application, method, target)
    assert (response.status, response.headers["Location"]) == (302, location)


async def test_strangers_who_post_get_403(ask: Any, expect_log: Any) -> None:
    with expect_log("zonda.access", "403 POST /u"):
        response = await ask(Application([("/u", Users)], login_url="/in"), "POST", "/u")
    assert response.status == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_users_get_in(ask: Any, method: str) -> None:
    response = await ask(Application([("/u", Users)]), method, "/u?user=ann")
    assert response.body == b"ann"


async def test_a_login_url_is_needed(ask: Any, expect_log: Any) -> None:
    with expect_log("zonda.application", "Uncaught"), expect_log("zonda.access"):
        assert (await ask(Application([("/u", Users)]), "GET", "/u")).status == 500


class Slash(RequestHandler):
    @addslash
    def get(self, *groups: str) -> None:
        self.write("with")

    head = get
    post = get


class NoSlash(RequestHandler):
    @removeslash
    def get(self, *groups: str) -> None:
        self.write("without")

    head = get
    post = get


@pytest.mark.parametrize(
    ("method", "target", "status", "location"),
    [
        ("GET", "/with", 301, "/with/"),
        ("HEAD", "/with?a=b", 301, "/with/?a=b"),
        ("GET", "/with/", 200, None),
        ("POST", "/with", 404, None),
        ("POST", "/with/", 200, None),
        ("GET", "/x/without/", 301, "/x/without"),
        ("HEAD", "/x/without///?q=1", 301, "/x/without?q=1"),
        ("GET", "/without", 200, None),
        ("POST", "/without/", 404, None),
        ("POST", "/without", 200, None),
        # No way off this site (CVE-2023-28370's kind).
        ("GET", "//evil.example/with", 403, None),
        ("GET", "/\\evil.example/with", 403, None),
        ("GET", "/\\/evil.example/with", 403, None),
        ("GET", "//evil.example/without/", 403, None),
        ("GET", "/\\evil.example/without/", 403, None),
        ("GET", "http://a.example//evil.example/without/", 403, None),
    ],
)
async def test_slashes(
    ask: Any,
    caplog: pytest.LogCaptureFixture,
    method: str,
    target: str,
    status: int,
    location: str | None,
) -> None:
    application = Application([(r"(.*)/with/?", Slash), (r"(.*)/without/*", NoSlash)])
    response = await ask(application, method, target)
    caplog.clear()
    assert (response.status, response.headers.get("Location")) == (status, location)


async def test_the_root_keeps_its_slash(ask: Any) -> None:
    assert (await ask(Application([("/", NoSlash)]), "GET", "/")).body == b"without"


class Later(RequestHandler):
    @asynchronous
    def get(self) -> None:
        IOLoop.current().add_callback(self.finish, "later")

    @asynchronous
    @gen.coroutine
    def put(self) -> Generator[Any, Any, None]:
        yield gen.moment
        self.write("coroutine")

    @asynchronous
    async def post(self) -> None:
        await asyncio.sleep(0)
        self.finish("itself")

    @asynchronous
    @gen.engine
    def delete(self) -> Generator[Any, Any, None]:
        yield gen.moment
        self.finish("engine")


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", b"later"), ("PUT", b"coroutine"), ("POST", b"itself"), ("DELETE", b"engine")],
)
async def test_asynchronous(ask: Any, method: str, body: bytes) -> None:
    assert (await ask(Application([("/", Later)]), method, "/")).body == body


def test_names_stay() -> None:
    assert Users.get.__name__ == "get"
    assert Slash.get.__qualname__ == "Slash.get"
