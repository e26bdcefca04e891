"""Zonda's WebSockets against other people's, and against each other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zonda.httpclient import HTTPRequest
from zonda.httpclient.websocket import websocket_connect
from zonda.httpserver.testing import port_of, serve, serving
from zonda.web import Application
from zonda.web import websocket as web_websocket
from zonda.web.websocket import WebSocketHandler

TIMEOUT = 20.0
MESSAGES: list[str | bytes] = [
    "",
    b"",
    "hello",
    b"\x00\xff",
    "é€😀" * 100,
    "x" * 126,
    b"y" * 65535,
    b"y" * 65536,
    "a" * 300_000,
    "end",
]


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "echo" if "echo" in subprotocols else None

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    async def on_message(self, message: str | bytes) -> None:
        if message == "close":
            self.close(4000, "asked")
        else:
            await self.write_message(message, isinstance(message, bytes))


@pytest.mark.parametrize("deflate", [False, True])
async def test_client_of_websockets(deflate: bool) -> None:
    client = pytest.importorskip("websockets.asyncio.client")
    compression = "deflate" if deflate else None
    async with serve(Application([("/", Echo)])) as port:
        async with client.connect(
            f"ws://127.0.0.1:{port}/", subprotocols=["other", "echo"], compression=compression
        ) as peer:
            assert peer.subprotocol == "echo"
            assert bool(peer.protocol.extensions) is deflate
            for message in MESSAGES:
                await peer.send(message)
                assert await peer.recv() == message
            await peer.send(["in ", "three ", "fragments"])
            assert await peer.recv() == "in three fragments"
            await asyncio.wait_for(await peer.ping(b"x"), TIMEOUT)
            await peer.send("close")
            await asyncio.wait_for(peer.wait_closed(), TIMEOUT)
            assert (peer.close_code, peer.close_reason) == (4000, "asked")


@pytest.mark.parametrize("deflate", [False, True])
async def test_client_of_aiohttp(deflate: bool) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    async with serve(Application([("/", Echo)])) as port, aiohttp.ClientSession() as session:
        async with session.ws_connect(
            f"http://127.0.0.1:{port}/", protocols=["echo"], compress=15 if deflate else 0
        ) as peer:
            assert peer.protocol == "echo"
            for message in MESSAGES:
                if isinstance(message, str):
                    await peer.send_str(message)
                    assert await peer.receive_str(timeout=TIMEOUT) == message
                else:
                    await peer.send_bytes(message)
                    assert await peer.receive_bytes(timeout=TIMEOUT) == message
            await peer.send_str("close")
            await asyncio.wait_for(peer.receive(), TIMEOUT)
            assert peer.close_code == 4000


@pytest.mark.parametrize("deflate", [False, True])
async def test_client_of_wsproto(deflate: bool) -> None:
    wsproto = pytest.importorskip("wsproto")
    events = pytest.importorskip("wsproto.events")
    extensions = pytest.importorskip("wsproto.extensions")
    peer = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    async with serve(Application([("/", Echo)])) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def next_events() -> list[Any]:
            peer.receive_data(await asyncio.wait_for(reader.read(65536), TIMEOUT) or None)
            return list(peer.events())

        request = events.Request(
            host=f"127.0.0.1:{port}",
            target="/",
            subprotocols=["echo"],
            extensions=[extensions.PerMessageDeflate()] if deflate else [],
        )
        writer.write(peer.send(request))
        (accepted,) = await next_events()
        assert isinstance(accepted, events.AcceptConnection)
        assert accepted.subprotocol == "echo"
        assert bool(accepted.extensions) is deflate
        for message in MESSAGES:
            writer.write(peer.send(events.Message(data=message)))
            got: list[Any] = []
            while not got or not got[-1].message_finished:
                got += await next_events()
            assert type(message)().join(event.data for event in got) == message
        writer.write(peer.send(events.CloseConnection(code=1001, reason="bye")))
        (closed,) = await next_events()
        assert isinstance(closed, events.CloseConnection)
        assert closed.code == 1001
        writer.close()


async def converse(connection: Any) -> None:
    for message in MESSAGES:
        await connection.write_message(message, isinstance(message, bytes))
        assert await asyncio.wait_for(connection.read_message(), TIMEOUT) == message
    connection.close(1000, "enough")
    assert await asyncio.wait_for(connection.read_message(), TIMEOUT) is None
    assert connection.close_code == 1000


@pytest.mark.parametrize("deflate", [False, True])
async def test_server_of_websockets(deflate: bool) -> None:
    server = pytest.importorskip("websockets.asyncio.server")

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    compression = "deflate" if deflate else None
    async with server.serve(
        echo, "127.0.0.1", 0, subprotocols=["echo"], compression=compression
    ) as running:
        port = running.sockets[0].getsockname()[1]
        connection = await websocket_connect(
            f"ws://127.0.0.1:{port}/",
            subprotocols=["echo"],
            compression_options={} if deflate else None,
            ping_interval=10,
        )
        assert connection.selected_subprotocol == "echo"
        await converse(connection)


@asynccontextmanager
async def aiohttp_echo() -> AsyncIterator[int]:
    web = pytest.importorskip("aiohttp.web")

    async def echo(request: Any) -> Any:
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            if isinstance(message.data, str):
                await response.send_str(message.data)
            else:
                await response.send_bytes(message.data)
        return response

    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("deflate", [False, True])
async def test_server_of_aiohttp(deflate: bool) -> None:
    async with aiohttp_echo() as port:
        options: dict[str, Any] | None = {} if deflate else None
        connection = await websocket_connect(f"ws://127.0.0.1:{port}/", compression_options=options)
        await converse(connection)


@pytest.mark.parametrize("options", [None, {}, {"server_no_context_takeover": True}])
async def test_both_our_own(options: dict[str, Any] | None) -> None:
    async with serving(Application([("/", Echo)])) as server:
        url = f"ws://127.0.0.1:{port_of(server)}/"
        connection = await websocket_connect(url, compression_options=options)
        await converse(connection)
        other = await websocket_connect(url)
        draining = asyncio.ensure_future(server.drain())
        assert await asyncio.wait_for(other.read_message(), TIMEOUT) is None
        assert other.close_code == 1001
        await asyncio.wait_for(draining, TIMEOUT)


async def test_over_tls() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    async with serve(Application([("/", Echo)]), ssl_options=server_side) as port:
        request = HTTPRequest(f"wss://localhost:{port}/", ssl_options=client_side)
        await converse(await websocket_connect(request))


def test_the_client_through_the_web_module() -> None:
    assert web_websocket.websocket_connect is websocket_connect
    with pytest.raises(AttributeError, match="nothing"):
        _ = web_websocket.nothing
