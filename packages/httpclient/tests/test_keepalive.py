"""Connections between requests: kept, found by what shaped them, dropped when they must be."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import HTTPRequest, HTTPStreamClosedError
from zonda.httpclient.connecting import Route, TLSSettings, route_of
from zonda.httpclient.proxies import Proxy
from zonda.httpclient.request import _RequestProxy
from zonda.httpclient.simple import SimpleAsyncHTTPClient
from zonda.httpclient.target import parse_url

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve


def make(**settings: Any) -> SimpleAsyncHTTPClient:
    return SimpleAsyncHTTPClient(force_instance=True, **settings)


async def turns(condition: Any) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def answering(peer: "Peer") -> None:
    while True:
        request = await peer.request()
        await peer.answer(f"{peer.number} {request.target}".encode())


async def test_one_connection_for_one_after_the_other(serve: "Serve") -> None:
    async with serve(answering) as server, make() as client:
        for number in range(5):
            response = await client.fetch(server.url(f"/{number}"))
            assert response.body == f"1 /{number}".encode()
        assert "connect" not in response.time_info


async def test_as_many_as_run_at_once(serve: "Serve") -> None:
    async with serve(answering) as server, make() as client:
        for _ in range(3):
            await asyncio.gather(*[client.fetch(server.url()) for _ in range(4)])
        assert server.connections == 4


@pytest.mark.parametrize("closing", ["Connection: close", "Connection: x, Close"])
async def test_a_server_that_wants_to_close(serve: "Serve", closing: str) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x", 200, closing)
        assert await peer.closed() == b""

    async with serve(script) as server, make() as client:
        for _ in range(2):
            assert (await client.fetch(server.url())).body == b"x"
        assert server.connections == 2


async def test_a_client_that_wants_to_close(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x")
        assert await peer.closed() == b""

    async with serve(script) as server, make() as client:
        for _ in range(2):
            await client.fetch(server.url(), headers={"Connection": "close"})
        assert server.connections == 2


async def test_keeping_none(serve: "Serve") -> None:
    async with serve(answering) as server, make(keep_alive=0) as client:
        for _ in range(2):
            await client.fetch(server.url())
        assert server.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x")

    async with serve(script) as server, make() as client:
        await client.fetch(server.url())
        await turns(lambda: not len(client._transport.pool))
        await client.fetch(server.url(), method="POST", body=b"")
        assert server.connections == 2


async def test_a_connection_that_spoke_without_being_asked(serve: "Serve") -> None:
    go = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x")
        await go.wait()
        if peer.number == 1:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        await peer.closed()

    async with serve(script) as server, make() as client:
        await client.fetch(server.url())
        go.set()
        await turns(lambda: not len(client._transport.pool))
        assert (await client.fetch(server.url())).body == b"x"
        assert server.connections == 2


async def test_bytes_behind_a_response_poison_nobody(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        response = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        await peer.send(response + b"x" + response + b"y")
        await peer.closed()

    async with serve(script) as server, make() as client:
        for _ in range(2):
            assert (await client.fetch(server.url())).body == b"x"
        assert server.connections == 2


class Stale:
    """A server that closes each first connection as soon as its second request arrives."""

    def __init__(self, partial: bytes = b"", reset: bool = False) -> None:
        self.partial = partial
        self.reset = reset

    async def __call__(self, peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"first")
        await peer.request()
        if peer.number > 1:
            await peer.answer(b"again")
            return
        if self.partial:
            await peer.send(self.partial)
        if self.reset:
            peer.reset()


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("HEAD", None), ("PUT", b"x"), ("DELETE", None)]
)
async def test_a_stale_connection_is_no_error_if_the_request_may_be_repeated(
    serve: "Serve", method: str, body: bytes | None, reset: bool
) -> None:
    async with serve(Stale(reset=reset)) as server, make() as client:
        await client.fetch(server.url())
        response = await client.fetch(server.url("/2"), method=method, body=body)
        assert response.code == 200
        assert server.targets() == ["GET /", f"{method} /2", f"{method} /2"]
        assert client._transport.slots.in_use == 0


@pytest.mark.parametrize(
    ("arguments", "partial"),
    [
        ({"method": "POST", "body": b"x"}, b""),
        ({"method": "PATCH", "body": b"x"}, b""),
        ({"method": "PUT", "body_producer": lambda write: write(b"x")}, b""),
        ({}, b"HTTP/1.1 2"),
        ({}, b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
async def test_what_may_not_be_repeated_is_not(
    serve: "Serve", arguments: dict[str, Any], partial: bytes
) -> None:
    async with serve(Stale(partial)) as server, make() as client:
        await client.fetch(server.url())
        with pytest.raises(HTTPStreamClosedError):
            await client.fetch(server.url("/2"), **arguments)
        assert len(server.requests) == 2
        assert client._transport.slots.in_use == 0


async def test_a_new_connection_that_closes_is_not_tried_again(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()

    async with serve(script) as server, make() as client:
        with pytest.raises(HTTPStreamClosedError):
            await client.fetch(server.url())
        assert len(server.requests) == 1


async def test_idle_connections_are_closed_in_time(serve: "Serve") -> None:
    closed = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x")
        await peer.closed()
        closed.set()

    async with serve(script) as server, make(keep_alive=0.05) as client:
        await client.fetch(server.url())
        assert len(client._transport.pool) == 1
        async with asyncio.timeout(5):
            await closed.wait()
        assert len(client._transport.pool) == 0
        assert client._transport.pool._timer is None


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ("timeout=1", 0),
        ("max=5, timeout=0", 0),
        ("timeout=5", 1),
        ('timeout="3"', 1),
        ("timeout=x", 1),
        ("timeout", 1),
    ],
)
async def test_the_server_says_how_long(serve: "Serve", field: str, kept: int) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x", 200, f"Keep-Alive: {field}")
        await peer.closed()

    async with serve(script) as server, make() as client:
        await client.fetch(server.url())
        assert len(client._transport.pool) == kept


async def test_the_oldest_makes_room(serve: "Serve") -> None:
    async with serve(answering) as one, serve(answering) as two, make(max_clients=2) as client:
        await asyncio.gather(client.fetch(one.url()), client.fetch(one.url()))
        assert len(client._transport.pool) == 2
        await client.fetch(two.url())
        assert len(client._transport.pool) == 2


async def test_connections_end_with_the_loop(serve: "Serve") -> None:
    # What is idle would otherwise be found by the garbage collector, with a ResourceWarning.
    async with serve(answering) as server:
        client = make()
        await client.fetch(server.url())
        await asyncio.get_running_loop().shutdown_asyncgens()
        assert len(client._transport.pool) == 0


def route(url: str = "https://a/", **arguments: Any) -> Route:
    request = _RequestProxy(HTTPRequest(url, **arguments), HTTPRequest._DEFAULTS)
    return route_of(request, parse_url(url))


CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize(
    "other",
    [
        route("http://a:443/"),
        route("https://b/"),
        route("https://a:444/"),
        route(validate_cert=False),
        route(ca_certs="ca"),
        route(client_cert="cert"),
        route(client_cert="cert", client_key="key"),
        route(ssl_options=CONTEXT),
        route(ssl_options=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
        route(ssl_options={}),
        route(ssl_options={"ca_certs": "ca"}),
        route(network_interface="127.0.0.1"),
        route(allow_ipv6=False),
        route()._replace(proxy=Proxy("http", "p", 1)),
        route()._replace(proxy=Proxy("http", "p", 1, "user", "password")),
    ],
)
def test_what_tells_connections_apart(other: Route) -> None:
    assert other != route()
    assert route("https://A:443/other?x", validate_cert=True) == route()


def test_equal_settings_share() -> None:
    assert route(ssl_options=CONTEXT) == route(ssl_options=CONTEXT)
    assert route(ssl_options={"ca_certs": "x", "certfile": "y"}) == route(
        ssl_options={"certfile": "y", "ca_certs": "x"}
    )
    assert route(client_cert="") == route()
    assert route().tls == TLSSettings()


async def test_another_source_is_another_connection(serve: "Serve") -> None:
    async with serve(answering) as server, make() as client:
        await client.fetch(server.url())
        await client.fetch(server.url(), network_interface="127.0.0.1")
        assert server.connections == 2


# -- responses that begin like the last one


async def test_responses_with_the_same_head(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        for number in range(100):
            request = await peer.request()
            body = b"" if request.method == "HEAD" else b"%04d" % number
            await peer.send(b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n\r\n" + body)

    lines: list[str] = []
    pieces: list[bytes] = []
    async with serve(script) as server, make() as client:
        for number in range(3):
            response = await client.fetch(server.url())
            assert response.body == b"%04d" % number
            assert list(response.headers.get_all()) == [("X", "y"), ("Content-Length", "4")]
            response.headers["X"] = "changed"
            response.headers.add("Z", "added")
        assert (await client.fetch(server.url(), method="HEAD")).body == b""
        assert (await client.fetch(server.url(), header_callback=lines.append)).body == b"0004"
        assert (await client.fetch(server.url(), streaming_callback=pieces.append)).body == b""
        async with client.stream(server.url()) as streamed:
            assert await streamed.read() == b"0006"
        assert (await client.fetch(server.url())).body == b"0007"
        assert server.connections == 1
    assert lines == ["HTTP/1.1 200 OK\r\n", "X: y\r\n", "Content-Length: 4\r\n", "\r\n"]
    assert pieces == [b"0005"]


@pytest.mark.parametrize("fault", ["raises", "cancels"])
async def test_a_header_callback_that_ends_such_a_fetch(serve: "Serve", fault: str) -> None:
    future: asyncio.Future[Any]

    def callback(line: str) -> None:
        if fault == "raises":
            raise ZeroDivisionError
        future.cancel()

    async with serve(answering) as server, make() as client:
        await client.fetch(server.url())
        future = client.fetch(server.url(), header_callback=callback)
        with pytest.raises((ZeroDivisionError, asyncio.CancelledError)):
            await future
        assert (await client.fetch(server.url())).body == b"2 /"
        assert not client._transport.running


async def test_redirects_and_compression_with_the_same_head(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            if request.target == "/":
                await peer.answer(b"x" * 10, 302, "Location: /there")
            else:
                await peer.answer(bytes.fromhex("789c4bcf07000147010f")[:10], 200, "A: b")

    async with serve(script) as server, make() as client:
        for _ in range(3):
            response = await client.fetch(server.url())
            assert (response.effective_url, len(response.body)) == (server.url("/there"), 10)


async def test_what_follows_such_a_response_ends_the_connection(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        for rest in (b"", b"", b"POISON"):
            await peer.request()
            await peer.send(head + b"x" + rest)
        assert await peer.closed() == b""

    async with serve(script) as server, make() as client:
        for connections in (1, 1, 1, 2):
            assert (await client.fetch(server.url())).body == b"x"
            assert server.connections == connections


# -- who waits for a response


async def test_a_task_that_waits_needs_no_turn_of_the_loop(serve: "Serve") -> None:
    order: list[str] = []
    loop = asyncio.get_running_loop()

    def callback(line: str) -> None:
        if line == "\r\n":
            loop.call_soon(order.append, "next turn")

    async with serve(answering) as server, make() as client:
        for _ in range(2):
            await client.fetch(server.url(), header_callback=callback)
            order.append("response")
            await asyncio.sleep(0)
    assert order == ["response", "next turn"] * 2


async def test_everybody_who_waits_gets_the_response(serve: "Serve") -> None:
    async with serve(answering) as server, make() as client:
        fetch = client.fetch(server.url())

        async def wait() -> bytes:
            return (await fetch).body

        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(wait()) for _ in range(3)]
        assert {task.result() for task in waiting} == {b"1 /"}
        assert (await asyncio.wait_for(client.fetch(server.url()), 5)).body == b"1 /"
        assert (await asyncio.shield(client.fetch(server.url()))).body == b"1 /"


async def test_a_task_may_end_in_the_middle_of_it(serve: "Serve") -> None:
    """What the task does next may be anything: it runs when all of the fetch is over."""

    async def close() -> None:
        await client.fetch(server.url())
        client.close()

    async def fail() -> None:
        await client.fetch(server.url())
        raise ZeroDivisionError

    async with serve(answering) as server, make() as client:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        assert isinstance(task.exception(), ZeroDivisionError)
        await asyncio.create_task(close())
        with pytest.raises(RuntimeError, match="closed"):
            client.fetch(server.url())
