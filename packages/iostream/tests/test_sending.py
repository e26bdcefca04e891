"""What is sent: limits, several buffers, the queue and its end, peers that answer and leave."""

import array
import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from zonda.iostream import BaseIOStream, IOStream, StreamClosedError
from zonda.iostream.netutil import bind_sockets
from zonda.iostream.testing import Recorder, stream_pair

ExpectLog = Callable[..., Any]


def tcp_pair() -> tuple[IOStream, socket.socket]:
    """A stream and a plain blocking socket at the other end."""
    (listener,) = bind_sockets(0, "127.0.0.1")
    peer = socket.create_connection(listener.getsockname())
    listener.setblocking(True)
    near, _ = listener.accept()
    listener.close()
    return IOStream(near), peer


async def test_an_early_answer_is_read_though_writing_fails() -> None:
    """The peer answers, does not read, and is gone: what it said arrives all the same."""
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    peer.sendall(b"413 no thank you")
    peer.shutdown(socket.SHUT_WR)
    # Data nobody read makes the kernel answer the next segment with a reset.
    stream.send(b"x" * 1000)
    peer.close()
    for _ in range(20):
        stream.send(b"y" * 100_000)
    await sink.until(lambda: sink.saw("lost"))
    assert sink.data == b"413 no thank you"
    assert isinstance(stream.error, ConnectionError)


async def test_early_answer_with_reset_before_the_readable_event() -> None:
    stream, peer = stream_pair()
    sink, other = Recorder(), Recorder()
    stream.set_sink(sink)
    peer.set_sink(other)
    peer.send(b"early")
    peer.close()
    stream.send(b"late")
    await sink.until(lambda: sink.saw("lost"))
    assert sink.data == b"early"
    assert isinstance(stream.error, BrokenPipeError)


async def test_write_eof_after_the_queue() -> None:
    stream, peer = tcp_pair()
    message = b"q" * 5_000_000
    stream.set_sink(Recorder())
    stream.send(message)
    stream.write_eof()
    stream.write_eof()
    with pytest.raises(StreamClosedError):
        stream.send(b"more")

    def drain() -> bytes:
        parts = []
        while data := peer.recv(65536):
            parts.append(data)
        return b"".join(parts)

    assert await asyncio.to_thread(drain) == message
    stream.close()
    peer.close()


async def test_write_limits() -> None:
    stream, peer = stream_pair(capacity=10)
    sink = Recorder()
    stream.set_sink(sink)
    stream.set_write_buffer_limits(100, 50)
    stream.send(b"x" * 110)
    assert sink.events == []
    stream.send(b"x")
    assert sink.events == [("pause",)]
    assert await peer.read_bytes(40)
    assert sink.events == [("pause",)]
    assert await peer.read_bytes(71)
    await sink.until(lambda: sink.saw("resume"))
    stream.close()
    peer.close()


@pytest.mark.parametrize("kind", ["memory", "tcp"])
@pytest.mark.parametrize(
    ("size", "count"), [(0, 3), (1, 5), (70_000, 5), (3_000_000, 5), (7, 3000)]
)
async def test_send_buffers(size: int, count: int, kind: str) -> None:
    stream: BaseIOStream
    peer: BaseIOStream
    if kind == "memory":
        stream, peer = stream_pair()
    else:
        stream, far = tcp_pair()
        peer = IOStream(far)
    pieces = [bytes((number % 256,)) * size for number in range(count)]
    stream.send_buffers(pieces)
    stream.send(b"end")
    assert await peer.read_bytes(count * size + 3) == b"".join(pieces) + b"end"
    stream.close()
    peer.close()


@pytest.mark.parametrize("capacity", [100_000, 1000])
async def test_items_larger_than_a_byte(capacity: int) -> None:
    stream, peer = stream_pair(capacity)
    numbers = array.array("I", range(5000))
    stream.send(memoryview(numbers))
    stream.send_buffers([memoryview(numbers), b"end"])
    assert await peer.read_bytes(40_003) == 2 * numbers.tobytes() + b"end"
    await asyncio.gather(stream.write(memoryview(numbers)), peer.read_bytes(20_000))
    stream.close()
    peer.close()
