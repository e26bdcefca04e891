"""Streams over pipes and other descriptors that are not sockets."""

import os
from collections.abc import Sequence

from zonda.iostream.stream import BaseIOStream
from zonda.iostream.writebuffer import Buffer


class PipeIOStream(BaseIOStream):
    """A stream over one end of a pipe (or a FIFO, a terminal), which it owns from then on.

    A pipe has one direction: read from the reading end, write to the other one.

    Args:
        fd: the descriptor; it is made non-blocking.
        max_buffer_size: the most bytes kept for reads; more closes the stream. 100 MiB by default.
        read_chunk_size: bytes for one read. 64 KiB by default.
        max_write_buffer_size: the most bytes queued for writing; more is a
            StreamBufferFullError. None, the default, for no limit.

    >>> import asyncio, os
    >>> async def main():
    ...     reader, writer = map(PipeIOStream, os.pipe())
    ...     await writer.write(b"through the pipe")
    ...     writer.close()
    ...     print(await reader.read_until_close())
    >>> asyncio.run(main())
    b'through the pipe'
    """

    __slots__ = ("_fd",)

    def __init__(
        self,
        fd: int,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size)

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._fd

    def close_fd(self) -> None:
        """See BaseIOStream."""
        fd, self._fd = self._fd, -1
        os.close(fd)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """See BaseIOStream."""
        try:
            return os.readv(self._fd, [buf])
        except BlockingIOError:
            return None

    def write_to_fd(self, data: memoryview) -> int:
        """See BaseIOStream."""
        return os.write(self._fd, data)

    def _recv_from_fd(self, size: int) -> bytes:
        return os.read(self._fd, size)

    def _send_to_fd(self, data: Buffer) -> int:
        return os.write(self._fd, data)

    def _send_many(self, buffers: Sequence[Buffer]) -> int:
        return os.writev(self._fd, buffers)
