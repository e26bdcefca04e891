"""Deadlines: a timer's clock is moved by hand, so nothing here waits for real seconds."""

import asyncio
import contextlib
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.callback import CallableAdapter
from zonda.httpserver.deadlines import DeadlineTimer
from zonda.httpserver.exchange import HTTP1Exchange
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


class Connections:
    """The server's view of its connections, and its clock."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server

    async def wait(self, buffered: int) -> None:
        """Wait until there is a connection with so many bytes that are not a request yet."""
        async with asyncio.timeout(10):
            while not any(
                connection.protocol.bytes_buffered == buffered
                for connection in self.server._connections
            ):
                await asyncio.sleep(0)

    async def busy(self) -> None:
        """Wait until a request is under way."""
        async with asyncio.timeout(10):
            while not any(one._exchange for one in self.server._connections):
                await asyncio.sleep(0)

    async def read_more(self, count: int) -> None:
        """Wait until the server has read so many bytes in all."""
        async with asyncio.timeout(10):
            while self.server.counters.bytes_in < count:
                await asyncio.sleep(0)

    def pass_seconds(self, seconds: float) -> None:
        timer = self.server._timer
        assert timer is not None
        timer.now += seconds
        for connection in tuple(self.server._connections):
            connection.check_deadlines(timer.now)


async def nothing(request: HTTPServerRequest) -> None:
    """Never answer."""


def ok(request: HTTPServerRequest) -> None:
    connection = request.connection
    assert connection is not None
    connection.write_headers(OK, HTTPHeaders({"Content-Length": "2"}), b"ok")
    connection.finish()


HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"


async def test_a_head_that_dribbles_in_gets_408() -> None:
    async with serving(ok, header_timeout=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        await client.send(HEAD)
        await seen.wait(len(HEAD))
        seen.pass_seconds(6)
        await client.send(b"X: y\r\n")
        await seen.wait(len(HEAD) + 6)
        seen.pass_seconds(5)  # progress does not help: the whole head has a deadline
        response = await client.response()
        assert (response.status, response.headers["Connection"]) == (408, "close")


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with (
        serving(ok, idle_connection_timeout=10) as server,
        RawClient(port_of(server)) as client,
    ):
        seen = Connections(server)
        assert (await client(HEAD + b"\r\n")).status == 200
        seen.pass_seconds(9)
        assert (await client(HEAD + b"\r\n")).status == 200
        seen.pass_seconds(9)
        assert len(server._connections) == 1
        seen.pass_seconds(2)
        assert await client.closed() == b""


async def test_it_is_idle_from_the_end_of_its_response_on() -> None:
    exchanges: list[HTTPConnection] = []

    def later(request: HTTPServerRequest) -> None:
        assert request.connection is not None
        exchanges.append(request.connection)

    async with (
        serving(later, idle_connection_timeout=10) as server,
        RawClient(port_of(server)) as client,
    ):
        seen = Connections(server)
        for begun in (False, True):
            await client.send(HEAD + b"\r\n")
            await seen.busy()
            exchange = exchanges.pop()
            if begun:
                exchange.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
            seen.pass_seconds(100)
            if not begun:
                exchange.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
            exchange.finish()
            assert (await client.response()).status == 200
            seen.pass_seconds(9)
            assert len(server._connections) == 1
        seen.pass_seconds(2)
        assert await client.closed() == b""


async def test_a_connection_that_never_speaks_is_closed() -> None:
    async with (
        serving(ok, idle_connection_timeout=10) as server,
        RawClient(port_of(server)) as client,
    ):
        seen = Connections(server)
        await seen.wait(0)
        seen.pass_seconds(11)
        assert await client.closed() == b""


async def test_a_body_that_stops_gets_408() -> None:
    async with serving(ok, read_timeout=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        await client.send(BODY + b"x")
        async with asyncio.timeout(10):
            while not (server._connections and next(iter(server._connections))._exchange):
                await asyncio.sleep(0)
        seen.pass_seconds(9)
        seen.pass_seconds(2)
        assert (await client.response()).status == 408


async def slow_body(seen: Connections, client: RawClient, start: bytes, steps: int) -> bool:
    """Send a body that takes 4 s a step; whether the server let it."""
    await client.send(start)
    await seen.busy()
    for _ in range(steps):
        seen.pass_seconds(4)
        if not any(one._exchange for one in seen.server._connections):
            return False
        before = seen.server.counters.bytes_in
        await client.send(b"7d0\r\n" + b"x" * 2000 + b"\r\n")
        await seen.read_more(before + 2007)
    return True


CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(("rate", "passes"), [(300.0, True), (600.0, False), (None, True)])
async def test_a_body_has_to_come_with_some_speed(rate: float | None, passes: bool) -> None:
    async with serving(ok, min_body_rate=rate) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        assert await slow_body(seen, client, CHUNKED, 10) is passes
        if passes:
            await client.send(b"0\r\n\r\n")
        response = await client.response()
        assert response.status == (200 if passes else 408)
        assert response.headers.get("Connection") == (None if passes else "close")


async def test_a_handler_may_let_a_body_take_its_time() -> None:
    class Patient(CallableAdapter):
        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            cast(HTTP1Exchange, self.connection).set_min_body_rate(None)
            return super().headers_received(start_line, headers)

    class Delegate(HTTPServerConnectionDelegate):
        def start_request(
            self, server_conn: object, request_conn: HTTPConnection
        ) -> HTTPMessageDelegate:
            return Patient(ok, request_conn)

    async with serving(Delegate(), min_body_rate=600.0) as server:
        async with RawClient(port_of(server)) as client:
            assert await slow_body(Connections(server), client, CHUNKED, 5)
            await client.send(b"0\r\n\r\n")
            assert (await client.response()).status == 200


async def test_the_first_seconds_do_not_count() -> None:
    async with serving(ok, min_body_rate=1e9) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        assert await slow_body(seen, client, CHUNKED, 2)
        assert not await slow_body(seen, client, b"", 2)
        assert (await client.response()).status == 408


async def test_time_that_the_application_takes_does_not_count() -> None:
    gate = asyncio.Event()

    class Slow(CallableAdapter):
        async def work(self) -> None:
            await gate.wait()

        def headers_received(
            self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
        ) -> Awaitable[None] | None:
            super().headers_received(start_line, headers)
            return self.work()

    class Delegate(HTTPServerConnectionDelegate):
        def start_request(
            self, server_conn: object, request_conn: HTTPConnection
        ) -> HTTPMessageDelegate:
            return Slow(ok, request_conn)

    async with serving(Delegate(), min_body_rate=600.0) as server:
        async with RawClient(port_of(server)) as client:
            seen = Connections(server)
            await client.send(CHUNKED)
            await seen.busy()
            seen.pass_seconds(50)
            gate.set()
            while next(iter(server._connections))._waiting is not None:
                await asyncio.sleep(0)
            seen.pass_seconds(9)
            await client.send(b"0\r\n\r\n")
            assert (await client.response()).status == 200


async def test_slowloris_does_not_keep_others_out() -> None:
    """Connections that dribble heads are dropped when these have taken too long."""
    async with serving(ok, header_timeout=10) as server:
        seen = Connections(server)
        clients = [RawClient(port_of(server)) for _ in range(50)]
        async with AsyncExitStack() as stack:
            for client in clients:
                await stack.enter_async_context(client)
                await client.send(HEAD)
            for _ in range(3):
                before = server.counters.bytes_in
                for client in clients:
                    await client.send(b"X-a: b\r\n")
                await seen.read_more(before + 50 * 8)
                seen.pass_seconds(3)
            assert len(server._connections) == 50
            seen.pass_seconds(2)
            for client in clients:
                assert (await client.response()).status == 408
            async with RawClient(port_of(server)) as good:
                assert (await good(HEAD + b"\r\n")).status == 200


async def test_who_is_refused_while_sending_can_read_why() -> None:
    """Closing at once would reset the connection, and the answer might be lost with it."""
    async with serving(ok, max_body_size=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n")
        for _ in range(20):
            await client.send(b"x" * 30_000)  # nothing of it fails
        response = await client.response()
        assert (response.status, response.headers["Connection"]) == (413, "close")
        assert len(server._connections) == 1
        seen.pass_seconds(1)
        assert len(server._connections) == 1
        seen.pass_seconds(1.5)  # who never closes is cut off
        async with asyncio.timeout(10):
            while server._connections:
                await asyncio.sleep(0)


async def test_who_has_more_to_say_than_fits_is_cut_off() -> None:
    async with serving(ok, max_body_size=10) as server, RawClient(port_of(server)) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(300):
                await client.send(b"x" * 30_000)
        async with asyncio.timeout(10):
            while server._connections:
                await asyncio.sleep(0)


async def test_a_body_has_a_deadline_if_one_is_set() -> None:
    async with serving(ok, body_timeout=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        await client.send(BODY)
        async with asyncio.timeout(10):
            while not (server._connections and next(iter(server._connections))._exchange):
                await asyncio.sleep(0)
        seen.pass_seconds(11)
        assert (await client.response()).status == 408


async def test_a_handler_may_take_its_time() -> None:
    requests: list[HTTPServerRequest] = []
    async with serving(requests.append) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        await client.send(HEAD + b"\r\n")
        async with asyncio.timeout(10):
            while not requests:
                await asyncio.sleep(0)
        seen.pass_seconds(10_000)
        ok(requests[0])
        assert (await client.response()).body == b"ok"


async def test_a_peer_that_takes_nothing_is_cut_off() -> None:
    def much(request: HTTPServerRequest) -> None:
        connection = request.connection
        assert connection is not None
        size = 32 * 1024 * 1024
        connection.write_headers(OK, HTTPHeaders({"Content-Length": str(size)}), bytes(size))
        connection.finish()

    async with serving(much, write_timeout=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(HEAD + b"\r\n")
        async with asyncio.timeout(10):
            while not (server._connections and next(iter(server._connections)).stream.bytes_queued):
                await asyncio.sleep(0)
        seen.pass_seconds(1)
        connection = next(iter(server._connections))
        async with asyncio.timeout(10):
            before = -1
            while before != connection.stream.bytes_queued:  # buffers between us are full
                before = connection.stream.bytes_queued
                await asyncio.sleep(0.01)
        seen.pass_seconds(1)
        seen.pass_seconds(11)
        assert connection.stream.closed()


async def test_what_is_added_is_no_progress() -> None:
    """A handler that writes on and on, and does not wait for who takes nothing."""

    def endless(request: HTTPServerRequest) -> None:
        requests.append(request)
        assert request.connection is not None
        request.connection.write_headers(OK, HTTPHeaders(), bytes(8 * 1024 * 1024))

    requests: list[HTTPServerRequest] = []
    async with serving(endless, write_timeout=10) as server, RawClient(port_of(server)) as client:
        seen = Connections(server)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(HEAD + b"\r\n")
        async with asyncio.timeout(10):
            while not requests:
                await asyncio.sleep(0)
            connection = next(iter(server._connections))
            before = -1
            while before != connection.stream.bytes_queued:  # buffers between us are full
                before = connection.stream.bytes_queued
                await asyncio.sleep(0.01)
        for _ in range(4):
            assert not connection.stream.closed()
            seen.pass_seconds(4)
            assert requests[0].connection is not None
            if not connection.stream.closed():
                requests[0].connection.write(b"x" * 100)
        assert connection.stream.closed()


async def test_the_timer_runs_only_while_there_are_connections() -> None:
    class Asked:
        def __init__(self) -> None:
            self.times: list[float] = []

        def check_deadlines(self, now: float) -> None:
            self.times.append(now)

    timer = DeadlineTimer(asyncio.get_running_loop())
    asked: list[Any] = [Asked(), Asked()]
    for each in asked:
        timer.add(each)
    assert len(timer) == 2
    timer.tick()
    assert [len(each.times) for each in asked] == [1, 1]
    timer.discard(asked[0])
    timer.tick()
    assert [len(each.times) for each in asked] == [1, 2]
    timer.discard(asked[1])
    assert timer._handle is None
    timer.tick()
    assert timer._handle is None


async def test_all_connections_of_a_server_share_one_timer() -> None:
    async with serving(ok) as server, RawClient(port_of(server)) as one:
        assert (await one(HEAD + b"\r\n")).status == 200
        async with RawClient(port_of(server)) as two:
            assert (await two(HEAD + b"\r\n")).status == 200
            assert {id(one._timer) for one in server._connections} == {id(server._timer)}
            assert server._timer is not None
            assert len(server._timer) == 2


@pytest.mark.parametrize("setting", ["header_timeout", "read_timeout", "write_timeout"])
async def test_none_means_no_limit(setting: str) -> None:
    async with (
        serving(ok, **{setting: None}) as server,
        RawClient(port_of(server)) as client,
    ):
        seen = Connections(server)
        await client.send(HEAD if setting == "header_timeout" else BODY[:-2])
        await seen.wait(len(HEAD) if setting == "header_timeout" else len(BODY) - 2)
        if setting == "header_timeout":
            seen.pass_seconds(10_000)
            assert (await client(b"\r\n")).status == 200
        else:
            assert (await client(b"\r\n123456789")).status == 200
