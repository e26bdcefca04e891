"""XSRF tokens: how they are written and read, what is checked, and both ways with Tornado."""

import re
from http.cookies import SimpleCookie
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web import Application, RequestHandler
from zonda.web.xsrf import XsrfToken, new_token, parse_token

TOKEN = XsrfToken(b"abcd", 1300000000, None)
# The same token in all its forms.
FORMS = ["61626364", "2|00000000|61626364|1", "2|01010101|60636265|1300000000", "abcd"]


@pytest.mark.parametrize("text", FORMS)
def test_parse(text: str) -> None:
    token = parse_token(text)
    assert token is not None
    # Four hexadecimal digits are two bytes.
    assert token.matches(XsrfToken(b"\xab\xcd", 0, None) if text == "abcd" else TOKEN)
    assert token.version == (2 if "|" in text else 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2|",
        "2|zz",
        "2|00000000|61626364|x",
        "2|00000000|6162636|1",
        "2|0000|61626364|1",
        "2|00000000|61626364|1|1",
        "2|00000000||1",
        "3|00000000|61626364|1",
        "2|00000000|61626364|" + "1" * 5000,
        "2|00000000|" + "61" * 5000 + "|1",
        "2|\u0660\u0660000000|61626364|1",
    ],
)
def test_what_is_no_token(text: str) -> None:
    assert parse_token(text) is None


@given(st.text())
def test_nothing_raises(text: str) -> None:
    parse_token(text)


@pytest.mark.parametrize("version", [1, 2])
def test_round_trip(version: int) -> None:
    token = new_token()
    for _ in range(50):
        again = parse_token(token.format(version).decode())
        assert again is not None
        assert again.matches(token)
    assert not token.matches(new_token())
    with pytest.raises(ValueError, match="version 3"):
        token.format(3)


def test_masked_afresh() -> None:
    assert len({new_token().token for _ in range(50)}) == 50
    token = new_token()
    texts = {token.format(2) for _ in range(50)}
    assert len(texts) > 45
    # Nothing of the secret shows.
    assert len({text.split(b"|")[2][:8] for text in texts}) > 45


class Form(RequestHandler):
    def get(self) -> None:
        self.write(self.xsrf_form_html())
        assert self.xsrf_token == self.xsrf_token

    def post(self) -> None:
        self.write("ok")

    put = patch = delete = options = head = post


def application(**settings: Any) -> Application:
    return Application([("/", Form)], xsrf_cookies=True, **settings)


def token_of(body: bytes) -> str:
    match = re.fullmatch(rb'<input type="hidden" name="_xsrf" value="([0-9a-f|]+)"/>', body)
    assert match is not None
    return match[1].decode()


async def test_form_and_cookie(ask: Any) -> None:
    page = await ask(application(), "GET", "/")
    token = token_of(page.body)
    cookie = page.headers["Set-Cookie"]
    assert re.fullmatch(r"_xsrf=2\|[0-9a-f]{8}\|[0-9a-f]{32}\|[0-9]{10}; Path=/", cookie)
    field = "Cookie: " + cookie.partition(";")[0]
    # Fetched again: no new cookie, another text.
    again = await ask(application(), "GET", "/", field)
    assert "Set-Cookie" not in again.headers
    assert token_of(again.body) != token
    for text in (token, token_of(again.body)):
        for extra in (
            {"target": f"/?_xsrf={text}"},
            {"field": f"X-Xsrftoken: {text}"},
            {"field": f"X-Csrftoken: {text}"},
        ):
            fields = [field, *([extra["field"]] if "field" in extra else [])]
            response = await ask(application(), "POST", extra.get("target", "/"), *fields)
            assert (response.status, response.body) == (200, b"ok")
    body = f"_xsrf={text}".encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    assert (await ask(application(), "POST", "/", field, kind, body=body)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/", []),
        ("/", ["Cookie: _xsrf=61626364"]),
        ("/?_xsrf=61626364", []),
        ("/?_xsrf=61626365", ["Cookie: _xsrf=61626364"]),
        ("/?_xsrf=", ["Cookie: _xsrf="]),
        ("/?_xsrf=2|zz", ["Cookie: _xsrf=61626364"]),
        ("/?_xsrf=2|00000000|61626364|1", ["Cookie: _xsrf=2|00000000|61626364|x"]),
        # No header exempts (Tornado 1.1.1).
        ("/", ["X-Requested-With: XMLHttpRequest"]),
        ("/", ["Content-Type: application/json"]),
        # A cookie inside another's value is none (Tornado 4.4.2).
        ("/?_xsrf=61626364", ['Cookie: a="b, _xsrf=61626364"']),
        ("/?_xsrf=61626364", ["Cookie: a=[b _xsrf=61626364]"]),
    ],
)
async def test_refused(
    ask: Any, expect_log: Any, method: str, target: str, fields: list[str]
) -> None:
    with expect_log("zonda.general", f"403 {method} /.*XSRF"), expect_log("zonda.access"):
        response = await ask(application(), method, target, *fields)
    assert response.status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_methods_that_change_nothing(ask: Any, method: str) -> None:
    assert (await ask(application(), method, "/")).status == 200


