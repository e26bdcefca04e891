"""For tests of servers: a server on a free port of the loopback, and a client that sends raw bytes.

    async with serve(application) as port:
        async with RawClient(port) as client:
            await client.send(b"GET / HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
            response = await client.response()
            assert response.status == 200

Nothing here is meant for production. All of it runs in the caller's loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from zonda.httpserver.server import HTTPServer
from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import (
    ClientConnection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    Request,
    Response,
    Signal,
)
from zonda.iostream.netutil import bind_sockets

TIMEOUT = 20.0
"""Seconds after which a test that waits for an answer has failed."""


@asynccontextmanager
async def serve(application: Any, **settings: Any) -> AsyncIterator[int]:
    """Run an `HTTPServer` for the time of the block.

    Args:
        application: What `HTTPServer` takes.
        **settings: Its other arguments.

    Yields:
        The port on 127.0.0.1.
    """
    async with serving(application, **settings) as server:
        yield port_of(server)


@asynccontextmanager
async def serving(application: Any, **settings: Any) -> AsyncIterator[HTTPServer]:
    """As `serve`, but with the server itself."""
    server = HTTPServer(application, **settings)
    server.add_sockets(bind_sockets(0, "127.0.0.1"))
    try:
        yield server
    finally:
        server.stop()
        await server.close_all_connections()


def port_of(server: HTTPServer) -> int:
    """Return the port that a server listens on (the first, if there are several)."""
    sock = next(iter(server._sockets.values()))
    port: int = sock.getsockname()[1]
    return port


@dataclass
class RawResponse:
    """A response as it came over the wire.

    Attributes:
        status: The code.
        reason: The phrase.
        headers: The fields.
        body: All of the content, transfer coding removed.
        informational: The 1xx statuses that came before it.
        version: ``"HTTP/1.1"``.
    """

    status: int
    reason: str
    headers: HTTPHeaders
    body: bytes = b""
    informational: list[int] = field(default_factory=list)
    version: str = "HTTP/1.1"


class RawClient:
    """One connection to a server under test: bytes out, responses in.

    Args:
        port: The server's TCP port.
        host: An address.
        tls: A context to speak TLS with; ``localhost`` is the name that is verified.
    """

    def __init__(
        self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self._address = (host, port)
        self._tls = tls
        self._rest = b""

    async def __aenter__(self) -> Self:
        host, port = self._address
        self.reader, self.writer = await asyncio.open_connection(
            host, port, ssl=self._tls, server_hostname="localhost" if self._tls else None
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.writer.close()
        else:
            self.writer.transport.abort()  # what is not out yet may never be
        try:
            await self.writer.wait_closed()
        except OSError:
            pass  # the server was first

    async def send(self, data: bytes, *, bytewise: bool = False) -> None:
        """Send bytes; ``bytewise`` in as many segments as there are bytes."""
        if bytewise:
            for position in range(len(data)):
                self.writer.write(data[position : position + 1])
                await asyncio.sleep(0)
        else:
            self.writer.write(data)
        await self.writer.drain()

    async def response(self, method: str = "GET") -> RawResponse:
        """Read one response.

        Args:
            method: That of its request: a response to HEAD has no body.

        Raises:
            RemoteProtocolError: What came is no response.
            TimeoutError: Nothing came in `TIMEOUT`.
        """
        async with asyncio.timeout(TIMEOUT):
            return await self._response(method)

    async def _response(self, method: str) -> RawResponse:
        protocol = ClientConnection()
        protocol.send(Request(method, "/", HTTPHeaders({"Host": "test"})))
        protocol.send(EndOfMessage())
        if self._rest:
            protocol.receive_data(self._rest)
        response: RawResponse | None = None
        body = bytearray()
        informational: list[int] = []
        while True:
            event = protocol.next_event()
            if event is Signal.NEED_DATA:
                protocol.receive_data(await self.reader.read(65536))
            elif isinstance(event, Response):
                response = RawResponse(
                    event.status,
                    event.reason,
                    event.headers,
                    informational=informational,
                    version=event.version,
                )
            elif isinstance(event, InformationalResponse):
                informational.append(event.status)
            elif isinstance(event, Data):
                body += event.data
            elif isinstance(event, EndOfMessage):
                assert response is not None
                response.body = bytes(body)
                self._rest = protocol.trailing_data
                return response
            else:
                assert isinstance(event, ConnectionClosed), event
                raise ConnectionError("the server closed the connection without a response")

    async def closed(self) -> bytes:
        """Wait until the server closes, and return what came before."""
        async with asyncio.timeout(TIMEOUT):
            rest, self._rest = self._rest, b""
            try:
                return rest + await self.reader.read()
            except ConnectionResetError:
                return rest

    async def __call__(self, data: bytes, method: str = "GET") -> RawResponse:
        """Send bytes and read one response."""
        await self.send(data)
        return await self.response(method)
