"""An application under ASGI servers: a scripted one, test clients, and released servers."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpserver.asgi import ASGIContainer, Message, Scope
from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPOutputError
from zonda.iostream import StreamClosedError
from zonda.web import Application, RequestHandler, stream_request_body
from zonda.web.asgi.request import read_scope
from zonda.web.websocket import WebSocketHandler

if TYPE_CHECKING:
    from conftest import ExpectLog

TIMEOUT = 20.0


class Script:
    """A server that says what it is told to, and keeps what it hears."""

    def __init__(self, *messages: Message) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        for message in messages:
            self.inbox.put_nowait(message)
        self.sent: list[Message] = []
        self.heard = asyncio.Event()
        self.gone = False

    async def receive(self) -> Message:
        return await self.inbox.get()

    async def send(self, message: Message) -> None:
        if self.gone:
            raise OSError("gone")
        self.sent.append(message)
        self.heard.set()

    async def until(self, count: int) -> list[Message]:
        """Wait for so many messages."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.sent) < count:
                self.heard.clear()
                await self.heard.wait()
        return self.sent


def scope_of(path: str = "/", method: str = "GET", **more: Any) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"example.com")],
        "scheme": "http",
        "client": ("192.0.2.1", 1234),
        **more,
    }


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


DISCONNECT = {"type": "http.disconnect"}


class Hello(RequestHandler):
    def get(self, name: str = "") -> None:
        self.set_header("X-Name", name)
        self.write(f"hello {name} {self.request.remote_ip} {self.request.protocol}")

    async def post(self, name: str = "") -> None:
        await asyncio.sleep(0)
        self.write(self.get_body_argument("a") + name)


class Stream(RequestHandler):
    async def get(self) -> None:
        for number in range(3):
            self.write(str(number))
            await self.flush()


@stream_request_body
class Upload(RequestHandler):
    def initialize(self) -> None:
        self.sizes: list[int] = []

    async def prepare(self) -> None:
        await asyncio.sleep(0)

    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.sizes.append(len(chunk))

    def put(self) -> None:
        self.write({"sizes": self.sizes})


class Fail(RequestHandler):
    def get(self) -> None:
        raise ValueError("on purpose")


class Half(RequestHandler):
    async def get(self) -> None:
        self.write("half")
        await self.flush()
        raise ValueError("on purpose")


class Echo(WebSocketHandler):
    closed: list[tuple[int | None, str | None]] = []  # noqa: RUF012

    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "chat" if "chat" in subprotocols else None

    async def open(self, *args: str, **kwargs: str) -> None:
        await asyncio.sleep(0)

    async def on_message(self, message: str | bytes) -> None:
        if message == "close":
            self.close(3001, "bye")
        elif message == "fail":
            raise ValueError("on purpose")
        else:
            await self.write_message(message, isinstance(message, bytes))

    def on_close(self) -> None:
        self.closed.append((self.close_code, self.close_reason))


class Refusing(WebSocketHandler):
    def prepare(self) -> None:
        self.set_status(401)
        self.finish("no")


def application(**settings: Any) -> Application:
    return Application(
        [
            (r"/hello/(.*)", Hello),
            (r"/", Hello),
            (r"/stream", Stream),
            (r"/upload", Upload),
            (r"/fail", Fail),
            (r"/half", Half),
            (r"/ws", Echo),
            (r"/refusing", Refusing),
        ],
        log_function=lambda handler: None,
        **settings,
    )


async def run(script: Script, scope: Scope, app: Application | None = None) -> list[Message]:
    async with asyncio.timeout(TIMEOUT):
        await (app or application())(scope, script.receive, script.send)
    return script.sent


def fields(message: Message) -> dict[bytes, bytes]:
    return dict(message["headers"])


# -- one message at a time -------------------------------------------------------------------------


async def test_a_whole_response() -> None:
    start, content = await run(Script(body()), scope_of("/hello/a%20b"))
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert fields(start)[b"x-name"] == b"a b"
    assert fields(start)[b"content-length"] == b"24"
    assert content == {
        "type": "http.response.body",
        "body": b"hello a b 192.0.2.1 http",
        "more_body": False,
    }


async def test_head_has_no_content() -> None:
    class Head(RequestHandler):
        def head(self) -> None:
            self.write("four")

    app = Application([("/", Head)], log_function=lambda handler: None)
    start, content = await run(Script(body()), scope_of(method="HEAD"), app)
    assert fields(start)[b"content-length"] == b"4"
    assert content["body"] == b""


