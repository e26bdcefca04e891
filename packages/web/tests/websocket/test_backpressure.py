"""A client that reads slowly, or not at all: bounded memory, by each policy; and broadcasts."""

import asyncio
from typing import Any

import pytest

from zonda.httpserver.testing import serve
from zonda.httputil.websocket import (
    Close,
    DeflateOptions,
    HandshakeError,
    Message,
    WebSocketClosedError,
)
from zonda.web import Application
from zonda.web.websocket import WebSocketHandler, WebSocketProtocol13, broadcast
from zonda.web.websocket.testing import RawWebSocket

CHUNK = 100_000
MIB = 1024 * 1024


class Kept(WebSocketHandler):
    """Is found in ``handlers``."""

    def initialize(self, handlers: list["Kept"]) -> None:
        self.handlers = handlers
        handlers.append(self)

    def on_message(self, message: str | bytes) -> Any:
        self.write_message(message)

    def on_close(self) -> None:
        self.handlers.remove(self)


def kept(kind: type[Kept] = Kept, **settings: Any) -> tuple[Application, list[Kept]]:
    handlers: list[Kept] = []
    return Application([("/", kind, {"handlers": handlers})], **settings), handlers


def driver(handler: Kept) -> WebSocketProtocol13:
    protocol = handler.ws_connection
    assert isinstance(protocol, WebSocketProtocol13)
    return protocol


def held(protocol: WebSocketProtocol13) -> int:
    """Bytes that wait in the process."""
    assert protocol.stream is not None
    queue = protocol._queue
    return protocol.stream.bytes_queued + (0 if queue is None else queue.size)


async def until_full(handler: Kept) -> int:
    """Write until the socket takes no more; the number of messages written."""
    count = 0
    while not driver(handler)._writing_paused:
        handler.write_message(b"%08d" % count + b"z" * (CHUNK - 8), True)
        count += 1
        await asyncio.sleep(0)
    return count


async def test_who_waits_is_held_back_and_loses_nothing() -> None:
    application, handlers = kept()
    async with serve(application) as port, RawWebSocket(port) as peer:
        (handler,) = handlers
        peer.pause()
        sent = 0
        most = 0
        total = 200

        async def produce() -> None:
            nonlocal sent, most
            for number in range(total):
                await handler.write_message(b"%08d" % number + b"z" * (CHUNK - 8), True)
                sent += 1
                most = max(most, held(driver(handler)))
            handler.close(1000)

        producing = asyncio.ensure_future(produce())
        while driver(handler)._room is None:
            await asyncio.sleep(0)
        assert sent < total
        assert held(driver(handler)) < 3 * CHUNK
        peer.resume()
        for number in range(total):
            event = await peer.event()
            assert isinstance(event, Message)
            assert event.data[:8] == b"%08d" % number
        await producing
        assert most < 3 * CHUNK
        assert isinstance(await peer.event(), Close)


async def test_nothing_is_read_while_a_callback_runs() -> None:
    go_on = asyncio.Event()
    received = 0

    class Slow(Kept):
        async def on_message(self, message: str | bytes) -> None:
            nonlocal received
            received += 1
            await go_on.wait()
            if received == 200:
                await self.write_message("all")

    application, handlers = kept(Slow)
    async with serve(application) as port, RawWebSocket(port) as peer:
        (handler,) = handlers
        for _ in range(200):
            peer.say(b"z" * CHUNK)
        while not received:
            await asyncio.sleep(0)
        for _ in range(200):  # turns in which it could read on
            await asyncio.sleep(0)
        assert received == 1
        assert driver(handler)._protocol.bytes_buffered <= 2 * 65536
        go_on.set()
        assert await peer.message() == "all"


@pytest.mark.parametrize("policy", ["wait", "close"])
async def test_who_does_not_wait_is_cut_off_at_the_limit(policy: str, expect_log: Any) -> None:
    application, handlers = kept(
        websocket_queue_limit=MIB, websocket_queue_policy=policy, websocket_close_timeout=0.05
    )
    closed = False
    with expect_log("zonda.general", "does not read"):
        async with serve(application) as port, RawWebSocket(port) as peer:
            (handler,) = handlers
            protocol = driver(handler)
            peer.pause()
            await until_full(handler)
            futures = []
            try:
                for _ in range(100):
                    futures.append(handler.write_message(b"z" * CHUNK, True))
                    assert held(protocol) < MIB + 3 * CHUNK
            except WebSocketClosedError:
                closed = True
            assert closed
            assert len(futures) >= MIB // CHUNK - 1
            # Those who wait by this policy are told that it is over; the others never waited.
            if policy == "wait":
                assert all(isinstance(f.exception(), WebSocketClosedError) for f in futures)
            else:
                assert all(f.done() and f.exception() is None for f in futures)
            while handlers:  # it does not read its Close either: the deadline ends it
                await asyncio.sleep(0.01)


async def test_1013_reaches_a_client_that_reads_again(expect_log: Any) -> None:
    application, handlers = kept(websocket_queue_limit=MIB, websocket_queue_policy="close")
    with expect_log("zonda.general", "does not read"):
        async with serve(application) as port, RawWebSocket(port) as peer:
            (handler,) = handlers
            peer.pause()
            await until_full(handler)
            with pytest.raises(WebSocketClosedError):
                while True:
                    handler.write_message(b"z" * CHUNK, True)
            peer.resume()
            while isinstance(event := await peer.event(), Message):
                pass
            assert isinstance(event, Close)
            assert event.code == 1013


