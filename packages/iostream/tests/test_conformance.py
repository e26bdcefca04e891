"""Every kind of stream passes every check, on both loops."""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest

from zonda.ioloop.platform.asyncio import AsyncIOLoop
from zonda.iostream import BaseIOStream, IOStream, PipeIOStream, SSLIOStream
from zonda.iostream.conformance import BOTH_WAYS, ONE_WAY
from zonda.iostream.netutil import bind_sockets
from zonda.iostream.testing import check_stream, stream_pair

Pair = tuple[BaseIOStream, BaseIOStream]
MakePair = Callable[[], Awaitable[Pair]]


async def memory() -> Pair:
    return stream_pair()


async def unix() -> Pair:
    one, two = socket.socketpair()
    return IOStream(one), IOStream(two)


async def tcp() -> Pair:
    (listener,) = bind_sockets(0, "127.0.0.1")
    client = IOStream(socket.socket())
    future = client.connect(listener.getsockname())
    listener.setblocking(True)
    accepted, _ = listener.accept()
    listener.close()
    await future
    return client, IOStream(accepted)


async def tcp6() -> Pair:
    (listener,) = bind_sockets(0, "::1")
    client = IOStream(socket.socket(socket.AF_INET6))
    future = client.connect(listener.getsockname())
    listener.setblocking(True)
    accepted, _ = listener.accept()
    listener.close()
    await future
    return client, IOStream(accepted)


async def pipe() -> Pair:
    reader, writer = os.pipe()
    return PipeIOStream(writer), PipeIOStream(reader)


class BareStream(BaseIOStream):
    """The least that a subclass of one's own has to supply."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        super().__init__()

    def fileno(self) -> int:
        return self.sock.fileno()

    def close_fd(self) -> None:
        self.sock.close()

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            return self.sock.recv_into(buf)
        except BlockingIOError:
            return None

    def write_to_fd(self, data: memoryview) -> int:
        return self.sock.send(data)


async def bare() -> Pair:
    one, two = socket.socketpair()
    return BareStream(one), BareStream(two)


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return client, server


def tls(make_pair: MakePair, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> MakePair:
    async def make() -> Pair:
        one, two = await make_pair()
        assert isinstance(one, IOStream)
        assert isinstance(two, IOStream)
        client, server = await asyncio.gather(
            one.start_tls(False, contexts[0], "localhost"), two.start_tls(True, contexts[1])
        )
        assert isinstance(client, SSLIOStream)
        return client, server

    return make


@pytest.mark.parametrize("make_pair", [memory, unix, tcp, tcp6], ids=lambda f: f.__name__)
@pytest.mark.parametrize("check", ONE_WAY + BOTH_WAYS, ids=lambda f: f.__name__)
async def test_duplex(make_pair: MakePair, check: Callable[..., object]) -> None:
    await check_stream(make_pair, only=check.__name__)


@pytest.mark.parametrize("check", ONE_WAY, ids=lambda f: f.__name__)
async def test_pipe(check: Callable[..., object]) -> None:
    await check_stream(pipe, duplex=False, only=check.__name__)


@pytest.mark.parametrize(
    "check",
    [check for check in ONE_WAY + BOTH_WAYS if check.__name__ != "half_closed_still_answers"],
    ids=lambda f: f.__name__,
)
async def test_bare(check: Callable[..., object]) -> None:
    await check_stream(bare, only=check.__name__)


@pytest.mark.parametrize("make_pair", [unix, tcp], ids=lambda f: f.__name__)
@pytest.mark.parametrize("check", ONE_WAY + BOTH_WAYS, ids=lambda f: f.__name__)
async def test_tls(
    make_pair: MakePair,
    check: Callable[..., object],
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    await check_stream(tls(make_pair, contexts), only=check.__name__)


class Unwatching(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors, as the default one of Windows."""

    add_reader = asyncio.AbstractEventLoop.add_reader
    add_writer = asyncio.AbstractEventLoop.add_writer
    remove_reader = asyncio.AbstractEventLoop.remove_reader
    remove_writer = asyncio.AbstractEventLoop.remove_writer


@pytest.mark.parametrize("make_pair", [unix, tcp], ids=lambda f: f.__name__)
def test_loop_without_add_reader(make_pair: MakePair) -> None:
    loop = AsyncIOLoop(asyncio_loop=Unwatching(), make_current=False)
    loop.run_sync(lambda: check_stream(make_pair))
    loop.close()
