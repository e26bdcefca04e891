"""Deadlines: a timer's clock is moved by hand, so nothing here waits for real seconds."""

import asyncio
from typing import Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.deadlines import DeadlineTimer
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

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
