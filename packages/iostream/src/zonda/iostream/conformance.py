"""What every stream has to do, as checks that run on a pair of connected streams.

Each check gets the two ends, fresh, and raises AssertionError. ``check_stream`` runs them
all and closes the ends after each one.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable

from zonda.iostream.errors import (
    AlreadyReadingError,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from zonda.iostream.stream import BaseIOStream

Pair = tuple[BaseIOStream, BaseIOStream]
Check = Callable[[BaseIOStream, BaseIOStream], Awaitable[None]]

# More than a socket pair's kernel buffers hold on any platform.
_LARGE = 8 * 1024 * 1024
_PATIENCE = 30.0


class Recorder:
    """A sink that writes down what it is told.

    Attributes:
        events: ``("data", bytes)`` (adjacent ones joined), ``("eof",)``, ``("lost", error)``,
            ``("pause",)``, ``("resume",)``, in order.
    """

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self._changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """See Sink."""
        assert type(data) is bytes
        assert data
        if self.events and self.events[-1][0] == "data":
            before = self.events[-1][1]
            assert isinstance(before, bytes)
            self.events[-1] = ("data", before + data)
            self._changed.set()
        else:
            self._note("data", data)

    def eof_received(self) -> None:
        """See Sink."""
        self._note("eof")

    def connection_lost(self, error: BaseException | None) -> None:
        """See Sink."""
        self._note("lost", error)

    def pause_writing(self) -> None:
        """See Sink."""
        self._note("pause")

    def resume_writing(self) -> None:
        """See Sink."""
        self._note("resume")

    def _note(self, *event: object) -> None:
        self.events.append(event)
        self._changed.set()

    @property
    def data(self) -> bytes:
        """All bytes received."""
        parts = [event[1] for event in self.events if event[0] == "data"]
        return b"".join(part for part in parts if isinstance(part, bytes))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition()`` holds; it is asked anew at each event."""
        async with asyncio.timeout(_PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def saw(self, name: str) -> bool:
        """Whether an event of this name was noted."""
        return any(event[0] == name for event in self.events)


async def _fails(awaitable: Callable[[], Awaitable[object]]) -> StreamClosedError:
    """The StreamClosedError that comes, from the call or from what it returns."""
    try:
        result = await awaitable()
    except StreamClosedError as error:
        return error
    raise AssertionError(f"expected StreamClosedError, got {result!r}")


# -- reading as futures ------------------------------------------------------------------------


async def reads_of_all_kinds(out: BaseIOStream, into: BaseIOStream) -> None:
    """Each kind of read gets its share of one flow of bytes."""
    await out.write(b"line\r\n5 bytesheader 12;rest of it")
    assert await into.read_until(b"\r\n") == b"line\r\n"
    assert await into.read_bytes(7) == b"5 bytes"
    assert await into.read_until_regex(rb"\d+;") == b"header 12;"
    assert await into.read_bytes(1000, partial=True) == b"rest of it"
    target = bytearray(6)
    future = into.read_into(target)
    await out.write(b"filled")
    assert await future == 6
    assert target == b"filled"
    future = into.read_into(target, partial=True)
    await out.write(b"abc")
    assert await future == 3
    assert target == b"abcled"
    rest = into.read_until_close()
    await out.write(b"the end")
    out.close()
    assert await rest == b"the end"
    assert into.closed()


async def a_byte_at_a_time(out: BaseIOStream, into: BaseIOStream) -> None:
    """Reads are met however small the pieces are that bring the data."""
    message = b"one\r\ntwo;" + b"x" * 10 + b"--"
    reads: list[tuple[Callable[[], Awaitable[bytes]], bytes]] = [
        (lambda: into.read_until(b"\r\n"), b"one\r\n"),
        (lambda: into.read_until_regex(b"[a-z]+;"), b"two;"),
        (lambda: into.read_bytes(10), b"x" * 10),
        (lambda: into.read_until(b"--"), b"--"),
    ]

    async def dribble() -> None:
        for value in message:
            await out.write(bytes((value,)))
            await asyncio.sleep(0)

    task = asyncio.ensure_future(dribble())
    for read, expected in reads:
        assert await read() == expected
    await task


async def large_message_arrives_whole(out: BaseIOStream, into: BaseIOStream) -> None:
    """What does not fit the buffers below is queued and sent in the end."""
    message = bytes(range(256)) * (_LARGE // 256)
    written = out.write(message)
    assert await into.read_bytes(_LARGE) == message
    await written


async def write_futures_resolve_in_order(out: BaseIOStream, into: BaseIOStream) -> None:
    """A cancelled write future stops neither its bytes nor the others."""
    order: list[int] = []

    def note(number: int, _: object) -> None:
        order.append(number)

    futures: list[asyncio.Future[None]] = []
    for number in range(5):
        future = out.write(memoryview(bytes((number,)) * (_LARGE // 4)))
        future.add_done_callback(functools.partial(note, number))
        futures.append(future)
    assert out.writing()
    futures[2].cancel()
    data = await into.read_bytes(5 * (_LARGE // 4))
    assert data == b"".join(bytes((number,)) * (_LARGE // 4) for number in range(5))
    await asyncio.gather(*futures, return_exceptions=True)
    assert [number for number in order if number != 2] == [0, 1, 3, 4]
    assert not out.writing()


async def a_second_read_is_refused(out: BaseIOStream, into: BaseIOStream) -> None:
    """One read may be pending; the second raises an AssertionError."""
    first = into.read_bytes(3)
    assert into.reading()
    try:
        into.read_bytes(1)
    except AssertionError as error:
        assert isinstance(error, AlreadyReadingError)  # noqa: PT017 - no pytest here
    else:
        raise AssertionError("a second read was accepted")
    await out.write(b"abc")
    assert await first == b"abc"
    assert not into.reading()


async def cancelled_read_loses_nothing(out: BaseIOStream, into: BaseIOStream) -> None:
    """What a cancelled read was waiting with goes to the next one."""
    cancelled = into.read_until(b"\n")
    await out.write(b"first ")
    await asyncio.sleep(0.01)
    cancelled.cancel()
    await out.write(b"line\n")
    assert await into.read_until(b"\n") == b"first line\n"
    target = bytearray(10)
    filling = into.read_into(target)
    await out.write(b"begin")
    await asyncio.sleep(0.01)
    filling.cancel()
    await out.write(b"+end\n")
    assert await into.read_until(b"\n") == b"begin+end\n"


async def task_cancelled_at_the_last_moment_loses_nothing(
    out: BaseIOStream, into: BaseIOStream
) -> None:
    """Neither does what a cancelled task had not yet seen."""
    read = into.read_until(b"\n")

    async def wait() -> bytes:
        return await read

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    # Runs when the read is resolved, which is before the task gets to know.
    read.add_done_callback(lambda _: task.cancel())
    await out.write(b"precious\n")
    await asyncio.wait([task])
    if task.cancelled():
        assert await into.read_until(b"\n") == b"precious\n"
    else:
        assert task.result() == b"precious\n"


async def limits_close_the_stream(out: BaseIOStream, into: BaseIOStream) -> None:
    """``max_bytes`` passed: the stream closes and the error says why."""
    await out.write(b"x" * 100)
    error = await _fails(lambda: into.read_until(b"\n", max_bytes=50))
    assert isinstance(error.real_error, UnsatisfiableReadError)
    assert into.closed()


async def what_was_read_outlives_the_end(out: BaseIOStream, into: BaseIOStream) -> None:
    """Data that came before the end can be read after it."""
    await out.write(b"one\ntwo\nthree")
    out.close()
    assert await into.read_until(b"\n") == b"one\n"
    assert await into.read_until(b"\n") == b"two\n"
    await _fails(lambda: into.read_until(b"\n"))
    assert await into.read_bytes(5) == b"three"
    await _fails(lambda: into.read_bytes(1))
    assert into.closed()


async def closing_fails_what_is_pending(out: BaseIOStream, into: BaseIOStream) -> None:
    """``close(error)`` fails the read and runs the callback once."""
    called: list[str] = []
    closed = asyncio.Event()

    def on_close() -> None:
        called.append("closed")
        closed.set()

    into.set_close_callback(on_close)
    read = into.read_bytes(10)
    await asyncio.sleep(0)
    into.close(ValueError("on purpose"))
    assert into.closed()
    error = await _fails(lambda: read)
    assert isinstance(error.real_error, ValueError)
    assert isinstance(into.error, ValueError)
    await asyncio.wait_for(closed.wait(), _PATIENCE)
    into.close()
    await asyncio.sleep(0)
    assert called == ["closed"]


async def the_peers_end_runs_the_close_callback(out: BaseIOStream, into: BaseIOStream) -> None:
    """It runs without a read pending and with data unread."""
    closed = asyncio.Event()
    into.set_close_callback(closed.set)
    await out.write(b"unread")
    out.close()
    await asyncio.wait_for(closed.wait(), _PATIENCE)
    assert into.closed()
    assert await into.read_bytes(6) == b"unread"


async def a_full_write_buffer_is_refused(out: BaseIOStream, into: BaseIOStream) -> None:
    """``max_write_buffer_size`` holds."""
    out.max_write_buffer_size = 1024
    written = out.write(b"x" * 10)
    await written
    try:
        for _ in range(10_000):
            written = out.write(b"y" * 65536)
    except StreamBufferFullError:
        pass
    else:
        raise AssertionError("no StreamBufferFullError")


async def writing_to_the_gone_fails(out: BaseIOStream, into: BaseIOStream) -> None:
    """Writing to a closed peer ends in StreamClosedError."""
    into.close()

    async def write() -> None:
        for _ in range(1000):
            await out.write(b"x" * 65536)

    await _fails(write)
    assert out.closed()


# -- pushing -------------------------------------------------------------------------------------


async def sink_gets_data_then_the_end(out: BaseIOStream, into: BaseIOStream) -> None:
    """A sink gets what was left of a read, then all else, in order."""
    await out.write(b"line\nrest")
    assert await into.read_until(b"\n") == b"line\n"
    sink = Recorder()
    into.set_sink(sink)
    out.send(b" and ")
    out.send_buffers([b"more", bytearray(b" of"), memoryview(b" it")])
    await sink.until(lambda: sink.data == b"rest and more of it")
    out.close_when_flushed()
    await sink.until(lambda: sink.saw("eof"))
    into.close()
    await sink.until(lambda: sink.saw("lost"))
    assert sink.events == [("data", b"rest and more of it"), ("eof",), ("lost", None)]


async def pausing_holds_back(out: BaseIOStream, into: BaseIOStream) -> None:
    """A paused reader makes the writer pause, and both go on."""
    sink, writer = Recorder(), Recorder()
    into.set_sink(sink)
    out.set_sink(writer)
    into.pause_reading()
    message = b"0123456789abcdef" * (_LARGE // 16)
    out.send(message)
    assert writer.events == [("pause",)]
    assert out.bytes_queued
    await asyncio.sleep(0.02)
    assert sink.events == []
    into.resume_reading()
    await sink.until(lambda: len(sink.data) == _LARGE)
    assert sink.data == message
    await writer.until(lambda: writer.saw("resume"))
    assert writer.events == [("pause",), ("resume",)]
    assert out.bytes_queued == 0


async def a_sink_may_do_anything(out: BaseIOStream, into: BaseIOStream) -> None:
    """``data_received`` may leave the stream, read from it, close it."""
    late: list[asyncio.Future[bytes]] = []

    class Upgrading(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            into.set_sink(None)
            into.unread(data[4:])
            late.append(into.read_bytes(5))

    sink = Upgrading()
    into.set_sink(sink)
    out.send(b"headBODYx")
    await sink.until(lambda: bool(late))
    assert await late[0] == b"BODYx"

    class Closing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            into.close()

    closing = Closing()
    into.set_sink(closing)
    out.send(b"bye")
    await closing.until(lambda: closing.saw("lost"))
    assert closing.events == [("data", b"bye"), ("lost", None)]


async def closing_when_flushed_sends_all(out: BaseIOStream, into: BaseIOStream) -> None:
    """The queue goes out before the stream closes."""
    message = b"z" * _LARGE
    out.send(message)
    out.close_when_flushed()
    out.close_when_flushed()
    assert await into.read_until_close() == message
    assert out.closed()


# -- both directions -----------------------------------------------------------------------------


async def both_ways_at_once(one: BaseIOStream, two: BaseIOStream) -> None:
    """Two large messages pass each other."""
    message = b"xyz" * (_LARGE // 3)
    futures = [one.write(message), two.write(message)]
    there, back = await asyncio.gather(one.read_bytes(len(message)), two.read_bytes(len(message)))
    assert there == message
    assert back == message
    await asyncio.gather(*futures)


async def half_closed_still_answers(client: BaseIOStream, server: BaseIOStream) -> None:
    """A peer that finished sending gets the whole of a long answer."""
    answer = b"a" * _LARGE
    sink, client_sink = Recorder(), Recorder()
    server.set_sink(sink)
    client.set_sink(client_sink)
    client.send(b"question")
    client.write_eof()
    await sink.until(lambda: sink.saw("eof"))
    assert sink.events == [("data", b"question"), ("eof",)]
    assert not server.closed()
    server.send(answer)
    server.close_when_flushed()
    await client_sink.until(lambda: client_sink.saw("eof"))
    assert client_sink.data == answer
    client.close()


async def echo_many_small(one: BaseIOStream, two: BaseIOStream) -> None:
    """Many small messages there and back."""

    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            two.send(data)

    two.set_sink(Echo())
    for number in range(200):
        line = b"%d\n" % number
        await one.write(line)
        assert await one.read_until(b"\n") == line


ONE_WAY: tuple[Check, ...] = (
    reads_of_all_kinds,
    a_byte_at_a_time,
    large_message_arrives_whole,
    write_futures_resolve_in_order,
    a_second_read_is_refused,
    cancelled_read_loses_nothing,
    task_cancelled_at_the_last_moment_loses_nothing,
    limits_close_the_stream,
    what_was_read_outlives_the_end,
    closing_fails_what_is_pending,
    the_peers_end_runs_the_close_callback,
    a_full_write_buffer_is_refused,
    writing_to_the_gone_fails,
    sink_gets_data_then_the_end,
    pausing_holds_back,
    a_sink_may_do_anything,
    closing_when_flushed_sends_all,
)
"""Checks that send from the first end to the second."""

BOTH_WAYS: tuple[Check, ...] = (both_ways_at_once, echo_many_small, half_closed_still_answers)
"""Checks for streams that carry bytes both ways."""


async def check_stream(
    make_pair: Callable[[], Awaitable[Pair]], *, duplex: bool = True, only: str | None = None
) -> None:
    """Check that a kind of stream does all that is expected of one.

    Args:
        make_pair: makes two connected streams; called once for each check.
        duplex: False for one that carries bytes from the first to the second only (a pipe).
        only: the name of one check.

    Raises:
        AssertionError: with the check's name in a note.

    >>> async def make_pair():
    ...     return stream_pair()
    >>> from zonda.iostream.memory import stream_pair
    >>> asyncio.run(check_stream(make_pair, only="reads_of_all_kinds"))
    """
    for check in ONE_WAY + (BOTH_WAYS if duplex else ()):
        name = getattr(check, "__name__", repr(check))
        if only is not None and only != name:
            continue
        one, two = await make_pair()
        try:
            async with asyncio.timeout(2 * _PATIENCE):
                await check(one, two)
        except BaseException as error:
            error.add_note(f"while checking {name} on {one!r}")
            raise
        finally:
            one.close()
            two.close()
        await asyncio.sleep(0)
