"""Server-sent events: their bytes, and how a stream of them begins, stays alive and ends."""

import asyncio
import time
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.web import Application, RequestHandler
from zonda.web.sse import Data, EventStream, format_event

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"data": "a"}, b"data: a\n\n"),
        ({"data": ""}, b"data: \n\n"),
        ({"data": "a\nb\r\nc\rd\n"}, b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        ({"data": "a\u2028b\x0bc\x85d"}, "data: a\u2028b\x0bc\x85d\n\n".encode()),
        ({"data": {"a": "</b>\n"}}, b'data: {"a": "<\\/b>\\n"}\n\n'),
        ({"data": [1, None]}, b"data: [1, null]\n\n"),
        ({"data": None}, b"data: null\n\n"),
        ({"data": "a", "event": "e", "id": 5}, b"event: e\nid: 5\ndata: a\n\n"),
        ({"data": "a", "id": ""}, b"id: \ndata: a\n\n"),
        ({"data": "a", "retry": 0.25}, b"retry: 250\ndata: a\n\n"),
    ],
)
def test_format(arguments: dict[str, Any], expected: bytes) -> None:
    assert format_event(**arguments) == expected


@pytest.mark.parametrize("name", ["event", "id"])
@pytest.mark.parametrize("text", ["a\nb", "a\r", "\x00"])
def test_no_line_can_be_smuggled_in(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        format_event("a", **{name: text})  # type: ignore[arg-type]


def test_negative_times() -> None:
    with pytest.raises(ValueError, match="retry"):
        format_event("a", retry=-1)
    with pytest.raises(ValueError, match="heartbeat"):
        EventStream(RequestHandler.__new__(RequestHandler), heartbeat=0)


async def read_until(client: RawClient, ending: bytes) -> bytes:
    async with asyncio.timeout(10):
        return await client.reader.readuntil(ending)


class Events(RequestHandler):
    log: list[str]
    data: list[Data]

    def initialize(self, log: list[str], data: list[Data] | None = None) -> None:
        self.log = log
        self.data = data or []

    def on_connection_close(self) -> None:
        self.log.append("connection closed")

    def on_finish(self) -> None:
        self.log.append("finished")


async def test_events() -> None:
    class Three(Events):
        async def get(self) -> None:
            async with self.sse(retry=3) as events:
                self.log.append(str(events.last_event_id))
                for number in range(3):
                    await events.send({"n": number}, id=number, event="tick")
                await events.comment("the\nend")
            self.log.append(str(events.closed))

    log: list[str] = []
    async with serve(Application([("/", Three, {"log": log})])) as port:
        async with RawClient(port) as client:
            response = await client(GET.replace(b"Host", b"Last-Event-ID: \xc3\xa9 1\r\nHost"))
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in response.headers
    ticks = b"".join(b'event: tick\nid: %d\ndata: {"n": %d}\n\n' % (n, n) for n in range(3))
    assert response.body == b"retry: 3000\n\n" + ticks + b": the\n: end\n\n"
    assert log == ["\xe9 1", "False", "finished"]


@pytest.mark.parametrize("way", ["waiting", "sending", "shielded"])
async def test_a_client_that_goes_ends_the_block(way: str) -> None:
    ended = asyncio.Event()

    class Endless(Events):
        async def get(self) -> None:
            try:
                async with self.sse(heartbeat=None) as events:
                    try:
                        await events.send("first")
                        if way == "waiting":
                            await asyncio.Event().wait()
                        while True:
                            await events.send("x" * 10_000)
                            if way == "shielded":
                                await asyncio.shield(asyncio.sleep(0))
                    finally:
                        self.log.append("cleanup")
                self.log.append(f"closed {events.closed}")
                # The task is not being cancelled any more: it may wait.
                await asyncio.sleep(0)
                self.log.append("after")
            finally:
                ended.set()

    log: list[str] = []
    async with serve(Application([("/", Endless, {"log": log})])) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await read_until(client, b"data: first\n\n")
        async with asyncio.timeout(10):
            await ended.wait()
        await asyncio.sleep(0)
    assert log == ["connection closed", "cleanup", "closed True", "after", "finished"]


async def test_heartbeat() -> None:
    released = asyncio.Event()

    class Silent(Events):
        async def get(self) -> None:
            async with self.sse(heartbeat=0.005):
                await released.wait()

    log: list[str] = []
    async with serve(Application([("/", Silent, {"log": log})])) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            for _ in range(4):
                await read_until(client, b":\n\n")
            released.set()
            await client.closed()
    assert log == ["finished"]


async def test_a_slow_client_holds_the_sender_back() -> None:
    sent = 0
    stuck = asyncio.Event()

    class Flood(Events):
        async def get(self) -> None:
            nonlocal sent
            async with self.sse(heartbeat=0.001) as events:
                while True:
                    sending = asyncio.ensure_future(events.send("x" * 100_000))
                    done, _ = await asyncio.wait([sending], timeout=0.2)
                    if not done:
                        stuck.set()
                    await sending
                    sent += 1

    log: list[str] = []
    async with serve(Application([("/", Flood, {"log": log})])) as port:
        async with RawClient(port) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.send(GET)
            async with asyncio.timeout(20):
                await stuck.wait()
            assert sent < 200  # 20 MB would be far more than buffers hold
            client.writer.transport.abort()
        deadline = time.monotonic() + 10
        while "finished" not in log and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
    assert log == ["connection closed", "finished"]


async def test_other_cancellations_go_on(expect_log: Any) -> None:
    tasks: list[asyncio.Task[Any]] = []
    outcome: list[str] = []

    class Cancelled(Events):
        async def get(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            try:
                async with self.sse():
                    tasks.append(task)
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                outcome.append("cancelled")
                raise

    async with serve(Application([("/", Cancelled, {"log": []})])) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await read_until(client, b":\n\n")
            with expect_log("zonda.general", "after headers written"):
                tasks[0].cancel()
                await client.closed()
    assert outcome == ["cancelled"]


async def test_errors_in_the_block(expect_log: Any) -> None:
    class Broken(Events):
        async def get(self) -> None:
            async with self.sse():
                raise ZeroDivisionError

    async with serve(Application([("/", Broken, {"log": []})])) as port:
        async with RawClient(port) as client:
            with (
                expect_log("zonda.application", "Uncaught"),
                expect_log("zonda.general", "after headers written"),
            ):
                await client.send(GET)
                await client.closed()


async def test_sending_behind_the_end() -> None:
    class Late(Events):
        async def get(self) -> None:
            async with self.sse() as events:
                pass
            await events.send("still the same response")

    async with serve(Application([("/", Late, {"log": []})])) as port:
        async with RawClient(port) as client:
            assert (await client(GET)).body.endswith(b"data: still the same response\n\n")


async def test_a_server_that_drains_sends_its_clients_away() -> None:
    class Endless(Events):
        async def get(self) -> None:
            try:
                async with self.sse() as events:
                    await events.send("a", id=1)
                    await asyncio.Event().wait()
                self.log.append(f"left, closed {events.closed}")
            finally:
                self.log.append("cleaned up")

    log: list[str] = []
    async with serving(Application([("/", Endless, {"log": log})])) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            reading = asyncio.ensure_future(client.response())
            while not server._connections or not any(c._exchange for c in server._connections):
                await asyncio.sleep(0)
            started = time.monotonic()
            await server.drain(timeout=60)
            assert time.monotonic() - started < 10
            response = await reading  # to its very end
            assert response.body.endswith(b"id: 1\ndata: a\n\n")
            assert await client.closed() == b""
    assert log == ["left, closed True", "cleaned up", "finished"]


async def test_a_stream_that_begins_while_the_server_drains() -> None:
    class Endless(Events):
        async def get(self) -> None:
            began.set()
            await released.wait()
            async with self.sse():
                await asyncio.Event().wait()

    began, released = asyncio.Event(), asyncio.Event()
    log: list[str] = []
    async with serving(Application([("/", Endless, {"log": log})])) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await began.wait()
            draining = asyncio.ensure_future(server.drain(timeout=60))
            while not server.draining:
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            released.set()
            assert (await client.response()).headers["Connection"] == "close"
            async with asyncio.timeout(10):
                await draining
    assert log == ["finished"]


async def test_a_stream_that_is_over_before_the_server_drains() -> None:
    class Short(Events):
        async def get(self) -> None:
            async with self.sse():
                pass
            over.set()
            await released.wait()
            self.write("more")

    over, released = asyncio.Event(), asyncio.Event()
    async with serving(Application([("/", Short, {"log": []})])) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await over.wait()
            draining = asyncio.ensure_future(server.drain(timeout=60))
            while not server.draining:
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            released.set()
            assert (await client.response()).body.endswith(b"more")
            await draining
