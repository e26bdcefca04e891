"""TCPClient and its race of addresses, on loopback addresses and with a fake resolver."""

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from zonda.iostream import IOStream, SSLIOStream, StreamClosedError
from zonda.iostream.netutil import Resolver, bind_sockets
from zonda.iostream.racing import interleave, race
from zonda.iostream.tcpclient import TCPClient
from zonda.iostream.tcpserver import TCPServer


class FakeResolver(Resolver):
    """Answers with what it is given, after ``gate`` is set."""

    def initialize(self, found: list[tuple[int, Any]], blocked: bool = False) -> None:
        self.found = found
        self.blocked = blocked
        self.closed = False

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        if self.blocked:
            await asyncio.get_running_loop().create_future()
        return [pair for pair in self.found if family in (socket.AF_UNSPEC, pair[0])]

    def close(self) -> None:
        self.closed = True


@contextlib.contextmanager
def listening(address: str, backlog: int = 10) -> Iterator[int]:
    (sock,) = bind_sockets(0, address, backlog=backlog)
    try:
        yield sock.getsockname()[1]
    finally:
        sock.close()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([(2, 1)], [(2, 1)]),
        ([(2, 1), (2, 2), (10, 3)], [(2, 1), (10, 3), (2, 2)]),
        ([(10, 1), (10, 2), (10, 3), (2, 4)], [(10, 1), (2, 4), (10, 2), (10, 3)]),
    ],
)
def test_interleave(given: list[tuple[int, Any]], expected: list[tuple[int, Any]]) -> None:
    assert interleave(given) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_connect(host: str) -> None:
    with listening("::1" if ":" in host else "127.0.0.1") as port:
        stream = await TCPClient().connect(host, port)
        assert stream.socket.getpeername()[1] == port
        stream.close()


async def test_refused_address_is_followed_by_the_next_at_once() -> None:
    with listening("127.0.0.2") as port:
        resolver = FakeResolver(
            [(socket.AF_INET, ("127.0.0.3", port)), (socket.AF_INET, ("127.0.0.2", port))]
        )
        started = asyncio.get_running_loop().time()
        stream = await TCPClient(resolver).connect("x", port)
        assert asyncio.get_running_loop().time() - started < 0.2
        assert stream.socket.getpeername() == ("127.0.0.2", port)
        stream.close()


async def test_all_refused() -> None:
    with listening("127.0.0.2") as port:
        pass
    resolver = FakeResolver([(socket.AF_INET, (f"127.0.0.{n}", port)) for n in (2, 3, 4)])
    with pytest.raises(StreamClosedError) as caught:
        await TCPClient(resolver).connect("x", port)
    assert isinstance(caught.value.real_error, ConnectionRefusedError)


async def test_no_address() -> None:
    with pytest.raises(OSError, match="no address"):
        await TCPClient(FakeResolver([])).connect("x", 80)


class Attempts:
    """Connections that succeed or fail when the test says so."""

    def __init__(self) -> None:
        self.streams: dict[str, IOStream] = {}
        self.futures: dict[str, asyncio.Future[IOStream]] = {}
        self.started = asyncio.Event()
        self._far: list[socket.socket] = []

    def __call__(self, family: int, address: str) -> tuple[IOStream, "asyncio.Future[IOStream]"]:
        near, far = socket.socketpair()
        self._far.append(far)
        stream = self.streams[address] = IOStream(near)
        future = self.futures[address] = asyncio.get_running_loop().create_future()
        self.started.set()
        return stream, future

    async def until(self, address: str) -> None:
        while address not in self.streams:
            self.started.clear()
            await self.started.wait()

    def close(self) -> None:
        for sock in self._far:
            sock.close()


async def test_slow_address_is_raced() -> None:
    attempts = Attempts()
    task = asyncio.ensure_future(race([(10, "slow"), (2, "quick"), (2, "no")], attempts, 0.01))
    await attempts.until("quick")
    attempts.futures["quick"].set_result(attempts.streams["quick"])
    stream = await task
    assert stream is attempts.streams["quick"]
    assert not stream.closed()
    assert attempts.streams["slow"].closed()
    stream.close()
    attempts.close()


