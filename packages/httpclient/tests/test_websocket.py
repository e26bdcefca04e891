"""The WebSocket client against a scripted server."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from zonda.httpclient import HTTPClientError, HTTPRequest, HTTPRequestError, HTTPTimeoutError
from zonda.httpclient.errors import HTTPConnectionRefusedError, HTTPProtocolError
from zonda.httpclient.errors import HTTPStreamClosedError as Closed
from zonda.httpclient.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    websocket_connect,
)
from zonda.httpclient.websocket import driver as driver_module
from zonda.httpclient.websocket.connection import QUEUED_MESSAGES
from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import EndOfMessage, Request, Signal
from zonda.httputil.http1 import ServerConnection as HTTPServerConnection
from zonda.httputil.websocket import (
    Close,
    DeflateOptions,
    Event,
    HandshakeError,
    LocalError,
    Message,
    Ping,
    Pong,
    ServerConnection,
    accept,
    read_request,
)
from zonda.httputil.websocket import Signal as WebSocketSignal
from zonda.iostream.netutil import OverrideResolver, Resolver

TIMEOUT = 20.0
GOING_ON = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


class Server:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.request: Request
        self.protocol: ServerConnection
        self.held: list[bytes] | None = None  # what is to be sent in one go

    async def read_request(self) -> None:
        http = HTTPServerConnection()
        while not isinstance(event := http.next_event(), EndOfMessage):
            if isinstance(event, Request):
                self.request = event
            elif event is Signal.NEED_DATA:
                http.receive_data(await self.reader.read(65536))

    async def accept(
        self, subprotocol: str | None = None, deflate: DeflateOptions | None = None
    ) -> None:
        await self.read_request()
        handshake = read_request("GET", "HTTP/1.1", self.request.headers)
        fields, agreement = accept(handshake, subprotocol, deflate)
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.get_all())
        self.send(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode())
        self.protocol = ServerConnection(agreement.deflate)

    def send(self, data: bytes) -> None:
        if self.held is None:
            self.writer.write(data)
        else:
            self.held.append(data)

    def say(self, *messages: str | bytes) -> None:
        self.send(b"".join(b for each in messages for b in self.protocol.send_message(each)))

    def close(self, code: int | None = None, reason: str = "") -> None:
        self.send(b"".join(self.protocol.send_close(code, reason)))

    async def event(self) -> Event:
        while (event := self.protocol.next_event()) is WebSocketSignal.NEED_DATA:
            data = await asyncio.wait_for(self.reader.read(65536), TIMEOUT)
            if not data:
                raise EOFError
            self.protocol.receive_data(data)
        assert not isinstance(event, WebSocketSignal)
        return event

    async def ended(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(-1), TIMEOUT)


Script = Callable[[Server], Awaitable[None]]


@contextlib.asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[str]:
    """Serve one connection as ``script`` says; its URL. An exception of the script is raised."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(Server(reader, writer))
            ended.set_result(None)
        except BaseException as error:
            if not ended.done():
                ended.set_exception(error)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/path?q=1"
        await asyncio.wait_for(ended, TIMEOUT)
    finally:
        ended.cancel()
        server.close()


async def echo(server: Server) -> None:
    await server.accept()
    while True:
        event = await server.event()
        if isinstance(event, Message):
            server.say(event.data)
        elif isinstance(event, Close):
            server.close(event.code)
            return


@pytest.mark.parametrize(
    ("message", "binary", "received"),
    [
        ("text", False, "text"),
        ("", False, ""),
        ("text", True, b"text"),
        (b"octets", True, b"octets"),
        (b"octets", False, "octets"),
        ({"a": 1}, False, '{"a": 1}'),
        ("é" * 100_000, False, "é" * 100_000),
    ],
)
async def test_echo(message: Any, binary: bool, received: str | bytes) -> None:
    async with scripted(echo) as url, await websocket_connect(url) as connection:
        assert isinstance(connection, WebSocketClientConnection)
        await connection.write_message(message, binary)
        assert await connection.read_message() == received


@pytest.mark.parametrize("message", [5, None, [1], bytearray(b"x")])
async def test_what_is_no_message(message: Any) -> None:
    async with scripted(echo) as url, await websocket_connect(url) as connection:
        with pytest.raises(TypeError):
            connection.write_message(message)
        with pytest.raises(ValueError, match="utf-8"):
            connection.write_message(b"\xff")


