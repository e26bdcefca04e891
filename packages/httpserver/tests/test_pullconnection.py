"""One end of a connection, message by message, in both roles, on streams in memory."""

import asyncio
import gzip
import socket
from collections.abc import Awaitable
from typing import Any

import pytest

from zonda.httpserver.parameters import HTTP1ConnectionParameters
from zonda.httpserver.pullconnection import HTTP1Connection
from zonda.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.iostream import IOStream, StreamClosedError
from zonda.iostream.memory import MemoryStream, stream_pair

GET = RequestStartLine("GET", "/x", "HTTP/1.1")
POST = RequestStartLine("POST", "/x", "HTTP/1.1")
OK = ResponseStartLine("HTTP/1.1", 200, "OK")
HOST = {"Host": "h"}


class Recorder(HTTPMessageDelegate):
    def __init__(self, connection: HTTP1Connection | None = None) -> None:
        self.connection = connection
        self.calls: list[Any] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.calls.append(start_line[1])
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.calls.append(chunk)
        return None

    def finish(self) -> None:
        self.calls.append("finish")
        if self.connection is not None:
            self.connection.write_headers(OK, HTTPHeaders({"Content-Length": "2"}), b"ok")
            self.connection.finish()

    def on_connection_close(self) -> None:
        self.calls.append("gone")


def pair(is_client: bool, **params: Any) -> tuple[HTTP1Connection, MemoryStream]:
    ours, theirs = stream_pair()
    stream: Any = ours
    settings = HTTP1ConnectionParameters(**params)
    return HTTP1Connection(stream, is_client, settings), theirs


async def received(stream: MemoryStream) -> bytes:
    async with asyncio.timeout(10):
        return await stream.read_bytes(65536, partial=True)


RESPONSES = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", [200, b"hi", "finish"]),
    (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
        [200, b"hi", "finish"],
    ),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        [100, 200, b"hi", "finish"],
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        [200, b"hi", "finish"],
    ),
    (b"HTTP/1.1 204 No Content\r\n\r\n", [204, "finish"]),
]


@pytest.mark.parametrize(("data", "calls"), RESPONSES)
async def test_a_client_reads_its_response(data: bytes, calls: list[Any]) -> None:
    connection, peer = pair(True)
    connection.write_headers(GET, HTTPHeaders(HOST))
    connection.finish()
    assert await received(peer) == b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
    peer.write(data)
    delegate = Recorder()
    assert await connection.read_response(delegate) is True
    assert delegate.calls == calls
    stream = connection.stream
    assert stream is not None
    assert not stream.closed()
    stream.close()
    peer.close()


async def test_a_response_that_ends_with_the_connection() -> None:
    connection, peer = pair(True)
    connection.write_headers(GET, HTTPHeaders(HOST))
    connection.finish()
    await received(peer)
    peer.write(b"HTTP/1.1 200 OK\r\n\r\nhi")
    peer.close_when_flushed()
    delegate = Recorder()
    assert await connection.read_response(delegate) is True
    assert delegate.calls == [200, b"hi", "finish"]
    connection.close()


async def test_one_exchange_after_the_other() -> None:
    connection, peer = pair(True)
    for _ in range(3):
        connection.write_headers(POST, HTTPHeaders(HOST), b"abc")
        await connection.write(b"d")
        connection.finish()
        assert await received(peer) == (
            b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        )
        peer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert await connection.read_response(Recorder()) is True
    # What came behind the response is the next reader's.
    peer.write(b"HTTP/1.1 204 No Content\r\n\r\nrest")
    connection.write_headers(GET, HTTPHeaders(HOST))
    connection.finish()
    assert await connection.read_response(Recorder()) is True
    stream = connection.detach()
    assert stream is not None
    assert connection.stream is None
    assert await stream.read_bytes(4) == b"rest"
    stream.close()
    peer.close()


