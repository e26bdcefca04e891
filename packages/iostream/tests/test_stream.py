"""The futures API where the conformance checks do not reach: callbacks, limits, kept names."""

import asyncio
import gc
import re
import socket
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from zonda.iostream import (
    BaseIOStream,
    IOStream,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from zonda.iostream.testing import stream_pair

ExpectLog = Callable[..., Any]


def pair(**options: Any) -> tuple[IOStream, IOStream]:
    one, two = socket.socketpair()
    return IOStream(one, **options), IOStream(two)


# -- the callbacks of Tornado 4 ------------------------------------------------------------------


class Results:
    def __init__(self) -> None:
        self.values: list[Any] = []
        self.changed = asyncio.Event()

    def __call__(self, *values: Any) -> None:
        self.values.extend(values or [None])
        self.changed.set()

    async def wait(self) -> Any:
        async with asyncio.timeout(10):
            await self.changed.wait()
        self.changed.clear()
        return self.values[-1]


async def test_callbacks_in_either_place() -> None:
    stream, peer = pair()
    results = Results()
    peer.write(b"a\nb\nc1d2,eeff", results)
    assert await results.wait() is None
    stream.read_until(b"\n", results)
    assert await results.wait() == b"a\n"
    stream.read_until(b"\n", callback=results, max_bytes=10)
    assert await results.wait() == b"b\n"
    stream.read_until_regex(rb"\d", results)
    assert await results.wait() == b"c1"
    stream.read_until(b",", results, 10)
    assert await results.wait() == b"d2,"
    stream.read_bytes(2, results)
    assert await results.wait() == b"ee"
    buffer = bytearray(2)
    stream.read_into(buffer, callback=results)
    assert await results.wait() == 2
    assert buffer == b"ff"
    stream.read_until_close(results)
    peer.write(b"rest")
    peer.close()
    assert await results.wait() == b"rest"


async def test_streaming_callbacks() -> None:
    stream, peer = pair()
    pieces: list[bytes] = []
    results = Results()
    stream.read_bytes(5, results, streaming_callback=pieces.append)
    await peer.write(b"abc")
    await asyncio.sleep(0.01)
    assert pieces == [b"abc"]
    await peer.write(b"defg")
    assert await results.wait() == b""
    assert b"".join(pieces) == b"abcde"
    pieces.clear()
    stream.read_until_close(results, pieces.append)
    await peer.write(b"hij")
    peer.close()
    assert await results.wait() == b""
    assert b"".join(pieces) == b"fghij"


async def test_a_failing_callback_is_logged_and_closes(expect_log: ExpectLog) -> None:
    stream, peer = pair()

    def fail(data: bytes) -> None:
        raise LookupError

    stream.read_bytes(1, callback=fail)
    with expect_log("zonda.application", "Uncaught exception"):
        await peer.write(b"x")
        while not stream.closed():
            await asyncio.sleep(0.001)
    peer.close()


async def test_callback_of_a_failed_read_is_not_called() -> None:
    stream, peer = pair()
    called: list[bytes] = []
    read = stream.read_bytes(1, callback=called.append)
    peer.close()
    with pytest.raises(StreamClosedError):
        await read
    await asyncio.sleep(0)
    assert called == []


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: stream.read_until(b"\n"),
        lambda stream: stream.read_until_regex(b"\n"),
        lambda stream: stream.read_bytes(100_000),
        lambda stream: stream.read_until_close(),
    ],
    ids=["until", "regex", "bytes", "close"],
)
async def test_max_buffer_size(read: Callable[[IOStream], Any], expect_log: ExpectLog) -> None:
    stream, peer = pair(max_buffer_size=10_000)
    future = read(stream)
    with expect_log("zonda.general", "Reached maximum read buffer size"):
        peer.write(b"x" * 100_000)
        with pytest.raises(StreamClosedError) as caught:
            await future
    assert isinstance(caught.value.real_error, StreamBufferFullError)
    peer.close()