async def test_the_request() -> None:
    async def script(server: Server) -> None:
        await server.accept("b")
        headers = server.request.headers
        assert server.request.target == "/path?q=1"
        assert headers["Host"].startswith("127.0.0.1:")
        assert headers["X-Own"] == "yes"
        assert headers["X-Token"] == "token"
        assert headers["User-Agent"] == "me"
        assert headers["Authorization"] == "Basic dTpw"
        assert headers["Sec-WebSocket-Protocol"] == "a, b"
        assert "Accept-Encoding" not in headers
        assert "Sec-WebSocket-Extensions" not in headers

    async with scripted(script) as url:
        request = HTTPRequest(
            url,
            headers={"X-Own": "yes", "X-Token": "token "},
            user_agent="me",
            auth_username="u",
            auth_password="p",
        )
        connection = await websocket_connect(request, subprotocols=["a", "b"])
        assert connection.selected_subprotocol == "b"
        assert connection.request.headers["Sec-WebSocket-Protocol"] == "a, b"
        assert connection.request.url == url
        assert connection.headers is not None
        assert connection.headers["Sec-WebSocket-Protocol"] == "b"
        assert connection.code is None
        # It is the caller's.
        assert dict(request.headers) == {"X-Own": "yes", "X-Token": "token "}
        connection.close()
        await connection.read_message()


async def test_subprotocols_in_the_requests_own_headers() -> None:
    async with scripted(lambda server: server.accept("b")) as url:
        request = HTTPRequest(url, headers={"Sec-WebSocket-Protocol": "a, b"})
        connection = await websocket_connect(request)
        assert connection.selected_subprotocol == "b"
        await connection.read_message()


@pytest.mark.parametrize("offered", [None, {}, {"compression_level": 1, "mem_level": 1}])
async def test_compression(offered: dict[str, Any] | None) -> None:
    async def script(server: Server) -> None:
        await server.accept(None, DeflateOptions())
        for _ in range(3):
            event = await server.event()
            assert isinstance(event, Message)
            server.say(event.data)
        await server.event()

    async with scripted(script) as url:
        connection = await websocket_connect(url, compression_options=offered)
        assert connection.headers is not None
        assert ("Sec-WebSocket-Extensions" in connection.headers) is (offered is not None)
        for message in ("a" * 1000, "a" * 1000, ""):
            await connection.write_message(message)
            assert await connection.read_message() == message
        connection.close()


# -- handshakes that fail --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [200, 302, 401, 404, 500])
async def test_another_answer(code: int) -> None:
    async def script(server: Server) -> None:
        await server.read_request()
        server.send(b"HTTP/1.1 %d Other\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nno" % code)
        assert await server.ended() == b""

    async with scripted(script) as url:
        with pytest.raises(HTTPClientError) as caught:
            await websocket_connect(url)
    assert caught.value.code == code
    assert caught.value.response is not None
    assert caught.value.response.body == b"no"
    assert caught.value.response.headers["Location"] == "/x"


BAD_ANSWERS: dict[str, tuple[bytes, type[Exception]]] = {
    "no accept": (GOING_ON + b"\r\n", HandshakeError),
    "wrong accept": (GOING_ON + b"Sec-WebSocket-Accept: x\r\n\r\n", HandshakeError),
    "no upgrade": (b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n\r\n", HandshakeError),
    "no HTTP": (b"220 smtp.example ESMTP\r\n\r\n", HTTPProtocolError),
    "nothing": (b"", Closed),
    "half a head": (b"HTTP/1.1 101 Switch", Exception),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_bad_answers(name: str) -> None:
    data, kind = BAD_ANSWERS[name]

    async def script(server: Server) -> None:
        await server.read_request()
        server.send(data)
        await server.writer.drain()
        server.writer.write_eof()
        await server.ended()

    async with scripted(script) as url:
        with pytest.raises(kind):
            await websocket_connect(url)


async def test_extensions_nobody_asked_for() -> None:
    async def script(server: Server) -> None:
        await server.read_request()
        handshake = read_request("GET", "HTTP/1.1", server.request.headers)
        fields, _ = accept(handshake)
        fields["Sec-WebSocket-Extensions"] = "permessage-deflate"
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.get_all())
        server.send(f"HTTP/1.1 101 Yes\r\n{head}\r\n".encode())
        await server.ended()

    async with scripted(script) as url:
        with pytest.raises(HandshakeError):
            await websocket_connect(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "ws://", "ws://a b/"]
)
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(HTTPRequestError):
        await websocket_connect(url)


