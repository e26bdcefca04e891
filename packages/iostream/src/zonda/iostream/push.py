"""The base of all streams: a descriptor, a loop, a sink and an outgoing queue.

What is read goes to the sink, synchronously, from the readable event; what is sent goes straight
to the descriptor, and what that does not take is queued. "Not yet" is BlockingIOError from the two
primitives ``_recv`` and ``_send``; any other OSError closes the stream and is its ``error``.

The descriptor is registered for reading once and stays registered. A message in and a message
out cost the wait, one ``recv`` and one ``send``: no future, no task, no change of registration.
For this reason pausing only sets a flag; the registration is dropped when an event arrives that
nobody wants.
"""

import errno
import os
from collections.abc import Callable, Sequence
from typing import NoReturn

from zonda.ioloop.log import app_log
from zonda.iostream.errors import ExcInfo, StreamClosedError, as_exception
from zonda.iostream.loops import loops_here
from zonda.iostream.readbuffer import ReadBuffer
from zonda.iostream.sink import Sink
from zonda.iostream.writebuffer import BATCH, Buffer, WriteBuffer

HIGH_WATER = 64 * 1024
"""Bytes queued above which a sink is asked to pause, by default."""

_WRITE_ROUNDS = 8  # a writable event, so that one fast reader does not keep the loop to itself
_LAST_READS = 16  # of what a peer sent before it went away


