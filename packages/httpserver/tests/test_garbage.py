"""Requests leave nothing to the garbage collector: its cost would grow with idle connections."""

import asyncio
import gc
from typing import Any

import pytest

from zonda.httpserver.asgi import ASGIContainer, Receive, Scope, Send
from zonda.httpserver.testing import RawClient, serve
from zonda.httpserver.wsgi import WSGIContainer
from zonda.httputil import HTTPHeaders, HTTPServerRequest

REQUESTS = 200


def plain(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    connection.respond(200, "OK", HTTPHeaders({"Server": "Zonda"}), request.body or b"hi")


def later(request: HTTPServerRequest) -> None:
    asyncio.get_running_loop().call_soon(plain, request)


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass
    if scope["path"] == "/wait":
        await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"hi"})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hi"]


APPLICATIONS: dict[str, Any] = {
    "plain": plain,
    "later": later,
    "ASGI": ASGIContainer(asgi, lifespan="off"),
    "WSGI": WSGIContainer(wsgi),
}


@pytest.mark.parametrize("path", ["/", "/wait"])
@pytest.mark.parametrize("body", [b"", b"x" * 10, b"x" * 100_000])
@pytest.mark.parametrize("name", APPLICATIONS)
async def test_no_garbage(name: str, path: str, body: bytes) -> None:
    request = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with serve(APPLICATIONS[name]) as port, RawClient(port) as client:
        for _ in range(5):
            await client(request + body)
        gc.collect()
        gc.disable()
        try:
            for _ in range(REQUESTS):
                await client(request + body)
            # Of the client here, which is asyncio's, too: less than an object a request.
            assert gc.collect() < REQUESTS // 2
        finally:
            gc.enable()
