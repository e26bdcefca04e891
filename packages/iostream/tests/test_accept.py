"""Accepting: bursts, errors, shortage of descriptors."""

import asyncio
import errno
import os
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from zonda.iostream import accept
from zonda.iostream.accept import Acceptor
from zonda.iostream.netutil import add_accept_handler, bind_sockets

ExpectLog = Callable[..., Any]


class Taken:
    """A callback that keeps what it gets."""

    def __init__(self) -> None:
        self.connections: list[socket.socket] = []
        self.changed = asyncio.Event()

    def __call__(self, connection: socket.socket, address: object) -> None:
        self.connections.append(connection)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.connections) < count:
                self.changed.clear()
                await self.changed.wait()

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


async def test_a_burst_is_accepted_and_stop_stops() -> None:
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()
    stop = add_accept_handler(listener, taken)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(100)]
    await taken.until(100)
    stop()
    stop()
    late = socket.create_connection(listener.getsockname())
    await asyncio.sleep(0.02)
    assert len(taken.connections) == 100
    for sock in [*clients, late, listener]:
        sock.close()
    taken.close()


async def test_stop_from_the_callback() -> None:
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()

    def once(connection: socket.socket, address: object) -> None:
        taken(connection, address)
        stop()

    stop = add_accept_handler(listener, once)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    await taken.until(1)
    await asyncio.sleep(0.01)
    assert len(taken.connections) == 1
    for sock in [*clients, listener]:
        sock.close()
    taken.close()


async def test_pause_and_resume() -> None:
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()

    def one_at_a_time(connection: socket.socket, address: object) -> None:
        taken(connection, address)
        acceptor.pause()

    acceptor = Acceptor(listener, one_at_a_time)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    for count in (1, 2, 3):
        await taken.until(count)
        await asyncio.sleep(0.01)
        assert len(taken.connections) == count
        acceptor.pause()  # twice is once
        acceptor.resume()
        acceptor.resume()
    acceptor.pause()
    acceptor.stop()
    acceptor.resume()
    for sock in [*clients, listener]:
        sock.close()
    taken.close()


async def test_the_backlog_is_accepted_at_once() -> None:
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()
    acceptor = Acceptor(listener, taken)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(50)]
    acceptor.pause()  # there are enough; but the socket is about to be closed
    acceptor.accept_backlog()
    assert len(taken.connections) == 50
    acceptor.stop()
    late = socket.create_connection(listener.getsockname())
    acceptor.accept_backlog()
    assert len(taken.connections) == 50
    for sock in [*clients, late, listener]:
        sock.close()
    taken.close()


async def test_a_failing_callback_costs_its_connection_only(expect_log: ExpectLog) -> None:
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()

    def flaky(connection: socket.socket, address: object) -> None:
        if not taken.connections:
            taken.connections.append(connection)
            raise RuntimeError("first")
        taken(connection, address)

    stop = add_accept_handler(listener, flaky)
    with expect_log("zonda.application", "Error in connection callback"):
        clients = [socket.create_connection(listener.getsockname()) for _ in range(2)]
        await taken.until(2)
    clients[0].settimeout(5)
    assert clients[0].recv(1) == b""
    stop()
    for sock in [*clients, listener]:
        sock.close()
    taken.close()


async def test_descriptor_exhaustion(
    expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, next to no CPU, and recovery without help."""
    monkeypatch.setattr(accept, "FIRST_REST", 0.01)
    (listener,) = bind_sockets(0, "127.0.0.1")
    taken = Taken()
    stop = add_accept_handler(listener, taken)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(5)]
    # Descriptors below the limit are in use; two of them will be free.
    used = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, before[1]))
    fillers = []
    try:
        while True:
            try:
                fillers.append(os.dup(0))
            except OSError:
                break
        with expect_log("zonda.application", "Cannot accept connections"):
            cpu = time.process_time()
            await asyncio.sleep(0.3)
            assert time.process_time() - cpu < 0.15
            assert not taken.connections
            for fd in fillers:
                os.close(fd)
            fillers.clear()
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            await taken.until(5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for fd in fillers:
            os.close(fd)
    stop()
    for sock in [*clients, listener]:
        sock.close()
    taken.close()


class Failing:
    """A listening socket whose ``accept`` raises what it is told."""

    def __init__(self, codes: list[int]) -> None:
        self._sock = bind_sockets(0, "127.0.0.1")[0]
        self.codes = codes
        self.fileno = self._sock.fileno
        self.close = self._sock.close
        self.getsockname = self._sock.getsockname
        self.setblocking = self._sock.setblocking

    def accept(self) -> tuple[socket.socket, object]:
        if self.codes:
            raise OSError(self.codes.pop(0), "injected")
        return self._sock.accept()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
async def test_each_shortage(
    code: int, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept, "FIRST_REST", 0.001)
    listener = Failing([code] * 5)
    taken = Taken()
    with expect_log("zonda.application", "Cannot accept connections", count=1):
        acceptor = Acceptor(listener, taken)  # type: ignore[arg-type]
        client = socket.create_connection(listener.getsockname())
        await taken.until(1)
    acceptor.stop()
    client.close()
    listener.close()
    taken.close()


async def test_stop_while_resting(expect_log: ExpectLog) -> None:
    listener = Failing([errno.EMFILE])
    taken = Taken()
    with expect_log("zonda.application", "Cannot accept"):
        acceptor = Acceptor(listener, taken)  # type: ignore[arg-type]
        client = socket.create_connection(listener.getsockname())
        await asyncio.sleep(0.01)
    acceptor.stop()
    listener.close()
    await asyncio.sleep(0.08)
    assert not taken.connections
    client.close()


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.EPROTO, errno.EPERM])
async def test_peers_that_left_are_passed_over(code: int) -> None:
    listener = Failing([code])
    taken = Taken()
    acceptor = Acceptor(listener, taken)  # type: ignore[arg-type]
    client = socket.create_connection(listener.getsockname())
    await taken.until(1)
    acceptor.stop()
    client.close()
    listener.close()
    taken.close()
