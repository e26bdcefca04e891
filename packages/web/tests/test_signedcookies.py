"""Signed cookies, users and cookie clearing, as handlers use them."""

from typing import Any

import pytest

from zonda.web import Application, RequestHandler, create_signed_value, decode_signed_value


class Counter(RequestHandler):
    def get(self) -> None:
        value = self.get_signed_cookie("n")
        count = int(value or 0) + 1
        self.set_signed_cookie("n", str(count), httponly=True)
        self.write({"n": count, "key": self.get_signed_cookie_key_version("n")})

    def post(self) -> None:
        self.set_secure_cookie("n", b"\xff\x00", None)
        given = self.get_argument("given", None)
        value = self.get_secure_cookie("n", given, max_age_days=1, min_version=2)
        self.write({"value": None if value is None else value.decode("latin-1")})


def cookie_of(response: Any) -> str:
    name, _, rest = response.headers["Set-Cookie"].partition("=")
    value = rest.partition(";")[0].strip('"')
    return f"{name}={value}"


async def test_round_trip(ask: Any) -> None:
    application = Application([("/", Counter)], cookie_secret="secret")
    first = await ask(application, "GET", "/")
    assert first.body == b'{"n": 1, "key": null}'
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert "expires=" in first.headers["Set-Cookie"]
    # In quotes, as it has been sent, or without.
    quoted = first.headers["Set-Cookie"].partition(";")[0]
    assert '"' in quoted
    for cookie in (quoted, cookie_of(first)):
        second = await ask(application, "GET", "/", f"Cookie: {cookie}")
        assert second.body == b'{"n": 2, "key": 0}'


async def test_what_is_forged_is_none(ask: Any) -> None:
    application = Application([("/", Counter)], cookie_secret="secret")
    forged = create_signed_value("other", "n", "41").decode()
    renamed = create_signed_value("secret", "m", "41").decode()
    for value in (forged, renamed, "41", "", "2|", "\\"):
        response = await ask(application, "GET", "/", f"Cookie: n={value}")
        assert b'"n": 1,' in response.body


async def test_bytes_and_sessions(ask: Any) -> None:
    application = Application([("/", Counter)], cookie_secret=b"secret")
    response = await ask(application, "POST", "/")
    assert "expires" not in response.headers["Set-Cookie"]
    signed = cookie_of(response).partition("=")[2]
    assert decode_signed_value("secret", "n", signed) == b"\xff\x00"
    # A value that came by other means; format 1 is too old by min_version.
    for version, expected in ((2, b'{"value": "v"}'), (1, b'{"value": null}')):
        given = create_signed_value("secret", "n", "v", version=version).decode()
        response = await ask(
            application,
            "POST",
            "/",
            "Content-Type: application/x-www-form-urlencoded",
            body=f"given={given.replace('=', '%3D')}".encode(),
        )
        assert response.body == expected


async def test_key_rotation(ask: Any) -> None:
    old = Application([("/", Counter)], cookie_secret={0: "a"}, key_version=0)
    new = Application([("/", Counter)], cookie_secret={0: "a", 1: "b"}, key_version=1)
    last = Application([("/", Counter)], cookie_secret={1: "b"}, key_version=1)
    first = cookie_of(await ask(old, "GET", "/"))
    second = await ask(new, "GET", "/", f"Cookie: {first}")
    assert second.body == b'{"n": 2, "key": 0}'
    third = await ask(last, "GET", "/", f"Cookie: {cookie_of(second)}")
    assert third.body == b'{"n": 3, "key": 1}'
    forgotten = await ask(last, "GET", "/", f"Cookie: {first}")
    assert forgotten.body == b'{"n": 1, "key": 0}'


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({}, "cookie_secret"), ({"cookie_secret": {0: "a"}}, "key_version")],
)
async def test_settings_that_are_missing(
    ask: Any, expect_log: Any, settings: dict[str, Any], missing: str
) -> None:
    with (
        expect_log("zonda.application", "Uncaught") as records,
        expect_log("zonda.access"),
    ):
        assert (await ask(Application([("/", Counter)], **settings), "GET", "/")).status == 500
    assert missing in str(records[0].exc_info[1])


async def test_current_user_is_asked_once_and_may_be_set(ask: Any) -> None:
    asked = []

    class Users(RequestHandler):
        def get_current_user(self) -> str | None:
            asked.append(self.request.path)
            return None

        def get(self) -> None:
            assert self.current_user is None
            assert self.current_user is None
            self.current_user = "ann"
            self.write(self.current_user)

    assert (await ask(Application([("/", Users)]), "GET", "/")).body == b"ann"
    assert asked == ["/"]


async def test_clearing(ask: Any) -> None:
    class Clear(RequestHandler):
        def get(self) -> None:
            self.clear_all_cookies("/x", "a.example")

        def post(self) -> None:
            self.clear_cookie("a", "/y", "b.example", secure=True, samesite="Lax")
            with pytest.raises(TypeError):
                self.clear_cookie("a", expires=5)

    application = Application([("/", Clear)])
    response = await ask(application, "GET", "/", "Cookie: u=1; v=2")
    lines = response.headers.get_list("Set-Cookie")
    assert [line[:2] for line in lines] == ["u=", "v="]
    assert all("Domain=a.example" in line and "Path=/x" in line for line in lines)
    line = (await ask(application, "POST", "/")).headers["Set-Cookie"]
    for part in ("Domain=b.example", "Path=/y", "Secure", "SameSite=Lax", "expires="):
        assert part in line
