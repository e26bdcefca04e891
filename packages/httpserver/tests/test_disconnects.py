"""Clients that vanish: the application is told, whatever it does, and nothing is left of them."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import struct
import sys
import weakref
from collections.abc import Awaitable
from typing import Any, cast

import pytest

from zonda.httpserver.connection import HTTP1ServerConnection
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.iostream import StreamClosedError

OK = ResponseStartLine("HTTP/1.1", 200, "OK")
PIECE = b"x" * 16384


class Application(HTTPServerConnectionDelegate):
    """What it does depends on the path; all of its messages note what they are told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.happened = asyncio.Event()
        self.messages: weakref.WeakSet[Message] = weakref.WeakSet()
        self.tasks: set[asyncio.Task[None]] = set()
        self.gate = asyncio.Event()

    def note(self, path: str, what: str) -> None:
        self.events.append((path, what))
        self.happened.set()

    async def until(self, path: str, what: str) -> None:
        async with asyncio.timeout(20):
            while (path, what) not in self.events:
                self.happened.clear()
                await self.happened.wait()

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        message = Message(self, request_conn)
        self.messages.add(message)
        return message

    def on_close(self, server_conn: object) -> None:
        self.note("", "closed")


class Message(HTTPMessageDelegate):
    def __init__(self, application: Application, connection: Any) -> None:
        self.application = application
        self.connection = connection
        self.path = ""
        self.task: asyncio.Task[None] | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.path = cast(RequestStartLine, start_line).path
        self.application.note(self.path, "headers")
        return self.application.gate.wait() if self.path == "/held" else None  # type: ignore[return-value]

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.application.note(self.path, "data")
        return None

    def finish(self) -> None:
        self.application.note(self.path, "finish")
        if self.path in ("/wait", "/stream"):
            work = self.wait() if self.path == "/wait" else self.stream()
            self.task = asyncio.ensure_future(work)
            self.application.tasks.add(self.task)
            self.task.add_done_callback(self.application.tasks.discard)
        else:
            self.answer()

    def answer(self) -> None:
        self.connection.write_headers(OK, HTTPHeaders({"Content-Length": "2"}), b"ok")
        self.connection.finish()

    async def wait(self) -> None:
        try:
            await self.application.gate.wait()
            self.answer()
        finally:
            self.task = None  # or it and this message would keep each other

    async def stream(self) -> None:
        try:
            await self.connection.write_headers(OK, HTTPHeaders({"Transfer-Encoding": "chunked"}))
            for _ in range(2000):
                await self.connection.write(PIECE)
            self.connection.finish()
        except StreamClosedError:
            self.application.note(self.path, "write failed")

    def on_connection_close(self) -> None:
        self.application.note(self.path, "gone")
        if self.task is not None and self.path == "/wait":
            self.task.cancel()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def vanish(client: RawClient, reset: bool) -> None:
    """Go away: with a FIN as all do, or with a reset."""
    if reset:
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
    else:
        client.writer.close()


HALF_A_BODY = b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"
HALF_A_CHUNK = b"POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab"
HELD = b"POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"

# What is sent, what to wait for before the client goes, and who is to be told then.
MOMENTS = {
    "while a handler waits for something else": (get("/wait"), ("/wait", "finish"), "/wait"),
    "while a long answer is written": (get("/stream"), ("/stream", "finish"), "/stream"),
    "inside a body": (HALF_A_BODY, ("/body", "data"), "/body"),
    "inside a chunk": (HALF_A_CHUNK, ("/body", "data"), "/body"),
    "while the body is held back": (HELD, ("/held", "headers"), "/held"),
    "with another request behind": (get("/wait") + get("/now"), ("/wait", "finish"), "/wait"),
    "with half a request behind": (get("/wait") + b"GET /no", ("/wait", "finish"), "/wait"),
}


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_application_is_told_once(moment: str, reset: bool) -> None:
    data, before, path = MOMENTS[moment]
    application = Application()
    async with serving(application) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(data)
            await application.until(*before)
            vanish(client, reset)
        await application.until(path, "gone")
        if path == "/stream":
            await application.until("/stream", "write failed")
        if path == "/wait" and not reset:
            # Its task is cancelled. It might have answered instead, and the client have read that:
            # it is the timer that sees that nobody will.
            async with asyncio.timeout(10):
                while ("", "closed") not in application.events:
                    assert server._timer is not None
                    server._timer.tick()
                    await asyncio.sleep(0)
        application.gate.set()
        await application.until("", "closed")
    assert application.events.count((path, "gone")) == 1
    assert application.events.count(("", "closed")) == 1
    if reset:
        assert ("/now", "headers") not in application.events  # nobody is there to be answered


