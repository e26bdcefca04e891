"""The closing handshake in every order (RFC 6455 §7), the loss of a connection, time-outs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from zonda.httpserver.testing import port_of, serve, serving
from zonda.httputil.websocket import Close, LocalError, Message, Ping, WebSocketClosedError
from zonda.ioloop import gen
from zonda.web import Application
from zonda.web.websocket import WebSocketHandler, WebSocketProtocol13
from zonda.web.websocket.testing import RawWebSocket


class Noting(WebSocketHandler):
    """Says in ``notes`` how it was closed; ``closed`` is set then."""

    notes: list[tuple[int | None, str | None]]
    closed: asyncio.Event
    handlers: list["Noting"]

    def initialize(self, notes: Any, closed: Any, handlers: Any) -> None:
        self.notes = notes
        self.closed = closed
        handlers.append(self)

    def on_message(self, message: str | bytes) -> Any:
        if message == "close":
            self.close()
        elif message == "close 4000":
            self.close(4000, "why")
        elif message == "reason":
            self.close(reason="only")
        elif message == "abort":
            assert isinstance(self.ws_connection, WebSocketProtocol13)
            self.ws_connection.abort()
        else:
            self.write_message(message)

    def on_close(self) -> None:
        self.notes.append((self.close_code, self.close_reason))
        self.closed.set()


class Scene:
    """An application with `Noting` handlers."""

    def __init__(self, kind: type[Noting] = Noting, /, **settings: Any) -> None:
        self.notes: list[tuple[int | None, str | None]] = []
        self.closed = asyncio.Event()
        self.handlers: list[Noting] = []
        arguments = {"notes": self.notes, "closed": self.closed, "handlers": self.handlers}
        self.application = Application([("/", kind, arguments)], **settings)

    async def over(self) -> tuple[int | None, str | None]:
        """What the handler was told at the end; once."""
        await asyncio.wait_for(self.closed.wait(), 10)
        await asyncio.sleep(0)
        (note,) = self.notes
        return note


# what the client sends -> what comes back, what on_close sees
BY_CLIENT: list[tuple[int | None, str, tuple[int | None, str], tuple[int | None, str | None]]] = [
    (None, "", (None, ""), (None, None)),
    (1000, "", (1000, ""), (1000, None)),
    (1000, "bye", (1000, ""), (1000, "bye")),
    (1001, "", (1001, ""), (1001, None)),
    (4999, "é" * 50, (4999, ""), (4999, "é" * 50)),
]


@pytest.mark.parametrize(("code", "reason", "answer", "note"), BY_CLIENT)
async def test_the_client_closes(
    code: int | None, reason: str, answer: Any, note: tuple[int | None, str | None]
) -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        peer.close(code, reason)
        assert await peer.closed() == answer
        assert await peer.ended() == b""  # the server closes the TCP connection (§7.1.1)
        assert await scene.over() == note


@pytest.mark.parametrize(
    ("asked", "said"),
    [("close", (None, "")), ("close 4000", (4000, "why")), ("reason", (1000, "only"))],
)
async def test_the_server_closes(asked: str, said: tuple[int | None, str]) -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        peer.say(asked)
        assert await peer.closed() == said
        (handler,) = scene.handlers
        assert handler.ws_connection is None
        with pytest.raises(WebSocketClosedError):
            handler.write_message("late")
        peer.close(*said)
        assert await peer.ended() == b""
        assert await scene.over() == (said[0], said[1] or None)


async def test_both_at_once() -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        (handler,) = scene.handlers
        handler.close(4001, "server")
        peer.close(4002, "client")  # before the server's was read
        assert await peer.closed() == (4001, "server")
        assert await peer.ended() == b""  # one Close, no answer to the other one
        assert await scene.over() == (4002, "client")


async def test_messages_before_the_clients_close_arrive() -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        peer.say("one", "two")
        peer.close(1000)
        assert await peer.message() == "one"
        assert await peer.message() == "two"
        assert await peer.closed() == (1000, "")
        assert await scene.over() == (1000, None)


async def test_messages_before_the_servers_close_arrive() -> None:
    class Talkative(Noting):
        def open(self) -> None:  # type: ignore[override]
            for number in range(3):
                self.write_message(str(number))
            self.close(1000)

    scene = Scene(Talkative)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        assert [await peer.message() for _ in range(3)] == ["0", "1", "2"]
        assert await peer.closed() == (1000, "")
        peer.close(1000)
        assert await scene.over() == (1000, None)


async def test_messages_of_a_client_that_does_not_know_yet() -> None:
    """After the server's Close messages still come in, until the client has answered."""
    received: list[str | bytes] = []

    class Closing(Noting):
        def on_message(self, message: str | bytes) -> None:
            received.append(message)
            if message == "1":
                self.close(1000)
            else:
                self.write_message("an answer too late")  # not the handler's fault: no error

    scene = Scene(Closing)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        peer.say("1", "2")
        peer.close(1000)
        assert await peer.closed() == (1000, "")
        assert await peer.ended() == b""
        assert await scene.over() == (1000, None)
    assert received == ["1", "2"]


