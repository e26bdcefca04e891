"""Reading a response piece by piece, with either implementation."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from zonda.httpclient import HTTPResponse, HTTPStreamClosedError, HTTPTimeoutError

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import MakeClient, Peer, Serve

MIB = 1024 * 1024


async def test_head_first_then_chunks(make_client: "MakeClient", serve: "Serve") -> None:
    go = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 201 Made\r\nX: y\r\nContent-Length: 10\r\n\r\n")
        await go.wait()
        await peer.send(b"hello")
        await peer.send(b"world")
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url()) as response:
            assert (response.code, response.reason, response.headers["X"]) == (201, "Made", "y")
            assert not response.response
            go.set()
            chunks = [chunk async for chunk in response]
            assert b"".join(chunks) == b"helloworld"
            assert all(chunks)
            whole: HTTPResponse | None = response.response
            assert whole is not None
            assert whole.body == b""
            assert await response.read() == b""


@pytest.mark.parametrize("code", [200, 204, 404, 500])
async def test_no_body_and_no_status_is_an_error(
    make_client: "MakeClient", serve: "Serve", code: int
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"", code)
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url(), method="POST", body=b"x") as response:
            assert response.code == code
            assert await response.read() == b""


async def test_a_redirect_is_followed(make_client: "MakeClient", serve: "Serve") -> None:
    lines: list[str] = []

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"not this", 302, "Location: /there", "X: not this")
        await peer.request()
        await peer.answer(b"this")
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url(), header_callback=lines.append) as response:
            assert "X" not in response.headers
            assert await response.read() == b"this"
            assert response.response is not None
            assert response.response.effective_url == server.url("/there")
    assert lines[0].startswith("HTTP/1.1 200 ")


async def test_what_is_not_read_holds_the_server_back(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    sent = 0
    size = 64 * MIB

    async def script(peer: "Peer") -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            await peer.send(b"x" * MIB)
            sent += MIB

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url()) as response:
            first = await anext(response)
            before = -1
            while before != sent:  # until the buffers on the way are full
                before = sent
                await asyncio.sleep(0.05)
            assert sent < size
            received = len(first)
            async for chunk in response:
                received += len(chunk)
            assert received == size


async def test_leaving_early_closes_the_connection(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    closed = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await peer.closed()
        closed.set()

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url()) as response:
            assert await anext(response) == b"hello"
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_response_that_breaks_off(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url()) as response:
            assert await anext(response) == b"hello"
            with pytest.raises(HTTPStreamClosedError):
                await anext(response)


async def test_a_deadline_within_the_body(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url(), request_timeout=0.1) as response:
            assert await anext(response) == b"hello"
            with pytest.raises(HTTPTimeoutError):
                await anext(response)


async def test_errors_before_the_head(make_client: "MakeClient") -> None:
    async with make_client() as client:
        stream = client.stream("http://127.0.0.1:1/")
        with pytest.raises(OSError):
            await stream.__aenter__()
        with pytest.raises(RuntimeError, match="async with"):
            await anext(client.stream("http://127.0.0.1:1/"))


async def test_cancelled_before_the_head(make_client: "MakeClient", serve: "Serve") -> None:
    closed = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.closed()
        closed.set()

    async with serve(script) as server, make_client() as client:
        stream = client.stream(server.url())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stream.__aenter__()
        async with asyncio.timeout(5):
            await closed.wait()
