"""The push interface over real sockets: the end of connections, faults, what an event costs."""

import asyncio
import select
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from zonda.iostream import AlreadyReadingError, IOStream, StreamClosedError, sockets
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


async def test_reset_is_an_error() -> None:
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    IOStream(peer).abort()
    await sink.until(lambda: sink.saw("lost"))
    ((name, error),) = sink.events
    assert name == "lost"
    assert isinstance(error, ConnectionResetError)
    assert stream.error is error


async def test_abort_resets() -> None:
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    stream.abort()
    with pytest.raises(ConnectionResetError):
        peer.recv(1)
    await sink.until(lambda: sink.saw("lost"))
    assert sink.events == [("lost", None)]
    peer.close()


async def test_reset_in_the_middle_of_a_long_answer() -> None:
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    stream.send(b"x" * 20_000_000)
    assert sink.events == [("pause",)]
    peer.recv(1000)
    IOStream(peer).abort()
    await sink.until(lambda: sink.saw("lost"))
    assert isinstance(stream.error, ConnectionError)
    assert stream.bytes_queued == 0
    stream.send(b"dropped without a word")
    stream.send_buffers([b"likewise"])


async def test_half_closed_peer_does_not_spin() -> None:
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    peer.shutdown(socket.SHUT_WR)
    await sink.until(lambda: sink.saw("eof"))
    cpu = time.process_time()
    await asyncio.sleep(0.2)
    assert time.process_time() - cpu < 0.1
    assert sink.events == [("eof",)]
    stream.resume_reading()
    assert sink.events == [("eof",)]  # told once
    stream.send(b"answer")
    stream.close_when_flushed()
    assert peer.recv(100) == b"answer"
    peer.close()


async def test_paused_stream_does_not_spin() -> None:
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    stream.pause_reading()
    peer.send(b"data")
    cpu = time.process_time()
    await asyncio.sleep(0.2)
    assert time.process_time() - cpu < 0.1
    assert sink.events == []
    stream.resume_reading()
    await sink.until(lambda: sink.saw("data"))
    stream.close()
    peer.close()


@pytest.mark.parametrize("event", ["data_received", "eof_received"])
async def test_a_failing_sink_closes_the_stream(event: str, expect_log: ExpectLog) -> None:
    stream, peer = tcp_pair()

    class Failing(Recorder):
        pass

    def fail(self: Recorder, *args: object) -> None:
        raise LookupError("the sink's fault")

    setattr(Failing, event, fail)
    sink = Failing()
    stream.set_sink(sink)
    with expect_log("zonda.application", "Exception in a stream's sink"):
        peer.sendall(b"data")
        peer.shutdown(socket.SHUT_WR)
        await sink.until(lambda: sink.saw("lost"))
    assert isinstance(stream.error, LookupError)
    peer.close()


async def test_nothing_is_delivered_while_closing() -> None:
    stream, peer = stream_pair(capacity=10)
    sink = Recorder()
    stream.set_sink(sink)
    stream.send(b"x" * 100)
    stream.close_when_flushed()
    peer.send(b"too late")
    stream.resume_reading()
    await asyncio.sleep(0.01)
    assert sink.events == []
    stream.close()
    await sink.until(lambda: sink.saw("lost"))
    assert sink.events == [("lost", None)]
    peer.close()


async def test_reads_and_sinks_exclude_each_other() -> None:
    stream, peer = tcp_pair()
    stream.set_sink(Recorder())
    with pytest.raises(AlreadyReadingError):
        stream.read_bytes(1)
    stream.set_sink(None)
    read = stream.read_bytes(1)
    with pytest.raises(AlreadyReadingError):
        stream.set_sink(Recorder())
    peer.send(b"x")
    assert await read == b"x"
    stream.close()
    peer.close()


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="needs epoll")
@pytest.mark.parametrize("state", ["paused", "half-closed"])
async def test_reset_is_noticed_without_reading(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither reading nor writing, and no other end open: the reset arrives all the same."""
    monkeypatch.setattr(sockets, "HANGUP_DELAY", 0.01)
    others = [tcp_pair() for _ in range(2)]
    for other, _ in others:
        other.set_sink(Recorder())
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    if state == "paused":
        stream.pause_reading()
        peer.send(b"unread")
    else:
        peer.shutdown(socket.SHUT_WR)
        for _, far in others:
            far.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.02)
    assert not sink.saw("lost")
    IOStream(peer).abort()
    await sink.until(lambda: sink.saw("lost"))
    assert isinstance(stream.error, ConnectionError)  # EPIPE where the peer had finished
    assert not any(other.closed() for other, _ in others)
    for other, far in others:
        other.close()
        far.close()


@pytest.mark.parametrize("delay", [0, 0.5])
async def test_pausing_again_and_again(delay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HANGUP_DELAY", delay)
    stream, peer = tcp_pair()
    sink = Recorder()
    stream.set_sink(sink)
    for number in range(20):
        stream.pause_reading()
        peer.send(b"x")
        await asyncio.sleep(0.001)
        assert len(sink.data) == number
        stream.resume_reading()
        await sink.until(lambda number=number: len(sink.data) == number + 1)  # type: ignore[misc]
    stream.close()
    peer.close()


async def test_a_sink_for_a_closed_stream() -> None:
    stream, peer = tcp_pair()
    peer.sendall(b"line\nrest")
    peer.close()
    assert await stream.read_until(b"\n") == b"line\n"
    with pytest.raises(StreamClosedError):
        await stream.read_until(b"\n")
    sink = Recorder()
    stream.set_sink(sink)
    await sink.until(lambda: sink.saw("lost"))
    assert sink.events == [("data", b"rest"), ("lost", None)]


async def test_pausing_inside_data_received() -> None:
    stream, peer = tcp_pair()

    class OneAtATime(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            stream.pause_reading()

    sink = OneAtATime()
    stream.set_sink(sink)
    for number in range(20):
        peer.send(b"%02d" % number)
        await sink.until(lambda number=number: len(sink.data) == 2 * number + 2)  # type: ignore[misc]
        stream.resume_reading()
    stream.close()
    peer.close()


async def test_one_call_of_each_kind_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message in and one out: one recv, one send, no change of registration."""
    stream, peer = tcp_pair()
    calls: list[str] = []
    inner_recv, inner_send = stream._recv, stream._send

    def recv(size: int) -> bytes:
        calls.append("recv")
        return inner_recv(size)

    def send(data: bytes | bytearray | memoryview) -> int:
        calls.append("send")
        return inner_send(data)

    stream._recv, stream._send = recv, send
    for name in ("_start_reader", "_stop_reader", "_start_writer", "_stop_writer"):
        inner = getattr(stream, name)

        def note(name: str = name, inner: Callable[[], None] = inner) -> None:
            calls.append(name)
            inner()

        monkeypatch.setattr(stream, name, note, raising=False)

    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            stream.send(data)

    stream.set_sink(Echo())
    assert calls == ["_start_reader"]
    calls.clear()
    client = IOStream(peer)
    for _ in range(10):
        await client.write(b"ping")
        assert await client.read_bytes(4) == b"ping"
    assert calls == ["recv", "send"] * 10
    stream.close()
    client.close()
