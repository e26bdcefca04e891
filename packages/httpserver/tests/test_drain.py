"""Drains under load: ten servers, each drained while it is busy, and not one request fails."""

import asyncio
import contextlib
from collections import Counter

from zonda.httpserver import HTTPServer
from zonda.httpserver.testing import RawClient, port_of
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from zonda.iostream.netutil import bind_sockets

REQUESTS = 10_000
SERVERS = 10
CLIENTS = 40
TIMEOUT = 300.0

UPLOAD = b"u" * 50_000
PIECE = b"p" * 20_000
OK = ResponseStartLine("HTTP/1.1", 200, "OK")

HEAD = b" HTTP/1.1\r\nHost: test\r\n"
# What a client does in turn: requests that it sends at once, and the body that each must get.
ROUNDS: list[tuple[bytes, list[bytes]]] = [
    (b"GET /now" + HEAD + b"\r\n", [b"now"]),
    (b"GET /later" + HEAD + b"\r\n", [b"later"]),
    (
        b"POST /size" + HEAD + b"Content-Length: %d\r\n\r\n" % len(UPLOAD) + UPLOAD,
        [b"%d" % len(UPLOAD)],
    ),
    (b"GET /pieces" + HEAD + b"\r\n", [PIECE * 5]),
    (
        b"GET /now"
        + HEAD
        + b"\r\n"
        + b"GET /later"
        + HEAD
        + b"\r\n"
        + b"GET /now"
        + HEAD
        + b"\r\n",
        [b"now", b"later", b"now"],
    ),
]


def answer(request: HTTPServerRequest) -> None:
    connection = request.connection
    assert connection is not None
    if request.path == "/pieces":
        task = asyncio.ensure_future(pieces(request))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)
        return
    body = b"%d" % len(request.body) if request.path == "/size" else request.path[1:].encode()

    def finish() -> None:
        headers = HTTPHeaders({"Content-Length": str(len(body))})
        connection.write_headers(OK, headers, body)
        connection.finish()

    if request.path == "/later":
        asyncio.get_running_loop().call_later(0.002, finish)
    else:
        finish()


TASKS: set[asyncio.Future[None]] = set()


async def pieces(request: HTTPServerRequest) -> None:
    connection = request.connection
    assert connection is not None
    await connection.write_headers(OK, HTTPHeaders())
    for _ in range(5):
        await connection.write(PIECE)
        await asyncio.sleep(0)
    connection.finish()


class Load:
    """Clients that ask whichever server there is now, until all requests are answered.

    Attributes:
        port: Of the server to connect to.
        answered: How many requests have been answered.
        told: How many connections were told to close.
    """

    def __init__(self) -> None:
        self.port = 0
        self.answered = 0
        self.told = 0
        self.kinds: Counter[int] = Counter()

    async def wait(self, count: int) -> None:
        """Until so many requests have been answered."""
        while self.answered < count:
            await asyncio.sleep(0.001)

    async def client(self, number: int) -> None:
        """Ask and ask; a connection that is told to close is followed by another one."""
        kind = number
        while self.answered < REQUESTS:
            client = RawClient(self.port)
            try:
                await client.__aenter__()
            except ConnectionRefusedError:
                # The other server is about to be there. Nothing was sent.
                await asyncio.sleep(0)
                continue
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_exit(client)
                persists = True
                while persists and self.answered < REQUESTS:
                    kind = (kind + 1) % len(ROUNDS)
                    persists = await self._round(client, kind)

    async def _round(self, client: RawClient, kind: int) -> bool:
        data, bodies = ROUNDS[kind]
        await client.send(data)
        for body in bodies:
            response = await client.response()
            assert response.status == 200
            assert response.body == body
            self.answered += 1
            self.kinds[kind] += 1
            if response.headers.get("Connection") == "close":
                self.told += 1
                # Nothing but the end behind it, and no reset; what was pipelined was not begun.
                assert client._rest + await client.reader.read() == b""
                return False
        return True


async def test_ten_thousand_requests_survive() -> None:
    load = Load()
    busy = 0
    drains = []
    servers: list[HTTPServer] = []
    async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as group:
        for generation in range(SERVERS):
            server = HTTPServer(answer)
            server.add_sockets(bind_sockets(0, "127.0.0.1"))
            load.port = port_of(server)
            if servers:
                busy += sum(one._exchange is not None for one in servers[-1]._connections)
                drains.append(group.create_task(servers[-1].drain(TIMEOUT)))
            else:
                for number in range(CLIENTS):
                    group.create_task(load.client(number))
            servers.append(server)
            await load.wait((generation + 1) * REQUESTS // SERVERS)
    last = servers[-1]
    await last.drain(TIMEOUT)
    assert load.answered >= REQUESTS
    assert len(load.kinds) == len(ROUNDS)
    assert busy > 0  # requests were running when drains began
    assert load.told >= SERVERS - 1
    assert sum(server.counters.requests for server in servers) >= load.answered
    assert not any(server._connections for server in servers)
    assert not any(server.counters.errors or server.counters.refused for server in servers)


async def test_who_waits_in_the_backlog_is_served() -> None:
    """Connections that the server has not accepted yet when the drain begins."""
    server = HTTPServer(answer)
    server.add_sockets(bind_sockets(0, "127.0.0.1"))
    port = port_of(server)
    clients = [RawClient(port) for _ in range(20)]
    async with contextlib.AsyncExitStack() as stack:
        server.pause_accepting()
        for client in clients:
            await stack.enter_async_context(client)
            await client.send(ROUNDS[0][0])
        assert not server._connections
        draining = asyncio.ensure_future(server.drain(TIMEOUT))
        for client in clients:
            response = await client.response()
            assert (response.body, response.headers["Connection"]) == (b"now", "close")
        await draining
