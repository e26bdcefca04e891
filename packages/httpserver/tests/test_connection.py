"""The server's driver on real sockets: requests in order, persistence, bad input, disconnects."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable
from typing import Any, cast

import pytest

from zonda.httpserver.connection import EVENTS_PER_TURN, LARGE_READ, READ_AHEAD
from zonda.httpserver.routing import AnyMatches, RuleRouter
from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.iostream import StreamClosedError

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


def echo(request: HTTPServerRequest) -> None:
    """Answer with what was asked for."""
    text = f"{request.method} {request.uri} {request.version} ".encode() + request.body
    connection = request.connection
    assert connection is not None
    connection.write_headers(OK, HTTPHeaders({"Content-Length": str(len(text))}), text)
    connection.finish()


class Recorder(HTTPServerConnectionDelegate, HTTPMessageDelegate):
    """Records what it is told; answers when told to."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.connections: list[Any] = []
        self.happened = asyncio.Event()

    def note(self, *call: Any) -> None:
        self.calls.append(call)
        self.happened.set()

    async def until(self, *call: Any) -> None:
        async with asyncio.timeout(10):
            while call not in self.calls:
                self.happened.clear()
                await self.happened.wait()

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        self.connections.append(request_conn)
        return self

    def on_close(self, server_conn: object) -> None:
        self.note("on_close")

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.note("headers", cast(RequestStartLine, start_line).path)
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.note("data", chunk)
        return None

    def finish(self) -> None:
        self.note("finish")

    def on_connection_close(self) -> None:
        self.note("gone")

    def answer(self, body: bytes = b"ok") -> None:
        connection = self.connections.pop(0)
        connection.write_headers(OK, HTTPHeaders({"Content-Length": str(len(body))}), body)
        connection.finish()


GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: v\r\n\r\n"
)

REQUESTS = [
    pytest.param(GET, b"GET /a HTTP/1.1 ", id="get"),
    pytest.param(POST, b"POST /b HTTP/1.1 abc", id="post"),
    pytest.param(CHUNKED, b"POST /c HTTP/1.1 abc", id="chunked"),
    pytest.param(b"\r\n" + GET, b"GET /a HTTP/1.1 ", id="empty line first"),
]


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize(("data", "body"), REQUESTS)
async def test_answers_and_keeps_the_connection(data: bytes, body: bytes, bytewise: bool) -> None:
    async with serve(echo) as port, RawClient(port) as client:
        for _ in range(3):
            await client.send(data, bytewise=bytewise)
            response = await client.response()
            assert (response.status, response.body) == (200, body)
            assert "Connection" not in response.headers


async def test_pipelined_requests_are_answered_in_order() -> None:
    count = 3 * EVENTS_PER_TURN
    async with serve(echo) as port, RawClient(port) as client:
        await client.send(
            b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(count))
        )
        for number in range(count):
            response = await client.response()
            assert response.body == b"GET /%d HTTP/1.1 " % number