async def test_arguments_that_make_no_sense() -> None:
    request = HTTPRequest("ws://127.0.0.1/", method="POST", body=b"x")
    with pytest.raises(HTTPRequestError, match="GET"):
        await websocket_connect(request)
    with pytest.raises(HTTPRequestError, match="connect_timeout"):
        websocket_connect(request, connect_timeout=1)
    with pytest.raises(ValueError, match="option"):
        websocket_connect("ws://127.0.0.1/", compression_options={"speed": 1})
    with pytest.raises(ValueError, match="policy"):
        websocket_connect("ws://127.0.0.1/", queue_policy="other")


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HTTPConnectionRefusedError):
        await websocket_connect(f"ws://127.0.0.1:{port}/")


async def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(HTTPTimeoutError):
            await websocket_connect(HTTPRequest(url, request_timeout=0.02))


async def test_cancelling_gives_up() -> None:
    asked = asyncio.Event()

    async def script(server: Server) -> None:
        await server.read_request()
        asked.set()
        assert await server.ended() == b""

    async with scripted(script) as url:
        connecting = websocket_connect(url)
        await asked.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


async def test_the_legacy_callback() -> None:
    called: list[asyncio.Future[Any]] = []
    async with scripted(echo) as url:
        connection = await websocket_connect(url, callback=called.append)
        await asyncio.sleep(0)
        assert called[0].result() is connection
        await connection.write_message("x")
        connection.read_message(callback=called.append)
        while len(called) < 2:
            await asyncio.sleep(0)
        assert called[1].result() == "x"
        connection.close()


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["whole", "bytewise", "with the handshake"])
async def test_messages_in_order(way: str) -> None:
    messages: list[str | bytes] = ["", "one", b"two", "é" * 200, b"z" * 300]

    async def script(server: Server) -> None:
        if way == "with the handshake":
            server.held = []
            await server.accept()
            server.say(*messages)
            held, server.held = server.held, None
            server.send(b"".join(held))
        else:
            await server.accept()
            for byte in b"".join(
                b for each in messages for b in server.protocol.send_message(each)
            ):
                server.send(bytes((byte,)))
                if way == "bytewise":
                    await asyncio.sleep(0)
        server.close(1000, "done")
        assert isinstance(await server.event(), Close)

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        assert [message async for message in connection] == messages
        assert (connection.close_code, connection.close_reason) == (1000, "done")
        for _ in range(2):
            assert await connection.read_message() is None


async def test_a_reader_that_gave_up_loses_no_message() -> None:
    async with scripted(echo) as url, await websocket_connect(url) as connection:
        first, second = connection.read_message(), connection.read_message()
        first.cancel()
        await connection.write_message("x")
        assert await second == "x"


async def test_reading_pauses_when_nobody_reads() -> None:
    sent = 0

    async def script(server: Server) -> None:
        nonlocal sent
        await server.accept()
        for number in range(3000):
            server.say(b"%06d" % number + b"z" * 9994)
            sent += 1
            await server.writer.drain()
        server.close()
        await server.event()

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        before = -1
        while not connection._full or before != sent:
            before = sent
            await asyncio.sleep(0.02)
        assert sent < 3000
        assert len(connection._messages) <= QUEUED_MESSAGES
        numbers = [int(message[:6]) async for message in connection]
        assert numbers == list(range(3000))


@pytest.mark.parametrize("wait", [False, True])
async def test_on_message_callback(wait: bool) -> None:
    got: list[Any] = []
    running = 0
    ended = asyncio.Event()

    def plain(message: str | bytes | None) -> None:
        got.append(message)
        if message is None:
            ended.set()

    async def later(message: str | bytes | None) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        running -= 1
        plain(message)

    async def script(server: Server) -> None:
        await server.accept()
        server.say(*map(str, range(100)))
        server.close(1001)
        await server.event()

    async with scripted(script) as url:
        connection = await websocket_connect(url, on_message_callback=later if wait else plain)
        await asyncio.wait_for(ended.wait(), TIMEOUT)
        assert got == [*map(str, range(100)), None]
        assert connection.close_code == 1001
        with pytest.raises(RuntimeError):
            connection.read_message()