async def test_the_first_may_still_win() -> None:
    attempts = Attempts()
    task = asyncio.ensure_future(race([(10, "slow"), (2, "fails")], attempts, 0.01))
    await attempts.until("fails")
    attempts.futures["fails"].set_exception(StreamClosedError(ConnectionRefusedError()))
    await asyncio.sleep(0)
    attempts.futures["slow"].set_result(attempts.streams["slow"])
    stream = await task
    assert stream is attempts.streams["slow"]
    stream.close()
    attempts.streams["fails"].close()
    attempts.close()


async def test_cancelled_race_closes_all() -> None:
    attempts = Attempts()
    task = asyncio.ensure_future(race([(10, "one"), (2, "two")], attempts, 0.01))
    await attempts.until("two")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(stream.closed() for stream in attempts.streams.values())
    attempts.close()


@pytest.mark.parametrize("timeout", [0.02, datetime.timedelta(milliseconds=20)])
async def test_timeout_covers_resolving(timeout: float | datetime.timedelta) -> None:
    with pytest.raises(TimeoutError):
        await TCPClient(FakeResolver([], blocked=True)).connect("x", 80, timeout=timeout)


async def test_timeout_covers_the_handshake() -> None:
    """A server that accepts and says nothing."""
    (listener,) = bind_sockets(0, "127.0.0.1")
    with pytest.raises(TimeoutError):
        await TCPClient().connect(
            "127.0.0.1", listener.getsockname()[1], ssl_options={}, timeout=0.05
        )
    await asyncio.sleep(0)
    listener.setblocking(True)
    accepted, _ = listener.accept()
    accepted.settimeout(5)
    hello = accepted.recv(65536)
    assert hello[:1] == b"\x16"
    assert accepted.recv(65536) == b""  # closed at once
    accepted.close()
    listener.close()


async def test_bad_timeout() -> None:
    with pytest.raises(TypeError):
        await TCPClient().connect("127.0.0.1", 1, timeout="soon")  # type: ignore[arg-type]


async def test_source_address_and_port() -> None:
    with listening("127.0.0.1") as port, listening("127.0.0.9") as free:
        pass
    with listening("127.0.0.1") as port:
        stream = await TCPClient().connect(
            "127.0.0.1", port, source_ip="127.0.0.9", source_port=free
        )
        assert stream.socket.getsockname() == ("127.0.0.9", free)
        stream.abort()


async def test_source_address_picks_the_family() -> None:
    with listening("127.0.0.1") as port:
        resolver = FakeResolver(
            [(socket.AF_INET6, ("::1", port)), (socket.AF_INET, ("127.0.0.1", port))]
        )
        stream = await TCPClient(resolver).connect("x", port, source_ip="127.0.0.5")
        assert stream.socket.getsockname()[0] == "127.0.0.5"
        stream.close()


async def test_source_that_cannot_be_bound() -> None:
    with listening("127.0.0.1") as port, pytest.raises(OSError):
        await TCPClient().connect("127.0.0.1", port, source_ip="192.0.2.1")


async def test_tls() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("example.com").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)

    class Greeter(TCPServer):
        async def handle_stream(self, stream: IOStream, address: Any) -> None:
            await stream.write(b"hello")
            stream.close()

    server = Greeter(ssl_options=server_context)
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(listener)
    where = listener.getsockname()
    client = TCPClient(FakeResolver([(socket.AF_INET, where)]))
    stream = await client.connect("example.com.", where[1], ssl_options=client_context)
    assert isinstance(stream, SSLIOStream)
    assert await stream.read_until_close() == b"hello"
    stream.close()
    server.stop()


@pytest.mark.parametrize(("own", "closed"), [(True, True), (False, False)])
def test_only_its_own_resolver_is_closed(own: bool, closed: bool) -> None:
    resolver = FakeResolver([])
    client = TCPClient(resolver)
    if own:
        client._own_resolver = True
    client.close()
    assert resolver.closed is closed
