"""Many connections: open at once, one after the other, idle."""

import asyncio
import contextlib
import gc
import os
import resource
import socket
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from zonda.iostream import IOStream, StreamClosedError
from zonda.iostream.netutil import bind_sockets
from zonda.iostream.process import Subprocess
from zonda.iostream.tcpserver import TCPServer

CONNECTIONS = 10_000


# The clients live in a process of their own: they need as many descriptors as the server.
CLIENTS = """
import resource, socket, sys
address, count = ("127.0.0.1", int(sys.argv[1])), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
clients = [socket.create_connection(address) for _ in range(count)]
for client in clients:
    client.sendall(b"ping")
assert all(client.recv(4, socket.MSG_WAITALL) == b"ping" for client in clients)
print("all answered", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def descriptors() -> Iterator[int]:
    """Raise the limit for the test; the value is the new one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = CONNECTIONS + 500
    if hard != resource.RLIM_INFINITY:
        limit = min(hard, limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class EchoSink:
    """Sends back what it gets."""

    def __init__(self, stream: IOStream) -> None:
        self.stream = stream

    def data_received(self, data: bytes) -> None:
        self.stream.send(data)

    def eof_received(self) -> None:
        self.stream.close()

    def connection_lost(self, error: BaseException | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


class Echo(TCPServer):
    def __init__(self) -> None:
        super().__init__()
        self.streams: weakref.WeakSet[IOStream] = weakref.WeakSet()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.streams.add(stream)
        stream.set_sink(EchoSink(stream))


async def test_open_at_once(descriptors: int) -> None:
    count = min(CONNECTIONS, descriptors - 300)
    server = Echo()
    (listener,) = bind_sockets(0, "127.0.0.1", backlog=1024)
    server.add_socket(listener)
    clients = Subprocess(
        [sys.executable, "-c", CLIENTS, str(listener.getsockname()[1]), str(count)],
        stdin=Subprocess.STREAM,
        stdout=Subprocess.STREAM,
    )
    assert await clients.stdout.read_until(b"\n") == b"all answered\n"
    assert len(server.streams) == count
    assert not any(stream.closed() for stream in server.streams)
    clients.stdin.close()
    await clients.wait_for_exit()
    async with asyncio.timeout(30):
        while not all(stream.closed() for stream in list(server.streams)):
            await asyncio.sleep(0.01)
    clients.stdout.close()
    server.stop()
    await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["sink", "futures"])
async def test_one_after_the_other_leaks_nothing(how: str) -> None:
    class Futures(TCPServer):
        async def handle_stream(self, stream: IOStream, address: Any) -> None:
            await stream.write(await stream.read_bytes(100, partial=True))
            stream.close()

    server = Echo() if how == "sink" else Futures()
    (listener,) = bind_sockets(0, "127.0.0.1", backlog=1024)
    server.add_socket(listener)
    address = listener.getsockname()

    async def visit() -> None:
        client = IOStream(socket.socket())
        await client.connect(address)
        await client.write(b"ping")
        assert await client.read_bytes(4) == b"ping"
        # No TIME_WAIT: ten thousand of them would use up the ports of a loopback address.
        client.abort()

    async def visits(count: int) -> None:
        for _ in range(count // 50):
            await asyncio.gather(*(visit() for _ in range(50)))
        await asyncio.sleep(0.05)

    def streams() -> int:
        return sum(issubclass(type(thing), IOStream) for thing in gc.get_objects())

    await visits(100)
    gc.collect()
    before = len(os.listdir("/proc/self/fd")), streams()
    await visits(CONNECTIONS)
    gc.collect()
    after = len(os.listdir("/proc/self/fd")), streams()
    server.stop()
    await asyncio.sleep(0.05)
    # What another test left to the collector may go meanwhile; nothing may come.
    assert after[0] <= before[0]
    assert after[1] <= before[1]


@pytest.mark.parametrize("use", ["sink", "pending read", "close callback"])
async def test_memory_of_an_idle_stream(use: str) -> None:
    class Idle:
        __slots__ = ("stream",)

        def __init__(self, stream: IOStream) -> None:
            self.stream = stream

        def data_received(self, data: bytes) -> None: ...
        def eof_received(self) -> None: ...
        def connection_lost(self, error: BaseException | None) -> None: ...
        def pause_writing(self) -> None: ...
        def resume_writing(self) -> None: ...

    def prepare(stream: IOStream) -> object:
        if use == "sink":
            stream.set_sink(Idle(stream))
        elif use == "pending read":
            return stream.read_until(b"\n")
        else:
            stream.set_close_callback(stream.closed)
        return None

    async def busy(stream: IOStream, peer: socket.socket) -> None:
        """A stream that has worked has given its buffers back."""
        peer.send(b"line\n")
        await stream.read_until(b"\n")
        await stream.write(b"answer\n")
        peer.recv(100)

    count = 200
    pairs = [socket.socketpair() for _ in range(count)]
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        streams = []
        for near, far in pairs:
            stream = IOStream(near)
            await busy(stream, far)
            streams.append((stream, prepare(stream)))
        await asyncio.sleep(0)
        gc.collect()
        used = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert used < 2048
    for stream, _ in streams:
        stream.close()
    for _, far in pairs:
        far.close()


async def test_memory_of_an_idle_connection_with_its_handler() -> None:
    class Handling(TCPServer):
        async def handle_stream(self, stream: IOStream, address: Any) -> None:
            with contextlib.suppress(StreamClosedError):
                while True:
                    await stream.write(await stream.read_bytes(100, partial=True))

    server = Handling()
    (listener,) = bind_sockets(0, "127.0.0.1", backlog=1024)
    server.add_socket(listener)
    count = 200
    clients = [socket.socket() for _ in range(count)]
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for client in clients:
            client.connect(listener.getsockname())
        async with asyncio.timeout(10):
            while len(server._tasks) < count:
                await asyncio.sleep(0.01)
        gc.collect()
        used = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    # Half of it is the task's, its context's and the coroutine's; uvloop's watch takes 230.
    assert used < 2560
    for client in clients:
        client.close()
    async with asyncio.timeout(10):
        while server._tasks:
            await asyncio.sleep(0.01)
    server.stop()
