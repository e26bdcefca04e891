"""TCPServer over real sockets."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zonda.iostream import IOStream, SSLIOStream, StreamClosedError
from zonda.iostream.netutil import bind_sockets, bind_unix_socket
from zonda.iostream.tcpserver import TCPServer

ExpectLog = Callable[..., Any]


class Echo(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        while True:
            await stream.write(await stream.read_until(b"\n"))


def port_of(server: TCPServer) -> int:
    port: int = next(iter(server._sockets.values())).getsockname()[1]
    return port


async def connect(port: int) -> IOStream:
    return await IOStream(socket.socket()).connect(("127.0.0.1", port))


async def settle(server: TCPServer) -> None:
    """Wait until the handlers of closed connections have ended."""
    async with asyncio.timeout(10):
        while server._tasks:
            await asyncio.sleep(0)


async def talk(server: TCPServer, port: int) -> None:
    client = await connect(port)
    await client.write(b"hello\n")
    assert await client.read_until(b"\n") == b"hello\n"
    client.close()
    server.stop()
    await settle(server)


async def test_add_sockets() -> None:
    server = Echo()
    server.add_sockets(bind_sockets(0, "127.0.0.1"))
    await talk(server, port_of(server))


async def test_listen() -> None:
    server = Echo()
    server.listen(0, "127.0.0.1")
    await talk(server, port_of(server))


async def test_bind_and_start() -> None:
    server = Echo()
    server.bind(0, "127.0.0.1")
    assert not server._sockets
    server.start()
    with pytest.raises(RuntimeError):
        server.start()
    server.bind(0, "127.0.0.1")  # a started server accepts at once
    assert len(server._sockets) == 2
    await talk(server, port_of(server))


def test_stop_without_start() -> None:
    server = Echo()
    server.bind(0, "127.0.0.1")
    server.stop()
    server.stop()


async def test_stop_closes_listeners_only() -> None:
    server = Echo()
    server.listen(0, "127.0.0.1")
    port = port_of(server)
    client = await connect(port)
    await client.write(b"one\n")
    await client.read_until(b"\n")
    server.stop()
    await client.write(b"two\n")
    assert await client.read_until(b"\n") == b"two\n"
    with pytest.raises(StreamClosedError):
        await connect(port)
    client.close()
    await settle(server)


async def test_unix_socket(tmp_path: Path) -> None:
    server = Echo()
    path = str(tmp_path / "socket")
    server.add_socket(bind_unix_socket(path))
    client = await IOStream(socket.socket(socket.AF_UNIX)).connect(path)
    await client.write(b"hello\n")
    assert await client.read_until(b"\n") == b"hello\n"
    client.close()
    server.stop()
    await settle(server)


def _raise(stream: IOStream, address: Any) -> None:
    raise LookupError("at once")


async def _raise_later(stream: IOStream, address: Any) -> None:
    await asyncio.sleep(0)
    raise LookupError("later")


@pytest.mark.parametrize("handler", [_raise, _raise_later])
async def test_exceptions_are_logged_and_close(
    handler: Callable[[IOStream, Any], Awaitable[None] | None], expect_log: ExpectLog
) -> None:
    class Faulty(TCPServer):
        def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:
            return handler(stream, address)

    server = Faulty()
    server.listen(0, "127.0.0.1")
    with expect_log("zonda.application", "(Error in connection|Exception in) callback"):
        client = await connect(port_of(server))
        assert await client.read_until_close() == b""
    server.stop()


async def test_plain_function_and_private_name() -> None:
    """``_handle_connection`` is what projects call with a connection of their own."""
    seen: list[Any] = []

    class Plain(TCPServer):
        def handle_stream(self, stream: IOStream, address: Any) -> None:
            seen.append(address)
            stream.write(b"bye")
            stream.close_when_flushed()

    server = Plain(max_buffer_size=1000, read_chunk_size=500)
    near, far = socket.socketpair()
    server._handle_connection(far, "somewhere")
    client = IOStream(near)
    assert await client.read_until_close() == b"bye"
    assert seen == ["somewhere"]
    server.stop()


async def test_limits_reach_the_streams() -> None:
    made: list[IOStream] = []

    class Keeping(TCPServer):
        def handle_stream(self, stream: IOStream, address: Any) -> None:
            made.append(stream)

    server = Keeping(max_buffer_size=1000, read_chunk_size=100)
    near, far = socket.socketpair()
    server._handle_connection(far, None)
    assert (made[0].max_buffer_size, made[0].read_chunk_size) == (1000, 100)
    made[0].close()
    near.close()


async def test_tls(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    path = tmp_path / "both.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(path)
    server = Echo(ssl_options={"certfile": str(path)})
    server.listen(0, "127.0.0.1")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    client = await SSLIOStream(socket.socket(), ssl_options=context).connect(
        ("127.0.0.1", port_of(server)), server_hostname="localhost"
    )
    await client.write(b"hello\n")
    assert await client.read_until(b"\n") == b"hello\n"
    client.close()
    server.stop()
    await settle(server)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, KeyError),
        ({"keyfile": __file__}, KeyError),
        ({"certfile": "/nonexistent"}, ValueError),
        ({"certfile": __file__, "keyfile": "/nonexistent"}, ValueError),
    ],
)
def test_bad_tls_options(options: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        TCPServer(ssl_options=options)


PROGRAM = """
import asyncio, os, sys
from zonda.ioloop import IOLoop
from zonda.iostream.tcpserver import TCPServer

class Who(TCPServer):
    async def handle_stream(self, stream, address):
        await stream.write(b"%d" % os.getpid())
        stream.close()

server = Who()
server.bind(0, "127.0.0.1")
print(server._pending_sockets[0].getsockname()[1], flush=True)
server.start(2)
IOLoop.current().start()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_start_forks() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    try:
        port = int(parent.stdout.readline())
        seen = set()
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.settimeout(10)
                seen.add(int(client.makefile("rb").read()))
            if len(seen) == 2:
                break
        assert parent.pid not in seen
        assert seen
    finally:
        parent.terminate()
        parent.wait()
        parent.stdout.close()


@pytest.mark.parametrize("sent", [b"", b"line\n", b"li", b"line\nmore\n", b"x" * 100_000 + b"\n"])
@pytest.mark.parametrize("ends", [False, True], ids=["goes on", "ends"])
async def test_what_came_before_the_connection_was_accepted(sent: bytes, ends: bool) -> None:
    lines: list[bytes] = []
    done = asyncio.Event()

    class Lines(TCPServer):
        async def handle_stream(self, stream: IOStream, address: Any) -> None:
            try:
                while True:
                    lines.append(await stream.read_until(b"\n"))
            except StreamClosedError:
                lines.append(await stream.read_until_close())
                done.set()

    (listener,) = bind_sockets(0, "127.0.0.1")
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        server = Lines()
        server.add_socket(listener)
        if not ends:
            await asyncio.sleep(0.01)
            client.sendall(b"ne\nend")
            client.shutdown(socket.SHUT_WR)
            sent += b"ne\nend"
        await done.wait()
    assert lines == [
        *sent.splitlines(keepends=True),
        *([b""] if sent.endswith(b"\n") or not sent else []),
    ]
    server.stop()
    await settle(server)
