"""The client that blocks: in scripts, in threads, and inside a program whose loop runs."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from zonda.httpclient import AsyncHTTPClient, HTTPClient, HTTPClientError, HTTPRequest
from zonda.httpclient.simple import SimpleAsyncHTTPClient


class ThreadedServer:
    """A server in a thread of its own; each body is the number of its connection."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        self._ready.wait()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        tasks = set()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())
            self.connections += 1
            number = self.connections
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    code = 404 if b"/missing" in head else 200
                    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\n%d" % (code, number))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                tasks.discard(asyncio.current_task())

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        while tasks:  # clients have closed
            await asyncio.sleep(0.01)
        await server.wait_closed()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@pytest.fixture
def server() -> Iterator[ThreadedServer]:
    running = ThreadedServer()
    yield running
    running.stop()


def fetch_some(server: ThreadedServer, client: HTTPClient) -> None:
    assert client.fetch(server.url()).body == b"1"
    assert client.fetch(HTTPRequest(server.url(), "POST", body="x")).body == b"1"  # kept
    with pytest.raises(HTTPClientError) as raised:
        client.fetch(server.url("/missing"))
    assert raised.value.code == 404
    assert client.fetch(server.url("/missing"), raise_error=False).code == 404
    with pytest.raises(ConnectionRefusedError):
        client.fetch("http://127.0.0.1:1/")


def test_in_a_script(server: ThreadedServer) -> None:
    with HTTPClient() as client:
        fetch_some(server, client)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.fetch(server.url())


def test_it_has_a_client_of_its_own_whoever_asks_for_that(server: ThreadedServer) -> None:
    # newrelic's tests do; it was "multiple values for keyword argument".
    with HTTPClient(force_instance=True) as client:
        fetch_some(server, client)


async def test_inside_a_running_loop(server: ThreadedServer) -> None:
    with HTTPClient() as client:
        fetch_some(server, client)


def test_made_inside_a_loop_and_used_outside(server: ThreadedServer) -> None:
    async def make() -> HTTPClient:
        return HTTPClient()

    with asyncio.run(make()) as client:
        fetch_some(server, client)


def test_threads_take_turns(server: ThreadedServer) -> None:
    bodies: list[bytes] = []
    with HTTPClient() as client:
        threads = [
            threading.Thread(target=lambda: bodies.append(client.fetch(server.url()).body))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bodies == [b"1"] * 8


def test_settings_and_another_class(server: ThreadedServer) -> None:
    made: list[AsyncHTTPClient] = []

    def make(**settings: Any) -> AsyncHTTPClient:
        made.append(SimpleAsyncHTTPClient(**settings))
        return made[0]

    with HTTPClient(make, max_clients=3, defaults={"user_agent": "x"}) as client:
        assert client.fetch(server.url()).code == 200
    assert isinstance(made[0], SimpleAsyncHTTPClient)
    assert made[0].max_clients == 3
    with pytest.raises(TypeError):
        HTTPClient(nonsense=1)


def test_callbacks_run_in_the_callers_thread(server: ThreadedServer) -> None:
    seen: list[threading.Thread] = []
    with HTTPClient() as client:
        client.fetch(
            server.url(), streaming_callback=lambda _: seen.append(threading.current_thread())
        )
    assert seen == [threading.current_thread()]


def test_forgotten_clients_close(server: ThreadedServer, recwarn: pytest.WarningsRecorder) -> None:
    client: HTTPClient | None = HTTPClient()
    assert client is not None
    client.fetch(server.url())
    client = None
    assert not recwarn.list