async def test_what_waits_goes_out_before_the_close() -> None:
    chunks = 40

    class Firehose(Noting):
        def open(self) -> None:  # type: ignore[override]
            for _ in range(chunks):
                self.write_message(b"z" * 300_000, True)
            assert self.ws_connection is not None
            self.close(1000, "all said")

    scene = Scene(Firehose)
    async with serve(scene.application) as port:
        peer = RawWebSocket(port)
        async with peer:
            for _ in range(chunks):
                event = await peer.event()
                assert isinstance(event, Message)
            assert await peer.closed() == (1000, "all said")
            peer.close(1000)
            assert await scene.over() == (1000, None)


@pytest.mark.parametrize("code", [999, 1004, 1005, 1006, 1015, 2999, 5000])
async def test_codes_that_may_not_be_sent(code: int) -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        (handler,) = scene.handlers
        with pytest.raises(LocalError):
            handler.close(code)
        peer.say("still open")
        assert await peer.message() == "still open"


def masked(first: int, payload: bytes = b"") -> bytes:
    return bytes((first, 0x80 | len(payload))) + b"\x00\x00\x00\x00" + payload


# RFC 6455 by section: what the client may not send -> the code it gets
BROKEN: dict[str, tuple[bytes, int]] = {
    "5.1 not masked": (b"\x81\x01x", 1002),
    "5.2 RSV1 without an extension": (masked(0xC1), 1002),
    "5.2 RSV2": (masked(0xA1), 1002),
    "5.2 RSV3": (masked(0x91), 1002),
    "5.2 unknown opcode 3": (masked(0x83), 1002),
    "5.2 unknown opcode 11": (masked(0x8B), 1002),
    "5.2 length not in its shortest form": (b"\x81\xfe\x00\x01\x00\x00\x00\x00x", 1002),
    "5.2 length with the highest bit": (b"\x81\xff" + b"\xff" * 8 + b"\x00" * 4, 1002),
    "5.4 continuation of nothing": (masked(0x80), 1002),
    "5.4 message inside a message": (masked(0x01, b"a") + masked(0x81, b"b"), 1002),
    "5.5 control frame too long": (b"\x89\xfe\x00\x7e" + b"\x00" * 130, 1002),
    "5.5 fragmented control frame": (masked(0x09), 1002),
    "5.5.1 half a code": (masked(0x88, b"\x03"), 1002),
    "5.5.1 code 999": (masked(0x88, b"\x03\xe7"), 1002),
    "5.5.1 code 1005": (masked(0x88, b"\x03\xed"), 1002),
    "5.5.1 code 5000": (masked(0x88, b"\x13\x88"), 1002),
    "5.5.1 reason not UTF-8": (masked(0x88, b"\x03\xe8\xff"), 1007),
    "5.6 text not UTF-8": (masked(0x81, b"\xff"), 1007),
    "5.6 text that ends inside a character": (masked(0x81, b"\xc3"), 1007),
    "7.4.1 too large": (b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff" + b"\x00" * 4, 1009),
}


@pytest.mark.parametrize("way", ["whole", "bytewise", "behind a message"])
@pytest.mark.parametrize("name", BROKEN)
async def test_a_client_that_breaks_the_protocol(name: str, way: str) -> None:
    data, code = BROKEN[name]
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        if way == "bytewise":
            for byte in data:
                peer.send(bytes((byte,)))
                await asyncio.sleep(0)
        elif way == "whole":
            peer.send(data + masked(0x81, b"never seen"))
        else:
            peer.send(masked(0x81, b"good") + data)
            assert await peer.message() == "good"
        assert (await peer.closed())[0] == code
        assert await peer.ended() == b""
        peer.shut()
        assert await scene.over() == (None, None)


@pytest.mark.parametrize("way", ["eof", "reset", "inside a frame", "inside a message"])
async def test_the_connection_is_lost(way: str) -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        if way == "inside a frame":
            peer.send(b"\x81\x85\x00")
        elif way == "inside a message":
            peer.send(masked(0x01, b"x"))
        if way == "reset":
            peer.reset()
        else:
            peer.shut()
        assert await scene.over() == (None, None)


@pytest.mark.parametrize("how", ["reset", "eof"])
@pytest.mark.parametrize("when", ["open", "on_message"])
async def test_the_connection_is_lost_while_a_callback_runs(when: str, how: str) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()
    outcome: list[BaseException | None] = []

    async def slow(self: Noting, *args: Any) -> None:
        started.set()
        await go_on.wait()
        try:
            await self.write_message("to nobody")
            outcome.append(None)
        except WebSocketClosedError as error:
            outcome.append(error)

    kind = type("Slow", (Noting,), {when: slow})
    scene = Scene(kind)
    async with serve(scene.application) as port:
        async with RawWebSocket(port) as peer:
            if when == "on_message":
                peer.say("x")
            await started.wait()
            if how == "reset":
                peer.reset()
        if when == "on_message":  # but what open() sets up, on_close() takes down, and so is later
            assert await scene.over() == (None, None)
            go_on.set()
        else:
            connection = scene.handlers[0].ws_connection
            assert connection is not None
            while not connection.is_closing():
                await asyncio.sleep(0)
            assert not scene.notes
            go_on.set()
            assert await scene.over() == (None, None)
        while not outcome:
            await asyncio.sleep(0)
    assert isinstance(outcome[0], WebSocketClosedError)


async def test_a_writer_that_waits_is_told() -> None:
    outcome: list[BaseException] = []

    class Writing(Noting):
        async def open(self) -> None:  # type: ignore[override]
            try:
                while True:
                    await self.write_message(b"z" * 100_000, True)
            except WebSocketClosedError as error:
                outcome.append(error)

    scene = Scene(Writing)
    async with serve(scene.application) as port:
        async with RawWebSocket(port) as peer:
            peer.pause()
            while not any(
                isinstance(h.ws_connection, WebSocketProtocol13) and h.ws_connection._room
                for h in scene.handlers
            ):
                await asyncio.sleep(0)
        await scene.over()
        while not outcome:
            await asyncio.sleep(0)


async def test_abort() -> None:
    scene = Scene()
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        peer.say("abort")
        assert await peer.ended() == b""
        assert await scene.over() == (None, None)


# -- time-outs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", [False, True])
async def test_a_client_that_does_not_answer_the_close(busy: bool) -> None:
    """It has ``websocket_close_timeout`` seconds."""
    scene = Scene(websocket_close_timeout=0.02)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        (handler,) = scene.handlers
        if busy:  # it talks on
            peer.say(*["more"] * 10)
        handler.close(1000)
        assert await scene.over() == (None, None)


async def test_a_client_that_does_not_take_the_answer_to_its_close() -> None:
    scene = Scene(websocket_close_timeout=0.02)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        (handler,) = scene.handlers
        peer.pause()
        while handler.write_message(b"z" * 1_000_000, True).done():
            await asyncio.sleep(0)
        peer.close(1000)
        assert await scene.over() == (1000, None)


class Clock:
    """Stands in for the time of the loop as a connection sees it: timers run when told to."""

    def __init__(self, protocol: WebSocketProtocol13) -> None:
        self.now = 100.0
        self.timer: tuple[float, Callable[[], None]] | None = None
        protocol._cancel_timer()
        protocol._keepalive = None
        protocol._loop = self  # type: ignore[assignment]
        protocol.start_pinging()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self.timer = (self.now + delay, callback)
        return self

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def cancel(self) -> None:
        self.timer = None

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self.timer is not None and self.timer[0] <= self.now:
            callback, self.timer = self.timer[1], None
            callback()


PINGING = {"websocket_ping_interval": 1000, "websocket_ping_timeout": 400}


def clock_of(scene: Scene) -> Clock:
    protocol = scene.handlers[0].ws_connection
    assert isinstance(protocol, WebSocketProtocol13)
    return Clock(protocol)


async def test_pings_at_intervals() -> None:
    pongs = asyncio.Queue[bytes]()

    class Answered(Noting):
        def on_pong(self, data: bytes) -> None:
            pongs.put_nowait(data)

    scene = Scene(Answered, **PINGING)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        clock = clock_of(scene)
        for _ in range(3):
            clock.advance(999)
            assert pongs.empty()
            clock.advance(1)
            ping = await peer.event()
            assert isinstance(ping, Ping)
            peer.send(b"".join(peer.protocol.send_pong(ping.payload)))
            assert await asyncio.wait_for(pongs.get(), 10) == ping.payload
            clock.advance(0)
        peer.say("alive")
        assert await peer.message() == "alive"


async def test_no_pong_in_time() -> None:
    scene = Scene(Noting, **PINGING)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        clock = clock_of(scene)
        clock.advance(1000)
        assert isinstance(await peer.event(), Ping)
        clock.advance(399)
        assert not scene.closed.is_set()
        clock.advance(1)
        assert await peer.closed() == (1011, "ping timed out")
        assert await scene.over() == (None, None)


async def test_a_pong_that_nobody_could_read_is_not_missed() -> None:
    go_on = asyncio.Event()

    class Slow(Noting):
        async def on_message(self, message: str | bytes) -> None:
            await go_on.wait()
            await self.write_message(message)

    scene = Scene(Slow, **PINGING)
    async with serve(scene.application) as port, RawWebSocket(port) as peer:
        clock = clock_of(scene)
        peer.say("keeps it busy")
        while not scene.handlers[0].ws_connection._busy:  # type: ignore[union-attr]
            await asyncio.sleep(0)
        clock.advance(1000)
        ping = await peer.event()
        assert isinstance(ping, Ping)
        peer.send(b"".join(peer.protocol.send_pong(ping.payload)))
        clock.advance(400)
        assert not scene.closed.is_set()
        go_on.set()
        assert await peer.message() == "keeps it busy"


# -- the server goes away --------------------------------------------------------------------------


async def test_drain_says_1001() -> None:
    scene = Scene()
    async with serving(scene.application) as server:
        async with RawWebSocket(port_of(server)) as peer:
            draining = asyncio.ensure_future(server.drain())
            assert await peer.closed() == (1001, "")
            assert not draining.done()
            peer.close(1001)
            await asyncio.wait_for(draining, 10)
            assert scene.notes == [(1001, None)]


async def test_drain_has_a_deadline() -> None:
    scene = Scene()
    async with serving(scene.application) as server:
        async with RawWebSocket(port_of(server)):
            await asyncio.wait_for(server.drain(timeout=0.01), 10)
            assert scene.notes == [(None, None)]


async def test_drain_finds_those_that_open_meanwhile() -> None:
    go_on = asyncio.Event()

    class Late(Noting):
        async def prepare(self) -> None:
            await go_on.wait()

    scene = Scene(Late)
    async with serving(scene.application) as server:
        opening = RawWebSocket(port_of(server))
        entering = asyncio.ensure_future(opening.__aenter__())
        while not scene.handlers:
            await asyncio.sleep(0)
        draining = asyncio.ensure_future(server.drain())
        await asyncio.sleep(0)
        go_on.set()
        peer = await entering
        try:
            assert await peer.closed() == (1001, "")
            peer.close(1001)
            await asyncio.wait_for(draining, 10)
        finally:
            peer.abort()


async def test_close_all_connections() -> None:
    scene = Scene()
    async with serving(scene.application) as server:
        async with RawWebSocket(port_of(server)) as peer:
            await asyncio.wait_for(server.close_all_connections(), 10)
            assert scene.notes == [(None, None)]
            assert await peer.ended() == b""


async def test_an_error_in_on_close_is_logged(expect_log: Any) -> None:
    class Failing(Noting):
        def on_close(self) -> None:
            super().on_close()
            raise ZeroDivisionError

    scene = Scene(Failing)
    with expect_log("zonda.application", "Uncaught exception GET /"):  # by its log_exception
        async with serve(scene.application) as port, RawWebSocket(port) as peer:
            peer.close()
            await scene.over()


async def test_legacy_coroutines_are_waited_for() -> None:
    class Old(Noting):
        @gen.coroutine
        def open(self) -> Any:  # type: ignore[override]
            yield gen.sleep(0)
            yield self.write_message("opened")

    async with serve(Scene(Old).application) as port, RawWebSocket(port) as peer:
        assert await peer.message() == "opened"
        peer.close()
        assert isinstance(await peer.event(), Close)
