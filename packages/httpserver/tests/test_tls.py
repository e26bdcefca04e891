"""HTTPS, with a certificate made for the test."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest

trustme = pytest.importorskip("trustme")


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's context and a client's that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def answer(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    body = f"{request.full_url()} ".encode() + request.body
    connection.respond(200, "OK", HTTPHeaders(), body)


POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
async def test_https(contexts: tuple[ssl.SSLContext, ssl.SSLContext], size: int) -> None:
    server, client_context = contexts
    async with (
        serve(answer, ssl_options=server) as port,
        RawClient(port, tls=client_context) as client,
    ):
        for _ in range(2):
            response = await client(POST % size + bytes(size))
            assert response.body == b"https://h/a " + bytes(size)


async def test_plain_text_on_a_tls_port_costs_a_line(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    server, client_context = contexts
    async with serve(answer, ssl_options=server) as port:
        async with RawClient(port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await client.closed()
        async with RawClient(port, tls=client_context) as client:
            assert (await client(POST % 0)).status == 200
    assert len([r for r in caplog.records if r.name.startswith("zonda")]) <= 1


async def test_a_client_that_leaves_during_the_handshake(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    server, client_context = contexts
    async with serve(answer, ssl_options=server) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01")
        writer.close()
        await writer.wait_closed()
        async with RawClient(port, tls=client_context) as client:
            assert (await client(POST % 0)).status == 200


@pytest.mark.parametrize("asked", [["http/1.1"], ["h2", "http/1.1"], ["h2"], None])
@pytest.mark.parametrize("reloaded", [False, True])
async def test_what_is_spoken(asked: list[str] | None, reloaded: bool, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    options = {"certfile": str(tmp_path / "both.pem")}
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    if asked is not None:
        client_context.set_alpn_protocols(asked)
    async with serving(answer, ssl_options=options) as server:
        if reloaded:
            server.set_ssl_options(options)
        async with RawClient(port_of(server), tls=client_context) as client:
            assert (await client(POST % 0)).status == 200
            tls = client.writer.get_extra_info("ssl_object")
            expected = "http/1.1" if asked and "http/1.1" in asked else None
            assert tls.selected_alpn_protocol() == expected
