"""The face: instances, configuration, the ways to get a result, and other implementations."""

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPRequest,
    HTTPRequestError,
    HTTPResponse,
    HTTPStreamClosedError,
)
from zonda.httpclient.simple import SimpleAsyncHTTPClient
from zonda.ioloop import IOLoop

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")


@pytest.fixture(autouse=True)
def _configuration() -> Iterator[None]:
    saved = AsyncHTTPClient._save_configuration()
    yield
    AsyncHTTPClient._restore_configuration(saved)


async def answering(peer: "Peer") -> None:
    while True:
        request = await peer.request()
        await peer.answer(b"hello", 404 if request.target == "/missing" else 200)


async def test_one_instance_for_each_loop() -> None:
    client = AsyncHTTPClient()
    assert AsyncHTTPClient() is client
    assert isinstance(client, SimpleAsyncHTTPClient)
    assert SimpleAsyncHTTPClient() is not client
    forced = AsyncHTTPClient(force_instance=True)
    assert forced is not client
    forced.close()
    assert AsyncHTTPClient() is client
    SimpleAsyncHTTPClient().close()
    client.close()
    client.close()
    assert AsyncHTTPClient() is not client
    AsyncHTTPClient().close()


def test_instances_go_with_their_loop() -> None:
    async def main() -> "weakref.ref[AsyncHTTPClient]":
        return weakref.ref(AsyncHTTPClient())

    kept = [asyncio.run(main()) for _ in range(3)]
    gc.collect()
    assert [each() for each in kept] == [None] * 3


async def test_a_closed_client_fetches_nothing() -> None:
    client = AsyncHTTPClient(force_instance=True)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.fetch("http://localhost/")


async def test_arguments_belong_to_a_url() -> None:
    with AsyncHTTPClient(force_instance=True) as client:
        with pytest.raises(ValueError, match="kwargs"):
            client.fetch(HTTPRequest("http://localhost/"), method="POST")
        with pytest.raises(ValueError, match="kwargs"):
            client.stream(HTTPRequest("http://localhost/"), method="POST")
        with pytest.raises(TypeError, match="nonsense"):
            client.fetch("http://localhost/", nonsense=1)


async def test_configure(serve: "Serve") -> None:
    AsyncHTTPClient.configure(None, defaults={"user_agent": "configured"}, max_clients=7)
    async with serve(answering) as server, AsyncHTTPClient(force_instance=True) as client:
        assert isinstance(client, SimpleAsyncHTTPClient)
        assert client.max_clients == 7
        await client.fetch(server.url())
        await client.fetch(server.url(), user_agent="given")
        agents = [request.headers["User-Agent"] for request in server.requests]
        assert agents == ["configured", "given"]
        assert client.defaults["request_timeout"] == 20


async def test_a_response_or_its_error(serve: "Serve") -> None:
    async with serve(answering) as server, AsyncHTTPClient(force_instance=True) as client:
        request = HTTPRequest(server.url("/missing"))
        with pytest.raises(HTTPClientError) as raised:
            await client.fetch(request)
        response = raised.value.response
        assert response is not None
        assert (response.code, response.body, response.request) == (404, b"hello", request)
        assert raised.value.code == 404
        for returned in (
            await client.fetch(request, raise_error=False),
            await client.fetch(request, False),  # today's signature of Tornado
        ):
            assert (returned.code, returned.body) == (404, b"hello")
            with pytest.raises(HTTPClientError):
                returned.rethrow()


async def test_errors_without_a_response_are_raised_in_any_case() -> None:
    async with AsyncHTTPClient(force_instance=True) as client:
        for raise_error in (True, False):
            with pytest.raises(ConnectionRefusedError):
                await client.fetch("http://127.0.0.1:1/", raise_error=raise_error)
            with pytest.raises(HTTPRequestError):
                await client.fetch("gopher://127.0.0.1/", raise_error=raise_error)


async def test_a_callback_gets_errors_too(serve: "Serve") -> None:
    responses: list[HTTPResponse] = []
    async with serve(answering) as server, AsyncHTTPClient(force_instance=True) as client:
        urls = [server.url(), server.url("/missing"), "http://127.0.0.1:1/", "gopher://x/"]
        for url in urls:
            result = await client.fetch(url, responses.append)
            await asyncio.sleep(0)
            assert responses[-1] is result
        assert [response.code for response in responses] == [200, 404, 599, 599]
        assert [type(response.error).__name__ for response in responses] == [
            "NoneType",
            "HTTPClientError",
            "HTTPConnectionRefusedError",
            "HTTPRequestError",
        ]
        for response in responses[1:]:
            with pytest.raises(Exception) as raised:
                response.rethrow()
            assert raised.value is response.error


async def test_what_a_callback_raises_is_logged(
    serve: "Serve", expect_log: Callable[..., Any]
) -> None:
    def callback(response: HTTPResponse) -> None:
        raise KeyError("oops")

    async with serve(answering) as server, AsyncHTTPClient(force_instance=True) as client:
        with expect_log("zonda.application", "Exception in callback"):
            await client.fetch(server.url(), callback)
            await asyncio.sleep(0)


