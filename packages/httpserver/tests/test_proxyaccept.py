"""PROXY headers on real connections: before HTTP, before TLS, and not at all."""

import asyncio
import ssl
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x00\x05\x00\x50"
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
TIMEOUT = 10.0


def show(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    header = getattr(connection.context.address, "header", None)
    destination = None if header is None else header.destination
    text = f"{request.remote_ip} {request.protocol} {destination}".encode()
    headers = HTTPHeaders({"Content-Length": str(len(text))})
    connection.write_headers(ResponseStartLine("", 200, "OK"), headers, text)
    connection.finish()


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("header", "seen"),
    [
        (V1, "192.0.2.1 http ('192.0.2.2', 80)"),
        (V2, "192.0.2.1 http ('192.0.2.2', 80)"),
        (LOCAL, "127.0.0.1 http None"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1 http None"),
    ],
)
async def test_before_http(header: bytes, seen: str, bytewise: bool) -> None:
    async with serve(show, proxy_protocol=True) as port, RawClient(port) as client:
        await client.send(header + GET, bytewise=bytewise)
        assert (await client.response()).body.decode() == seen
        assert (await client(GET)).body.decode() == seen


async def test_before_tls() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    async with serve(show, proxy_protocol=True, ssl_options=server_context) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(V1)
        await writer.drain()
        async with asyncio.timeout(TIMEOUT):
            await writer.start_tls(client_context, server_hostname="localhost")
            writer.write(GET)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            text = await reader.readexactly(len("192.0.2.1 https ('192.0.2.2', 80)"))
        assert text == b"192.0.2.1 https ('192.0.2.2', 80)"
        writer.transport.abort()


@pytest.mark.parametrize(
    "data", [GET, b"PROXY TCP4 x\r\n", b"\r\n\r\n\x00\r\nQUIT\n\x91\x11\x00\x00"]
)
async def test_what_is_no_header(data: bytes) -> None:
    async with serve(show, proxy_protocol=True) as port, RawClient(port) as client:
        await client.send(data)
        assert await client.closed() == b""


async def test_a_client_that_leaves_inside_of_it() -> None:
    async with serving(show, proxy_protocol=True) as server:
        acceptor = server._proxy_acceptor
        assert acceptor is not None
        async with RawClient(port_of(server)) as client:
            await client.send(V1[:10])
            async with asyncio.timeout(TIMEOUT):
                while not len(acceptor):
                    await asyncio.sleep(0.001)
        async with asyncio.timeout(TIMEOUT):
            while len(acceptor):
                await asyncio.sleep(0.001)


async def test_one_that_takes_too_long() -> None:
    async with serve(show, proxy_protocol=True, header_timeout=0.05) as port:
        async with RawClient(port) as client:
            await client.send(V1[:10])
            assert await client.closed() == b""


@pytest.mark.parametrize("end", ["drain", "close_all_connections"])
async def test_the_server_ends(end: str) -> None:
    async with serving(show, proxy_protocol=True) as server:
        acceptor = server._proxy_acceptor
        assert acceptor is not None
        async with RawClient(port_of(server)) as client:
            async with asyncio.timeout(TIMEOUT):
                while not len(acceptor):
                    await asyncio.sleep(0.001)
            await getattr(server, end)()
            assert await client.closed() == b""
        assert not len(acceptor)


async def test_only_from_trusted_peers() -> None:
    async with serve(show, proxy_protocol=["10.0.0.0/8"]) as port, RawClient(port) as client:
        assert (await client(GET)).body == b"127.0.0.1 http None"
    async with serve(show, proxy_protocol=["10.0.0.0/8"]) as port, RawClient(port) as client:
        assert (await client(V1 + GET)).status == 400  # it is no HTTP
    async with serve(show, proxy_protocol=["127.0.0.0/8"]) as port, RawClient(port) as client:
        assert (await client(V1 + GET)).body.startswith(b"192.0.2.1")
