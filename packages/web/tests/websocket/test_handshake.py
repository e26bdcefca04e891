"""The handshake of a WebSocketHandler, over a real connection."""

import asyncio
import contextvars
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil.websocket import DeflateOptions
from zonda.web import Application, RequestHandler
from zonda.web.websocket import WebSocketHandler, WebSocketProtocol13
from zonda.web.websocket.testing import RawWebSocket

TAG: contextvars.ContextVar[str] = contextvars.ContextVar("tag", default="none")

GOOD = {
    "Host": "test",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


class Echo(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, isinstance(message, bytes))


def quiet(handler: RequestHandler) -> None:
    """Log no requests: a refusal is a warning."""


def application(handler: type[RequestHandler], **settings: Any) -> Application:
    return Application([("/", handler)], log_function=quiet, **settings)


def request(changes: dict[str, str | None], line: str = "GET / HTTP/1.1") -> bytes:
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return "\r\n".join([line, *(f"{n}: {v}" for n, v in fields.items()), "", ""]).encode()


# changes of the request -> status, body
REFUSED: list[tuple[dict[str, str | None], int, bytes]] = [
    ({"Upgrade": None}, 400, b'Can "Upgrade" only to "WebSocket".'),
    ({"Upgrade": "h2c"}, 400, b'Can "Upgrade" only to "WebSocket".'),
    ({"Connection": None}, 400, b'"Connection" must be "Upgrade".'),
    ({"Connection": "keep-alive"}, 400, b'"Connection" must be "Upgrade".'),
    ({"Sec-WebSocket-Version": None}, 426, b""),
    ({"Sec-WebSocket-Version": "8"}, 426, b""),
    ({"Sec-WebSocket-Key": None}, 400, b"Missing/Invalid WebSocket headers"),
    ({"Sec-WebSocket-Key": "short"}, 400, b"Missing/Invalid WebSocket headers"),
    ({"Sec-WebSocket-Extensions": "="}, 400, b"Missing/Invalid WebSocket headers"),
    ({"Sec-WebSocket-Protocol": "a b"}, 400, b"Missing/Invalid WebSocket headers"),
]


@pytest.mark.parametrize(("changes", "status", "body"), REFUSED)
async def test_what_is_no_handshake(
    changes: dict[str, str | None], status: int, body: bytes
) -> None:
    async with serve(application(Echo)) as port, RawClient(port) as client:
        response = await client(request(changes))
        assert (response.status, response.body) == (status, body)
        if status == 426:
            assert response.headers["Sec-WebSocket-Version"] == "13"
        # The connection goes on with HTTP.
        assert (await client(request({"Upgrade": None}))).status == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [("POST / HTTP/1.1", 405), ("PUT / HTTP/1.1", 405), ("DELETE / HTTP/1.1", 405)],
)
async def test_other_methods(line: str, status: int) -> None:
    async with serve(application(Echo)) as port, RawClient(port) as client:
        response = await client(request({"Content-Length": "0"}, line), line.split()[0])
        assert response.status == status


async def test_http_1_0_is_too_old() -> None:
    async with serve(application(Echo)) as port, RawClient(port) as client:
        assert (await client(request({}, "GET / HTTP/1.0"))).status == 400


class Own(Echo):
    def check_origin(self, origin: str) -> bool:
        return origin == "https://friend.example"


# Sec-Fetch-Site, Origin -> passes with the default, with a check_origin of its own
ORIGINS: list[tuple[str | None, str | None, bool, bool]] = [
    (None, None, True, True),  # no browser
    (None, "http://test", True, True),
    (None, "https://TEST", True, True),
    (None, "http://test:81", False, False),
    (None, "http://evil", False, False),
    (None, "null", False, False),
    (None, "http://[", False, False),
    (None, "https://friend.example", False, True),
    (None, "https://trusted.example", True, False),
    ("same-origin", "http://evil", True, True),
    ("none", None, True, True),
    ("cross-site", None, False, False),
    ("cross-site", "http://test", False, False),
    ("same-site", "https://friend.example", False, True),
    ("cross-site", "https://trusted.example", True, False),
]


