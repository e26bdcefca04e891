"""A handler that makes a tunnel of its connection, without `detach`: proxies for CONNECT."""

import asyncio
from typing import Any

from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.ioloop import gen
from zonda.iostream import IOStream, StreamClosedError
from zonda.iostream.tcpclient import TCPClient
from zonda.iostream.tcpserver import TCPServer
from zonda.web import Application, RequestHandler

ESTABLISHED = b"HTTP/1.0 200 Connection established\r\n\r\n"


class Tunnel(RequestHandler):
    SUPPORTED_METHODS = ("CONNECT",)

    async def connect(self) -> None:
        host, _, port = str(self.request.uri).partition(":")
        connection: Any = self.request.connection
        client: IOStream = connection.stream
        upstream = await TCPClient().connect(host, int(port))
        await client.write(ESTABLISHED)

        async def pump(source: IOStream, target: IOStream) -> None:
            try:
                while True:
                    await target.write(await source.read_bytes(65536, partial=True))
            except StreamClosedError:
                target.close()

        await gen.multi([pump(client, upstream), pump(upstream, client)])


class CallbackTunnel(RequestHandler):
    """The same in the style of Tornado 2: nothing waits, and no response is ever finished."""

    SUPPORTED_METHODS = ("CONNECT",)

    def connect(self) -> None:
        self._auto_finish = False
        host, _, port = str(self.request.uri).partition(":")
        connection: Any = self.request.connection
        client: IOStream = connection.stream

        def connected(future: "asyncio.Future[IOStream]") -> None:
            upstream = future.result()
            for source, target in ((client, upstream), (upstream, client)):
                source.read_until_close(
                    streaming_callback=target.write,
                    callback=lambda _, target=target: target.close(),  # type: ignore[misc]
                )
            client.write(ESTABLISHED)

        asyncio.ensure_future(TCPClient().connect(host, int(port))).add_done_callback(connected)


class Shout(TCPServer):
    """What is at the far end."""

    async def handle_stream(self, stream: IOStream, address: object) -> None:
        try:
            while True:
                await stream.write((await stream.read_until(b"\n")).upper())
        except StreamClosedError:
            pass


async def through(handler: type[RequestHandler]) -> None:
    shout = Shout()
    shout.listen(0, "127.0.0.1")
    [listener] = shout._sockets.values()
    port = listener.getsockname()[1]
    async with serving(Application([(".*", handler)])) as server:
        async with RawClient(port_of(server)) as client:
            target = b"127.0.0.1:%d" % port
            await client.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, target))
            assert await client.reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
            for text in (b"hello\n", b"x" * 100_000 + b"\n"):
                await client.send(text)
                assert await client.reader.readexactly(len(text)) == text.upper()
        async with asyncio.timeout(5):
            while server.counters.open_connections:
                await asyncio.sleep(0.01)
    shout.stop()


async def test_with_coroutines() -> None:
    await through(Tunnel)


async def test_with_callbacks() -> None:
    await through(CallbackTunnel)
