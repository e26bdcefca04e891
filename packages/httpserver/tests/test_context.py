"""Address and scheme of a connection."""

import asyncio
import socket
from pathlib import Path

from zonda.httpserver import HTTPRequestContext
from zonda.httpserver.testing import serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest
from zonda.iostream import IOStream
from zonda.iostream.netutil import bind_unix_socket


async def test_tcp_and_unix() -> None:
    ours, theirs = socket.socketpair()
    stream = IOStream(ours)
    context = HTTPRequestContext(stream, "", None)
    assert (context.remote_ip, context.protocol) == ("0.0.0.0", "http")
    assert str(HTTPRequestContext(stream, b"\0abstract", None)) == "\0abstract"
    assert HTTPRequestContext(stream, "", "https").protocol == "https"
    stream.close()
    theirs.close()


async def test_a_server_on_a_unix_socket(tmp_path: Path) -> None:
    seen: list[str | None] = []

    def answer(request: HTTPServerRequest) -> None:
        seen.append(request.remote_ip)
        request.connection.respond(200, "OK", HTTPHeaders(), b"ok")  # type: ignore[union-attr]

    path = str(tmp_path / "socket")
    async with serving(answer) as server:
        server.add_sockets([bind_unix_socket(path)])
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nok")
        writer.close()
        await writer.wait_closed()
    assert seen == ["0.0.0.0"]
