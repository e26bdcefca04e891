"""TCPServer over real sockets."""

import asyncio
import socket
from typing import Any

from zonda.iostream import IOStream
from zonda.iostream.netutil import bind_sockets
from zonda.iostream.tcpserver import TCPServer


class Echo(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        while True:
            await stream.write(await stream.read_until(b"\n"))


async def test_listen_and_echo() -> None:
    server = Echo()
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(listener)
    client = IOStream(socket.socket())
    await client.connect(listener.getsockname())
    await client.write(b"hello\n")
    assert await client.read_until(b"\n") == b"hello\n"
    client.close()
    server.stop()
    await asyncio.sleep(0.01)