async def test_a_connection_that_ends_too_soon() -> None:
    for data, calls in (
        (b"", []),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", [200, b"hi", "gone"]),
    ):
        connection, peer = pair(True)
        connection.write_headers(GET, HTTPHeaders(HOST))
        connection.finish()
        await received(peer)
        peer.write(data)
        peer.close_when_flushed()
        delegate = Recorder()
        with pytest.raises(StreamClosedError):
            await connection.read_response(delegate)
        assert delegate.calls == calls
        assert connection.stream is not None
        assert connection.stream.closed()


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nhi",
    ],
)
async def test_a_response_that_is_none(data: bytes) -> None:
    connection, peer = pair(True, max_body_size=10)
    connection.write_headers(GET, HTTPHeaders(HOST))
    connection.finish()
    peer.write(data)
    delegate = Recorder()
    assert await connection.read_response(delegate) is False
    assert delegate.calls[-1:] == ["gone"]
    assert connection.stream is not None
    assert connection.stream.closed()
    peer.close()


REQUEST = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
CLOSING = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_a_server_answers_requests() -> None:
    connection, peer = pair(False)
    peer.write(REQUEST + REQUEST + b"rest")
    for _ in range(2):
        delegate = Recorder(connection)
        assert await connection.read_response(delegate) is True
        assert delegate.calls == ["/x", "finish"]
    assert await received(peer) == ANSWER + ANSWER
    stream = connection.detach()
    assert stream is not None
    assert await stream.read_bytes(4) == b"rest"
    stream.close()
    peer.close()


@pytest.mark.parametrize(("data", "params"), [(CLOSING, {}), (REQUEST, {"no_keep_alive": True})])
async def test_a_server_closes(data: bytes, params: dict[str, Any]) -> None:
    connection, peer = pair(False, **params)
    peer.write(data)
    assert await connection.read_response(Recorder(connection)) is True
    answer = await peer.read_until_close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in answer
    assert connection.stream is not None
    assert connection.stream.closed()


async def test_a_server_asks_for_the_body() -> None:
    connection, peer = pair(False)
    peer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    delegate = Recorder(connection)
    reading = asyncio.ensure_future(connection.read_response(delegate))
    assert await received(peer) == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.write(b"hi")
    assert await reading is True
    assert delegate.calls == ["/x", b"hi", "finish"]
    connection.close()
    peer.close()


async def test_a_server_waits_until_it_has_answered() -> None:
    connection, peer = pair(False)
    peer.write(REQUEST)
    reading = asyncio.ensure_future(connection.read_response(Recorder()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not reading.done()
    connection.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
    connection.finish()
    assert await reading is True
    connection.close()
    peer.close()


async def test_the_client_goes_before_the_answer() -> None:
    connection, peer = pair(False)
    peer.write(REQUEST)
    told: list[str] = []
    connection.set_close_callback(lambda: told.append("closed"))
    delegate = Recorder()
    reading = asyncio.ensure_future(connection.read_response(delegate))
    for _ in range(5):
        await asyncio.sleep(0)
    peer.close()
    async with asyncio.timeout(10):
        assert await reading is True
    assert delegate.calls == ["/x", "finish", "gone"]
    assert told == ["closed"]
    with pytest.raises(StreamClosedError):
        await connection.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GARB\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", b"413"),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", b"505"),
    ],
)
async def test_a_server_refuses(data: bytes, status: bytes) -> None:
    connection, peer = pair(False, max_body_size=10)
    peer.write(data)
    delegate = Recorder()
    assert await connection.read_response(delegate) is False
    assert delegate.calls[-1] == "gone"
    assert (await peer.read_until_close()).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("error", [HTTPInputError("no"), ZeroDivisionError()])
async def test_a_delegate_that_fails(error: Exception, expect_log: Any) -> None:
    class Failing(Recorder):
        def data_received(self, chunk: bytes) -> Awaitable[None] | None:
            raise error

    connection, peer = pair(False)
    peer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
    mine = isinstance(error, ZeroDivisionError)
    with expect_log("zonda.application", "Uncaught exception", 1 if mine else 0):
        delegate = Failing()
        assert await connection.read_response(delegate) is False
    assert delegate.calls == ["/", "gone"]
    status = b"HTTP/1.1 500" if mine else b"HTTP/1.1 400"
    assert (await peer.read_until_close()).startswith(status)