async def test_off_unless_asked_for(ask: Any) -> None:
    assert (await ask(Application([("/", Form)]), "POST", "/")).status == 200


async def test_unknown_paths_are_404_all_the_same(ask: Any, expect_log: Any) -> None:
    with expect_log("zonda.access", "404 POST /nope"):
        assert (await ask(application(), "POST", "/nope")).status == 404


async def test_settings(ask: Any) -> None:
    settings = {
        "xsrf_cookie_version": 1,
        "xsrf_cookie_name": "__Host-x",
        "xsrf_cookie_kwargs": {"secure": True, "httponly": True, "samesite": "Strict"},
    }
    page = await ask(application(**settings), "GET", "/")
    token = token_of(page.body)
    assert re.fullmatch("[0-9a-f]{32}", token)
    cookie = SimpleCookie(page.headers["Set-Cookie"])["__Host-x"]
    assert cookie.value == token
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    field = f"Cookie: __Host-x={token}"
    assert (await ask(application(**settings), "POST", f"/?_xsrf={token}", field)).status == 200


async def test_the_cookie_of_a_user_outlasts_the_session(ask: Any) -> None:
    class Users(Form):
        def get_current_user(self) -> str:
            return "ann"

    page = await ask(Application([("/", Users)]), "GET", "/")
    assert "expires=" in page.headers["Set-Cookie"]


async def test_a_hook_may_exempt(ask: Any) -> None:
    class Exempt(Form):
        def check_xsrf_cookie(self) -> None:
            pass

    assert (await ask(Application([("/", Exempt)], xsrf_cookies=True), "POST", "/")).status == 200


async def test_checked_before_prepare(ask: Any, expect_log: Any) -> None:
    class Prepared(Form):
        def prepare(self) -> None:
            raise AssertionError("not to be called")

    with expect_log("zonda.general"), expect_log("zonda.access", "403"):
        await ask(Application([("/", Prepared)], xsrf_cookies=True), "POST", "/")


def tornado_web() -> ModuleType:
    tornado: ModuleType = pytest.importorskip("tornado.web")
    if tornado.RequestHandler is RequestHandler:
        pytest.skip("the drop-in is switched on")
    return tornado


@pytest.mark.parametrize("version", [1, 2])
def test_both_ways_with_tornado(version: int) -> None:
    theirs = tornado_web()
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine  # noqa: PLC0415

    class Connection:
        def set_close_callback(self, callback: object) -> None:
            pass

    def handler(**fields: str) -> Any:
        headers = HTTPHeaders({"Host": "a", **{k.replace("_", "-"): v for k, v in fields.items()}})
        request = HTTPServerRequest(
            connection=Connection(),
            headers=headers,
            start_line=RequestStartLine("POST", "/", "HTTP/1.1"),
        )
        return theirs.RequestHandler(theirs.Application(xsrf_cookie_version=version), request)

    ours = new_token()
    for cookie_version in (1, 2):
        cookie = ours.format(cookie_version).decode()
        # Our cookie and our token are theirs, and what they make of our cookie is ours.
        handler(Cookie=f"_xsrf={cookie}", X_Xsrftoken=ours.format(version).decode())
        their = handler(Cookie=f"_xsrf={cookie}", X_Xsrftoken=ours.format(version).decode())
        their.check_xsrf_cookie()
        token = parse_token(their.xsrf_token.decode())
        assert token is not None
        assert token.matches(ours)