@pytest.mark.parametrize("last", [1, 3, EVENTS_PER_TURN // 2, EVENTS_PER_TURN])
async def test_nothing_is_run_for_a_peer_that_is_gone(last: int) -> None:
    seen: list[str] = []

    def slow(request: HTTPServerRequest) -> None:
        seen.append(request.path)
        if len(seen) == last:
            connection: Any = request.connection
            connection.stream.close()
        echo(request)

    recorder = RuleRouter([(AnyMatches(), slow)])
    async with serve(recorder) as port, RawClient(port) as client:
        await client.send(GET * 3 * EVENTS_PER_TURN)
        await client.closed()
        for _ in range(5):
            await asyncio.sleep(0)
    assert len(seen) == last


async def test_the_next_request_waits_for_the_response() -> None:
    recorder = Recorder()
    async with serve(recorder) as port, RawClient(port) as client:
        await client.send(GET + POST)
        await recorder.until("finish")
        assert recorder.calls == [("headers", "/a"), ("finish",)]
        recorder.answer(b"one")
        assert (await client.response()).body == b"one"
        await recorder.until("headers", "/b")
        recorder.answer(b"two")
        assert (await client.response()).body == b"two"


async def test_a_sender_that_does_not_wait_is_slowed_down() -> None:
    recorder = Recorder()
    async with serve(recorder) as port, RawClient(port) as client:
        await client.send(GET)
        await recorder.until("finish")
        client.writer.transport.set_write_buffer_limits(high=0)
        flood = asyncio.ensure_future(client.send(GET * (16 * 1024 * 1024 // len(GET))))
        server_side = recorder.connections[0]._connection
        async with asyncio.timeout(10):
            while server_side.protocol.bytes_buffered <= READ_AHEAD:
                await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert server_side.protocol.bytes_buffered <= READ_AHEAD + 2 * 65536
        assert not flood.done()
        flood.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flood
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()  # with a reset
        # Nobody reads any more, and the disconnect is noticed all the same.
        await recorder.until("on_close")
        assert ("gone",) in recorder.calls


PERSISTENCE = [
    (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", None, True),
    (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "close", False),
    (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", "close", False),
    (b"GET / HTTP/1.0\r\n\r\n", "close", False),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", True),
    (b"GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "keep-alive", True),
]


@pytest.mark.parametrize(("data", "option", "stays"), PERSISTENCE)
async def test_persistence(data: bytes, option: str | None, stays: bool) -> None:
    async with serve(echo) as port, RawClient(port) as client:
        response = await client(data)
        assert response.status == 200
        assert response.headers.get("Connection") == option
        if stays:
            assert (await client(data)).status == 200
        else:
            assert await client.closed() == b""


async def test_no_keep_alive() -> None:
    async with serve(echo, no_keep_alive=True) as port, RawClient(port) as client:
        response = await client(GET)
        assert response.headers["Connection"] == "close"
        assert await client.closed() == b""


BAD = [
    pytest.param(b"GET\r\n\r\n", 400, id="no target"),
    pytest.param(b"GET /\r\n\r\n", 400, id="no version"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, id="two hosts"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400, id="space before colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400, id="folded"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400, id="nul"),
    pytest.param(b"GET / HTTP/1.1\nHost: h\n\n", 400, id="bare lf"),
    pytest.param(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nabcde", 400, id="+5"),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        id="length and chunked",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
        id="unknown coding",
    ),
    pytest.param(b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, id="version"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417, id="expectation"),
    pytest.param(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, id="long target"),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431, id="big head"
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000, 413, id="body"
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n",
        400,
        id="chunk size",
    ),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 60, 400, id="tls"),
]


@pytest.mark.parametrize(("data", "status"), BAD)
async def test_bad_input_is_refused_and_the_server_goes_on(
    data: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "zonda.general")
    async with serve(echo, max_body_size=999) as port:
        async with RawClient(port) as client:
            # What stands behind the error must never be run.
            response = await client(data + GET)
            assert response.status == status
            assert response.headers["Connection"] == "close"
            assert "Date" in response.headers
            assert int(response.headers["Content-Length"]) == len(response.body) > 0
            assert await client.closed() == b""
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == 1, lines
        assert "127.0.0.1" in lines[0]
        assert lines[0].isprintable()
        async with RawClient(port) as client:
            assert (await client(GET)).status == 200


async def test_expect_continue() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    async with serve(echo) as port, RawClient(port) as client:
        await client.send(head)
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        response = await client(b"hi")
        assert response.body == b"POST / HTTP/1.1 hi"


async def test_expect_continue_of_http_1_0_is_ignored() -> None:
    head = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    async with serve(echo) as port, RawClient(port) as client:
        response = await client(head + b"hi")
        assert response.informational == []
        assert response.body == b"POST / HTTP/1.0 hi"


async def test_expect_continue_is_refused_when_the_body_is_too_large() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n"
    async with serve(echo, max_body_size=10) as port, RawClient(port) as client:
        response = await client(head)
        assert (response.status, response.informational) == (413, [])


class Streaming(Recorder):
    """Sends a long body in pieces, as fast as the peer takes it."""

    piece = b"x" * 65536
    pieces = 64

    def finish(self) -> None:
        super().finish()
        self.task = asyncio.ensure_future(self.stream())

    async def stream(self) -> None:
        connection = self.connections.pop(0)
        await connection.write_headers(OK, HTTPHeaders({"Transfer-Encoding": "chunked"}))
        for _ in range(self.pieces):
            await connection.write(self.piece)
        connection.finish()


async def test_writing_waits_for_a_slow_reader() -> None:
    app = Streaming()
    app.pieces = 512  # more than the kernel's buffers ever hold
    async with serve(app) as port:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        with contextlib.closing(sock):
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, GET)
            await app.until("finish")
            for _ in range(100):
                await asyncio.sleep(0)
            assert not app.task.done()
            received = 0
            async with asyncio.timeout(60):
                while received < len(app.piece) * app.pieces:
                    received += len(await loop.sock_recv(sock, 1 << 20))
            await app.task
        await app.until("on_close")


async def test_a_half_closed_client_gets_the_whole_answer() -> None:
    app = Streaming()
    async with serve(app) as port, RawClient(port) as client:
        await client.send(GET)
        client.writer.write_eof()
        response = await client.response()
        assert len(response.body) == len(app.piece) * app.pieces
        await client.closed()
        await app.task


async def test_a_peer_that_vanishes_is_noticed_and_writes_fail() -> None:
    recorder = Recorder()
    async with serve(recorder) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await recorder.until("finish")
            client.writer.transport.abort()
        await recorder.until("gone")
        connection = recorder.connections[0]
        await recorder.until("on_close") if connection._connection.stream.closed() else None
        connection._connection.stream.close()
        await recorder.until("on_close")
        with pytest.raises(StreamClosedError):
            await connection.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
        connection.finish()
        assert recorder.calls.count(("gone",)) == 1


async def test_a_peer_that_closes_is_noticed_while_the_response_is_awaited() -> None:
    recorder = Recorder()
    async with serve(recorder) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await recorder.until("finish")
        await recorder.until("gone")
        recorder.answer()
        await recorder.until("on_close")


async def test_a_disconnect_inside_a_body_is_reported() -> None:
    recorder = Recorder()
    async with serve(recorder) as port:
        async with RawClient(port) as client:
            await client.send(POST[:-1])
            await recorder.until("data", b"ab")
        await recorder.until("gone")
        await recorder.until("on_close")
        assert ("finish",) not in recorder.calls


async def test_body_pieces_wait_for_the_application() -> None:
    class Slow(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            super().headers_received(start_line, headers)
            return self.gate

    app = Slow()
    async with serve(app, chunk_size=2) as port, RawClient(port) as client:
        await client.send(POST)
        await app.until("headers", "/b")
        assert app.calls == [("headers", "/b")]
        app.gate.set_result(None)
        await app.until("finish")
        assert app.calls == [("headers", "/b"), ("data", b"ab"), ("data", b"c"), ("finish",)]
        app.answer()
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("when", ["headers_received", "data_received", "finish"])
async def test_an_application_that_fails_costs_a_500_and_the_connection(
    when: str, expect_log: Any
) -> None:
    class Failing(Recorder):
        pass

    def fail(*args: object) -> None:
        raise ZeroDivisionError

    setattr(Failing, when, fail)
    app = Failing()
    async with serve(app) as port, RawClient(port) as client:
        with expect_log("zonda.application", "Uncaught exception"):
            response = await client(POST)
            assert (response.status, response.headers["Connection"]) == (500, "close")
            assert await client.closed() == b""
            client.writer.write_eof()  # otherwise the server lingers for a while
            await app.until("on_close")


async def test_an_application_may_refuse_a_request() -> None:
    class Refusing(Recorder):
        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            raise HTTPInputError("not like this")

    async with serve(Refusing()) as port, RawClient(port) as client:
        assert (await client(GET)).status == 400
        await client.closed()


async def test_an_answer_before_the_body_closes_the_connection() -> None:
    class Early(Recorder):
        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            self.answer(b"no")
            return None

    app = Early()
    async with serve(app) as port, RawClient(port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        assert (await client.response()).body == b"no"
        # The answer arrives although the body is still being sent.
        await client.send(b"x" * 100_000)
        client.writer.write_eof()
        await client.closed()
        await app.until("on_close")
    assert ("finish",) not in app.calls


async def test_writing_after_the_end_is_an_error() -> None:
    recorder = Recorder()
    async with serve(recorder) as port, RawClient(port) as client:
        await client.send(GET)
        await recorder.until("finish")
        connection = recorder.connections[0]
        recorder.answer()
        assert (await client.response()).body == b"ok"
        with pytest.raises(HTTPOutputError):
            connection.write(b"more")
        with pytest.raises(HTTPOutputError):
            connection.write_headers(OK, HTTPHeaders())


@pytest.mark.parametrize(("written", "raises_in"), [(b"abc", "write"), (b"a", "finish")])
async def test_content_length_is_kept(written: bytes, raises_in: str) -> None:
    recorder = Recorder()
    async with serve(recorder) as port, RawClient(port) as client:
        await client.send(GET)
        await recorder.until("finish")
        connection = recorder.connections[0]
        connection.write_headers(OK, HTTPHeaders({"Content-Length": "2"}))
        with pytest.raises(HTTPOutputError):
            connection.write(written)
            assert raises_in == "finish"
            connection.finish()
        connection._connection.abort()
        await client.closed()
        await recorder.until("on_close")


async def test_drain_lets_a_request_finish_and_closes_idle_connections() -> None:
    recorder = Recorder()
    async with serving(recorder) as server:
        port = port_of(server)
        async with RawClient(port) as idle, RawClient(port) as busy:
            await idle.send(GET)
            await recorder.until("finish")
            recorder.answer()
            await idle.response()
            recorder.calls.clear()
            await busy.send(GET)
            await recorder.until("finish")
            draining = asyncio.ensure_future(server.drain(10))
            assert await idle.closed() == b""
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", port)
            recorder.answer(b"last")
            response = await busy.response()
            assert (response.body, response.headers["Connection"]) == (b"last", "close")
            assert await busy.closed() == b""
            await draining


async def test_a_handler_sees_that_the_server_drains() -> None:
    recorder = Recorder()
    async with serving(recorder) as server, RawClient(port_of(server)) as client:
        await client.send(GET)
        await recorder.until("finish")
        seen = [recorder.connections[0].draining]
        draining = asyncio.ensure_future(server.drain(10))
        await asyncio.sleep(0)
        seen.append(recorder.connections[0].draining)
        assert seen == [False, True]
        recorder.answer()
        assert (await client.response()).headers["Connection"] == "close"
        await draining


async def test_who_pipelines_behind_the_last_request_can_read_its_answer() -> None:
    """Closing with requests unread would reset the connection."""
    count = 400_000 // len(GET)
    async with serving(echo) as server, RawClient(port_of(server)) as client:
        await client.send(
            b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + GET * count
        )
        await client.send(GET * count)  # nothing of it fails
        response = await client.response()
        assert response.body == b"GET /last HTTP/1.1 "
        assert await client.closed() == b""
        client.writer.write_eof()
        async with asyncio.timeout(10):
            while server._connections:
                await asyncio.sleep(0)
        assert server.counters.requests == 1


async def test_drain_has_a_deadline() -> None:
    recorder = Recorder()
    async with serving(recorder) as server, RawClient(port_of(server)) as client:
        await client.send(GET)
        await recorder.until("finish")
        await server.drain(0)
        assert await client.closed() == b""
        assert ("gone",) in recorder.calls


@pytest.mark.parametrize("piecewise", [False, True])
async def test_a_client_that_reads_no_responses_gets_no_more_of_them(piecewise: bool) -> None:
    count, body = 300, b"x" * 100_000
    handled = 0

    def answer(request: HTTPServerRequest) -> None:
        nonlocal handled
        handled += 1
        assert request.connection is not None
        request.connection.write_headers(OK, HTTPHeaders({"Content-Length": "100000"}), body)
        request.connection.finish()

    one = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    async with serve(answer) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        if piecewise:
            for _ in range(count):
                writer.write(one)
                await asyncio.sleep(0)
        else:
            writer.write(one * count)
        await reader.readexactly(1000)
        async with asyncio.timeout(10):  # until it handles no more
            before = -1
            while handled != before:
                before = handled
                for _ in range(50):
                    await asyncio.sleep(0)
        assert handled < 150, "as many as the buffers of the system hold"
        # And all of them once it does read.
        received = 1000
        while handled < count or received < count * len(body):
            received += len(await asyncio.wait_for(reader.read(65536), 10))
        writer.close()
        await writer.wait_closed()
    assert handled == count


@pytest.mark.parametrize("chunk_size", [None, 1000, LARGE_READ])
@pytest.mark.parametrize("chunked", [False, True])
async def test_large_bodies_are_read_in_large_pieces(chunked: bool, chunk_size: int | None) -> None:
    body = bytes(range(256)) * 8192
    if chunked:
        head = b"Transfer-Encoding: chunked\r\n\r\n"
        content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        head = b"Content-Length: %d\r\n\r\n" % len(body)
        content = body
    app = Recorder()
    async with serving(app, chunk_size=chunk_size) as server, RawClient(port_of(server)) as client:
        for _ in range(2):
            await client.send(b"PUT / HTTP/1.1\r\nHost: a\r\n" + head)
            async with asyncio.timeout(10):
                while not app.connections:
                    await asyncio.sleep(0)
            [connection] = server._connections
            large = 65536 if chunked else LARGE_READ  # chunks have to be copied together
            assert connection.stream.read_chunk_size == (chunk_size or large)
            await client.send(content)
            await app.until("finish")
            # What the next request comes in, and what an idle connection holds on to, is small.
            assert connection.stream.read_chunk_size == (chunk_size or 65536)
            pieces = [call[1] for call in app.calls if call[0] == "data"]
            assert b"".join(pieces) == body
            assert max(map(len, pieces)) <= (chunk_size or LARGE_READ)
            exchange = app.connections.pop()
            exchange.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
            exchange.finish()
            assert (await client.response()).status == 200
            app.calls.clear()
