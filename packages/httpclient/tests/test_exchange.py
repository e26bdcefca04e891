"""One request and one response where they overlap, stall, or end in odd ways."""

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import (
    HTTPClientError,
    HTTPResponse,
    HTTPStreamClosedError,
    HTTPTooLargeError,
    exchange,
)
from zonda.httpclient.simple import SimpleAsyncHTTPClient

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve

MIB = 1024 * 1024
Write = Callable[[bytes], Awaitable[None]]


def make(**settings: Any) -> SimpleAsyncHTTPClient:
    return SimpleAsyncHTTPClient(force_instance=True, **settings)


async def head(peer: "Peer") -> bytes:
    return await peer.reader.readuntil(b"\r\n\r\n")


async def test_an_answer_before_the_body_is_sent(serve: "Serve") -> None:
    stopped = asyncio.Event()

    async def produce(write: Write) -> None:
        try:
            while True:
                await write(b"x" * 65536)
        finally:
            stopped.set()

    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.send(b"HTTP/1.1 413 Too much\r\nContent-Length: 4\r\n\r\nless")
        await peer.closed()

    async with serve(script) as server, make() as client:
        with pytest.raises(HTTPClientError) as raised:
            await client.fetch(server.url(), method="POST", body_producer=produce)
        assert raised.value.code == 413
        assert raised.value.response is not None
        assert raised.value.response.body == b"less"
        await stopped.wait()
        assert len(client._transport.pool) == 0


async def test_a_large_body_and_an_early_answer(serve: "Serve") -> None:
    # The server does not read what it has refused, and resets the connection.
    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.send(b"HTTP/1.1 413 Too much\r\nContent-Length: 4\r\n\r\nless")

    async with serve(script) as server, make() as client:
        response = await client.fetch(
            server.url(), method="POST", body=bytes(8 * MIB), raise_error=False
        )
        assert (response.code, response.body) == (413, b"less")
        assert len(client._transport.pool) == 0


async def test_a_producer_is_held_back(serve: "Serve") -> None:
    produced = 0
    go = asyncio.Event()

    async def produce(write: Write) -> None:
        nonlocal produced
        for _ in range(64):
            await write(bytes(MIB))
            produced += MIB

    async def script(peer: "Peer") -> None:
        await head(peer)
        await go.wait()
        read = 0
        while read < 64 * MIB:
            read += len(await peer.reader.read(MIB))
        await peer.answer(b"%d" % read)
        await peer.closed()

    async with serve(script) as server, make() as client:
        fetch = client.fetch(
            server.url(),
            method="PUT",
            body_producer=produce,
            headers={"Content-Length": str(64 * MIB)},
        )
        before = -1
        while produced != before or not produced:
            before = produced
            await asyncio.sleep(0.05)
        assert produced < 64 * MIB
        go.set()
        assert (await fetch).body == b"%d" % (64 * MIB)


async def test_a_producer_whose_server_goes(serve: "Serve") -> None:
    async def produce(write: Write) -> None:
        while True:
            await write(bytes(MIB))

    async def script(peer: "Peer") -> None:
        await head(peer)
        peer.reset()

    async with serve(script) as server, make() as client:
        with pytest.raises(HTTPStreamClosedError):
            await client.fetch(server.url(), method="POST", body_producer=produce)