def test_a_fetch_before_the_loop_runs() -> None:
    # As programs of Tornado 4 do it.
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    loop = IOLoop()
    server = loop.run_sync(lambda: asyncio.start_server(answer, "127.0.0.1", 0))
    client = AsyncHTTPClient()
    bodies: list[bytes] = []

    def handle(response: HTTPResponse) -> None:
        bodies.append(response.body)
        IOLoop.current().stop()

    client.fetch(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", handle)
    loop.start()
    assert bodies == [b"hi"]

    async def end() -> None:
        client.close()
        server.close()
        await server.wait_closed()

    loop.run_sync(end)
    loop.close()


async def test_cancelling_leaves_the_queue(serve: "Serve") -> None:
    go = asyncio.Event()

    async def script(peer: "Peer") -> None:
        while True:
            await peer.request()
            await go.wait()
            await peer.answer(b"x")

    async with serve(script) as server, SimpleAsyncHTTPClient(True, max_clients=1) as client:
        first = client.fetch(server.url("/1"))
        second = client.fetch(server.url("/2"))
        third = client.fetch(server.url("/3"))
        second.cancel()
        assert client._transport.slots.waiting == 1
        go.set()
        await asyncio.gather(first, third)
        assert server.targets() == ["GET /1", "GET /3"]
        assert server.connections == 1


async def test_cancelling_while_connecting() -> None:
    async with SimpleAsyncHTTPClient(True) as client:
        future = client.fetch("http://127.0.0.1:1/")
        await asyncio.sleep(0)
        future.cancel()
        assert client._transport.slots.in_use == 0
        assert not client._transport.running
        with pytest.raises(asyncio.CancelledError):
            await future


async def test_a_task_that_waits_is_cancelled_with_its_fetch(serve: "Serve") -> None:
    ended = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.closed()
        ended.set()

    async with serve(script) as server, SimpleAsyncHTTPClient(True) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.fetch(server.url())
        await ended.wait()
        assert client._transport.slots.in_use == 0
        assert not len(client._transport.deadlines)


async def test_closing_fails_what_waits(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.closed()

    async with serve(script) as server:
        client = SimpleAsyncHTTPClient(True, max_clients=1)
        fetches = [client.fetch(server.url()) for _ in range(3)]
        while not server.requests:
            await asyncio.sleep(0)
        client.close()
        for fetch in fetches:
            with pytest.raises(HTTPStreamClosedError, match="closed"):
                await fetch


async def test_closing_the_shared_client_lets_others_finish(serve: "Serve") -> None:
    answer = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await answer.wait()
        await peer.answer(b"ok")

    AsyncHTTPClient.configure(None, max_clients=1)
    try:
        client = AsyncHTTPClient()
    finally:
        AsyncHTTPClient.configure(None)
    assert isinstance(client, SimpleAsyncHTTPClient)
    async with serve(script) as server:
        fetches = [client.fetch(server.url()) for _ in range(3)]
        while not server.requests:
            await asyncio.sleep(0)
        client.close()
        with pytest.raises(RuntimeError, match="closed"):
            client.fetch(server.url())
        answer.set()
        assert [(await fetch).body for fetch in fetches] == [b"ok"] * 3
        await asyncio.sleep(0)
        assert not len(client._transport.pool)
        assert not client._transport.running


async def test_what_others_have_under_way_can_be_ended_too(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.closed()

    client = AsyncHTTPClient()
    async with serve(script) as server:
        fetch = client.fetch(server.url())
        while not server.requests:
            await asyncio.sleep(0)
        client.close()
        client._close_now()
        with pytest.raises(HTTPStreamClosedError, match="closed"):
            await fetch
    await asyncio.sleep(0)


async def test_callbacks_see_the_context_of_their_own_request(serve: "Serve") -> None:
    seen: list[str] = []

    async def stream(chunk: bytes) -> None:
        await asyncio.sleep(0)
        seen.append("stream " + variable.get())

    async with serve(answering) as server, AsyncHTTPClient(force_instance=True) as client:
        for name in ("one", "two"):
            variable.set(name)
            await client.fetch(
                server.url(),
                lambda response: seen.append("callback " + variable.get()),
                streaming_callback=stream,
                header_callback=lambda line: seen.append("header " + variable.get()),
            )
            await asyncio.sleep(0)
        assert server.connections == 1
    # A status line, a field line, an empty one.
    once = ["header {}"] * 3 + ["stream {}", "callback {}"]
    assert seen == [line.format(name) for name in ("one", "two") for line in once]


class Canned(AsyncHTTPClient):
    """Somebody else's implementation, to the interface that Tornado documents."""

    def initialize(self, defaults: dict[str, Any] | None = None, code: int = 200) -> None:
        super().initialize(defaults=defaults)
        self.code = code
        self.requests: list[HTTPRequest] = []

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], object]) -> None:
        self.requests.append(request)
        response = HTTPResponse(request, self.code, request_time=request.request_timeout)
        self.io_loop.add_callback(callback, response)


async def test_another_implementation() -> None:
    AsyncHTTPClient.configure(Canned, code=204)
    with AsyncHTTPClient(force_instance=True) as client:
        assert isinstance(client, Canned)
        response = await client.fetch("anything://at.all", request_timeout=3)
        assert (response.code, response.request_time) == (204, 3)
        assert client.requests[0].connect_timeout == 20
        future = client.fetch("x")
        future.cancel()
        await asyncio.sleep(0)
        assert future.cancelled()
    AsyncHTTPClient.configure("zonda.httpclient.simple.SimpleAsyncHTTPClient")
    assert AsyncHTTPClient.configured_class() is SimpleAsyncHTTPClient
    with pytest.raises(ValueError, match="subclass"):
        AsyncHTTPClient.configure(dict)  # type: ignore[arg-type]
