"""WebSockets of ASGI applications, over real connections."""

import asyncio
from typing import TYPE_CHECKING, Any, Self

import pytest

from zonda.httpserver.asgi import ASGIContainer, Message, Receive, Scope, Send
from zonda.httpserver.asgi.websocket import EVENTS_PER_TURN
from zonda.httpserver.asgi.websocketoptions import WebSocketOptions
from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil.websocket import (
    ClientConnection,
    ClientHandshake,
    Close,
    DeflateOptions,
    Event,
    Signal,
)
from zonda.httputil.websocket import Message as WSMessage

if TYPE_CHECKING:
    from conftest import ExpectLog

TIMEOUT = 10.0


class Client(RawClient):
    """A WebSocket client that shows everything."""

    handshake: ClientHandshake
    protocol: ClientConnection

    async def open(
        self,
        path: str = "/",
        subprotocols: tuple[str, ...] = (),
        deflate: DeflateOptions | None = None,
        early: bytes = b"",
    ) -> Self:
        self.handshake = ClientHandshake(subprotocols, deflate)
        fields = "".join(f"{n}: {v}\r\n" for n, v in self.handshake.headers().get_all())
        head = f"GET {path} HTTP/1.1\r\nHost: example.com\r\n{fields}\r\n"
        await self.send(head.encode() + early)
        return self

    async def opened(self) -> dict[str, str]:
        async with asyncio.timeout(TIMEOUT):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, _, rest = head.partition("\r\n")
        assert line == "HTTP/1.1 101 Switching Protocols"
        from zonda.httputil import HTTPHeaders  # noqa: PLC0415

        headers = HTTPHeaders.parse(rest.removesuffix("\r\n"))
        agreement = self.handshake.read_response(101, headers)
        self.protocol = ClientConnection(agreement.deflate)
        return dict(headers.items())

    def say(self, data: str | bytes) -> None:
        # Not writelines(), which forgets to hold its caller back in Python 3.12.1.
        for buffer in self.protocol.send_message(data):
            self.writer.write(bytes(buffer))

    async def event(self) -> Event | None:
        """The next event; None when the server has closed the connection."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                event = self.protocol.next_event()
                if not isinstance(event, Signal):
                    return event
                try:
                    data = await self.reader.read(65536)
                except ConnectionResetError:
                    data = b""
                if not data:
                    return None
                self.protocol.receive_data(data)

    async def text(self) -> str | bytes:
        event = await self.event()
        assert isinstance(event, WSMessage), event
        return event.data


def contain(app: Any, **options: Any) -> ASGIContainer:
    options.setdefault("ping_interval", None)
    return ASGIContainer(app, lifespan="off", websocket=WebSocketOptions(**options))


class Echo:
    """Accepts, echoes, and keeps what it was told."""

    def __init__(self, **accept: Any) -> None:
        self.accept = accept
        self.scopes: list[Scope] = []
        self.received: list[Message] = []
        self.done = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        try:
            self.received.append(await receive())
            await send({"type": "websocket.accept", **self.accept})
            while True:
                message = await receive()
                self.received.append(message)
                if message["type"] == "websocket.disconnect":
                    return
                await send({**message, "type": "websocket.send"})
        finally:
            self.done.set()


@pytest.mark.parametrize("deflate", [None, DeflateOptions()])
async def test_messages_there_and_back(deflate: DeflateOptions | None) -> None:
    app = Echo(subprotocol="chat", headers=[(b"X-One", b"1")])
    async with serve(contain(app)) as port, Client(port) as client:
        await client.open("/a%20b?x", ("other", "chat"), deflate)
        headers = await client.opened()
        assert headers["Sec-Websocket-Protocol"] == "chat"
        assert headers["X-One"] == "1"
        assert ("Sec-Websocket-Extensions" in headers) is (deflate is not None)
        for data in ("hello", b"\x00\xff", "", "é" * 100_000):
            client.say(data)
            assert await client.text() == data
        client.writer.writelines(map(bytes, client.protocol.send_close(3001, "bye")))
        assert await client.event() == closing(3001)
        async with asyncio.timeout(TIMEOUT):
            await app.done.wait()
        [scope] = app.scopes
    assert app.received[0] == {"type": "websocket.connect"}
    assert app.received[-1] == {"type": "websocket.disconnect", "code": 3001, "reason": "bye"}
    assert (scope["type"], scope["scheme"], scope["path"], scope["query_string"]) == (
        "websocket",
        "ws",
        "/a b",
        b"x",
    )
    assert scope["subprotocols"] == ["other", "chat"]
    assert "method" not in scope


class closing:
    """Equal to a Close with this code."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Close) and other.code == self.code

    def __hash__(self) -> int:
        return hash(self.code)


async def test_frames_that_come_with_the_handshake() -> None:
    async with serve(contain(Echo())) as port, Client(port) as client:
        early = b"".join(map(bytes, ClientConnection().send_message("early")))
        await client.open(early=early)
        await client.opened()
        assert await client.text() == "early"