@pytest.mark.parametrize("wait", [False, True])
async def test_a_callback_that_fails(wait: bool, expect_log: Any) -> None:
    def plain(message: Any) -> None:
        if message is not None:
            raise ZeroDivisionError

    async def later(message: Any) -> None:
        await asyncio.sleep(0)
        plain(message)

    async def script(server: Server) -> None:
        await server.accept()
        server.say("one", "two")
        event = await server.event()
        assert isinstance(event, Close)
        assert event.code == 1011

    with expect_log("zonda.application", "callback"):
        async with scripted(script) as url:
            await websocket_connect(url, on_message_callback=later if wait else plain)


async def test_pings() -> None:
    seen: list[bytes] = []

    class Listening(WebSocketClientConnection):
        def on_pong(self, data: bytes) -> None:
            seen.append(data)

    async def script(server: Server) -> None:
        await server.accept()
        server.send(b"".join(server.protocol.send_ping(b"theirs")))
        events = [await server.event(), await server.event()]
        ping = next(e for e in events if type(e) is Ping)
        pong = next(e for e in events if type(e) is Pong)
        assert (ping.payload, pong.payload) == (b"ours", b"theirs")
        server.send(b"".join(server.protocol.send_pong(ping.payload)))
        server.close()
        await server.event()

    async with scripted(script) as url:
        connection = await Listening(HTTPRequest(url)).connect_future
        connection.ping("ours")
        with pytest.raises(ValueError, match="125"):
            connection.ping(b"x" * 126)
        assert await connection.read_message() is None
    assert seen == [b"ours"]


async def test_pings_at_intervals_and_no_pong() -> None:
    async def script(server: Server) -> None:
        await server.accept()
        ping = await server.event()
        assert isinstance(ping, Ping)
        server.send(b"".join(server.protocol.send_pong(ping.payload)))
        assert isinstance(await server.event(), Ping)  # to which nothing comes
        event = await server.event()
        while isinstance(event, Ping):
            event = await server.event()
        assert isinstance(event, Close)
        assert (event.code, event.reason) == (1011, "ping timed out")

    async with scripted(script) as url:
        connection = await websocket_connect(url, ping_interval=0.05)
        assert await asyncio.wait_for(connection.read_message(), TIMEOUT) is None


async def test_a_ping_timeout_beyond_the_interval(expect_log: Any) -> None:
    with expect_log("zonda.general", "ping_timeout"):
        async with scripted(echo) as url:
            connection = await websocket_connect(url, ping_interval=100, ping_timeout=200)
            connection.close()


# -- closing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [(None, None, (None, "")), (4000, "why", (4000, "why")), (None, "only", (1000, "only"))],
)
async def test_we_close(code: int | None, reason: str | None, said: Any) -> None:
    async def script(server: Server) -> None:
        await server.accept()
        event = await server.event()
        assert isinstance(event, Close)
        assert (event.code, event.reason) == said
        server.say_late = True  # type: ignore[attr-defined]
        server.close(event.code)

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        connection.close(code, reason)
        connection.close(code, reason)
        calls: list[Callable[[], object]] = [lambda: connection.write_message("x"), connection.ping]
        for call in calls:
            with pytest.raises(WebSocketClosedError):
                call()
        assert connection.protocol is None
        assert await connection.read_message() is None
        assert (connection.close_code, connection.close_reason) == (said[0], None)


async def test_messages_before_the_servers_answer_can_be_read() -> None:
    said = asyncio.Event()

    async def script(server: Server) -> None:
        await server.accept()
        await said.wait()
        server.say("late", "later")  # the client's Close was not read yet
        assert isinstance(await server.event(), Close)
        server.close()

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        connection.close()
        said.set()
        assert [message async for message in connection] == ["late", "later"]


async def test_both_at_once() -> None:
    said = asyncio.Event()

    async def script(server: Server) -> None:
        await server.accept()
        await said.wait()
        server.close(4002, "server")  # before the client's was read
        event = await server.event()
        assert isinstance(event, Close)
        assert event.code == 4001
        server.writer.write_eof()
        assert await server.ended() == b""

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        connection.close(4001, "client")
        said.set()
        assert await connection.read_message() is None
        assert (connection.close_code, connection.close_reason) == (4002, "server")


