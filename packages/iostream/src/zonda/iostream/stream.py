"""Reads and writes as futures, on top of the push interface.

One read may be pending (``reading.py``). Without one the descriptor is left alone; only a stream
with a close callback reads ahead, up to ``read_chunk_size`` bytes, to notice the peer's end.
A read that is not satisfied before the peer finishes fails with StreamClosedError, and so does
every call on a closed stream; what was read before the end can still be read after it.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

from zonda.ioloop import IOLoop
from zonda.ioloop.log import gen_log
from zonda.iostream.callbacks import sort_arguments
from zonda.iostream.errors import (
    AlreadyReadingError,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from zonda.iostream.readbuffer import ReadBuffer
from zonda.iostream.reading import (
    Read,
    ReadBytes,
    ReadInto,
    ReadRegex,
    ReadStreaming,
    ReadUntil,
    ReadUntilClose,
)
from zonda.iostream.sink import Sink
from zonda.iostream.waking import Waiter, WakeUp
from zonda.iostream.writebuffer import Buffer
from zonda.iostream.writing import WritingStream

T = TypeVar("T")

DEFAULT_MAX_BUFFER = 100 * 1024 * 1024
"""Most bytes that a stream keeps for reads, by default: 100 MiB."""
# Chunks that a bulk reader gets beyond the one that an event brings.
_INLINE_READS = 3
# Full chunks without such a try after one for nothing: messages may be just as long as a chunk.
_INLINE_RESTS = 30


class BaseIOStream(WritingStream):
    """A stream over any descriptor.

    A subclass for another kind of descriptor supplies ``fileno``, ``close_fd``, ``read_from_fd``,
    ``write_to_fd`` and, where it can, ``get_fd_error``.

    Args:
        max_buffer_size: the most bytes kept for reads; more closes the stream. 100 MiB by default.
        read_chunk_size: bytes for one read of the descriptor. 64 KiB by default.
        max_write_buffer_size: the most bytes queued for writing; more is a
            StreamBufferFullError. Without it a caller that awaits ``write`` (or, with a sink,
            heeds ``pause_writing``) is what bounds the queue.
    """

    __slots__ = (
        "_close_callback", "_inline", "_read", "_spare", "max_buffer_size",
    )  # fmt: skip

    def __init__(
        self,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        self.max_buffer_size = max_buffer_size or DEFAULT_MAX_BUFFER
        # A chunk may not by itself be more than the buffer holds.
        super().__init__(min(read_chunk_size or 65536, self.max_buffer_size // 2 or 1))
        self.max_write_buffer_size = max_write_buffer_size
        self._written = None
        self._recv = self._recv_from_fd
        self._send = self._send_to_fd
        self._read: Read[Any] | None = None
        self._spare: ReadBytes | None = None  # for the next read_bytes; while it waits, it is _read
        self._close_callback: Callable[[], object] | None = None
        self._inline = 0  # reads that may ask the descriptor at once, without an event

    # -- what a kind of stream supplies ------------------------------------------------------

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read into ``buf``: bytes read, 0 at the end, None for "not yet"."""
        raise NotImplementedError

    def write_to_fd(self, data: memoryview) -> int:
        """Write the beginning of ``data`` and return its length; BlockingIOError for "not yet"."""
        raise NotImplementedError

    def get_fd_error(self) -> Exception | None:
        """The error the operating system has noted for the descriptor, if it can be asked."""
        return None

    def _recv_from_fd(self, size: int) -> bytes:
        buffer = bytearray(size)
        count = self.read_from_fd(buffer)
        if count is None:
            raise BlockingIOError
        return bytes(memoryview(buffer)[:count])

    def _send_to_fd(self, data: Buffer) -> int:
        return self.write_to_fd(memoryview(data))

    # -- reading -----------------------------------------------------------------------------

    def read_until(
        self,
        delimiter: bytes,
        max_bytes: "int | Callable[[bytes], object] | None" = None,
        callback: "int | Callable[[bytes], object] | None" = None,
    ) -> "asyncio.Future[bytes]":
        r"""Read up to and including ``delimiter``.

        Args:
            delimiter: what to look for, such as ``b"\r\n"``.
            max_bytes: close the stream when it is not found within so many bytes.
            callback: called with the bytes from the loop (the API of Tornado 4; there it is the
                second positional argument, which works too).

        Raises:
            StreamClosedError: at the call or from the future.
            AlreadyReadingError: another read is pending.
            ValueError: ``delimiter`` is empty.
        """
        max_bytes, callback = sort_arguments(max_bytes, callback)
        if not isinstance(delimiter, bytes):
            raise TypeError(f"delimiter is bytes, not {type(delimiter).__name__}")
        if not delimiter:
            raise ValueError("an empty delimiter is found everywhere")
        read = ReadUntil()
        read.delimiter = delimiter
        read.max_bytes = max_bytes
        read.searched = 0
        return self._start(read, callback)

    def read_until_regex(
        self,
        regex: "bytes | re.Pattern[bytes]",
        max_bytes: "int | Callable[[bytes], object] | None" = None,
        callback: "int | Callable[[bytes], object] | None" = None,
    ) -> "asyncio.Future[bytes]":
        """Read up to the end of the first match of ``regex``; else as ``read_until``."""
        max_bytes, callback = sort_arguments(max_bytes, callback)
        read = ReadRegex()
        read.regex = re.compile(regex)
        read.max_bytes = max_bytes
        return self._start(read, callback, trivial=True)  # it may match nothing at all

    def read_bytes(
        self,
        num_bytes: int,
        partial: "bool | Callable[[bytes], object]" = False,
        callback: Callable[[bytes], object] | None = None,
        streaming_callback: Callable[[bytes], object] | None = None,
    ) -> "asyncio.Future[bytes]":
        """Read ``num_bytes`` bytes, or with ``partial`` at least one and at most so many.

        With ``streaming_callback`` (the API of Tornado 4) it gets the bytes as they come,
        and the result is empty.
        """
        if (
            self._plain
            and self._read is None
            and callback is None
            and streaming_callback is None
            and type(partial) is bool
            and type(num_bytes) is int
            and num_bytes > 0
        ):
            # What most reads are; the rest of this method and all of _start come to the same.
            read = self._spare
            if read is None:
                read = self._spare = ReadBytes()
                read.owner = self
            read.most = num_bytes
            read.least = 1 if partial else num_bytes
            future = read.future = asyncio.Future(loop=self._loop)
            self._read = read
            self._held = False
            return future
        if partial is not False and callable(partial):
            callback = partial
            partial = False
        if not isinstance(num_bytes, int):
            raise TypeError(f"num_bytes is an int, not {type(num_bytes).__name__}")
        if streaming_callback is not None:
            return self._stream_to(num_bytes, streaming_callback, callback)
        read = ReadBytes()
        read.most = num_bytes
        read.least = min(1, num_bytes) if partial else num_bytes
        return self._start(read, callback, num_bytes <= 0)

    def read_into(
        self,
        buf: bytearray | memoryview,
        partial: "bool | Callable[[int], object]" = False,
        callback: Callable[[int], object] | None = None,
    ) -> "asyncio.Future[int]":
        """Fill ``buf`` (with ``partial``, some of it); the future's result is the byte count.

        ``buf`` belongs to the stream until the future is done.
        """
        if callable(partial):
            callback = partial
            partial = False
        read = ReadInto()
        read.target = memoryview(buf).cast("B")
        if read.target.readonly:
            raise TypeError("read_into() needs a buffer that can be written to")
        read.partial = partial
        read.filled = 0
        return self._start(read, callback, not read.target)

    def read_until_close(
        self,
        callback: Callable[[bytes], object] | None = None,
        streaming_callback: Callable[[bytes], object] | None = None,
    ) -> "asyncio.Future[bytes]":
        """Read everything until the peer has finished; bounded by ``max_buffer_size``.

        With ``streaming_callback`` it is as with ``read_bytes``, and nothing is kept.
        """
        if streaming_callback is not None:
            return self._stream_to(None, streaming_callback, callback)
        return self._start(ReadUntilClose(), callback)

    def _stream_to(
        self,
        count: int | None,
        streaming_callback: Callable[[bytes], object],
        callback: Callable[[bytes], object] | None,
    ) -> "asyncio.Future[bytes]":
        def deliver(data: bytes) -> None:
            self._run_callback(streaming_callback, data)

        read = ReadStreaming()
        read.missing = count
        read.deliver = deliver
        return self._start(read, callback, count == 0)

    def reading(self) -> bool:
        """Whether a read is pending."""
        return self._read is not None and not self._read.future.done()

    def _start(
        self, read: Read[T], callback: Callable[[T], object] | None, trivial: bool = False
    ) -> "asyncio.Future[T]":
        if self._read is not None or self._sink is not None:
            self._clear_pending()
        read.owner = self
        future = read.future = asyncio.Future(loop=self._loop)
        if callback is not None:
            self._call_with_result(future, callback)
        self._read = read
        buffer = self._read_buffer
        if trivial or self._closed or self._eof or (buffer is not None and buffer.size):
            buffer = self._buffer()
            self._attempt(read, buffer, self._closed or self._eof)
            if self._closed:
                if future.exception() is not None:
                    raise StreamClosedError(real_error=self.error)
                return future
            if future.done() and (
                self._close_callback is None or buffer.size >= self.read_chunk_size
            ):
                return future
        self._held = False
        if not (self._reader_on or self._eof) and self._can_register():
            if self._inline > 0 and not future.done():
                # A connection that was accepted just now: what its peer has sent meanwhile is
                # here, or its end, and the loop need not watch for it.
                self._inline = 0
                self._plain = buffer is None or not buffer.size
                self._on_readable()
                self._plain = False
                self._inline = min(self._inline, 0)  # once: the others get their turn
                if self._held or self._eof:  # closed, it is held too
                    return future
                buffer = self._read_buffer
            self._start_reader()
        self._plain = self._reader_on and (buffer is None or not buffer.size)
        if self._inline > 0 and self._reader_on and not future.done():
            left, self._inline = self._inline - 1, 0
            self._on_readable()
            if not future.done():
                self._inline = -_INLINE_RESTS
            elif self._inline > 0:
                self._inline = left  # after so many the others get their turn
        return future

    def _expect_more(self) -> None:
        """After a full chunk: more is probably there, so that the next read asks at once."""
        if self._inline < 0:
            self._inline += 1
        else:
            self._inline = _INLINE_READS
            self._plain = False

    def _buffer(self) -> ReadBuffer:
        """The read buffer, made when it is first needed: an idle stream has none."""
        if self._read_buffer is None:
            self._read_buffer = ReadBuffer()
        return self._read_buffer

    def _clear_pending(self) -> None:
        """Make room for another taker of the data, if the present one is done."""
        read = self._read
        if self._sink is not None:
            lend = getattr(self._sink, "lend", None)  # see Sink: not all can
            if lend is None or not lend():
                raise AlreadyReadingError
        if read is not None and not read.future.done():
            raise AlreadyReadingError
        self._read = None
        if isinstance(read, ReadInto) and read.future.cancelled():
            self.unread(read.taken())  # it had been moved into its caller's buffer

    def _attempt(self, read: Read[Any], buffer: ReadBuffer, final: bool) -> None:
        try:
            if read.at_eof(buffer) if final else read.attempt(buffer):
                self._finish_read()
            elif final:
                if not self._closed:
                    self.close()  # this read is what waited for the end: it fails with it
                else:
                    self._fail_read()
            elif buffer.size >= self.max_buffer_size:
                gen_log.error("Reached maximum read buffer size")
                self.error = StreamBufferFullError("read", self.max_buffer_size)
                self._fail_read()  # first: closing would end a read_until_close well
                self.close()
        except UnsatisfiableReadError as error:
            if not isinstance(self.error, UnsatisfiableReadError):  # closing tries once more
                gen_log.info("Unsatisfiable read, closing connection: %s", error)
            if self._closed:
                self.error = error
                self._fail_read()
            else:
                self.close(error)

    def _forget_future(self) -> None:
        # The data of the last read is its caller's alone.
        if self._spare is not None:
            self._spare.future = None  # type: ignore[assignment]

    def _finish_read(self) -> None:
        self._read = None
        self._forget_future()
        # Nothing is read ahead (it might be the beginning of a TLS handshake), unless
        # that is how the peer's end is noticed.
        self._held = self._closed or self._close_callback is None

    def _last_attempt(self) -> None:
        read = self._read
        if read is None or read.future.done():
            return
        try:
            if read.at_eof(self._buffer()):
                self._read = None
        except UnsatisfiableReadError as error:
            self.error = error
        self._fail_read()

    def _fail_read(self) -> None:
        read, self._read = self._read, None
        if read is not None and not read.future.done():
            read.future.set_exception(StreamClosedError(real_error=self.error))
            read.future.exception()  # a read nobody awaits any more is no news

    def give_back(self, data: bytes) -> None:
        """Take data back from a read whose task was cancelled (used by the reads)."""
        self.unread(data)
        if self._read is not None and not self._read.future.done():
            self.retry(self._read)

    def retry(self, read: Read[Any]) -> None:
        """Attempt a pending read anew (used by the reads)."""
        if read is self._read:
            self._attempt(read, self._buffer(), self._closed)

    def _pulled(self, data: bytes) -> None:
        # Called by the loop, with no task running, or for a read that was made just now: whoever
        # waits for it can run at once, while the data is in the processor's cache. That saves a
        # turn of the loop for each message.
        read = self._read
        if self._plain and read is not None:
            size = len(data)
            future = read.future
            if (read.least <= size <= read.most or read.answered_by(data)) and not future.done():
                self._read = None
                self._held = self._close_callback is None  # see _finish_read
                if size == self.read_chunk_size:
                    self._expect_more()
                # See waking.take_waiter, of which this is the part that is needed here.
                waiters: list[Waiter] | None = future._callbacks
                if waiters is None or len(waiters) != 1 or type(waiters[0][0]) is not WakeUp:
                    read.resolve(data)
                    self._forget_future()
                    return
                read.future = None  # type: ignore[assignment]  # as _forget_future does
                wake_up, context = waiters[0]
                future.remove_done_callback(wake_up)
                future.set_result(data)
                context.run(wake_up, future)
                return
        self._plain = False
        buffer = self._buffer()
        buffer.append(data)
        if read is not None and not read.future.done():
            self._attempt(read, buffer, False)
        elif buffer.size >= self.read_chunk_size:
            self._held = True

    def set_sink(self, sink: Sink | None) -> None:
        """See PushStream; not while a read is pending (AlreadyReadingError)."""
        if self._read is not None:
            replaced, self._sink = self._sink, None
            self._clear_pending()
            self._sink = replaced
        super().set_sink(sink)

    def _feed_eof(self) -> None:
        if self._sink is not None:
            super()._feed_eof()
        elif self._close_callback is not None or self.reading():
            # Without a sink the end of what the peer sends is the end of the stream, but
            # what was accepted for writing goes out first: the peer may be reading still.
            if self._queue is not None and not self._close_wanted:
                self._last_attempt()
                self.close_when_flushed()
            else:
                self.close()

    def _read_failed(self, error: OSError) -> None:
        if self._sink is None and not isinstance(error, ConnectionError):
            gen_log.warning("Read error on %s: %s", self.fileno(), error)
        super()._read_failed(error)

    # -- the rest ----------------------------------------------------------------------------

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` from the loop when the stream closes, be it long closed already.

        The peer's end is noticed without a read pending: data is read ahead for that.
        """
        if self._closed:
            if callback is not None:
                self._call_soon(self._run_callback, callback)
            return
        self._close_callback = callback
        if callback is not None and self._sink is None:
            if self._eof:
                self._feed_eof()
            elif self._read_buffer is None or self._read_buffer.size < self.read_chunk_size:
                self.resume_reading()

    @property
    def io_loop(self) -> IOLoop:
        """The IOLoop that this code runs on."""
        return IOLoop.current()

    def set_nodelay(self, value: bool) -> None:
        """Send small writes at once (TCP_NODELAY). Other kinds of stream always do."""

    def _lost(self) -> None:
        self._spare = None  # it leads back to the stream
        read = self._read
        if read is not None and not read.future.done():
            self._attempt(read, self._buffer(), True)
        super()._lost()
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            self._call_soon(self._run_callback, callback)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{type(self).__module__}.{type(self).__qualname__} {state}>"
