"""A connection that switches to another protocol stays in the care of the server."""

import asyncio
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httpserver.upgrades import Forget
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from zonda.iostream import IOStream

UPGRADE = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n"


class Shouting:
    """A protocol of one direction: what comes goes back in capitals."""

    stream: IOStream
    forget: Forget

    def __init__(self) -> None:
        self.drained = False

    def drain(self) -> None:
        self.drained = True
        self.stream.send(b"BYE")
        self.stream.close_when_flushed()

    def abort(self) -> None:
        self.stream.abort()

    def data_received(self, data: bytes) -> None:
        self.stream.send(data.upper())

    def eof_received(self) -> None:
        self.stream.close()

    def connection_lost(self, error: BaseException | None) -> None:
        self.forget(self)

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


class Application:
    """Upgrades every request, at once or when told to."""

    def __init__(self) -> None:
        self.shouting: list[Shouting] = []
        self.requests: list[HTTPServerRequest] = []

    def __call__(self, request: HTTPServerRequest) -> None:
        self.requests.append(request)
        if request.path == "/":
            self.upgrade(request)

    def upgrade(self, request: HTTPServerRequest) -> None:
        connection: Any = request.connection
        fields = HTTPHeaders({"Connection": "Upgrade", "Upgrade": "shout"})
        connection.write_headers(ResponseStartLine("HTTP/1.1", 101, "Switching"), fields)
        successor = Shouting()
        successor.stream, successor.forget = connection.upgrade(successor)
        successor.stream.set_sink(successor)
        self.shouting.append(successor)


async def head(client: RawClient) -> bytes:
    return await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 10)


async def test_what_follows_the_request_goes_to_the_successor() -> None:
    application = Application()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(UPGRADE + b"early ")
        assert b" 101 " in await head(client)
        await client.send(b"late")
        assert await client.reader.readexactly(10) == b"EARLY LATE"
        assert not server._connections
        assert len(server._upgraded) == 1
        connection: Any = application.requests[0].connection
        assert connection.stream is application.shouting[0].stream
        assert connection.finished


@pytest.mark.parametrize("how", ["client", "drain", "close_all_connections", "both"])
async def test_the_end(how: str) -> None:
    application = Application()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(UPGRADE)
        await head(client)
        (shouting,) = application.shouting
        if how == "client":
            client.writer.write_eof()
        elif how == "both":
            await asyncio.gather(server.drain(), server.close_all_connections())
        else:
            await asyncio.wait_for(getattr(server, how)(), 10)
        rest = await client.closed()
        if how != "both":
            assert shouting.drained is (how == "drain")
        if how == "drain":
            assert rest == b"BYE"
        while server._upgraded:
            await asyncio.sleep(0)


async def test_one_that_switches_while_the_server_drains() -> None:
    application = Application()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(UPGRADE.replace(b"/ ", b"/later ", 1))
        while not application.requests:
            await asyncio.sleep(0)
        draining = asyncio.ensure_future(server.drain())
        await asyncio.sleep(0)
        application.upgrade(application.requests[0])
        await head(client)
        assert await client.closed() == b"BYE"
        await asyncio.wait_for(draining, 10)