@pytest.mark.parametrize("deflate", [None, DeflateOptions()])
async def test_the_oldest_are_dropped(deflate: DeflateOptions | None) -> None:
    class Compressing(Kept):
        def get_compression_options(self) -> dict[str, Any]:
            return {"compression_level": 0}

    application, handlers = kept(
        Compressing, websocket_queue_limit=MIB, websocket_queue_policy="drop_oldest"
    )
    async with serve(application) as port, RawWebSocket(port, deflate=deflate) as peer:
        (handler,) = handlers
        protocol = driver(handler)
        peer.pause()
        count = await until_full(handler)
        last = count + 60
        for number in range(count, last):
            future = handler.write_message(b"%08d" % number + b"z" * (CHUNK - 8), True)
            assert future.done()
            assert held(protocol) < MIB + 3 * CHUNK
        assert protocol._queue is not None
        dropped = protocol._queue.dropped
        assert dropped >= 40
        peer.resume()
        numbers: list[int] = []
        while not numbers or numbers[-1] != last - 1:
            event = await peer.event()
            assert isinstance(event, Message)
            assert isinstance(event.data, bytes)
            numbers.append(int(event.data[:8]))
        # What was with the socket already, a gap, and the newest.
        assert numbers == [*range(count), *range(count + dropped, last)]


async def test_a_flood_of_empty_messages_is_bounded_too() -> None:
    application, handlers = kept(
        websocket_queue_limit=64 * 1000, websocket_queue_policy="drop_oldest"
    )
    async with serve(application) as port, RawWebSocket(port) as peer:
        (handler,) = handlers
        peer.pause()
        await until_full(handler)
        for _ in range(20_000):
            handler.write_message("")
        queue = driver(handler)._queue
        assert queue is not None
        assert len(queue) <= 1000


@pytest.mark.parametrize(
    "settings", [{"websocket_queue_policy": "other"}, {"websocket_queue_limit": -1}]
)
async def test_settings_that_are_none(settings: dict[str, Any], expect_log: Any) -> None:
    application, _ = kept(log_function=lambda handler: None, **settings)
    with expect_log("zonda.application", "Uncaught exception"):
        async with serve(application) as port:
            with pytest.raises(HandshakeError, match="500"):
                async with RawWebSocket(port):
                    pass


# -- broadcast -------------------------------------------------------------------------------------


class Mixed(Kept):
    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.get_query_argument("z", "") else None


@pytest.mark.parametrize(
    ("message", "binary", "received"),
    [
        ("news", False, "news"),
        ("news", True, b"news"),
        (b"news", False, "news"),
        (b"\xff", True, b"\xff"),
        ({"n": 1}, False, '{"n": 1}'),
        ("x" * 100_000, False, "x" * 100_000),
    ],
)
async def test_broadcast(message: Any, binary: bool, received: str | bytes) -> None:
    application, handlers = kept(Mixed)
    kinds = [None, DeflateOptions(), DeflateOptions(server_no_context_takeover=True)]
    async with serve(application) as port:
        async with (
            RawWebSocket(port) as plain,
            RawWebSocket(port, "/?z=1", deflate=kinds[1]) as takeover,
            RawWebSocket(port, "/?z=1", deflate=kinds[2]) as alone,
        ):
            peers = [plain, takeover, alone]
            for _ in range(2):  # messages of their own before and after
                for peer in peers:
                    peer.say("own, own, own")
                    assert await peer.message() == "own, own, own"
                assert broadcast(handlers, message, binary) == 3
                for peer in peers:
                    assert await peer.message() == received


async def test_broadcast_passes_over_the_closed() -> None:
    application, handlers = kept()
    async with serve(application) as port:
        async with RawWebSocket(port) as one, RawWebSocket(port) as two, RawWebSocket(port) as gone:
            everybody = list(handlers)
            handlers[2].close()
            assert broadcast(everybody, "x") == 2
            assert [await one.message(), await two.message()] == ["x", "x"]
            assert isinstance(await gone.event(), Close)


async def test_broadcast_to_one_that_does_not_read(expect_log: Any) -> None:
    application, handlers = kept(websocket_queue_limit=MIB, websocket_close_timeout=0.05)
    with expect_log("zonda.general", "does not read"):
        async with serve(application) as port:
            async with RawWebSocket(port) as slow:
                slow.pause()
                (stuck,) = handlers
                await until_full(stuck)
                async with RawWebSocket(port) as quick:
                    message = "x" * CHUNK
                    for _ in range(30):
                        broadcast(set(handlers), message)
                        assert await quick.message() == message
                    assert broadcast(handlers, "last") == 1
                    assert await quick.message() == "last"


async def test_broadcast_stays_behind_what_was_said_before() -> None:
    class Announcing(Kept):
        def on_message(self, message: str | bytes) -> None:
            self.write_message("before")  # held back until this read is through
            broadcast(self.handlers, message)
            self.write_message("after")

    application, _ = kept(Announcing)
    async with serve(application) as port:
        async with RawWebSocket(port) as speaker, RawWebSocket(port) as listener:
            speaker.say("one", "two")
            for word in ("one", "two"):
                assert [await speaker.message() for _ in range(3)] == ["before", word, "after"]
                assert await listener.message() == word


async def test_broadcast_to_one_named_twice() -> None:
    application, handlers = kept()
    async with serve(application) as port, RawWebSocket(port) as peer:
        assert broadcast(handlers * 2, "again") == 2
        assert [await peer.message(), await peer.message()] == ["again", "again"]


@pytest.mark.parametrize("message", [5, None, ["x"]])
def test_broadcast_of_what_is_no_message(message: Any) -> None:
    with pytest.raises(TypeError):
        broadcast([], message)


def test_broadcast_of_text_that_is_not_utf8() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        broadcast([], b"\xff")
