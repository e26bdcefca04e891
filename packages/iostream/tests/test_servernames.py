"""Certificates by name, and new ones for a running server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zonda.iostream import IOStream
from zonda.iostream.netutil import bind_sockets
from zonda.iostream.servernames import by_server_name
from zonda.iostream.tcpserver import TCPServer

trustme = pytest.importorskip("trustme")


class Closing(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await stream.write(b"hello")
        stream.close()


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA()


def context_for(authority: Any, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def served(server: TCPServer) -> AsyncIterator[int]:
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()


async def names_shown(authority: Any, port: int, name: str | None) -> list[str]:
    """The names in the certificate that a client gets which asks for ``name``."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.check_hostname = False
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname=name or ""
    )
    assert await reader.read() == b"hello"
    certificate = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    return [value for _, value in certificate["subjectAltName"]]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("one.test", "one.test"),
        ("ONE.test", "one.test"),
        ("a.two.test", "*.two.test"),
        ("exact.two.test", "exact.two.test"),
        ("a.b.two.test", "default.test"),
        ("two.test", "default.test"),
        ("other.test", "default.test"),
        (None, "default.test"),
    ],
)
async def test_the_certificate_of_the_name(authority: Any, asked: str | None, shown: str) -> None:
    names = ("one.test", "*.two.test", "exact.two.test")
    context = by_server_name(
        {name: context_for(authority, name) for name in names},
        default=context_for(authority, "default.test"),
    )
    async with served(Closing(ssl_options=context)) as port:
        assert await names_shown(authority, port, asked) == [shown]


@pytest.mark.parametrize("name", ["", "*", "a.*.test", "a b", "a/b", "*.*.test"])
def test_not_a_name(name: str) -> None:
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ValueError, match="not a server name"):
        by_server_name({name: plain}, default=plain)


async def test_a_new_certificate_for_a_running_server(authority: Any) -> None:
    server = Closing(ssl_options=context_for(authority, "old.test"))
    async with served(server) as port:
        assert await names_shown(authority, port, "any.test") == ["old.test"]
        server.set_ssl_options(context_for(authority, "new.test"))
        assert await names_shown(authority, port, "any.test") == ["new.test"]
        with pytest.raises(ValueError, match="does not exist"):
            server.set_ssl_options({"certfile": "/nowhere"})
        assert await names_shown(authority, port, "any.test") == ["new.test"]


def test_a_plain_server_does_not_become_a_tls_server(authority: Any) -> None:
    with pytest.raises(RuntimeError, match="without ssl_options"):
        Closing().set_ssl_options(context_for(authority, "a.test"))
