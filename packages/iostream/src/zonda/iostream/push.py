"""The base of all streams: a descriptor, a loop, a sink, and the outgoing half (``sending.py``).

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
from collections.abc import Callable
from typing import NoReturn

from zonda.ioloop.log import app_log
from zonda.iostream.errors import ExcInfo, StreamClosedError, as_exception
from zonda.iostream.loops import loops_here
from zonda.iostream.readbuffer import ReadBuffer
from zonda.iostream.sending import SendingStream
from zonda.iostream.sink import Sink


class PushStream(SendingStream):
    """Push interface of a stream; see the module's text.

    Attributes:
        error: the error that closed the stream, None if it is open or was closed in good order.
        read_chunk_size: the most bytes one readable event delivers.
    """

    __slots__ = (
        "_deliver",
        "_eof",
        "_plain",
        "_read_buffer",
        "error",
    )

    # See SendingStream for why these are not in the slots.
    _eof_told = False
    _unwatch_hangup: Callable[[], None] | None = None

    def __init__(self, read_chunk_size: int = 65536) -> None:
        self._loop, self._watcher = loops_here()
        self.read_chunk_size = read_chunk_size
        self.error: BaseException | None = None
        self._sink = None
        self._deliver: Callable[[bytes], None] | None = None  # the sink's bound data_received
        self._read_buffer: ReadBuffer | None = None  # read and not delivered
        self._queue = None
        self._blocked = False
        self._held = True
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