BODY = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"


@pytest.mark.parametrize(
    ("data", "params", "calls"),
    [
        (b"", {"idle_timeout": 0.01}, ["gone"]),
        (b"GET", {"header_timeout": 0.01}, ["gone"]),
        (BODY, {"body_timeout": 0.01}, ["/", b"ab", "gone"]),
    ],
)
async def test_deadlines(data: bytes, params: dict[str, Any], calls: list[Any]) -> None:
    connection, peer = pair(False, **params)
    peer.write(data)
    delegate = Recorder()
    async with asyncio.timeout(10):
        assert await connection.read_response(delegate) is False
    assert delegate.calls == calls
    peer.close()


async def test_time_that_a_delegate_takes_does_not_count() -> None:
    class Slow(Recorder):
        async def work(self) -> None:
            await asyncio.sleep(0.05)

        def data_received(self, chunk: bytes) -> Awaitable[None] | None:
            super().data_received(chunk)
            return self.work()

    connection, peer = pair(False, body_timeout=0.04)
    connection.set_body_timeout(0.03)
    peer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
    delegate = Slow(connection)
    async with asyncio.timeout(10):
        assert await connection.read_response(delegate) is True
    assert delegate.calls == ["/", b"ab", "finish"]
    connection.close()
    peer.close()


async def test_a_delegate_may_change_the_limit() -> None:
    class Generous(Recorder):
        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            assert self.connection is not None
            self.connection.set_max_body_size(20)
            return super().headers_received(start_line, headers)

    connection, peer = pair(False, max_body_size=1)
    peer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
    delegate = Generous(connection)
    assert await connection.read_response(delegate) is True
    assert delegate.calls == ["/", b"abc", "finish"]
    connection.close()
    peer.close()


async def test_bodies_that_come_compressed() -> None:
    connection, peer = pair(True, decompress=True)
    connection.write_headers(GET, HTTPHeaders(HOST))
    connection.finish()
    body = gzip.compress(b"hello")
    peer.write(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        + body
    )
    delegate = Recorder()
    assert await connection.read_response(delegate) is True
    assert delegate.calls == [200, b"hello", "finish"]
    connection.close()
    peer.close()


async def test_what_cannot_be_sent() -> None:
    connection, peer = pair(True)
    with pytest.raises(HTTPOutputError):
        connection.write_headers(OK, HTTPHeaders())
    with pytest.raises(HTTPOutputError):
        connection.write(b"x")
    with pytest.raises(HTTPOutputError):
        connection.write_headers(RequestStartLine("G T", "/", "HTTP/1.1"), HTTPHeaders(HOST))
    connection.write_headers(POST, HTTPHeaders({"Host": "h", "Content-Length": "2"}), b"a")
    with pytest.raises(HTTPOutputError):
        connection.finish()
    assert connection.stream is not None
    assert connection.stream.closed()
    peer.close()
    server, peer = pair(False)
    with pytest.raises(HTTPOutputError):
        server.write_headers(GET, HTTPHeaders())
    server.close()
    peer.close()


async def test_over_sockets() -> None:
    loop = asyncio.get_running_loop()
    one, two = socket.socketpair()
    server = HTTP1Connection(IOStream(one), False)
    client = HTTP1Connection(IOStream(two), True)
    client.write_headers(POST, HTTPHeaders(HOST), b"x" * 100_000)
    client.finish()
    delegate, answer = Recorder(server), Recorder()
    serving = loop.create_task(server.read_response(delegate))
    assert await client.read_response(answer) is True
    assert await serving is True
    assert sum(len(one) for one in delegate.calls if isinstance(one, bytes)) == 100_000
    assert answer.calls == [200, b"ok", "finish"]
    client.close()
    server.close()
