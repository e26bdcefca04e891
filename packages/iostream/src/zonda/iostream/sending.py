"""The outgoing half of a stream: what is sent goes straight to the descriptor, the rest is queued.

Bytes in; "not yet" is BlockingIOError from ``_send``, and what was not taken waits in the queue for
the descriptor to be writable. Above a high-water mark the sink is asked to pause, below a low one
to resume. Any other OSError closes the stream, after what its peer had still to say.
"""

import asyncio
from collections.abc import Callable, Sequence

from zonda.iostream.errors import ExcInfo, StreamClosedError
from zonda.iostream.sink import Sink
from zonda.iostream.writebuffer import BATCH, Buffer, WriteBuffer

HIGH_WATER = 64 * 1024
"""Bytes queued above which a sink is asked to pause, by default."""

_WRITE_ROUNDS = 8  # a writable event, so that one fast reader does not keep the loop to itself
_LAST_READS = 16  # of what a peer sent before it went away


class SendingStream:
    """The half of `PushStream`, which see, that sends."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_blocked",
        "_closed",
        "_held",
        "_loop",
        "_queue",
        "_reader_on",
        "_recv",
        "_send",
        "_sink",
        "_watcher",
        "_writer_on",
        "read_chunk_size",
    )

    # The two primitives. They are attributes, so that a socket's own methods can be put there: that
    # saves a Python frame for each message.
    _recv: Callable[[int], bytes]
    _send: Callable[[Buffer], int]

    _loop: asyncio.AbstractEventLoop
    _watcher: asyncio.AbstractEventLoop  # of descriptors
    _sink: Sink | None
    _queue: WriteBuffer | None
    _blocked: bool  # send() must queue: queue not empty, connecting, closed
    _held: bool  # a readable event is not wanted
    _reader_on: bool
    _writer_on: bool
    _closed: bool
    read_chunk_size: int

    # What most streams never change has no place in each of them, which thousands of idle ones
    # would pay for: it gets one in the dictionary of a stream that does.
    _eof_wanted = _close_wanted = _sink_paused = False
    _high_water = HIGH_WATER
    _low_water = HIGH_WATER // 4
    _write_error: OSError | None = None

    # -- what the other half supplies --------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor (or on Windows a handle) that the loop watches."""
        raise NotImplementedError

    def close(self, exc_info: "bool | BaseException | ExcInfo | None" = False) -> None:
        """Close at once."""
        raise NotImplementedError

    def _feed(self, data: bytes) -> None:
        raise NotImplementedError

    def _on_eof(self) -> None:
        raise NotImplementedError

    def _sink_failed(self) -> None:
        raise NotImplementedError

    def _call_soon(self, callback: Callable[..., object], *args: object) -> None:
        raise NotImplementedError

    # -- what a kind of stream supplies ------------------------------------------------------

    def _send_many(self, buffers: Sequence[Buffer]) -> int:
        """Write the first of several buffers, or more of them where that is one call."""
        return self._send(buffers[0])

    def _shutdown_write(self) -> None:
        """Tell the peer that nothing more will be written."""
        self.close()

    def _ready_to_write(self) -> bool:
        """Whether bytes may go to the descriptor yet (connected, handshake finished)."""
        return True

    # -- sending -----------------------------------------------------------------------------

    @property
    def bytes_queued(self) -> int:
        """Bytes accepted and not yet taken by the operating system."""
        queue = self._queue
        return 0 if queue is None else queue.size

    @property
    def bytes_taken(self) -> int:
        """Bytes that the operating system has taken out of the queue that there is now.

        While this stands still, the peer takes nothing, whatever is put in behind.
        """
        queue = self._queue
        return 0 if queue is None else queue.flushed

    def send(self, data: Buffer) -> None:
        """Write ``data``: straight to the descriptor, the rest is queued.

        Errors close the stream, which the sink learns from ``connection_lost``; data for a closed
        stream is dropped.
        """
        if self._blocked:
            self._enqueue((data,))
            return
        try:
            sent = self._send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._write_failed(error)
            return
        if sent != len(data):
            rest = memoryview(data).cast("B")[sent:]
            if rest:  # not so for a view whose items are larger than a byte
                self._keep(rest)

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Write several buffers in order, with one call of the system where it can be."""
        if self._blocked or len(buffers) > BATCH:
            self._enqueue(buffers)
            return
        try:
            sent = self._send_many(buffers)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._write_failed(error)
            return
        for number, data in enumerate(buffers):
            size = data.nbytes if isinstance(data, memoryview) else len(data)
            if sent < size:
                rest = memoryview(data).cast("B")[sent:]
                self._enqueue([rest, *buffers[number + 1 :]])
                return
            sent -= size

    def write_eof(self) -> None:
        """Half-close: tell the peer, once the queue is out, that nothing more will come."""
        if self._closed or self._eof_wanted:
            return
        self._eof_wanted = True
        if not self._blocked:
            self._queue_is_out()

    def close_when_flushed(self) -> None:
        """Close once the queue is out. Nothing is delivered any more."""
        if self._closed:
            return
        self._close_wanted = True
        self._held = True
        # After write_eof() sending is blocked for good, whatever is queued.
        if not self._blocked or (self._eof_wanted and self._queue is None):
            self.close()

    def set_write_buffer_limits(self, high: int, low: int | None = None) -> None:
        """Set when the sink is asked to pause and to resume sending.

        Args:
            high: bytes queued above which ``pause_writing`` is called.
            low: bytes queued at or below which ``resume_writing`` is called; a quarter of ``high``
                by default.
        """
        self._high_water = high
        self._low_water = high // 4 if low is None else low

    def _enqueue(self, buffers: Sequence[Buffer]) -> None:
        if self._closed or self._write_error is not None:
            return
        if self._eof_wanted:
            raise StreamClosedError  # write_eof() came first: a fault of the caller
        queue = self._queue
        if queue is None:
            queue = self._queue = WriteBuffer()
        for data in buffers:
            queue.append(data)
        self._blocked = True
        if not self._writer_on:
            self._flush()
        if queue.size > self._high_water and not self._closed:
            self._pause_sink()

    def _keep(self, data: Buffer) -> WriteBuffer:
        """Queue what the descriptor has just refused: it will say when it has room."""
        queue = self._queue
        if queue is None:
            queue = self._queue = WriteBuffer()
        queue.append(data)
        self._blocked = True
        if not self._writer_on:
            self._start_writer()
        if queue.size > self._high_water:
            self._pause_sink()
        return queue

    def _pause_sink(self) -> None:
        if not self._sink_paused:
            self._sink_paused = True
            if self._sink is not None:
                self._sink.pause_writing()

    def _flush(self) -> None:
        """Write from the queue what the descriptor takes."""
        if not self._ready_to_write():
            return
        queue = self._queue
        assert queue is not None
        try:
            for _ in range(_WRITE_ROUNDS):
                if not queue.size:
                    break
                head = queue.head()
                sent = self._send_many(head)
                queue.advance(sent)
                if sent < len(head[0]):
                    break  # full: asking again would be a call for nothing
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._write_failed(error)
            return
        if self._closed:
            return
        if queue.size:
            if not self._writer_on:
                self._start_writer()
        else:
            queue.advance(0)  # futures that waited for nothing but their turn
            self._queue = None
            self._blocked = False
        if self._sink_paused and queue.size <= self._low_water:
            self._sink_paused = False
            if self._sink is not None:
                try:
                    self._sink.resume_writing()
                except Exception:
                    self._sink_failed()
        if not self._blocked:
            self._queue_is_out()

    def _on_writable(self) -> None:
        if self._queue is None:
            # Left registered when the queue ran empty, as a stream that fills its queue
            # once mostly fills it again at once.
            self._stop_writer()
            return
        self._flush()

    def _start_writer(self) -> None:
        self._watcher.add_writer(self.fileno(), self._on_writable)
        self._writer_on = True

    def _stop_writer(self) -> None:
        if self._writer_on:
            self._writer_on = False
            self._watcher.remove_writer(self.fileno())

    def _queue_is_out(self) -> None:
        if self._close_wanted:
            self.close()
        elif self._eof_wanted:
            self._blocked = True  # so that send() looks at _eof_wanted
            try:
                self._shutdown_write()
            except OSError as error:
                self._write_failed(error)

    def _write_failed(self, error: OSError) -> None:
        if self._sink is None or self._held or not self._reader_on:
            self.close(error)
            return
        # The peer may have said why before it left (a server that refuses a large request, say):
        # what it sent is delivered first. Not from here: a sink is not called from its own send().
        self._write_error = error
        self._blocked = True
        self._stop_writer()
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.fail(StreamClosedError(real_error=error))
        self._call_soon(self._read_rest)

    def _read_rest(self) -> None:
        for _ in range(_LAST_READS):
            if not self._reader_on or self._held:
                break
            try:
                data = self._recv(self.read_chunk_size)
            except OSError:
                break
            if not data:
                self._on_eof()
                break
            self._feed(data)
        self.close(self._write_error)