async def test_pieces() -> None:
    start, *rest = await run(Script(body()), scope_of("/stream"))
    assert b"transfer-encoding" not in fields(start)
    assert b"content-length" not in fields(start)
    assert b"".join([message["body"] for message in rest]) == b"012"
    assert [message["more_body"] for message in rest] == [True] * (len(rest) - 1) + [False]


async def test_forms() -> None:
    headers = [(b"host", b"a"), (b"content-type", b"application/x-www-form-urlencoded")]
    script = Script(body(b"a=", more=True), body(b"1", more=True), body())
    start, content = await run(script, scope_of("/hello/x", "POST", headers=headers))
    assert (start["status"], content["body"]) == (200, b"1x")


async def test_a_streamed_body_waits_for_the_handler() -> None:
    script = Script(body(b"abc", more=True), body(b"de", more=True), body(b"", more=False))
    _, content = await run(script, scope_of("/upload", "PUT"))
    assert json.loads(content["body"]) == {"sizes": [3, 2]}


@pytest.mark.parametrize(
    ("headers", "messages", "limit", "status"),
    [
        ([(b"content-length", b"11")], [], 10, 413),
        ([], [body(b"x" * 6, more=True), body(b"x" * 6)], 10, 413),
        ([(b"a b", b"c")], [], None, 400),
        ([(b"host", b"two")], [], None, 400),
    ],
)
async def test_bad_requests(
    headers: list[tuple[bytes, bytes]],
    messages: list[Message],
    limit: int | None,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if limit is not None:
        monkeypatch.setattr("zonda.web.asgi.connection.DEFAULT_MAX_BODY_SIZE", limit)
    scope = scope_of("/hello/", "POST", headers=[(b"host", b"a"), *headers])
    start, _ = await run(Script(*messages), scope)
    assert start["status"] == status


async def test_a_malformed_form_gets_the_page_of_the_handler() -> None:
    scope = scope_of(
        "/hello/", "POST", headers=[(b"host", b"a"), (b"content-type", b"multipart/form-data")]
    )
    start, content = await run(Script(body(b"x")), scope)
    assert start["status"] == 400
    assert b"400: Bad Request" in content["body"]


async def test_an_exception_is_a_500(expect_log: "ExpectLog") -> None:
    with expect_log("zonda.application", "Uncaught exception GET /fail"):
        start, _ = await run(Script(body()), scope_of("/fail"))
    assert start["status"] == 500


async def test_half_a_response_is_not_completed(expect_log: "ExpectLog") -> None:
    with (
        expect_log("zonda.application", "Uncaught exception GET /half"),
        expect_log("zonda.general", "Cannot send error response after headers written"),
    ):
        sent = await run(Script(body()), scope_of("/half"))
    assert sent[-1]["more_body"] is True


async def test_a_client_that_leaves() -> None:
    told, errors = asyncio.Event(), []

    class Waiting(RequestHandler):
        async def get(self) -> None:
            self.write("a")
            await self.flush()
            await told.wait()
            try:
                await self.flush()
                self.write("b")
                await self.flush()
            except StreamClosedError as error:
                errors.append(error)
                raise

        def on_connection_close(self) -> None:
            told.set()

    app = Application([("/", Waiting)], log_function=lambda handler: None)
    script = Script(body())
    serving = asyncio.ensure_future(run(script, scope_of(), app))
    await script.until(2)
    script.inbox.put_nowait(DISCONNECT)
    await serving
    async with asyncio.timeout(TIMEOUT):
        while not errors:
            await asyncio.sleep(0)
    assert len(script.sent) == 2


async def test_a_server_that_says_so_by_oserror() -> None:
    left = asyncio.Event()

    class Endless(RequestHandler):
        async def get(self) -> None:
            while True:
                self.write("x")
                await self.flush()

        def on_connection_close(self) -> None:
            left.set()

    app = Application([("/", Endless)], log_function=lambda handler: None)
    script = Script(body())
    serving = asyncio.ensure_future(run(script, scope_of(), app))
    await script.until(5)
    script.gone = True
    await serving
    async with asyncio.timeout(TIMEOUT):
        await left.wait()


async def test_a_slow_server_holds_the_handler_back() -> None:
    written = 0
    may_send = asyncio.Semaphore(0)

    class Fast(RequestHandler):
        async def get(self) -> None:
            nonlocal written
            for _ in range(5):
                self.write("x")
                await self.flush()
                written += 1

    class Slow(Script):
        async def send(self, message: Message) -> None:
            await may_send.acquire()
            await super().send(message)

    app = Application([("/", Fast)], log_function=lambda handler: None)
    script = Slow(body())
    serving = asyncio.ensure_future(run(script, scope_of(), app))
    for _ in range(20):
        await asyncio.sleep(0)
    assert written == 0
    for _ in range(20):
        may_send.release()
    await serving
    assert written == 5


async def test_what_a_handler_cannot_have() -> None:
    problems: list[BaseException] = []

    class Curious(RequestHandler):
        def get(self) -> None:
            connection: Any = self.request.connection
            assert self.request.get_ssl_certificate() is None
            for attempt in (self.detach, lambda: connection.write(b"x")):
                try:
                    attempt()
                except (RuntimeError, HTTPOutputError) as error:
                    problems.append(error)
            self._finished = False
            self.finish("x")
            for attempt in (
                lambda: connection.write(b"x"),
                lambda: connection.respond(200, "", self._headers, b""),
            ):
                with pytest.raises(HTTPOutputError):
                    attempt()

    app = Application([("/", Curious)], log_function=lambda handler: None)
    assert len(await run(Script(body()), scope_of(), app)) == 2
    assert len(problems) == 2


TARGETS: list[tuple[dict[str, Any], str]] = [
    ({"path": "/a b"}, "/a%20b"),
    ({"path": "/a b", "raw_path": b"/a%20b?left=in", "query_string": b"q"}, "/a%20b?q"),
    ({"path": "/app/x", "root_path": "/app"}, "/x"),
    ({"path": "/app", "raw_path": b"/app", "root_path": "/app/"}, "/"),
    ({"path": "/apple", "root_path": "/app"}, "/apple"),
    ({"path": "/é", "raw_path": None}, "/%C3%A9"),
]


@pytest.mark.parametrize(("scope", "target"), TARGETS)
def test_targets(scope: dict[str, Any], target: str) -> None:
    assert read_scope({"headers": [], **scope})[0].path == target


async def test_unknown_scopes() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        await run(Script(), {"type": "nonsense"})


# -- the lifespan ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["", "startup", "shutdown"])
async def test_lifespan(fails: str) -> None:
    log: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        if fails == "startup":
            raise ValueError("on purpose")
        log.append("in")
        yield
        if fails == "shutdown":
            raise ValueError("on purpose")
        log.append("out")

    script = Script({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = await run(script, {"type": "lifespan"}, application(lifespan=lifespan))
    kinds = [message["type"] for message in sent]
    if fails == "startup":
        assert kinds == ["lifespan.startup.failed"]
        assert "on purpose" in sent[0]["message"]
    else:
        ending = "failed" if fails else "complete"
        assert kinds == ["lifespan.startup.complete", f"lifespan.shutdown.{ending}"]
    assert log == {"": ["in", "out"], "startup": [], "shutdown": ["in"]}[fails]


# -- WebSockets ------------------------------------------------------------------------------------


def websocket_scope(path: str = "/ws", **more: Any) -> Scope:
    scope = scope_of(path, subprotocols=["chat", "x"], **more)
    del scope["method"]
    return {**scope, "type": "websocket", "scheme": "ws"}


CONNECT = {"type": "websocket.connect"}


def gone(code: int = 1005) -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": ""}


def said(**data: Any) -> Message:
    return {"type": "websocket.receive", **data}


@pytest.mark.parametrize(("code", "told"), [(1005, None), (1006, None), (3000, 3000)])
async def test_messages_there_and_back(code: int, told: int | None) -> None:
    Echo.closed.clear()
    script = Script(CONNECT, said(text="a", bytes=None), said(bytes=b"b"), gone(code))
    accept, *rest = await run(script, websocket_scope())
    assert (accept["type"], accept["subprotocol"]) == ("websocket.accept", "chat")
    assert not {b"content-type", b"upgrade", b"connection"} & set(fields(accept))
    assert rest == [
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.send", "bytes": b"b"},
    ]
    assert [each[0] for each in Echo.closed] == [told]


async def test_the_handler_closes() -> None:
    script = Script(CONNECT, said(text="close"))
    serving = asyncio.ensure_future(run(script, websocket_scope()))
    sent = await script.until(2)
    assert sent[1] == {"type": "websocket.close", "code": 3001, "reason": "bye"}
    script.inbox.put_nowait(gone(3001))
    await serving


async def test_a_handler_that_fails(expect_log: "ExpectLog") -> None:
    with expect_log("zonda.application", "Uncaught exception"):
        script = Script(CONNECT, said(text="fail"), said(text="late"))
        serving = asyncio.ensure_future(run(script, websocket_scope()))
        sent = await script.until(2)
        script.inbox.put_nowait(gone(1011))
        await serving
    assert sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]


@pytest.mark.parametrize("extension", [True, False])
async def test_refusals(extension: bool) -> None:
    extensions: Message = {"websocket.http.response": {}} if extension else {}
    sent = await run(Script(CONNECT), websocket_scope("/refusing", extensions=extensions))
    if extension:
        start, *rest = sent
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
        assert b"".join([message["body"] for message in rest]) == b"no"
    else:
        assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_other_origins_are_refused() -> None:
    class Strict(WebSocketHandler):
        pass

    headers = [(b"host", b"example.com"), (b"origin", b"http://evil.example")]
    app = Application([("/ws", Strict)], log_function=lambda handler: None)
    sent = await run(Script(CONNECT), websocket_scope(headers=headers), app)
    assert [message["type"] for message in sent] == ["websocket.close"]


# -- both ways round, test clients -----------------------------------------------------------------


async def test_on_our_own_server_the_long_way_round() -> None:
    async with serve(ASGIContainer(application())) as port, RawClient(port) as client:
        response = await client(b"GET /hello/you HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.body == b"hello you 127.0.0.1 http"
        response = await client(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.body == b"012"


async def test_httpx() -> None:
    httpx = pytest.importorskip("httpx")
    transport = httpx.ASGITransport(app=application())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/hello/a")).headers["X-Name"] == "a"
        assert (await client.get("/stream")).text == "012"
        assert (await client.post("/hello/x", data={"a": "1"})).text == "1x"
        assert (await client.get("/nothing/at/all")).status_code == 404


def test_starlette_test_client() -> None:
    testclient = pytest.importorskip("starlette.testclient")
    log: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        log.append("in")
        yield
        log.append("out")

    with testclient.TestClient(application(lifespan=lifespan)) as client:
        assert log == ["in"]
        assert client.get("/hello/a").headers["X-Name"] == "a"
        with client.websocket_connect("/ws", subprotocols=["chat"]) as websocket:
            assert websocket.accepted_subprotocol == "chat"
            websocket.send_text("hello")
            assert websocket.receive_text() == "hello"
    assert log == ["in", "out"]


async def test_inside_of_starlette() -> None:
    pytest.importorskip("starlette")
    httpx = pytest.importorskip("httpx")
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Mount  # noqa: PLC0415

    outer = Starlette(routes=[Mount("/inner", app=application())])
    transport = httpx.ASGITransport(app=outer)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/inner/hello/a")).headers["X-Name"] == "a"


# -- released servers ------------------------------------------------------------------------------

SERVERS: dict[str, list[str]] = {
    "uvicorn": ["--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"],
    "hypercorn": ["--bind", "127.0.0.1:{port}"],
    "granian": ["--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}"],
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def released(name: str) -> Iterator[int]:
    """Run a released server in a process of its own."""
    pytest.importorskip(name)
    port = free_port()
    arguments = [argument.format(port=port) for argument in SERVERS[name]]
    folder = Path(__file__).parent / "asgi_server"
    process = subprocess.Popen(
        [sys.executable, "-m", name, *arguments, "program:app"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def reachable(port: int) -> RawClient:
    """A connection, as soon as the server is there."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                return await RawClient(port).__aenter__()
            except OSError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", SERVERS)
async def test_released_servers(name: str) -> None:
    websockets = pytest.importorskip("websockets.asyncio.client")
    with released(name) as port:
        client = await reachable(port)
        try:
            response = await client(b"GET /hello/a%20b?x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (response.status, response.body) == (200, b"hello a b 127.0.0.1 http started")
            response = await client(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            assert response.body == b"012"
            head = b"PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
            response = await client(head + bytes(300_000))
            assert sum(json.loads(response.body)["sizes"]) == 300_000
            await client.send(b"HEAD /hello/a HTTP/1.1\r\nHost: a\r\n\r\n")
            response = await client.response("HEAD")
            assert (response.status, response.body) == (200, b"")
        finally:
            await client.__aexit__(None, None, None)
        async with websockets.connect(
            f"ws://127.0.0.1:{port}/ws", subprotocols=["chat"]
        ) as websocket:
            assert websocket.subprotocol == "chat"
            await websocket.send("hello")
            assert await websocket.recv() == "hello"
            await websocket.send(b"\x00\x01")
            assert await websocket.recv() == b"\x00\x01"
            await websocket.send("close")
            await websocket.wait_closed()
            assert websocket.close_code == 3001
        # A client that leaves in the middle of a response is noticed.
        leaving = await reachable(port)
        await leaving.send(b"GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n")
        await leaving.reader.readuntil(b"x")
        await leaving.__aexit__(None, None, None)
        client = await reachable(port)
        try:
            async with asyncio.timeout(TIMEOUT):
                while (await client(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")).body != b"1":
                    await asyncio.sleep(0.02)
        finally:
            await client.__aexit__(None, None, None)
