"""`HTTPServer` itself: its settings, its ways to start, who is asked."""

import asyncio
from typing import Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.routing import Router
from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
)

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def answer(request: HTTPServerRequest) -> None:
    request.connection.respond(200, "OK", HTTPHeaders(), b"ok")  # type: ignore[union-attr]


class Answering(HTTPMessageDelegate):
    def __init__(self, connection: Any, text: bytes) -> None:
        self.connection = connection
        self.text = text

    def finish(self) -> None:
        self.connection.respond(200, "OK", HTTPHeaders(), self.text)


class Delegate(HTTPServerConnectionDelegate):
    def __init__(self) -> None:
        self.closed: list[object] = []

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        return Answering(request_conn, b"start_request")

    def on_close(self, server_conn: object) -> None:
        self.closed.append(server_conn)


class Routed(Router):
    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        return Answering(request.connection, b"find_handler")


class OwnStart(Routed):
    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        return Answering(request_conn, b"own start_request")


@pytest.mark.parametrize("settings", [{}, {"xheaders": True}, {"decompress_request": True}])
@pytest.mark.parametrize(
    ("application", "body"),
    [
        (answer, b"ok"),
        (Delegate(), b"start_request"),
        (Routed(), b"find_handler"),
        (OwnStart(), b"own start_request"),
    ],
)
async def test_who_is_asked(application: Any, body: bytes, settings: dict[str, Any]) -> None:
    async with serve(application, **settings) as port, RawClient(port) as client:
        for _ in range(2):
            assert (await client(GET)).body == body


async def test_a_server_that_overrides_start_request() -> None:
    class Own(HTTPServer):
        def start_request(
            self, server_conn: object, request_conn: HTTPConnection
        ) -> HTTPMessageDelegate:
            return Answering(request_conn, b"the server's")

    server = Own(Routed())
    server.listen(0, "127.0.0.1")
    async with RawClient(port_of(server)) as client:
        assert (await client(GET)).body == b"the server's"
    server.stop()
    await server.close_all_connections()


async def test_the_delegate_hears_of_the_end() -> None:
    delegate = Delegate()
    async with serving(delegate) as server:
        async with RawClient(port_of(server)) as client:
            await client(GET)
        async with asyncio.timeout(10):
            while not delegate.closed:
                await asyncio.sleep(0)
    assert len(delegate.closed) == 1
    assert not server._connections


async def test_close_all_connections_cuts_them() -> None:
    def never(request: HTTPServerRequest) -> None:
        pass

    async with serving(never) as server, RawClient(port_of(server)) as client:
        await client.send(GET)
        async with asyncio.timeout(10):
            while not server._connections:
                await asyncio.sleep(0)
        await server.close_all_connections()
        assert not server._connections
        assert await client.closed() == b""


def test_settings_become_parameters() -> None:
    server = HTTPServer(
        answer,
        no_keep_alive=True,
        chunk_size=1,
        max_header_size=2,
        idle_connection_timeout=3,
        body_timeout=4,
        max_body_size=5,
        max_buffer_size=6,
    )
    params = server.conn_params
    assert params.no_keep_alive
    assert (params.chunk_size, params.max_header_size, params.idle_timeout) == (1, 2, 3)
    assert (params.body_timeout, params.max_body_size, server.max_buffer_size) == (4, 5, 6)
    limits = params.limits()
    assert (limits.start_line, limits.head, limits.body) == (2, 2, 5)
    assert HTTPServer(answer, max_buffer_size=7).conn_params.max_body_size == 7


def test_another_implementation_can_be_configured() -> None:
    class Other(HTTPServer):
        pass

    HTTPServer.configure(Other)
    try:
        assert type(HTTPServer(answer)) is Other
    finally:
        HTTPServer.configure(None)
    assert type(HTTPServer(answer)) is HTTPServer


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match="unknown_setting"):
        HTTPServer(answer, unknown_setting=1)


async def test_no_more_connections_than_the_limit() -> None:
    async with serve(answer, max_connections=2) as port:
        async with RawClient(port) as first, RawClient(port) as third:
            async with RawClient(port) as second:
                assert (await first(GET)).body == (await third(GET)).body == b"ok"
                await second.send(GET)  # it is connected, but waits in the backlog
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await second.response()
                await first.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                assert (await first.response()).body == b"ok"
                assert (await second.response()).body == b"ok"
                assert (await third(GET)).body == b"ok"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_lets_nobody_in(limit: int) -> None:
    with pytest.raises(ValueError, match="max_connections"):
        HTTPServer(answer, max_connections=limit)
