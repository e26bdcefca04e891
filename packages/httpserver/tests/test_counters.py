"""The server's numbers."""

import asyncio
from typing import Any

from zonda.httpserver.asgi import ASGIContainer, Receive, Scope, Send
from zonda.httpserver.counters import Counters
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest
from zonda.httputil.websocket import ClientHandshake

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def answer(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    if request.path == "/raise":
        raise ValueError("on purpose")
    status = 500 if request.path == "/fail" else 200
    connection.respond(status, "", HTTPHeaders(), b"hello")


async def test_what_is_counted(expect_log: Any) -> None:
    async with serving(answer) as server:
        counters = server.counters
        assert set(counters.as_dict().values()) == {0}
        async with RawClient(port_of(server)) as client:
            for _ in range(3):
                await client(GET)
            assert counters.open_connections == 1
            assert (counters.connections, counters.requests) == (1, 3)
            assert counters.bytes_in == 3 * len(GET)
            head = b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello"
            assert counters.bytes_out == 3 * len(head)
            await client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            assert counters.requests == 4
            await client(GET.replace(b"/ ", b"/fail ", 1))
            assert (counters.errors, counters.refused) == (1, 0)
            await client(b"nonsense\r\n\r\n")
            assert (counters.errors, counters.refused, counters.requests) == (1, 1, 5)
        async with RawClient(port_of(server)) as client:
            with expect_log("zonda.application", "Uncaught exception"):
                await client(GET.replace(b"/ ", b"/raise ", 1))
            assert counters.errors == 2
    assert (counters.connections, counters.open_connections) == (2, 0)


async def test_websockets() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async with serving(ASGIContainer(app, lifespan="off")) as server:
        counters = server.counters
        async with RawClient(port_of(server)) as client:
            fields = "".join(f"{n}: {v}\r\n" for n, v in ClientHandshake().headers().get_all())
            await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
            await client.reader.readuntil(b"\r\n\r\n")
            assert (counters.open_connections, counters.open_websockets) == (0, 1)
        async with asyncio.timeout(10):
            while counters.open_websockets:
                await asyncio.sleep(0.001)


def test_alone() -> None:
    assert Counters().as_dict()["open_connections"] == 0