async def test_no_endless_wait_for_100_continue(
    serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONTINUE_TIMEOUT", 0.01)

    async def script(peer: "Peer") -> None:
        request = await peer.request()
        await peer.answer(request.body)
        await peer.closed()

    async with serve(script) as server, make() as client:
        response = await client.fetch(
            server.url(), method="POST", body=b"late", expect_100_continue=True
        )
        assert response.body == b"late"


async def test_the_large_body_of_a_redirect_is_not_read(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        request = await peer.request()
        if request.target == "/there":
            await peer.answer(b"here")
            return
        await peer.send(b"HTTP/1.1 302 X\r\nLocation: /there\r\n\r\n")
        while True:
            await peer.send(bytes(65536))

    async with serve(script) as server, make() as client:
        assert (await client.fetch(server.url())).body == b"here"
        assert server.connections == 2


@pytest.mark.parametrize("farewell", [True, False])
async def test_the_end_of_data_over_tls(serve: "Serve", farewell: bool) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\npay 100")
        if not farewell:
            # Cut off without a word, but not reset: as somebody on the way could do it.
            sock = peer.writer.get_extra_info("socket")
            copy = socket.socket(fileno=socket.dup(sock.fileno()))
            copy.shutdown(socket.SHUT_WR)
            copy.close()
            await peer.closed()

    async with serve(script, tls=context) as server, make() as client:
        fetch = client.fetch(server.url(), ssl_options=trusting)
        if farewell:
            assert (await fetch).body == b"pay 100"
        else:
            with pytest.raises(HTTPStreamClosedError, match="close_notify"):
                await fetch


async def test_a_reset_ends_no_body(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await asyncio.sleep(0.05)
        sock = peer.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.reset()

    async with serve(script) as server, make() as client:
        with pytest.raises(HTTPStreamClosedError) as raised:
            await client.fetch(server.url())
        assert isinstance(raised.value.real_error, ConnectionResetError)


async def test_decompressed_pieces_wait_for_a_coroutine(serve: "Serve") -> None:
    text = bytes(range(256)) * 4096
    running = False
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        nonlocal running
        assert not running
        running = True
        await asyncio.sleep(0)
        pieces.append(piece)
        running = False

    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.answer(gzip.compress(text), 200, "Content-Encoding: gzip")
        await peer.closed()

    async with serve(script) as server, make() as client:
        response = await client.fetch(server.url(), streaming_callback=take)
        assert b"".join(pieces) == text
        assert max(map(len, pieces)) <= 64 * 1024
        assert response.headers["X-Consumed-Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in response.headers


async def test_a_stream_has_no_limit_but_one_that_was_set(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        while True:
            await head(peer)
            await peer.answer(gzip.compress(bytes(MIB)), 200, "Content-Encoding: gzip")

    async with serve(script) as server, make(max_buffer_size=100_000) as client:
        with pytest.raises(HTTPTooLargeError):
            await client.fetch(server.url())
        async with client.stream(server.url()) as response:
            assert len(await response.read()) == MIB
        with pytest.raises(HTTPTooLargeError):
            await client.fetch(server.url())
    async with serve(script) as server, make(max_body_size=100_000) as client:
        async with client.stream(server.url()) as response:
            with pytest.raises(HTTPTooLargeError) as raised:
                await response.read()
            assert raised.value.limit == 100_000


async def test_a_callback_that_cancels_its_fetch(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await peer.closed()

    async with serve(script) as server, make() as client:
        fetch: asyncio.Future[HTTPResponse]
        fetch = client.fetch(server.url(), streaming_callback=lambda _: fetch.cancel() and None)
        with pytest.raises(asyncio.CancelledError):
            await fetch
        assert client._transport.slots.in_use == 0


async def test_a_coroutine_callback_stops_with_its_fetch(serve: "Serve") -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def take(piece: bytes) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def script(peer: "Peer") -> None:
        await head(peer)
        await peer.answer(b"hello")
        await peer.closed()

    async with serve(script) as server, make() as client:
        fetch = client.fetch(server.url(), streaming_callback=take)
        await started.wait()
        fetch.cancel()
        await stopped.wait()


async def test_bytewise(serve: "Serve") -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"

    async def script(peer: "Peer") -> None:
        await head(peer)
        for value in data:
            await peer.send(bytes([value]))
            await asyncio.sleep(0)
        await peer.closed()

    async with serve(script) as server, make() as client:
        response = await client.fetch(server.url())
        assert response.body == b"abc"
        assert response.trailers is not None
        assert dict(response.trailers) == {"X": "y"}