class PushStream:
    """Push interface of a stream; see the module's text.

    Attributes:
        error: the error that closed the stream, None if it is open or was closed in good order.
        read_chunk_size: the most bytes one readable event delivers.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_blocked",
        "_closed",
        "_deliver",
        "_eof",
        "_held",
        "_loop",
        "_plain",
        "_queue",
        "_read_buffer",
        "_reader_on",
        "_recv",
        "_send",
        "_sink",
        "_watcher",
        "_writer_on",
        "error",
        "read_chunk_size",
    )

    # The two primitives. They are attributes, so that a socket's own methods can be put there: that
    # saves a Python frame for each message.
    _recv: Callable[[int], bytes]
    _send: Callable[[Buffer], int]

    # What most streams never change has no place in each of them, which thousands of idle ones
    # would pay for: it gets one in the dictionary of a stream that does.
    _eof_told = _eof_wanted = _close_wanted = _sink_paused = False
    _high_water = HIGH_WATER
    _low_water = HIGH_WATER // 4
    _write_error: OSError | None = None
    _unwatch_hangup: Callable[[], None] | None = None

    def __init__(self, read_chunk_size: int = 65536) -> None:
        self._loop, self._watcher = loops_here()
        self.read_chunk_size = read_chunk_size
        self.error: BaseException | None = None
        self._sink: Sink | None = None
        self._deliver: Callable[[bytes], None] | None = None  # the sink's bound data_received
        self._read_buffer: ReadBuffer | None = None  # read and not delivered
        self._queue: WriteBuffer | None = None
        self._blocked = False  # send() must queue: queue not empty, connecting, closed
        self._held = True  # a readable event is not wanted
        self._reader_on = self._writer_on = False
        self._plain = False  # surely: registered, open, nothing buffered, no sink (see read_bytes)
        self._eof = self._closed = False

    # -- what a kind of stream supplies ------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor (or on Windows a handle) that the loop watches."""
        raise NotImplementedError

    def close_fd(self) -> None:
        """Close the descriptor; called once, by ``close``."""
        raise NotImplementedError

    def _send_many(self, buffers: Sequence[Buffer]) -> int:
        """Write the first of several buffers, or more of them where that is one call."""
        return self._send(buffers[0])

    def _shutdown_write(self) -> None:
        """Tell the peer that nothing more will be written."""
        self.close()

    def _ready_to_write(self) -> bool:
        """Whether bytes may go to the descriptor yet (connected, handshake finished)."""
        return True

    # -- reading -----------------------------------------------------------------------------

    def set_sink(self, sink: Sink | None) -> None:
        """Deliver to ``sink`` from now on, beginning with what was read and not yet taken.

        Reading starts at once. None takes the sink away: the ``read_*`` methods work again.
        """
        self._sink = sink
        self._plain = False
        if self._eof_told:
            self._eof_told = False
        if sink is None:
            self._deliver = None
            return
        self._deliver = sink.data_received
        if self._closed:
            buffer = self._read_buffer
            if buffer is not None and buffer.size:
                self._feed(buffer.take(buffer.size))
            self._lost()
        else:
            if self._sink_paused:
                self._sink_paused = False
            self.resume_reading()

    def unread(self, data: bytes) -> None:
        """Put ``data`` back in front of what was read: the next sink or read gets it first."""
        if data:
            self._plain = False
            if self._read_buffer is None:
                self._read_buffer = ReadBuffer()
            self._read_buffer.prepend(data)

    def pause_reading(self) -> None:
        """Deliver nothing until ``resume_reading``; the peer is slowed down by TCP's window."""
        self._held = True

    def resume_reading(self) -> None:
        """Deliver again, beginning with what was read before the pause."""
        if self._closed or self._close_wanted:
            return
        self._held = False
        buffer = self._read_buffer
        if self._sink is not None:
            if buffer is not None and buffer.size:
                self._feed(buffer.take(buffer.size))
            if self._eof and not (self._eof_told or self._held or self._closed):
                self._feed_eof()
        if not (self._reader_on or self._held or self._eof) and self._can_register():
            self._start_reader()

    def _can_register(self) -> bool:
        return True

    def _start_reader(self) -> None:
        self._stop_watching_hangup()
        self._watcher.add_reader(self.fileno(), self._on_readable)
        self._reader_on = True

    def _stop_reader(self) -> None:
        if self._reader_on:
            self._reader_on = self._plain = False
            self._watcher.remove_reader(self.fileno())

    def _rest_reader(self) -> None:
        """Read no more for the moment; a kind of stream that can still learns of a reset."""
        self._stop_reader()

    def _stop_watching_hangup(self) -> None:
        if self._unwatch_hangup is not None:
            unwatch, self._unwatch_hangup = self._unwatch_hangup, None
            unwatch()

    def _on_readable(self) -> None:
        if self._held:
            self._rest_reader()
            return
        try:
            data = self._recv(self.read_chunk_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._read_failed(error)
            return
        if data:
            deliver = self._deliver
            if deliver is None:
                self._pulled(data)
                return
            try:
                deliver(data)
            except Exception:
                self._sink_failed()
        else:
            self._on_eof()

    def _pulled(self, data: bytes) -> None:
        """Take data that came without a sink."""
        raise NotImplementedError

    def _on_eof(self) -> None:
        self._eof = True
        # A descriptor at its end stays readable: watching it any longer would spin.
        self._stop_reader()
        self._feed_eof()
        if not self._closed:
            self._rest_reader()

    def _feed(self, data: bytes) -> None:
        assert self._deliver is not None
        try:
            self._deliver(data)
        except Exception:
            self._sink_failed()

    def _feed_eof(self) -> None:
        sink = self._sink
        if sink is not None:
            self._eof_told = True
            try:
                sink.eof_received()
            except Exception:
                self._sink_failed()

    def _read_failed(self, error: OSError) -> None:
        self.close(error)

    def _sink_failed(self) -> None:
        app_log.error("Exception in a stream's sink, closing %r", self, exc_info=True)
        self.close(True)

    # -- writing -----------------------------------------------------------------------------

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

    # -- closing -----------------------------------------------------------------------------

    def closed(self) -> bool:
        """Whether the stream is closed."""
        return self._closed

    def close(self, exc_info: "bool | BaseException | ExcInfo | None" = False) -> None:
        """Close at once; what is queued is dropped.

        Args:
            exc_info: what to keep as ``error``: an exception, a ``sys.exc_info()`` triple, or
                True for the exception that is being handled.
        """
        if self._closed:
            return
        error = as_exception(exc_info)
        if error is not None:
            self.error = error
        self._closed = self._blocked = self._held = True
        self._stop_reader()
        self._stop_writer()
        self._stop_watching_hangup()
        self.close_fd()
        self._recv, self._send = _gone, _gone  # they may lead back to the stream: no cycles
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.fail(StreamClosedError(real_error=self.error))
        self._lost()

    def abort(self) -> None:
        """Close at once and let the peer see an error where the transport can tell (TCP: RST)."""
        self.close()

    def _lost(self) -> None:
        """Tell whoever must know that the stream is closed."""
        sink, self._sink, self._deliver = self._sink, None, None
        if sink is not None:
            self._call_soon(sink.connection_lost, self.error)

    def _call_soon(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon(callback, *args)
        except RuntimeError:
            pass  # the loop is closed: nothing will ever run again, the rest is tidying up


def _gone(_: object) -> NoReturn:
    raise OSError(errno.EBADF, os.strerror(errno.EBADF))
