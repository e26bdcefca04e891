"""Writes as futures, on top of the push interface.

Data in, a future out that is done once the operating system has all of the data; "not yet" is
a future that waits in the queue, in its turn. A write to a closed stream raises StreamClosedError,
and so does the future of one that the stream did not live to see written.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from zonda.ioloop.log import app_log
from zonda.iostream.errors import StreamBufferFullError, StreamClosedError
from zonda.iostream.push import PushStream
from zonda.iostream.writebuffer import Buffer, WriteBuffer

T = TypeVar("T")


class WritingStream(PushStream):
    """The writing half of BaseIOStream.

    Attributes:
        max_write_buffer_size: see BaseIOStream.
    """

    __slots__ = ("_written", "max_write_buffer_size")

    max_write_buffer_size: int | None
    _written: "asyncio.Future[None] | None"

    def write(
        self, data: Buffer, callback: Callable[[], object] | None = None
    ) -> "asyncio.Future[None]":
        """Write ``data``; the future resolves once the operating system has all of it.

        A buffer above 4 KiB that can change (bytearray, memoryview) must not before then.

        Raises:
            StreamClosedError: the stream is closed.
            StreamBufferFullError: ``max_write_buffer_size`` is given and would be passed.
        """
        size = data.nbytes if type(data) is memoryview else len(data)
        limit = self.max_write_buffer_size
        if limit is not None and self.bytes_queued + size > limit and not self._closed:
            raise StreamBufferFullError("write", limit)
        future: asyncio.Future[None]
        if not self._blocked:
            try:
                sent = self._send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._write_failed(error)
                future = self._loop.create_future()
                future.set_exception(StreamClosedError(real_error=error))
                future.exception()
                return future
            if sent == size and callback is None:
                # Most writes end here: they all get the same future, done for good.
                written = self._written
                if written is None:
                    written = self._written = self._loop.create_future()
                    written.set_result(None)
                return written
            future = self._loop.create_future()
            if sent == size:
                future.set_result(None)
            else:
                self._keep(memoryview(data).cast("B")[sent:]).add_waiter(future)
        elif self._closed:
            raise StreamClosedError(real_error=self.error)
        else:
            future = self._loop.create_future()
            if self._queue is None:
                self._queue = WriteBuffer()
            self._queue.append(data)
            self._queue.add_waiter(future)
            self._enqueue(())
        if callback is not None:
            self._call_with_result(future, lambda _: callback())
        return future

    def writing(self) -> bool:
        """Whether bytes are queued for writing."""
        return self._queue is not None and bool(self._queue.size)

    @property
    def _write_buffer(self) -> WriteBuffer | None:
        """The queue, for code that fills it before one ``write(b"")``; None once closed."""
        if self._closed:
            return None
        if self._queue is None:
            self._queue = WriteBuffer()
        self._blocked = True
        return self._queue

    @property
    def _total_write_index(self) -> int:
        """Bytes queued so far. Setting it does nothing: the queue counts for itself."""
        queue = self._queue
        return 0 if queue is None else queue.flushed + queue.size

    @_total_write_index.setter
    def _total_write_index(self, value: int) -> None:
        pass

    def _run_callback(self, callback: Callable[..., object], *args: object) -> None:
        try:
            callback(*args)
        except Exception:
            app_log.error("Uncaught exception in a stream's callback", exc_info=True)
            self.close()

    def _call_with_result(
        self, future: "asyncio.Future[T]", callback: Callable[[T], object]
    ) -> None:
        def done(future: "asyncio.Future[T]") -> None:
            # As in the API this comes from: a failure runs the close callback, not this one.
            if not future.cancelled() and future.exception() is None:
                self._run_callback(callback, future.result())

        future.add_done_callback(done)