@pytest.mark.parametrize("code", [1000, 3500])
async def test_the_application_closes(code: int) -> None:
    ended = asyncio.Event()
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": code, "reason": "enough"})
        with pytest.raises(OSError, match="closed"):
            await send({"type": "websocket.send", "text": "late"})
        received.append(await receive())
        ended.set()

    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        event = await client.event()
        assert isinstance(event, Close)
        assert (event.code, event.reason) == (code, "enough")
        client.writer.writelines(map(bytes, client.protocol.send_close(code)))
        assert await client.event() is None  # the server closes, which is its part
        async with asyncio.timeout(TIMEOUT):
            await ended.wait()
    assert received == [{"type": "websocket.disconnect", "code": code, "reason": "enough"}]


async def test_a_peer_that_does_not_answer_a_close() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    async with serve(contain(app, close_timeout=0.05)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        assert await client.event() == closing(1000)
        assert await client.event() is None


async def test_a_peer_that_vanishes() -> None:
    app = Echo()
    async with serve(contain(app)) as port:
        async with Client(port) as client:
            await client.open()
            await client.opened()
        async with asyncio.timeout(TIMEOUT):
            await app.done.wait()
    assert app.received[-1] == {"type": "websocket.disconnect", "code": 1006, "reason": ""}


async def test_a_peer_that_breaks_the_protocol() -> None:
    app = Echo()
    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        await client.send(b"\x81\x02hi")  # not masked
        assert await client.event() == closing(1002)
        async with asyncio.timeout(TIMEOUT):
            await app.done.wait()
    assert app.received[-1]["code"] == 1002


async def test_too_large_a_message() -> None:
    app = Echo()
    async with serve(contain(app, max_message_size=100)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        client.say("x" * 101)
        assert await client.event() == closing(1009)


DENIALS: dict[str, tuple[list[Message], int, bytes]] = {
    "close": ([{"type": "websocket.close"}], 403, b""),
    "response": (
        [
            {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x", b"1")]},
            {"type": "websocket.http.response.body", "body": b"no"},
        ],
        401,
        b"no",
    ),
    "response in pieces": (
        [
            {"type": "websocket.http.response.start", "status": 404, "headers": []},
            {"type": "websocket.http.response.body", "body": b"n", "more_body": True},
            {"type": "websocket.http.response.body", "body": b"o"},
        ],
        404,
        b"no",
    ),
}


@pytest.mark.parametrize("case", DENIALS)
async def test_denials(case: str) -> None:
    messages, status, content = DENIALS[case]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert "websocket.http.response" in scope["extensions"]
        await receive()
        for message in messages:
            await send(message)

    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        response = await client.response()
        assert (response.status, response.body) == (status, content)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"), 426),
        (("Sec-WebSocket-Key", "X-Key"), 400),
        (("Connection: Upgrade", "Connection: close"), 400),
    ],
)
async def test_bad_handshakes_do_not_reach_the_application(
    change: tuple[str, str], status: int
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not for you")

    head = (
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with serve(contain(app)) as port, RawClient(port) as client:
        response = await client(head.replace(*change).encode())
        assert response.status == status


FAULTS: dict[str, tuple[list[Message], bool]] = {
    "no answer": ([], False),
    "send first": ([{"type": "websocket.send", "text": "a"}], False),
    "wrong subprotocol": ([{"type": "websocket.accept", "subprotocol": "x"}], False),
    "own handshake fields": (
        [{"type": "websocket.accept", "headers": [(b"Upgrade", b"x")]}],
        False,
    ),
    "accept twice": ([{"type": "websocket.accept"}] * 2, True),
    "empty message": ([{"type": "websocket.accept"}, {"type": "websocket.send"}], True),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_faults_of_the_application(case: str, expect_log: "ExpectLog") -> None:
    messages, opened = FAULTS[case]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)

    with expect_log("zonda.application", "ASGI application"):
        async with serve(contain(app)) as port, Client(port) as client:
            await client.open()
            if opened:
                await client.opened()
                assert await client.event() == closing(1011)
            else:
                assert (await client.response()).status == 500


async def test_a_slow_application_holds_the_peer_back() -> None:
    go_on = asyncio.Event()
    count = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal count
        await receive()
        await send({"type": "websocket.accept"})
        await go_on.wait()
        while (await receive())["type"] == "websocket.receive":
            count += 1

    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        for _ in range(200):
            client.say(bytes(65536))
        drained = asyncio.ensure_future(client.writer.drain())
        done, _ = await asyncio.wait([drained], timeout=0.2)
        assert not done
        go_on.set()
        async with asyncio.timeout(TIMEOUT):
            await drained
        client.writer.writelines(map(bytes, client.protocol.send_close(1000)))
        assert await client.event() == closing(1000)
    assert count == 200


async def test_a_slow_peer_holds_the_application_back() -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(500):
            await send({"type": "websocket.send", "bytes": bytes(65536)})
            sent += 1

    async with serve(contain(app, deflate=None)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.05)
        assert sent < 450
        for _ in range(500):
            assert len(await client.text()) == 65536
        assert await client.event() == closing(1000)


async def test_pings() -> None:
    app = Echo()
    async with serve(contain(app, ping_interval=0.05)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        for _ in range(3):
            event = await client.event()
            assert type(event).__name__ == "Ping"
            client.writer.writelines(map(bytes, client.protocol.send_pong(event.payload)))  # type: ignore[union-attr]
        while (event := await client.event()) is not None:  # no more pongs
            assert type(event).__name__ in ("Ping", "Close")
        async with asyncio.timeout(TIMEOUT):
            await app.done.wait()
    assert app.received[-1]["type"] == "websocket.disconnect"


async def test_pings_while_the_application_takes_its_time() -> None:
    """A pong that nobody could look at is no reason to give the peer up."""
    go_on = asyncio.Event()
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await go_on.wait()
        while (message := await receive())["type"] == "websocket.receive":
            received.append(message["text"])

    async with serve(contain(app, ping_interval=0.02)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        for number in range(100):  # more than are kept for it
            client.say(str(number))
        for _ in range(6):  # with pings of its own: none is answered, as far as it can see
            assert type(await client.event()).__name__ == "Ping"
        go_on.set()
        client.writer.writelines(map(bytes, client.protocol.send_close(1000)))
        while not isinstance(event := await client.event(), Close):
            assert event is not None
    assert received == list(map(str, range(100)))


# -- floods ----------------------------------------------------------------------------------------


def masked(first: int, payload: bytes = b"") -> bytes:
    return bytes((first, 0x80 | len(payload))) + b"\0\0\0\0" + payload


class Watched(Echo):
    """Looks at what is kept for it in each turn of the loop."""

    most = 0
    turns = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        queue = receive.__self__._queue  # type: ignore[attr-defined]
        loop = asyncio.get_running_loop()

        def look() -> None:
            self.most = max(self.most, len(queue))
            self.turns += 1
            if not self.done.is_set():
                loop.call_soon(look)

        look()
        await super().__call__(scope, receive, send)


@pytest.mark.parametrize("first", [0x81, 0x82])
async def test_a_flood_of_messages_is_kept_within_bounds(first: int) -> None:
    app = Watched()
    total = 5000
    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        await client.send(masked(first) * total)
        for _ in range(total):
            assert not await client.text()
        await client.send(masked(0x88))
        assert isinstance(await client.event(), Close)
        await app.done.wait()
    assert app.most < 50  # where one read brings thousands


@pytest.mark.parametrize("flood", [masked(0x8A), masked(0x00), masked(0x89)])
async def test_a_flood_lets_others_have_their_turn(flood: bytes) -> None:
    app = Watched()
    total = 20_000
    begun, ended = (masked(0x01), masked(0x80)) if flood == masked(0x00) else (b"", masked(0x81))
    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        before = app.turns
        await client.send(begun + flood * total + ended)
        while type(await client.event()).__name__ == "Pong":
            pass
        assert app.turns - before > total // EVENTS_PER_TURN
        await client.send(masked(0x88))
        await app.done.wait()


async def test_who_pings_and_does_not_read_gets_the_newest_pong() -> None:
    cycles: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cycles.append(receive.__self__)  # type: ignore[attr-defined]
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": bytes(32 * 1024 * 1024)})
        while (await receive())["type"] == "websocket.receive":
            pass

    async with serve(contain(app)) as port, Client(port) as client:
        await client.open()
        await client.opened()
        client.protocol.max_message_size = 64 * 1024 * 1024
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        [cycle] = cycles
        queued = cycle._stream.bytes_queued
        assert queued
        client.writer.write(masked(0x89, b"old") * 50_000 + masked(0x89, b"new"))
        async with asyncio.timeout(TIMEOUT):
            while cycle._pong != b"new":
                await asyncio.sleep(0)
        assert cycle._stream.bytes_queued <= queued
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert isinstance(await client.event(), WSMessage)
        event = await client.event()
        assert type(event).__name__ == "Pong"
        assert event.payload == b"new"  # type: ignore[union-attr]
        client.writer.writelines(map(bytes, client.protocol.send_close(1000)))
        assert isinstance(await client.event(), Close)


async def test_drain_says_goodbye() -> None:
    app = Echo()
    async with serving(contain(app)) as server, Client(port_of(server)) as client:
        await client.open()
        await client.opened()
        draining = asyncio.ensure_future(server.drain(TIMEOUT))
        assert await client.event() == closing(1001)
        client.writer.writelines(map(bytes, client.protocol.send_close(1001)))
        await draining
        await app.done.wait()
    assert app.received[-1]["code"] == 1001
