"""What the client's tests share: a server that does what its script says, and the clients.

``implementation`` runs a test with each implementation of the client that is installed here;
``serve(script)`` starts a server whose script is called for each connection with a `Peer`.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from zonda.httpclient import AsyncHTTPClient
from zonda.httputil import HTTPHeaders


class Received:
    """A request as it arrived."""

    def __init__(self, head: bytes, body: bytes) -> None:
        line, _, fields = head.decode("latin-1").partition("\r\n")
        self.line = line
        self.method, self.target, self.version = line.split(" ")
        self.headers = HTTPHeaders.parse(fields)
        self.body = body


class Peer:
    """The server's end of one connection."""

    def __init__(
        self, server: "Server", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.number = server.connections
        self.reader = reader
        self.writer = writer

    async def request(self) -> Received:
        """The next request; IncompleteReadError once the client has closed."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        received = Received(head[:-2], b"")
        if received.headers.get("Transfer-Encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                received.body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        else:
            length = int(received.headers.get("Content-Length", "0"))
            received.body = await self.reader.readexactly(length)
        self.server.requests.append(received)
        return received

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(
        self, body: bytes = b"", status: int = 200, *fields: str, reason: str = "Whatever"
    ) -> None:
        """A response with a Content-Length."""
        lines = [f"HTTP/1.1 {status} {reason}", *fields]
        if status not in (204, 304):
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def closed(self) -> bytes:
        """Wait for the client to close; what it has sent until then."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def reset(self) -> None:
        """Close in a way that the client cannot take for an end."""
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class Server:
    """Listens, and counts.

    Attributes:
        port: -
        requests: All that came.
        connections: How many.
        errors: What the scripts raised.
    """

    def __init__(self, script: Script, scheme: str) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.errors: list[Exception] = []
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self._script = script
        self._scheme = scheme

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def targets(self) -> list[str]:
        return [f"{request.method} {request.target}" for request in self.requests]

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        try:
            await self._script(Peer(self, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        except asyncio.CancelledError:
            pass  # the test is over
        except Exception as error:
            self.errors.append(error)
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.tasks.discard(task)


Serve = Callable[..., AbstractAsyncContextManager[Server]]


@contextlib.asynccontextmanager
async def _serve(
    script: Script, *, tls: ssl.SSLContext | None = None, path: str | None = None
) -> AsyncIterator[Server]:
    server = Server(script, "http" if tls is None else "https")
    if path is None:
        listener = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
        server.port = listener.sockets[0].getsockname()[1]
    else:
        listener = await asyncio.start_unix_server(server.connected, path)
    try:
        yield server
    finally:
        listener.close()
        for task in list(server.tasks):
            task.cancel()
        while server.tasks:
            await asyncio.sleep(0)
        await listener.wait_closed()
    if server.errors:
        raise server.errors[0]


@pytest.fixture
def serve() -> Serve:
    return _serve


@pytest.fixture(params=["simple", "curl"])
def implementation(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "curl":
        pytest.importorskip("pycurl")
    return name


MakeClient = Callable[..., AsyncHTTPClient]


@pytest.fixture
def make_client(implementation: str) -> MakeClient:
    """Makes a client of the implementation that the test runs with."""

    def make(**settings: Any) -> AsyncHTTPClient:
        if implementation == "simple":
            from zonda.httpclient.simple import SimpleAsyncHTTPClient  # noqa: PLC0415 - one of two

            return SimpleAsyncHTTPClient(force_instance=True, **settings)
        from zonda.httpclient.curl import CurlAsyncHTTPClient  # noqa: PLC0415 - needs pycurl

        return CurlAsyncHTTPClient(force_instance=True, **settings)

    return make


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's environment says must not matter."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
