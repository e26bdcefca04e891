"""The handlers that come with the framework."""

from typing import Any

import pytest

from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from zonda.web import Application, ErrorHandler, FallbackHandler, RedirectHandler

RULES: list[Any] = [
    (r"/r/(.*)", RedirectHandler, {"url": "{0}"}),
    (r"/q/(.*)", RedirectHandler, {"url": "/x/{0}", "permanent": False}),
    (r"/h/(.*)", RedirectHandler, {"url": "http://{0}/y"}),
    (r"/k/(?P<name>.*)", RedirectHandler, {"url": "/x?n={name}"}),
    (r"/s/(.*)", RedirectHandler, {"url": "https://b.example/{0}"}),
    (r"/e", ErrorHandler, {"status_code": 402}),
]


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/r/foo", 301, "foo"),
        ("/r//foo", 301, "/foo"),
        ("/q/foo?a=1&a=2&b=", 302, "/x/foo?a=1&a=2&b="),
        ("/q//evil", 302, "/x//evil"),
        ("/q/f%20o%C3%A9?a=%C3%A9%20", 302, "/x/f%20o%C3%A9?a=%C3%A9+"),
        ("/k/foo?z=1", 301, "/x?n=foo&z=1"),
        ("/s/foo", 301, "https://b.example/foo"),
        ("/s//evil.example", 301, "https://b.example//evil.example"),
        # What would change scheme or authority is refused.
        ("/r///evil.example", 400, None),
        ("/r//%5Cevil.example", 400, None),
        ("/r/%09//evil.example", 400, None),
        ("/r/%5C%5Cevil.example", 400, None),
        ("/r/%20//evil.example", 400, None),
        ("/r/https://evil.example", 400, None),
        ("/r/javascript:alert(1)", 400, None),
        ("/r/%0d%0aX:1", 400, None),
        ("/h/evil.example", 400, None),
        ("/r/http://[::1/", 400, None),
        ("/r/%ff", 400, None),
    ],
)
async def test_redirects(
    ask: Any, caplog: pytest.LogCaptureFixture, target: str, status: int, location: str | None
) -> None:
    response = await ask(Application(RULES), "GET", target)
    caplog.clear()
    assert (response.status, response.headers.get("Location")) == (status, location)


async def test_redirects_are_for_get(ask: Any, expect_log: Any) -> None:
    with expect_log("zonda.access", "405"):
        assert (await ask(Application(RULES), "POST", "/q/x")).status == 405


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_errors(ask: Any, expect_log: Any, method: str) -> None:
    application = Application(RULES, xsrf_cookies=True, cross_origin_protection=True)
    with expect_log("zonda.access", "402"):
        response = await ask(application, method, "/e")
    assert (response.status, response.reason) == (402, "Payment Required")


async def test_fallback(ask: Any) -> None:
    ended = []

    def other(request: HTTPServerRequest) -> None:
        connection = request.connection
        assert connection is not None
        connection.write_headers(
            ResponseStartLine("HTTP/1.1", 200, "OK"),
            HTTPHeaders({"Content-Length": str(len(request.body))}),
            request.body,
        )
        connection.finish()

    class Fallback(FallbackHandler):
        def on_finish(self) -> None:
            ended.append(self.request.path)

    application = Application([(r"/.*", Fallback, {"fallback": other})])
    assert (await ask(application, "POST", "/a", body=b"hello")).body == b"hello"
    assert ended == ["/a"]