@pytest.mark.parametrize(("site", "origin", "default", "own"), ORIGINS)
async def test_origin(site: str | None, origin: str | None, default: bool, own: bool) -> None:
    trusted = ["https://trusted.example"]
    fields = {"Sec-Fetch-Site": site, "Origin": origin}
    for handler, passes in ((Echo, default), (Own, own)):
        async with serve(application(handler, trusted_origins=trusted)) as port:
            async with RawClient(port) as client:
                await client.send(request(fields))
                head = await client.reader.readuntil(b"\r\n\r\n")
                assert head.split()[1] == (b"101" if passes else b"403"), handler
                if not passes:
                    body = b"Cross origin websockets not allowed"
                    assert await client.reader.readexactly(len(body)) == body


class Noted(WebSocketHandler):
    notes: list[Any]

    def initialize(self, notes: list[Any]) -> None:
        self.notes = notes

    async def prepare(self) -> None:
        TAG.set("prepared")
        await asyncio.sleep(0)
        self.set_header("X-Own", "yes")
        self.set_cookie("session", "abc")
        self.notes.append("prepare")

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        self.notes.append(subprotocols)
        return "b" if "b" in subprotocols else None

    async def open(self, *args: str, **kwargs: str) -> None:
        self.notes.append(("open", args, kwargs, TAG.get(), self.get_status()))
        TAG.set("opened")
        await asyncio.sleep(0)
        self.notes.append(self.selected_subprotocol)

    def on_finish(self) -> None:
        self.notes.append("on_finish")

    def on_message(self, message: str | bytes) -> None:
        self.notes.append((message, TAG.get()))
        self.write_message("seen")

    def on_close(self) -> None:
        self.notes.append((self.close_code, self.close_reason, self.ws_connection))


async def test_the_course_of_a_connection() -> None:
    notes: list[Any] = []
    rules = [(r"/(\w+)/(?:x)", Noted, {"notes": notes})]
    async with serve(Application(rules)) as port:
        async with RawWebSocket(port, "/room/x", subprotocols=["a", "b"]) as peer:
            peer.say("hi")
            assert await peer.message() == "seen"
            peer.close(1000, "bye")
            assert await peer.closed() == (1000, "")
            assert await peer.ended() == b""
        fields = peer.response.headers
    assert notes == [
        "prepare",
        ["a", "b"],
        "on_finish",
        ("open", ("room",), {}, "prepared", 101),
        "b",
        ("hi", "opened"),
        (1000, "bye", None),
    ]
    assert peer.agreement.subprotocol == "b"
    assert fields["X-Own"] == "yes"
    assert fields["Set-Cookie"] == "session=abc; Path=/"
    assert "Content-Type" not in fields
    assert "Content-Length" not in fields


@pytest.mark.parametrize(
    ("options", "offered", "answer"),
    [
        (None, DeflateOptions(), None),
        ({}, None, None),
        ({}, DeflateOptions(), "permessage-deflate"),
        (
            {"server_no_context_takeover": True, "client_max_window_bits": 10},
            DeflateOptions(),
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
        ),
    ],
)
async def test_compression(
    options: dict[str, Any] | None, offered: DeflateOptions | None, answer: str | None
) -> None:
    class Compressing(Echo):
        def get_compression_options(self) -> dict[str, Any] | None:
            return options

    async with serve(application(Compressing)) as port:
        async with RawWebSocket(port, deflate=offered) as peer:
            assert peer.response.headers.get("Sec-WebSocket-Extensions") == answer
            for message in ("a" * 1000, b"\x00" * 70000, ""):
                peer.say(message)
                assert await peer.message() == message


