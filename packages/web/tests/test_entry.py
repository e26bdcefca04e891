"""An application that is called: by ASGI servers, and by functions around it."""

import inspect
from typing import Any

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPServerRequest
from zonda.web import Application, RequestHandler


class Form(RequestHandler):
    def get(self, name: str) -> None:
        self.write(f"{name} {self.get_query_argument('q', '')}")

    async def post(self, name: str) -> None:
        self.write(f"{name} {self.get_body_argument('a')}")


def test_servers_take_it_for_asgi() -> None:
    application: Any = Application()
    # What hypercorn and uvicorn ask, the latter through asyncio's function of the same name.
    assert inspect.iscoroutinefunction(application.__call__)
    assert inspect.iscoroutinefunction(Application.__call__)
    assert list(inspect.signature(application).parameters) == ["scope", "receive", "send"]
    assert (inspect.getdoc(Application.__call__) or "").startswith("Serve a request")


async def test_a_function_around_it(expect_log: Any) -> None:
    application: Any = Application([(r"/(\w+)", Form)])
    seen = []

    def around(request: HTTPServerRequest) -> None:
        seen.append((request.method, request.body))
        application(request)

    async with serve(around) as address, RawClient(address) as client:
        await client.send(b"GET /one?q=2 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await client.response()).body == b"one 2"
        await client.send(
            b"POST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"
        )
        assert (await client.response()).body == b"two b"
        await client.send(b"GET /-/no HTTP/1.1\r\nHost: h\r\n\r\n")
        with expect_log("zonda.access", "404"):
            assert (await client.response()).status == 404
    assert seen == [("GET", b""), ("POST", b"a=b"), ("GET", b"")]
