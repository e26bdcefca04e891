"""A live server and its clients, in plain tests and in those that run in a loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zonda.web import Application, RequestHandler
from zonda.web.testing import self_signed
from zonda.web.testing.live import LiveClient, LiveServer, LiveWebSocket
from zonda.web.websocket import WebSocketHandler

pytest.importorskip("zonda.httpclient")


class Hello(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol} {self.request.host}")

    def post(self) -> None:
        self.write(self.request.body[::-1])


class Never(RequestHandler):
    def get(self) -> None:
        self._auto_finish = False


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    async def on_message(self, message: str | bytes) -> None:
        if message == "headers":
            message = self.request.headers.get("X-Own", "none")
        if message == "close":
            self.close(4000, "as you wish")
            return
        await self.write_message(message, binary=isinstance(message, bytes))


def make_app(**settings: Any) -> Application:
    return Application([("/", Hello), ("/never", Never), ("/echo", Echo)], **settings)


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with LiveServer(make_app()) as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[LiveClient]:
    client = LiveClient(server)
    yield client
    client.close()


def test_fetching(server: LiveServer, client: LiveClient) -> None:
    assert client.fetch("/").body.decode() == f"http 127.0.0.1:{server.port}"
    assert client.fetch(f"{server.url}/", method="POST", body="abc").body == b"cba"


async def test_fetching_in_a_loop(server: LiveServer, client: LiveClient) -> None:
    responses = await asyncio.gather(*(client.fetch("/") for _ in range(5)))
    assert {response.code for response in responses} == {200}


def test_errors(client: LiveClient, expect_log: Any) -> None:
    with expect_log("zonda.access", "404", count=2):
        assert client.fetch("/nope").code == 404
        with pytest.raises(Exception, match="404"):
            client.fetch("/nope", raise_error=True)


async def test_errors_in_a_loop(client: LiveClient, expect_log: Any) -> None:
    with expect_log("zonda.access", "404"), pytest.raises(Exception, match="404"):
        await client.fetch("/nope", raise_error=True)


def test_time_is_limited(client: LiveClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.1")
    with pytest.raises(TimeoutError):
        client.fetch("/never")
    monkeypatch.delenv("ASYNC_TEST_TIMEOUT")


def test_tls() -> None:
    with LiveServer(make_app(), ssl_options=self_signed().server_context()) as server:
        client = LiveClient(server)
        response = client.fetch("/", ca_certs=self_signed().certfile)
        assert response.body.decode() == f"https 127.0.0.1:{server.port}"
        client.close()


def test_calls_run_in_the_servers_thread(server: LiveServer) -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    assert server.call(where) is server.call(threading.current_thread)
    assert server.call(where) is not threading.current_thread()


def test_the_lifespan_is_that_of_the_server() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        events.append("begin")
        yield
        events.append("end")

    with LiveServer(make_app(lifespan=lifespan)):
        assert events == ["begin"]
    assert events == ["begin", "end"]


def test_an_application_that_does_not_start(expect_log: Any) -> None:
    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        if not application.settings.get("starts"):
            raise ZeroDivisionError
        yield

    before = threading.active_count()
    with expect_log("zonda.application", count=None), pytest.raises(Exception):  # noqa: B017
        LiveServer(make_app(lifespan=lifespan))
    assert threading.active_count() == before


def test_websocket(server: LiveServer) -> None:
    with LiveWebSocket.connect(
        server, "/echo", headers={"X-Own": "mine"}, subprotocols=["a", "b"]
    ) as socket:
        assert socket.selected_subprotocol == "a"
        for message in ("text", b"bytes"):
            socket.write_message(message, binary=isinstance(message, bytes))
            assert socket.read_message() == message
        socket.write_message({"a": 1})
        assert socket.read_message() == '{"a": 1}'
        socket.write_message("headers")
        assert socket.read_message() == "mine"
        socket.ping(b"are you there")
        socket.write_message("one")
        socket.write_message("close")
        assert list(socket) == ["one"]
        assert (socket.close_code, socket.close_reason) == (4000, "as you wish")


async def test_websocket_in_a_loop(server: LiveServer) -> None:
    async with await LiveWebSocket.connect(server, "/echo") as socket:
        await socket.write_message("text")
        assert await socket.read_message() == "text"
        await socket.write_message("one")
        await socket.write_message("close")
        assert [message async for message in socket] == ["one"]


def test_a_websocket_that_is_left_open(server: LiveServer) -> None:
    socket = LiveWebSocket.connect(server, "/echo")
    socket.write_message("text")
    # The server's end cuts it: descriptors are counted by the root conftest.


def test_a_handshake_that_is_refused(server: LiveServer, expect_log: Any) -> None:
    with expect_log("zonda.access", "404"), pytest.raises(Exception, match="404"):
        LiveWebSocket.connect(server, "/nope")