async def test_frames_right_behind_the_handshake() -> None:
    async with serve(application(Echo)) as port, RawClient(port) as client:
        await client.send(request({}) + b"\x81\x82\x00\x00\x00\x00hi")
        assert b" 101 " in await client.reader.readuntil(b"\r\n\r\n")
        assert await client.reader.readexactly(4) == b"\x81\x02hi"


@pytest.mark.parametrize(
    "call",
    [
        lambda handler: handler.write("x"),
        lambda handler: handler.finish(),
        lambda handler: handler.flush(),
        lambda handler: handler.redirect("/"),
        lambda handler: handler.set_header("a", "b"),
        lambda handler: handler.add_header("a", "b"),
        lambda handler: handler.clear_header("a"),
        lambda handler: handler.set_cookie("a", "b"),
        lambda handler: handler.clear_cookie("a"),
        lambda handler: handler.set_status(200),
    ],
)
async def test_methods_of_http_are_over(call: Any) -> None:
    errors: list[BaseException] = []

    class Wrong(Echo):
        def open(self) -> None:  # type: ignore[override]
            try:
                call(self)
            except RuntimeError as error:
                errors.append(error)

    async with serve(application(Wrong)) as port, RawWebSocket(port) as peer:
        peer.say("still there")
        assert await peer.message() == "still there"
    (error,) = errors
    assert "WebSocket" in str(error)


async def test_methods_of_http_work_before() -> None:
    class Sometimes(Echo):
        def prepare(self) -> None:
            if self.get_query_argument("no", ""):
                self.set_status(401)
                self.finish("not you")

    async with serve(application(Sometimes)) as port, RawClient(port) as client:
        response = await client(request({}, "GET /?no=1 HTTP/1.1"))
        assert (response.status, response.body) == (401, b"not you")


async def test_get_may_be_overridden() -> None:
    class Guarded(Echo):
        async def get(self, *args: str, **kwargs: str) -> None:
            await asyncio.sleep(0)
            if "X-Token" not in self.request.headers:
                self.set_status(403)
                return
            await super().get(*args, **kwargs)

    async with serve(application(Guarded)) as port:
        async with RawClient(port) as client:
            assert (await client(request({}))).status == 403
        async with RawWebSocket(port, fields=[("X-Token", "1")]) as peer:
            peer.say("in")
            assert await peer.message() == "in"


async def test_a_subprotocol_that_was_not_offered(expect_log: Any) -> None:
    class Wrong(Echo):
        def select_subprotocol(self, subprotocols: list[str]) -> str | None:
            return "other"

    async with serve(application(Wrong)) as port, RawClient(port) as client:
        with expect_log("zonda.application", "Uncaught exception"):
            assert (await client(request({}))).status == 500


async def test_settings_reach_the_protocol(expect_log: Any) -> None:
    seen: list[Any] = []

    class Looking(Echo):
        def open(self) -> None:  # type: ignore[override]
            protocol = self.ws_connection
            assert isinstance(protocol, WebSocketProtocol13)
            seen.append((protocol.ping_interval, protocol.ping_timeout, self.max_message_size))
            self.set_nodelay(False)

    settings = {
        "websocket_ping_interval": 50,
        "websocket_ping_timeout": 90,
        "websocket_max_message_size": 1234,
    }
    async with serve(application(Looking, **settings)) as port:
        with expect_log("zonda.general", "ping_timeout"):
            async with RawWebSocket(port):
                pass
    assert seen == [(50, 50, 1234)]


def test_the_documented_helpers() -> None:
    assert (
        WebSocketProtocol13.compute_accept_value(b"dGhlIHNhbXBsZSBub25jZQ==")
        == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    )
    sleep = WebSocketProtocol13.ping_sleep_time
    assert sleep(last_ping_time=0, interval=10, now=3) == 7
    assert sleep(last_ping_time=0, interval=10, now=13) == 0


async def test_a_server_does_not_mask() -> None:
    with pytest.raises(ValueError, match="mask"):
        WebSocketProtocol13(None, True, None)  # type: ignore[arg-type]