@pytest.mark.parametrize("chunks", [1, 2, 40])
@pytest.mark.parametrize(
    ("found_at", "max_bytes", "good"), [(30, 32, True), (31, 32, False), (None, 32, False)]
)
async def test_max_bytes(found_at: int | None, max_bytes: int, good: bool, chunks: int) -> None:
    stream, peer = stream_pair()
    data = b"." * 40 if found_at is None else b"." * found_at + b"\r\n" + b"." * (38 - found_at)
    future = stream.read_until(b"\r\n", max_bytes=max_bytes)
    for start in range(0, 40, 40 // chunks):
        if not peer.closed() and not stream.closed():
            await peer.write(data[start : start + 40 // chunks])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    if good:
        assert found_at is not None
        assert await future == data[: found_at + 2]
    else:
        with pytest.raises(StreamClosedError) as caught:
            await future
        assert isinstance(caught.value.real_error, UnsatisfiableReadError)
        assert stream.closed()
    stream.close()
    peer.close()


async def test_max_write_buffer_size() -> None:
    stream, peer = stream_pair(capacity=100)
    stream.max_write_buffer_size = 50
    with pytest.raises(StreamBufferFullError):
        stream.write(b"x" * 51)
    for _ in range(3):
        stream.write(b"x" * 50)
    with pytest.raises(StreamBufferFullError):
        stream.write(b"z")
    assert await peer.read_bytes(150) == b"x" * 150
    stream.close()
    peer.close()


async def test_unread_data_is_left_in_the_kernel() -> None:
    stream, peer = pair()
    await peer.write(b"a\n")
    await stream.read_until(b"\n")
    peer.write(b"x" * 10_000_000)
    await asyncio.sleep(0.02)
    assert peer.bytes_queued > 1_000_000
    assert stream._read_buffer is None or stream._read_buffer.size < 200_000
    stream.close()
    peer.close()


async def test_a_close_callback_reads_a_little_ahead() -> None:
    stream, peer = pair()
    stream.set_close_callback(lambda: None)
    peer.write(b"x" * 10_000_000)
    await asyncio.sleep(0.02)
    assert stream._read_buffer is not None
    assert stream._read_buffer.size < 200_000
    stream.close()
    peer.close()


async def test_half_closed_peer_can_be_answered() -> None:
    """Without a close callback the end is not looked for before somebody reads."""
    stream, peer = pair()
    await peer.write(b"question\n")
    peer.write_eof()
    assert await stream.read_until(b"\n") == b"question\n"
    await asyncio.sleep(0.01)
    assert not stream.closed()
    await stream.write(b"answer")
    with pytest.raises(StreamClosedError):
        await stream.read_bytes(1)
    assert stream.closed()
    assert await peer.read_until_close() == b"answer"


async def test_queued_writes_go_out_after_the_peers_end() -> None:
    stream, peer = pair()
    written = stream.write(b"x" * 5_000_000)
    peer.write_eof()
    rest = stream.read_until_close()
    assert await rest == b""
    assert len(await peer.read_until_close()) == 5_000_000
    await written
    assert stream.closed()


@pytest.mark.parametrize("how", ["task", "callback", "two chunks"])
async def test_a_stream_does_not_keep_what_was_read(how: str) -> None:
    stream, peer = stream_pair()
    for _ in range(2):
        if how == "task":
            peer.send(b"data" * 100)
            await asyncio.sleep(0)
            data = await stream.read_bytes(400)
            future = asyncio.ensure_future(asyncio.wait_for(stream.read_bytes(400), 5))
            await asyncio.sleep(0.01)
            peer.send(b"more" * 100)
            data = await future
            del future
        else:
            got: list[bytes] = []
            stream.read_bytes(400, callback=got.append)
            await asyncio.sleep(0.01)
            peer.send(b"more" * (50 if how == "two chunks" else 100))
            await asyncio.sleep(0.01)
            if how == "two chunks":
                peer.send(b"more" * 50)
                await asyncio.sleep(0.01)
            data = got.pop()
        await asyncio.sleep(0)
        assert data == b"more" * 100
        assert sys.getrefcount(data) == 2
    stream.close()
    peer.close()


# -- costs ---------------------------------------------------------------------------------------


def test_delimiter_search_is_linear() -> None:
    async def main() -> None:
        stream, peer = stream_pair()
        future = stream.read_until(b"\r\n")
        for _ in range(100_000):
            stream._pulled(b"\r")
        stream._pulled(b"\n")
        assert len(await future) == 100_001
        stream.close()
        peer.close()

    started = time.process_time()
    asyncio.run(main())
    assert time.process_time() - started < 5


def test_regex_search_of_a_long_message_is_bounded() -> None:
    async def main() -> None:
        stream, peer = stream_pair()
        future = stream.read_until_regex(b"end|fin")
        chunk = b"e" * 65536
        for _ in range(100):
            stream._pulled(chunk)
        stream._pulled(b"end")
        assert len(await future) == 100 * 65536 + 3
        stream.close()
        peer.close()

    started = time.process_time()
    asyncio.run(main())
    assert time.process_time() - started < 5


async def test_large_read_into_is_filled_in_place() -> None:
    stream, peer = pair()
    message = bytes(range(256)) * 20_000
    target = bytearray(len(message))
    await peer.write(b"start")
    future = stream.read_into(target)
    peer.write(message + b"rest")
    assert await future == len(message)
    assert target == b"start" + message[:-5]
    assert await stream.read_bytes(9) == message[-5:] + b"rest"
    # Cancelled half-way: what had come is there for the next read.
    future = stream.read_into(target)
    peer.write(message[:1000])
    await asyncio.sleep(0.01)
    future.cancel()
    peer.write(message[1000:])
    assert await stream.read_bytes(len(message)) == message
    future = stream.read_into(target, partial=True)
    peer.write(b"some")
    assert await future == 4
    # The end comes too early.
    future = stream.read_into(target)
    peer.write(b"some")
    peer.close()
    with pytest.raises(StreamClosedError):
        await future


@pytest.mark.parametrize("pattern", [b"\\Z", re.compile(b"x*")])
async def test_regex_that_matches_nothing_at_all(pattern: Any) -> None:
    stream, peer = pair()
    await peer.write(b"yz")
    assert await stream.read_until_regex(pattern) in (b"", b"yz")
    stream.close()
    peer.close()


async def test_empty_reads() -> None:
    stream, peer = pair()
    assert await stream.read_bytes(0) == b""
    assert await stream.read_into(bytearray()) == 0
    with pytest.raises(ValueError, match="delimiter"):
        stream.read_until(b"")
    assert await stream.read_bytes(-1) == b""
    for call in (
        lambda: stream.read_bytes(1.5),  # type: ignore[arg-type]
        lambda: stream.read_until("x"),  # type: ignore[arg-type]
        lambda: stream.read_into(b"abc"),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    assert not stream.reading()
    stream.close()
    peer.close()


# -- closing -------------------------------------------------------------------------------------


async def test_everything_on_a_closed_stream_fails() -> None:
    stream, peer = pair()
    peer.close()
    stream.close()
    for call in (
        lambda: stream.read_bytes(1),
        lambda: stream.read_until(b"\n"),
        lambda: stream.read_until_regex(b"\n"),
        lambda: stream.read_into(bytearray(1)),
        lambda: stream.write(b"x"),
    ):
        with pytest.raises(StreamClosedError):
            call()
    assert await stream.read_until_close() == b""
    results = Results()
    stream.set_close_callback(results)
    await results.wait()


@pytest.mark.parametrize("how", ["true", "triple", "exception"])
async def test_error_of_close(how: str) -> None:
    stream, peer = pair()
    try:
        raise LookupError("why")
    except LookupError as error:
        if how == "true":
            stream.close(exc_info=True)
        elif how == "triple":
            stream.close((type(error), error, error.__traceback__))
        else:
            stream.close(error)
    assert isinstance(stream.error, LookupError)
    with pytest.raises(StreamClosedError) as caught:
        stream.write(b"x")
    assert isinstance(caught.value.real_error, LookupError)
    assert str(caught.value) == "Stream is closed"
    stream.error = None
    peer.close()


async def test_connect_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    stream = IOStream(socket.socket())
    results = Results()
    stream.set_close_callback(results)
    with pytest.raises(StreamClosedError) as caught:
        await stream.connect(address)
    assert isinstance(caught.value.real_error, ConnectionRefusedError)
    await results.wait()


async def test_write_before_the_connection_stands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = IOStream(socket.socket())
        connected = stream.connect(listener.getsockname())
        written = stream.write(b"early")
        read = stream.read_bytes(2)
        peer, _ = listener.accept()
        assert await connected is stream
        await written
        assert peer.recv(10) == b"early"
        peer.send(b"ok")
        assert await read == b"ok"
        stream.close()
        peer.close()


async def test_cancelled_connect_closes() -> None:
    stream = IOStream(socket.socket())
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        stream.connect(listener.getsockname()).cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stream.closed()


@pytest.mark.parametrize("use", ["reads", "sink", "close callback"])
async def test_no_cycles_after_close(use: str) -> None:
    """A closed stream goes away by itself, without the collector."""
    stream, peer = pair()
    if use == "reads":
        await peer.write(b"line\nmore")
        await stream.read_until(b"\n")
        stream.write(b"x" * 5_000_000)
        pending = stream.read_bytes(100)
    elif use == "sink":

        class Holding:
            def __init__(self, stream: BaseIOStream) -> None:
                self.stream = stream

            def data_received(self, data: bytes) -> None: ...
            def eof_received(self) -> None: ...
            def connection_lost(self, error: BaseException | None) -> None: ...
            def pause_writing(self) -> None: ...
            def resume_writing(self) -> None: ...

        stream.set_sink(Holding(stream))
    else:
        stream.set_close_callback(lambda stream=stream: None)  # type: ignore[misc]
    await asyncio.sleep(0)
    gc.collect()
    gc.disable()
    try:
        gone = weakref.ref(stream)
        stream.close()
        if use == "reads":
            pending.exception()
            del pending
        peer.close()
        del stream
        for _ in range(3):
            await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


# -- names that others use -----------------------------------------------------------------------


async def test_filling_the_queue_by_hand() -> None:
    """As dask's comm does: append frames, count them, then one empty write."""
    stream, peer = stream_pair(capacity=10)
    for frame in (b"one", memoryview(b"two"), b"three" * 10):
        assert stream._write_buffer is not None
        stream._write_buffer.append(frame)
        before = stream._total_write_index
        stream._total_write_index += len(frame)
        assert stream._total_write_index == before
    assert stream._total_write_index == 56
    written = stream.write(b"")
    assert not written.done()
    assert await peer.read_bytes(56) == b"onetwo" + b"three" * 10
    await written
    stream.close()
    assert stream._write_buffer is None
    peer.close()


async def test_attributes_can_be_set() -> None:
    stream, peer = pair()
    stream.anything = 1  # type: ignore[attr-defined]
    stream.set_nodelay(True)
    stream.close()
    peer.close()


async def test_set_nodelay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = IOStream(socket.socket())
        await stream.connect(listener.getsockname())
        for value in (True, False):
            stream.set_nodelay(value)
            option = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert bool(option) is value
        stream.close()


async def test_bulk_readers_let_others_run() -> None:
    """A reader that never has to wait does not keep the loop to itself."""
    stream, peer = pair()
    written = peer.write(b"x" * 20_000_000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    received = 0
    while received < 20_000_000:
        received += len(await stream.read_bytes(65536, partial=True))
    counting.cancel()
    await written
    assert turns > 20_000_000 / 65536 / 8
    stream.close()
    peer.close()
