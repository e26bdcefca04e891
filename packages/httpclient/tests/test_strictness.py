"""What both implementations take for HTTP/1.1, and what not: the same rows for each."""

from typing import TYPE_CHECKING

import pytest

from zonda.httpclient import HTTPStreamClosedError

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import MakeClient, Peer, Serve

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n\r\nhi"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"2\r\nhi\r\n"
LAST = b"0\r\n\r\n"


async def answer(make_client: "MakeClient", serve: "Serve", response: bytes) -> bytes:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(response)

    async with serve(script) as server, make_client(max_body_size=1000) as client:
        fetched = await client.fetch(server.url(), raise_error=False)
        return fetched.body


@pytest.mark.parametrize(
    "response",
    [
        OK + LENGTH,
        OK + b"\r\nhi",
        OK + b"Content-Length: 2\r\n" + LENGTH,
        OK + b"Content-Length: 2, 2\r\n\r\nhi",
        OK + b"X: caf\xe9\r\n" + LENGTH,
        OK + b"X: y\r\n z\r\n" + LENGTH,
        OK + b"X:\r\n" + LENGTH,
        b"HTTP/1.1 200\r\n" + LENGTH,
        b"HTTP/1.1 200 Caf\xe9 \t!\r\n" + LENGTH,
        b"HTTP/1.0 200 OK\r\n" + LENGTH,
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + OK + LENGTH,
        CHUNKED + CHUNK + LAST,
        CHUNKED + b"1\r\nh\r\n1\r\ni\r\n" + LAST,
        CHUNKED + b"0" * 10 + CHUNK + LAST,
        CHUNKED + b'2;a=b;c="d"\r\nhi\r\n0;e\r\n\r\n',
        CHUNKED + CHUNK + b"0\r\nX: y\r\nZ: \xe9\r\n\r\n",
        OK + b"transfer-encoding: CHUNKED\r\n\r\n" + CHUNK + LAST,
    ],
    ids=repr,
)
async def test_what_is_taken(make_client: "MakeClient", serve: "Serve", response: bytes) -> None:
    assert await answer(make_client, serve, response) == b"hi"


@pytest.mark.parametrize(
    "response",
    [
        # How long it is
        OK + b"Content-Length: 3\r\n" + LENGTH + b"!",
        OK + b"Content-Length: 2, 3\r\n\r\nhi!",
        OK + b"Content-Length: +2\r\n\r\nhi",
        OK + b"Content-Length: -2\r\n\r\nhi",
        OK + b"Content-Length: 0x2\r\n\r\nhi",
        OK + b"Content-Length: 2x\r\n\r\nhi",
        OK + b"Content-Length: 2 2\r\n\r\nhi",
        OK + b"Content-Length: \r\n\r\nhi",
        OK + b"Content-Length: 3\r\n\r\nhi",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\nhi",
        OK + b"Content-Length : 2\r\n\r\nhi",
        OK + b"Transfer-Encoding: chunked\r\n" + LENGTH,
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + LAST,
        OK + b"Transfer-Encoding: gzip\r\n\r\nhi",
        OK + b"Transfer-Encoding: identity\r\n\r\nhi",
        OK + b"Transfer-Encoding: identity\r\n" + LENGTH,
        OK + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK + LAST,
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNK + LAST,
        OK + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNK + LAST,
        OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNK + LAST,
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + LAST,
        # Chunks
        CHUNKED + b"+" + CHUNK + LAST,
        CHUNKED + b"-" + CHUNK + LAST,
        CHUNKED + b"0x" + CHUNK + LAST,
        CHUNKED + b"0_" + CHUNK + LAST,
        CHUNKED + b" " + CHUNK + LAST,
        CHUNKED + b"2 \r\nhi\r\n" + LAST,
        CHUNKED + b"2g\r\nhi\r\n" + LAST,
        CHUNKED + b"2;\x00\r\nhi\r\n" + LAST,
        CHUNKED + b"2\nhi\n0\n\n",
        CHUNKED + b"2\r\nhiXX" + LAST,
        CHUNKED + b"\r\nhi\r\n" + LAST,
        CHUNKED + b"f" * 17 + b"\r\nhi",
        CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n" + LAST,  # beyond the limit
        CHUNKED + CHUNK,
        CHUNKED + CHUNK + b"0\r\n",
        CHUNKED + CHUNK + b"0\r\nX Y: z\r\n\r\n",
        CHUNKED + CHUNK + b"0\r\nfoo\r\n\r\n",
        CHUNKED + CHUNK + b"0\r\nX: \x01\r\n\r\n",
        CHUNKED + CHUNK + b"0\r\nContent-Length: 2\r\n\r\n",
        CHUNKED + b"1\r\nh\r\n1;" + b"x" * 100_000 + b"\r\ni\r\n" + LAST,
        # Field lines
        OK + b"X : y\r\n" + LENGTH,
        OK + b"X Y: z\r\n" + LENGTH,
        OK + b"foo\r\n" + LENGTH,
        OK + b": y\r\n" + LENGTH,
        OK + b" z: y\r\n" + LENGTH,
        OK + b"X: a\x00b\r\n" + LENGTH,
        OK + b"X: a\x01b\r\n" + LENGTH,
        OK + b"X: a\rb\r\n" + LENGTH,
        OK + b"X: y\n" + LENGTH,
        OK + b"".join(b"X-%d: y\r\n" % number for number in range(300)) + LENGTH,
        # Status lines
        OK.replace(b"\r", b"") + LENGTH.replace(b"\r", b""),
        b"HTTP/1.1 2000 OK\r\n" + LENGTH,
        b"HTTP/1.1 20 OK\r\n" + LENGTH,
        b"HTTP/1.1 099 OK\r\n" + LENGTH,
        b"HTTP/1.1  200 OK\r\n" + LENGTH,
        b"HTTP/1.1 200 O\x01K\r\n" + LENGTH,
        b"HTTP/2.0 200 OK\r\n" + LENGTH,
        b"HTTP/2 200 OK\r\n" + LENGTH,
        b"HTTP/3 200\r\n" + LENGTH,
        b"http/1.1 200 OK\r\n" + LENGTH,
        b"ICY 200 OK\r\n" + LENGTH,
        b"\r\n" + OK + LENGTH,
        b"hello",
    ],
    ids=lambda response: repr(response[:100]),
)
async def test_what_is_not_taken(
    make_client: "MakeClient", serve: "Serve", response: bytes
) -> None:
    with pytest.raises(HTTPStreamClosedError):
        await answer(make_client, serve, response)