async def test_a_request_behind_that_has_to_wait_is_told_too() -> None:
    application = Application()
    async with serving(application) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(get("/now") + get("/now") + get("/wait"))
            client.writer.write_eof()
            await application.until("/wait", "gone")
        await application.until("", "closed")
    assert application.events.count(("/now", "finish")) == 2


HELD_BODIES = [
    pytest.param(b"Content-Length: 3\r\n\r\nabc", id="whole"),
    pytest.param(b"Connection: x\r\nContent-Length: 3\r\n\r\nabc", id="in pieces"),
    pytest.param(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", id="chunked"),
]


@pytest.mark.parametrize("fields", HELD_BODIES)
async def test_who_only_stops_sending_is_answered(fields: bytes) -> None:
    application = Application()
    async with serving(application) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(get("/now"))  # fields that are known are taken whole
            assert (await client.response()).body == b"ok"
            await client.send(b"POST /held HTTP/1.1\r\nHost: h\r\n" + fields)
            client.writer.write_eof()
            await application.until("/held", "headers")
            connection = next(iter(server._connections))
            async with asyncio.timeout(10):
                while not connection._peer_finished:
                    await asyncio.sleep(0)
            application.gate.set()
            assert (await client.response()).body == b"ok"
            await application.until("/held", "finish")


async def test_who_only_stops_sending_is_not_cut_off_while_somebody_may_answer() -> None:
    application = Application()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        await client.send(get("/held"))  # its task is not cancelled when it is told
        client.writer.write_eof()
        await application.until("/held", "headers")
        connection = next(iter(server._connections))
        async with asyncio.timeout(10):
            while not connection._peer_finished:
                await asyncio.sleep(0)
        held = next(iter(application.messages)).connection
        for _ in range(3):
            assert server._timer is not None
            server._timer.tick()
        assert not connection.stream.closed()
        application.gate.set()
        assert (await client.response()).body == b"ok"
        assert held.finished


@pytest.mark.parametrize("path", ["/wait", "/stream"])
async def test_nothing_is_left_of_it(path: str) -> None:
    """Without the help of the garbage collector: there are no cycles to wait for it with."""
    application = Application()
    gc.collect()
    gc.disable()
    try:
        async with serving(application) as server:
            async with RawClient(port_of(server)) as client:
                await client.send(get(path))
                await application.until(path, "finish")
                connection = weakref.ref(next(iter(server._connections)))
                assert len(application.messages) == 1
                vanish(client, reset=True)
            await application.until("", "closed")
            async with asyncio.timeout(10):
                while application.tasks:
                    await asyncio.sleep(0)
            assert not server._connections
            assert len(server._timer or ()) == 0
        for _ in range(3):
            await asyncio.sleep(0)
        assert connection() is None
        assert not application.messages
    finally:
        gc.enable()


SCRIPTS = (
    get("/now") * 3,
    get("/wait") + get("/now"),
    get("/stream"),
    b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20000 + get("/now"),
    b"POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"64\r\n"
    + b"x" * 100
    + b"\r\n"
    + b"0\r\nT: v\r\n\r\n"
    + get("/wait"),
    b"POST /body HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n" + b"y" * 500,
)


async def disconnect_somewhere(port: int, dice: random.Random) -> None:
    script = dice.choice(SCRIPTS)
    data = script[: dice.randint(0, len(script))]
    async with RawClient(port) as client:
        cut = dice.randint(0, len(data))
        client.writer.write(data[:cut])
        for _ in range(dice.randint(0, 3)):
            await asyncio.sleep(0)
        client.writer.write(data[cut:])
        if dice.random() < 0.3:
            client.writer.write_eof()
        for _ in range(dice.randint(0, 5)):
            await asyncio.sleep(0)
        vanish(client, reset=dice.random() < 0.5)


def connections_alive() -> int:
    """How many there are in this process, other tests' included."""
    gc.collect()
    return sum(type(one) is HTTP1ServerConnection for one in gc.get_objects())


async def test_a_thousand_disconnects_leave_nothing() -> None:
    dice = random.Random(9112)
    application = Application()
    blocks: list[int] = []
    before = connections_alive()
    async with serving(application) as server:
        port = port_of(server)
        for _ in range(5):
            for _ in range(10):
                await asyncio.gather(*(disconnect_somewhere(port, dice) for _ in range(20)))
            async with asyncio.timeout(20):
                while server._connections or application.tasks:
                    assert server._timer is not None
                    server._timer.tick()
                    await asyncio.sleep(0)
            opened = sum(what == "closed" for _, what in application.events)
            begun = sum(what == "headers" for _, what in application.events)
            assert begun > opened / 4, "most of them got somewhere"
            application.events.clear()
            assert connections_alive() == before
            assert not application.messages
            assert len(server._timer or ()) == 0
            blocks.append(sys.getallocatedblocks())
    # The first rounds fill caches; eight hundred connections more take no room.
    assert blocks[-1] - blocks[0] < 2000, blocks