@pytest.mark.parametrize("first", ["we", "server"])
async def test_the_server_does_not_end_the_connection(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_module, "CLOSE_TIMEOUT", 0.02)

    async def script(server: Server) -> None:
        await server.accept()
        if first == "server":
            server.close(1000)
        with contextlib.suppress(ConnectionResetError):
            assert isinstance(await server.event(), Close)
            await server.ended()

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        if first == "we":
            connection.close(1000)
        assert await asyncio.wait_for(connection.read_message(), TIMEOUT) is None


@pytest.mark.parametrize("how", ["eof", "reset"])
async def test_the_connection_is_lost(how: str) -> None:
    async def script(server: Server) -> None:
        await server.accept()
        server.say("last")
        if how == "eof":
            server.writer.write_eof()
            await server.ended()

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        assert await connection.read_message() == "last"
        assert await connection.read_message() is None
        assert connection.close_code is None
        with pytest.raises(WebSocketClosedError):
            connection.write_message("x")


BROKEN = {
    "masked": (b"\x81\x81\x00\x00\x00\x00x", 1002),
    "reserved bit": (b"\xc1\x01x", 1002),
    "not UTF-8": (b"\x81\x01\xff", 1007),
    "too large": (b"\x81\x7f\x00\x00\x00\x00\x7f\xff\xff\xff", 1009),
    "code 1005": (b"\x88\x02\x03\xed", 1002),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_server_that_breaks_the_protocol(name: str) -> None:
    data, code = BROKEN[name]

    async def script(server: Server) -> None:
        await server.accept()
        server.say("good")
        server.send(data + b"\x81\x05never")
        event = await server.event()
        assert isinstance(event, Close)
        assert event.code == code
        assert await server.ended() == b""

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        assert [message async for message in connection] == ["good"]


async def test_max_message_size() -> None:
    async def script(server: Server) -> None:
        await server.accept()
        server.say("abc", "abcd")
        event = await server.event()
        assert isinstance(event, Close)
        assert event.code == 1009

    async with scripted(script) as url:
        connection = await websocket_connect(url, max_message_size=3)
        assert [message async for message in connection] == ["abc"]


async def test_closing_before_it_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = HTTPRequest(f"ws://127.0.0.1:{silent.getsockname()[1]}/")
        connection = WebSocketClientConnection(request)
        await asyncio.sleep(0)
        connection.close()
        with pytest.raises(asyncio.CancelledError):
            await connection.connect_future


async def test_a_code_that_may_not_be_sent() -> None:
    async with scripted(echo) as url, await websocket_connect(url) as connection:
        with pytest.raises(LocalError):
            connection.close(1005)


# -- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["wait", "drop_oldest", "close"])
async def test_a_server_that_does_not_read(policy: str, expect_log: Any) -> None:
    go_on = asyncio.Event()
    received: list[int] = []

    async def script(server: Server) -> None:
        await server.accept()
        server.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await go_on.wait()
        server.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while isinstance(event := await server.event(), Message):
            received.append(int(event.data[:6]))
        assert isinstance(event, Close)
        assert event.code == (1000 if policy == "drop_oldest" else 1013)

    limit = 1024 * 1024
    overflows = policy != "drop_oldest"
    log = expect_log("zonda.general", "does not read") if overflows else contextlib.nullcontext()
    with log:
        async with scripted(script) as url:
            connection = await websocket_connect(url, queue_limit=limit, queue_policy=policy)
            count = 0
            futures = []
            with contextlib.suppress(WebSocketClosedError):
                while count < 400:
                    data = b"%06d" % count + b"z" * 99_994
                    futures.append(connection.write_message(data, True))
                    count += 1
                    assert connection._queue.size <= limit
                    await asyncio.sleep(0)
            assert (count < 400) is overflows
            if policy == "wait":
                assert isinstance(futures[-1].exception(), WebSocketClosedError)
            else:
                assert all(future.done() for future in futures)
            go_on.set()
            if not overflows:
                connection.close(1000)
            assert await connection.read_message() is None
    assert received == sorted(received)
    if not overflows:
        assert received[-1] == 399
        assert len(received) < 400


async def test_who_waits_loses_nothing() -> None:
    async def script(server: Server) -> None:
        await server.accept()
        for number in range(200):
            event = await server.event()
            assert isinstance(event, Message)
            assert event.data[:6] == b"%06d" % number
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        server.close()

    async with scripted(script) as url:
        connection = await websocket_connect(url)
        for number in range(200):
            await connection.write_message(b"%06d" % number + b"z" * 99_994, True)
        assert await connection.read_message() is None


async def test_headers_received_is_a_hook() -> None:
    seen: list[Any] = []

    class Looking(WebSocketClientConnection):
        def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
            seen.append((start_line.code, headers["Upgrade"]))

    async with scripted(echo) as url:
        connection = await Looking(HTTPRequest(url)).connect_future
        connection.close()
    assert seen == [(101, "websocket")]


async def test_a_resolver() -> None:
    async with scripted(echo) as url:
        port = int(url.split(":")[2].split("/")[0])
        resolver = OverrideResolver(
            resolver=Resolver(), mapping={("chat.example", 80): ("127.0.0.1", port)}
        )
        connection = await websocket_connect("ws://chat.example/", resolver=resolver)
        await connection.write_message("x")
        assert await connection.read_message() == "x"
        connection.close()


async def test_through_a_proxy() -> None:
    """Always through a tunnel: a proxy would make a mess of an upgrade."""

    async def script(server: Server) -> None:
        head = await server.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT chat.example:80 HTTP/1.1\r\n")
        server.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await server.accept()
        assert server.request.headers["Host"] == "chat.example"
        server.say("through")
        await server.event()

    async with scripted(script) as url:
        port = int(url.split(":")[2].split("/")[0])
        request = HTTPRequest("ws://chat.example/", proxy_host="127.0.0.1", proxy_port=port)
        connection = await websocket_connect(request)
        assert await connection.read_message() == "through"
        connection.close()


async def test_many_that_fail_leave_nothing_behind() -> None:
    """No descriptor, no task: the surroundings of each test look for them."""
    answers = [b"", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", GOING_ON + b"\r\n", b"x" * 99]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers[next(numbers) % len(answers)])
        writer.close()

    numbers = itertools.count()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for round_number in range(50):
            connecting = [websocket_connect(url) for _ in range(8)]
            if round_number % 2:
                await asyncio.sleep(0)
                connecting[0].cancel()
            outcomes = await asyncio.gather(*connecting, return_exceptions=True)
            assert all(isinstance(outcome, BaseException) for outcome in outcomes)


# -- floods ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [b"\x81\x00", b"\x82\x01x", b"\x89\x01x", b"\x8a\x00"])
async def test_a_flood_lets_others_have_their_turn(
    frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two turns of the loop a bounded number of events is handled."""
    total = 50_000
    handled = most = 0

    def count(*_: object) -> None:
        nonlocal handled
        handled += 1

    monkeypatch.setattr(WebSocketClientConnection, "on_ping", count)
    monkeypatch.setattr(WebSocketClientConnection, "on_pong", count)

    async def script(server: Server) -> None:
        await server.accept()
        server.send(frame * total)
        while not isinstance(event := await server.event(), Close):
            assert isinstance(event, Pong)
        server.close(event.code)

    async with scripted(script) as url:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def look(before: int) -> None:
            nonlocal most
            most = max(most, handled - before)
            if handled < total:
                loop.call_soon(look, handled)
            else:
                done.set_result(None)

        look(0)
        connection = await websocket_connect(url, on_message_callback=count)
        await asyncio.wait_for(done, TIMEOUT)
        connection.close()
    # Several: what came in two turns may fall between two looks. One read has some 20,000.
    assert most <= 4 * driver_module.EVENTS_PER_TURN


async def test_a_flood_of_fragments_lets_others_have_their_turn() -> None:
    total = 30_000
    turns = 0

    async def script(server: Server) -> None:
        await server.accept()
        server.send(b"\x01\x00" + b"\x00\x00" * total + b"\x80\x03end")
        assert isinstance(await server.event(), Close)
        server.close()

    async with scripted(script) as url, await websocket_connect(url) as connection:
        reading = asyncio.ensure_future(connection.read_message())
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert await reading == "end"
    assert turns > total // driver_module.EVENTS_PER_TURN // 2  # the first came with the handshake
