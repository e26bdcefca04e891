"""CORS: which responses other sites may read, and how preflights are answered."""

from typing import Any

import pytest

from zonda.web import CORS, Application, HTTPError, RequestHandler

GOOD = "https://good.example"
EVIL = "https://evil.example"
NAMED = CORS(origins=[GOOD], origin_pattern=r"https://[a-z]+\.good\.example", expose=["X-Total"])
FOR_ALL = CORS(origins="*")


class Things(RequestHandler):
    def get(self) -> None:
        self.write("things")

    def post(self) -> None:
        self.write("made")

    def put(self) -> None:
        raise HTTPError(409)

    def options(self) -> None:
        self.write("own options")


def allowed(response: Any) -> str | None:
    value: str | None = response.headers.get("Access-Control-Allow-Origin")
    return value


@pytest.mark.parametrize(
    ("cors", "origin", "expected"),
    [
        (NAMED, GOOD, GOOD),
        (NAMED, "https://a.good.example", "https://a.good.example"),
        (NAMED, "https://a.good.example.evil.example", None),
        (NAMED, EVIL, None),
        (NAMED, "null", None),
        (NAMED, None, None),
        (FOR_ALL, EVIL, "*"),
        (FOR_ALL, None, "*"),
    ],
)
async def test_responses(ask: Any, cors: CORS, origin: str | None, expected: str | None) -> None:
    fields = [] if origin is None else [f"Origin: {origin}"]
    response = await ask(Application([("/", Things)], cors=cors), "GET", "/", *fields)
    assert (response.body, allowed(response)) == (b"things", expected)
    # A cache must not mix answers up.
    assert response.headers.get("Vary") == (None if cors is FOR_ALL else "Origin")
    exposed = "X-Total" if expected and cors is NAMED else None
    assert response.headers.get("Access-Control-Expose-Headers") == exposed
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_errors_can_be_read(ask: Any, expect_log: Any) -> None:
    application = Application([("/", Things)], cors=NAMED)
    for method, target, status in (("PUT", "/", 409), ("GET", "/nope", 404)):
        with expect_log("zonda.access", str(status)):
            response = await ask(application, method, target, f"Origin: {GOOD}")
        assert (response.status, allowed(response)) == (status, GOOD)


def preflight(origin: str, method: str = "PUT", *names: str) -> list[str]:
    fields = [f"Origin: {origin}", f"Access-Control-Request-Method: {method}"]
    return fields + [f"Access-Control-Request-Headers: {name}" for name in names]


async def test_preflight(ask: Any) -> None:
    application = Application(
        [("/", Things)], cors=NAMED, xsrf_cookies=True, cross_origin_protection=True
    )
    response = await ask(application, "OPTIONS", "/", *preflight(GOOD))
    assert (response.status, response.body, allowed(response)) == (204, b"", GOOD)
    headers = response.headers
    assert headers["Access-Control-Allow-Methods"] == "DELETE, PATCH, PUT"
    assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, X-Xsrftoken"
    assert headers["Access-Control-Max-Age"] == "600"
    assert headers["Vary"] == "Origin"


async def test_preflight_of_others(ask: Any) -> None:
    response = await ask(Application([("/", Things)], cors=NAMED), "OPTIONS", "/", *preflight(EVIL))
    assert (response.status, allowed(response)) == (204, None)
    assert "Access-Control-Allow-Methods" not in response.headers


async def test_preflight_needs_no_route(ask: Any) -> None:
    application = Application([("/", Things)], cors=NAMED)
    response = await ask(application, "OPTIONS", "/nope", *preflight(GOOD))
    assert (response.status, allowed(response)) == (204, GOOD)


async def test_ordinary_options_reach_the_handler(ask: Any) -> None:
    application = Application([("/", Things)], cors=NAMED)
    response = await ask(application, "OPTIONS", "/", f"Origin: {GOOD}")
    assert (response.body, allowed(response)) == (b"own options", GOOD)


async def test_any_header(ask: Any) -> None:
    cors = CORS(origins=[GOOD], headers=["*"], credentials=True, max_age=5)
    application = Application([("/", Things)], cors=cors)
    response = await ask(application, "OPTIONS", "/", *preflight(GOOD, "PUT", "x-a, X-B"))
    assert response.headers["Access-Control-Allow-Headers"] == "x-a, X-B"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert response.headers["Access-Control-Max-Age"] == "5"
    assert response.headers["Vary"] == "Origin, Access-Control-Request-Headers"
    strange = await ask(application, "OPTIONS", "/", *preflight(GOOD, "PUT", "a b; c"))
    assert "Access-Control-Allow-Headers" not in strange.headers


async def test_a_handler_may_decide_itself(ask: Any) -> None:
    class Own(Things):
        def set_default_headers(self) -> None:
            self.set_header("Access-Control-Allow-Origin", EVIL)

    response = await ask(Application([("/", Own)], cors=NAMED), "GET", "/", f"Origin: {GOOD}")
    assert allowed(response) == EVIL


async def test_reading_is_not_sending(ask: Any, expect_log: Any) -> None:
    application = Application([("/", Things)], cors=NAMED, cross_origin_protection=True)
    with expect_log("zonda.general", "403"), expect_log("zonda.access"):
        response = await ask(application, "POST", "/", f"Origin: {GOOD}")
    assert (response.status, allowed(response)) == (403, GOOD)


async def test_nothing_without_the_setting(ask: Any) -> None:
    application = Application([("/", Things)])
    assert application.transforms == []
    assert allowed(await ask(application, "GET", "/", f"Origin: {GOOD}")) is None


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="by name"):
        CORS(origins="*", credentials=True)
    with pytest.raises(ValueError, match="by name"):
        CORS(origins=["null"], credentials=True)
    with pytest.raises(ValueError, match="all sites"):
        CORS(origins=["*"])
    with pytest.raises(ValueError, match="a list"):
        CORS(origins=GOOD)
