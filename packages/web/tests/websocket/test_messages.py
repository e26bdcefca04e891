"""Messages, pings and what the handler makes of them, over a real connection."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from zonda.httpserver.testing import serve
from zonda.httputil.websocket import DeflateOptions, Message, Ping, Pong, WebSocketClosedError
from zonda.ioloop import gen
from zonda.web import Application
from zonda.web.websocket import WebSocketHandler
from zonda.web.websocket.driver import EVENTS_PER_TURN
from zonda.web.websocket.testing import RawWebSocket

MESSAGES: list[str | bytes] = [
    "",
    b"",
    "hello",
    b"\x00\xff",
    "é€😀",
    "x" * 125,
    "x" * 126,
    b"y" * 65535,
    b"y" * 65536,
    "ü" * 100_000,
]


class Echo(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, isinstance(message, bytes))


class Returning(WebSocketHandler):
    def on_message(self, message: str | bytes) -> Any:
        return self.write_message(message, isinstance(message, bytes))


class Awaiting(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, isinstance(message, bytes))


class Waiting(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(0)
        await self.write_message(message, isinstance(message, bytes))


class Legacy(WebSocketHandler):
    @gen.coroutine
    def on_message(self, message: str | bytes) -> Any:
        yield gen.moment
        yield self.write_message(message, isinstance(message, bytes))


class Compressing(Echo):
    def get_compression_options(self) -> dict[str, Any]:
        return {}


KINDS = [Echo, Returning, Awaiting, Waiting, Legacy, Compressing]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["whole", "bytewise", "fragments"])
async def test_echo_in_order(kind: type[WebSocketHandler], way: str) -> None:
    deflate = DeflateOptions() if kind is Compressing else None
    messages = MESSAGES if way != "bytewise" else [m for m in MESSAGES if len(m) < 1000]
    async with serve(Application([("/", kind)])) as port:
        async with RawWebSocket(port, deflate=deflate) as peer:
            if way == "whole":
                peer.say(*messages)
            elif way == "fragments":
                for message in messages:
                    cut = len(message) // 2
                    send = peer.protocol.send_message
                    peer.send(b"".join(send(message[:cut], fin=False)))
                    peer.send(b"".join(peer.protocol.send_ping(b"between")))
                    peer.send(b"".join(send(message[cut:])))
            else:
                for message in messages:
                    for byte in b"".join(peer.protocol.send_message(message)):
                        peer.send(bytes((byte,)))
                        await asyncio.sleep(0)
            received: list[str | bytes] = []
            while len(received) < len(messages):
                event = await peer.event()
                if isinstance(event, Message):
                    received.append(event.data)
                else:
                    assert isinstance(event, Pong)
                    assert event.payload == b"between"
            assert received == messages


@pytest.mark.parametrize(
    ("message", "binary", "received"),
    [
        ("text", False, "text"),
        ("text", True, b"text"),
        (b"octets", True, b"octets"),
        (b"octets", False, "octets"),
        ({"a": [1, None]}, False, '{"a": [1, null]}'),
        ({"a": 1}, True, b'{"a": 1}'),
        (type("Text", (str,), {})("sub"), False, "sub"),
    ],
)
async def test_kinds_of_messages(message: Any, binary: bool, received: str | bytes) -> None:
    class Sending(Echo):
        async def open(self) -> None:  # type: ignore[override]
            await self.write_message(message, binary)

    async with serve(Application([("/", Sending)])) as port, RawWebSocket(port) as peer:
        assert await peer.message() == received


@pytest.mark.parametrize(
    ("message", "error"),
    [(5, TypeError), (None, TypeError), ([1], TypeError), (b"\xff", ValueError)],
)
async def test_what_is_no_message(message: Any, error: type[Exception]) -> None:
    class Sending(Echo):
        def open(self) -> None:  # type: ignore[override]
            with pytest.raises(error):
                self.write_message(message)
            self.write_message("fine")

    async with serve(Application([("/", Sending)])) as port, RawWebSocket(port) as peer:
        assert await peer.message() == "fine"


async def test_reading_pauses_while_a_callback_runs() -> None:
    running = 0
    order: list[str | bytes] = []

    class Slow(WebSocketHandler):
        async def on_message(self, message: str | bytes) -> None:
            nonlocal running
            running += 1
            assert running == 1
            await asyncio.sleep(0)
            order.append(message)
            running -= 1
            if message == "49":
                await self.write_message("done")

    async with serve(Application([("/", Slow)])) as port, RawWebSocket(port) as peer:
        peer.say(*map(str, range(50)))
        assert await peer.message() == "done"
    assert order == list(map(str, range(50)))


async def test_no_message_before_open_is_done() -> None:
    opened = asyncio.Event()
    seen: list[Any] = []

    class Slow(WebSocketHandler):
        async def open(self) -> None:  # type: ignore[override]
            await opened.wait()
            seen.append("open")

        def on_message(self, message: str | bytes) -> None:
            seen.append(message)
            self.write_message("ok")

    async with serve(Application([("/", Slow)])) as port, RawWebSocket(port) as peer:
        peer.say("early")
        await asyncio.sleep(0.01)  # nothing to wait for: nothing should happen
        assert seen == []
        opened.set()
        assert await peer.message() == "ok"
    assert seen == ["open", "early"]


async def test_pings() -> None:
    class Pinging(Echo):
        def on_ping(self, data: bytes) -> None:
            self.write_message(b"ping " + data, True)
            self.ping("own")

        async def on_pong(self, data: bytes) -> None:
            await asyncio.sleep(0)
            await self.write_message(b"pong " + data, True)

    async with serve(Application([("/", Pinging)])) as port, RawWebSocket(port) as peer:
        peer.send(b"".join(peer.protocol.send_ping(b"p")))
        pong = await peer.event()
        assert isinstance(pong, Pong)
        assert pong.payload == b"p"
        assert await peer.message() == b"ping p"
        ping = await peer.event()
        assert isinstance(ping, Ping)
        assert ping.payload == b"own"
        peer.send(b"".join(peer.protocol.send_pong(ping.payload)))
        assert await peer.message() == b"pong own"


async def test_a_ping_is_bounded() -> None:
    class Pinging(Echo):
        def open(self) -> None:  # type: ignore[override]
            with pytest.raises(ValueError, match="125"):
                self.ping(b"x" * 126)
            self.write_message("fine")

    async with serve(Application([("/", Pinging)])) as port, RawWebSocket(port) as peer:
        assert await peer.message() == "fine"


CALLBACKS = ["open", "on_message", "on_ping", "on_pong"]


@pytest.mark.parametrize("wait", [None, False, True])
@pytest.mark.parametrize("name", CALLBACKS)
async def test_an_exception_closes_with_1011(name: str, wait: bool | None, expect_log: Any) -> None:
    closed = asyncio.Event()

    def plain(self: Any, *args: Any) -> None:
        raise ZeroDivisionError("in the test")

    async def later(self: Any, *args: Any) -> None:
        if wait:
            await asyncio.sleep(0)
        raise ZeroDivisionError("in the test")

    members: dict[str, Any] = {
        name: plain if wait is None else later,
        "on_close": lambda self: closed.set(),
    }
    if name != "on_message":
        members["on_message"] = lambda self, message: None
    handler = type("Failing", (WebSocketHandler,), members)
    with expect_log("zonda.application", "Uncaught exception") as records:
        async with serve(Application([("/", handler)])) as port, RawWebSocket(port) as peer:
            if name == "on_message":
                peer.say("one", "two", "three")
            elif name == "on_ping":
                peer.send(b"".join(peer.protocol.send_ping()))
                assert isinstance(await peer.event(), Pong)
            elif name == "on_pong":
                peer.send(b"".join(peer.protocol.send_pong()))
            assert await peer.closed() == (1011, "")
            peer.close(1011)
            await peer.ended()
            await asyncio.wait_for(closed.wait(), 10)
    assert records[0].exc_info is not None
    assert records[0].exc_info[0] is ZeroDivisionError


async def test_a_cancelled_callback_closes() -> None:
    class Cancelled(WebSocketHandler):
        async def on_message(self, message: str | bytes) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)

    async with serve(Application([("/", Cancelled)])) as port, RawWebSocket(port) as peer:
        peer.say("x")
        assert await peer.closed() == (1011, "")


async def test_on_message_has_to_be_there(expect_log: Any) -> None:
    with expect_log("zonda.application", "Uncaught exception"):
        async with serve(Application([("/", WebSocketHandler)])) as port:
            async with RawWebSocket(port) as peer:
                peer.say("x")
                assert await peer.closed() == (1011, "")


async def test_writing_to_a_closed_one() -> None:
    handlers: list[WebSocketHandler] = []
    closed = asyncio.Event()

    class Kept(Echo):
        def open(self) -> None:  # type: ignore[override]
            handlers.append(self)

        def on_close(self) -> None:
            closed.set()

    async with serve(Application([("/", Kept)])) as port:
        async with RawWebSocket(port):
            pass
        await asyncio.wait_for(closed.wait(), 10)
    (handler,) = handlers
    calls: list[Callable[[], object]] = [lambda: handler.write_message("x"), handler.ping]
    for call in calls:
        with pytest.raises(WebSocketClosedError):
            call()
    handler.close()  # means nothing


# -- floods: others get their turn, and memory stays where it is ---------------------------------


def masked(first: int, payload: bytes = b"") -> bytes:
    return bytes((first, 0x80 | len(payload))) + b"\x00\x00\x00\x00" + payload


FLOODS = {
    "empty messages": masked(0x81),
    "tiny messages": masked(0x81, b"x"),
    "pings": masked(0x89, b"x"),
    "pongs": masked(0x8A),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_lets_others_have_their_turn(kind: str) -> None:
    """Between two turns of the loop no more than `EVENTS_PER_TURN` events are handled."""
    handled = [0]
    most = 0

    class Counting(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            handled[0] += 1

        def on_ping(self, data: bytes) -> None:
            handled[0] += 1

        on_pong = on_ping

    total = 50_000
    async with serve(Application([("/", Counting)])) as port, RawWebSocket(port) as peer:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def look(before: int) -> None:
            nonlocal most
            most = max(most, handled[0] - before)
            if handled[0] < total:
                loop.call_soon(look, handled[0])
            else:
                done.set_result(None)

        loop.call_soon(look, 0)
        peer.send(FLOODS[kind] * total)
        await asyncio.wait_for(done, 60)
    # Twice: what came in one turn and in the next may fall between two looks.
    assert most <= 2 * EVENTS_PER_TURN


async def test_a_flood_of_fragments_lets_others_have_their_turn() -> None:
    """Each read of such fragments is handled in many turns of the loop."""
    turns = 0
    total = 30_000
    async with serve(Application([("/", Echo)])) as port, RawWebSocket(port) as peer:
        loop = asyncio.get_running_loop()

        def count() -> None:
            nonlocal turns
            turns += 1
            loop.call_soon(count) if turns < 1_000_000 and not ended else None

        ended = False
        loop.call_soon(count)
        peer.send(masked(0x01) + masked(0x00) * total + masked(0x80, b"end"))
        assert await peer.message() == "end"
        ended = True
    assert turns > total // EVENTS_PER_TURN


async def test_a_flood_of_fragments_is_bounded(expect_log: Any) -> None:
    class Small(Echo):
        max_message_size = 1000

    async with serve(Application([("/", Small)])) as port, RawWebSocket(port) as peer:
        peer.send(masked(0x01, b"x"))
        peer.send(masked(0x00, b"x") * 2000)
        assert (await peer.closed())[0] == 1009


async def test_pings_are_not_collected_for_who_does_not_read() -> None:
    """Only the newest ping is answered when the peer reads again (RFC 6455 §5.5.3)."""
    handlers: list[WebSocketHandler] = []

    class Kept(Echo):
        def open(self) -> None:  # type: ignore[override]
            handlers.append(self)

    async with serve(Application([("/", Kept)])) as port, RawWebSocket(port) as peer:
        (handler,) = handlers
        protocol: Any = handler.ws_connection
        peer.pause()
        chunk = b"z" * 1_000_000
        for _ in range(100):
            writing = handler.write_message(chunk, True)
            if not writing.done():
                break
            await asyncio.sleep(0)
        assert not writing.done()
        queued = protocol.stream.bytes_queued
        for number in range(2000):
            peer.send(masked(0x89, b"%d" % number))
        while protocol._pong != b"1999":
            await asyncio.sleep(0)
        assert protocol.stream.bytes_queued <= queued
        peer.resume()
        pongs = []
        for _ in itertools.count():
            event = await peer.event()
            if isinstance(event, Pong):
                pongs.append(event.payload)
                break
        assert pongs == [b"1999"]
