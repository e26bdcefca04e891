"""What a handler finds when it is made for a request: its path's groups, and a malformed form."""

from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPInputError
from zonda.web import CORS, Application, HTTPError, RequestHandler

if TYPE_CHECKING:
    from conftest import ExpectLog


class Path(RequestHandler):
    def decode_argument(self, value: bytes | None, name: str | None = None) -> str:
        return "nothing" if value is None else super().decode_argument(value, name)

    def check_xsrf_cookie(self) -> None:
        self.known = [list(self.path_args), dict(self.path_kwargs)]

    def prepare(self) -> None:
        self.path_args.append("more")
        self.path_kwargs.setdefault("more", "1")

    def post(self, *args: str, **kwargs: str) -> None:
        self.write({"known": self.known, "args": args, "kwargs": kwargs})


class Page(RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("X-Default", "1")

    def post(self) -> None:
        raise AssertionError("not called")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"own": status_code, "kind": kwargs["exc_info"][0].__name__})


async def answers(handler: Any, *requests: bytes, pattern: str = "/.*") -> list[Any]:
    async with serve(Application([(pattern, handler)], xsrf_cookies=True)) as port:
        async with RawClient(port) as client:
            found = []
            for request in requests:
                await client.send(request)
                found.append(await client.response("POST"))
            return found


@pytest.mark.parametrize(
    ("pattern", "known", "args", "kwargs"),
    [
        ("/(.)/(x)?", '[["a", "nothing"], {}]', '["a", "nothing", "more"]', '{"more": "1"}'),
        ("/(?P<n>.)/", '[[], {"n": "a"}]', '["more"]', '{"n": "a", "more": "1"}'),
        ("/a/", "[[], {}]", '["more"]', '{"more": "1"}'),
    ],
)
async def test_groups_belong_to_one_request(
    pattern: str, known: str, args: str, kwargs: str
) -> None:
    # Known to check_xsrf_cookie, and what prepare does to them is not there the next time.
    request = b"POST /a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    for response in await answers(Path, request, request, pattern=pattern):
        expected = f'{{"known": {known}, "args": {args}, "kwargs": {kwargs}}}'
        assert response.body.decode() == expected


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=B", b"--B\r\nno end"),
        ("multipart/form-data", b"--B--"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 1001)),
    ],
)
async def test_a_malformed_form_gets_the_handlers_own_page(
    kind: str, body: bytes, expect_log: "ExpectLog"
) -> None:
    class Asking(Page):
        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.set_header("X-Asked", self.get_argument("q") + self.get_argument("a", "none"))
            super().write_error(status_code, **kwargs)

    line = "POST /?q=1 HTTP/1.1"
    head = f"{line}\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    with expect_log("zonda", r"400 POST /\?q=1 "):  # one line
        (response,) = await answers(Asking, head.encode() + b"\r\n" + body)
    assert (response.status, response.headers["X-Default"]) == (400, "1")
    assert response.headers["X-Asked"] == "1none"
    assert response.body == b'{"own": 400, "kind": "HTTPError"}'


class Form(Page):
    def prepare(self) -> None:
        raise AssertionError("not called")

    async def _execute(self, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("not called")


async def test_a_malformed_form_is_seen_by_middleware_and_cors(expect_log: "ExpectLog") -> None:
    seen: list[tuple[str, object]] = []

    async def note(handler: RequestHandler, proceed: Any) -> None:
        try:
            await proceed()
        except HTTPError as error:
            seen.append((str(error), type(error.__cause__)))
            raise

    application = Application(
        [("/(.*)", Form)], middleware=[note], cors=CORS(origins=["http://a.example"])
    )
    request = (
        b"POST /path HTTP/1.1\r\nHost: a\r\nOrigin: http://a.example\r\n"
        b"Content-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\n--B--"
    )
    async with serve(application) as port, RawClient(port) as client:
        with expect_log("zonda", "400 POST /path "):
            await client.send(request)
            response = await client.response("POST")
    assert response.status == 400
    assert response.headers["Access-Control-Allow-Origin"] == "http://a.example"
    [(text, cause)] = seen
    assert cause == HTTPInputError
    assert "Invalid body" in text
