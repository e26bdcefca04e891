"""Streams in memory: two ends, no descriptors, everything else as with sockets.

Each direction holds a bounded number of bytes, as a kernel's socket buffer does; what does not fit
is queued by the writing end. Readiness is told through ``loop.call_soon``, level-triggered like
the real thing.
"""

from collections.abc import Callable

from zonda.iostream.readbuffer import ReadBuffer
from zonda.iostream.stream import BaseIOStream
from zonda.iostream.writebuffer import Buffer


class _Direction:
    """Bytes on their way from one end to the other."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data = ReadBuffer()
        self.finished = False  # no more will be put in
        self.reset = False  # the reader is gone, or the writer went without a farewell
        self.tell_reader: Callable[[], None] | None = None
        self.tell_writer: Callable[[], None] | None = None

    def put(self, data: Buffer) -> int:
        if self.reset or self.finished:
            raise BrokenPipeError("the other end is closed")
        view = memoryview(data).cast("B")
        count = min(len(view), self.capacity - self.data.size)
        if not count and len(view):
            raise BlockingIOError
        if count:
            self.data.append(bytes(view[:count]))
            if self.tell_reader is not None:
                self.tell_reader()
        return count

    def get(self, size: int) -> bytes:
        if self.reset:
            raise ConnectionResetError("the other end was aborted")
        if not self.data.size:
            if self.finished:
                return b""
            raise BlockingIOError
        data = self.data.take(min(size, self.data.size))
        if self.tell_writer is not None:
            self.tell_writer()
        return data

    def end(self, reset: bool = False) -> None:
        self.finished = True
        self.reset = self.reset or reset
        for tell in (self.tell_reader, self.tell_writer):
            if tell is not None:
                tell()

    @property
    def readable(self) -> bool:
        return bool(self.data.size) or self.finished or self.reset

    @property
    def writable(self) -> bool:
        return self.data.size < self.capacity or self.finished or self.reset


class MemoryStream(BaseIOStream):
    """One end of ``stream_pair``; it has no descriptor (``fileno`` returns -1)."""

    def __init__(
        self,
        incoming: _Direction,
        outgoing: _Direction,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size)
        self._incoming = incoming
        self._outgoing = outgoing
        self._recv = incoming.get
        self._send = outgoing.put
        self._read_scheduled = False
        self._write_scheduled = False

    def fileno(self) -> int:
        """Return -1."""
        return -1

    def close_fd(self) -> None:
        """End both directions; what is on its way still arrives."""
        incoming, outgoing = self._incoming, self._outgoing
        outgoing.tell_writer = incoming.tell_reader = None
        # A peer that still writes learns it, and so does one whose data was not read.
        unread = bool(incoming.data.size)
        incoming.end(reset=True)
        outgoing.end(reset=unread)

    def abort(self) -> None:
        """Close at once; the peer sees a ConnectionResetError."""
        if not self._closed:
            self._outgoing.end(reset=True)
        super().abort()

    def _shutdown_write(self) -> None:
        self._outgoing.end()

    def _start_reader(self) -> None:
        self._reader_on = True
        self._incoming.tell_reader = self._schedule_read
        self._schedule_read()

    def _stop_reader(self) -> None:
        self._reader_on = self._plain = False
        self._incoming.tell_reader = None

    def _schedule_read(self) -> None:
        if self._incoming.readable and not self._read_scheduled:
            self._read_scheduled = True
            self._call_soon(self._read_event)

    def _read_event(self) -> None:
        self._read_scheduled = False
        if self._reader_on:
            self._on_readable()
            if self._reader_on:
                self._schedule_read()

    def _start_writer(self) -> None:
        self._writer_on = True
        self._outgoing.tell_writer = self._schedule_write
        self._schedule_write()

    def _stop_writer(self) -> None:
        self._writer_on = False
        self._outgoing.tell_writer = None

    def _schedule_write(self) -> None:
        if self._outgoing.writable and not self._write_scheduled:
            self._write_scheduled = True
            self._call_soon(self._write_event)

    def _write_event(self) -> None:
        self._write_scheduled = False
        if self._writer_on:
            self._on_writable()
            if self._writer_on:
                self._schedule_write()


def stream_pair(capacity: int = 65536) -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a connection in memory.

    Args:
        capacity: bytes that each direction holds before the writing end has to queue.

    >>> import asyncio
    >>> async def main():
    ...     client, server = stream_pair()
    ...     client.write(b"ping\\n")
    ...     print(await server.read_until(b"\\n"))
    ...     client.close()
    ...     server.close()
    >>> asyncio.run(main())
    b'ping\\n'
    """
    one, two = _Direction(capacity), _Direction(capacity)
    return MemoryStream(one, two), MemoryStream(two, one)
