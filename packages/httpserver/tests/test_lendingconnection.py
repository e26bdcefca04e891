"""A handler that reads from the connection's stream, as proxies for CONNECT do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.exchange import HTTP1Exchange
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    ResponseStartLine,
)
from zonda.iostream import IOStream, StreamClosedError
from zonda.iostream.errors import AlreadyReadingError

CONNECT = b"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

Handle = Callable[[HTTP1Exchange, IOStream], Awaitable[None]]


class Application:
    """Runs one coroutine for each request; notes how it ended, and what else it was told."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.ended: asyncio.Queue[BaseException | None] = asyncio.Queue()
        self.lost = asyncio.Event()

    def __call__(self, request: HTTPServerRequest) -> None:
        exchange: Any = request.connection
        exchange.set_close_callback(self.lost.set)
        self.task = asyncio.create_task(self.run(exchange))

    async def run(self, exchange: HTTP1Exchange) -> None:
        try:
            await self.handle(exchange, exchange.stream)
        except (StreamClosedError, AlreadyReadingError) as error:
            self.ended.put_nowait(error)
        else:
            self.ended.put_nowait(None)


async def shout(exchange: HTTP1Exchange, stream: IOStream) -> None:
    """A tunnel to somebody who is hard of hearing."""
    await stream.write(ESTABLISHED)
    while True:
        await stream.write((await stream.read_bytes(4096, partial=True)).upper())


async def gone(server: HTTPServer) -> None:
    """Wait until the server has forgotten all connections."""
    async with asyncio.timeout(5):
        while server.counters.open_connections:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("early", [b"", b"early "])
async def test_a_tunnel(early: bytes) -> None:
    application = Application(shout)
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(CONNECT + early)
        assert await client.reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        await client.send(b"hello")
        expected = early.upper() + b"HELLO"
        assert await client.reader.readexactly(len(expected)) == expected
        client.writer.close()
        assert isinstance(await application.ended.get(), StreamClosedError)
        await application.lost.wait()
        await gone(server)


async def test_its_close_callback_is_the_programs() -> None:
    closed = asyncio.Event()

    async def handle(exchange: HTTP1Exchange, stream: IOStream) -> None:
        read = stream.read_until_close()
        stream.set_close_callback(closed.set)
        await stream.write(ESTABLISHED)
        await read

    application = Application(handle)
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(CONNECT)
        assert await client.reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        client.writer.close()
        await closed.wait()
        assert await application.ended.get() is None
        await gone(server)  # the deadlines' timer looks


async def test_a_response_after_all() -> None:
    async def handle(exchange: HTTP1Exchange, stream: IOStream) -> None:
        line = await stream.read_until(b"\n")
        exchange.write_headers(
            ResponseStartLine("", 200, "OK"),
            HTTPHeaders({"Content-Length": str(len(line))}),
            line.upper(),
        )
        exchange.finish()

    application = Application(handle)
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        await client.send(b"hello\n")
        answer = await client.closed()
        assert b"Connection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\nHELLO\n")
        assert await application.ended.get() is None
        client.writer.close()
        await gone(server)


async def test_a_response_while_a_read_is_pending() -> None:
    """The program goes on with the stream: it is no longer the server's."""

    async def handle(exchange: HTTP1Exchange, stream: IOStream) -> None:
        read = stream.read_bytes(5)
        exchange.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders())
        exchange.finish()
        await read
        await stream.write(b"got " + read.result())
        stream.close()

    application = Application(handle)
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert b"200 OK" in await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"hello")
        assert (await client.closed()).endswith(b"got hello")
        assert await application.ended.get() is None
        client.writer.close()
        await gone(server)


async def test_closing_the_server_ends_it() -> None:
    application = Application(shout)
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(CONNECT)
        assert await client.reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        await server.close_all_connections()
        assert isinstance(await application.ended.get(), StreamClosedError)
        client.writer.close()


async def test_not_before_the_request_is_complete() -> None:
    seen: asyncio.Queue[BaseException] = asyncio.Queue()

    class Delegate(HTTPServerConnectionDelegate, HTTPMessageDelegate):
        def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
            self.exchange = request_conn
            return self

        def headers_received(self, start_line: object, headers: HTTPHeaders) -> None:
            try:
                self.exchange.stream.read_bytes(1)
            except AlreadyReadingError as error:
                seen.put_nowait(error)

        def finish(self) -> None:
            self.exchange.respond(204, "No Content", HTTPHeaders(), b"")

    async with serving(Delegate()) as server, RawClient(port_of(server)) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n")
        await seen.get()
        assert (await client(b"ab")).status == 204
