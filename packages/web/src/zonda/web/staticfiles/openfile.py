"""A file that is open for reading: what a response is made of.

In: a path. Out: where the file really is, its size, its time, and bytes from any place in it. All
of this is asked of the open file, not of the path, so that nothing can be exchanged in between.
Raises `HTTPError`: 404 if it is not there, 403 if it may not be opened.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from zonda.iostream import FileRange
from zonda.web.errors import HTTPError

CHUNK: Final = 128 * 1024
"""Bytes read in one go where a file cannot be sent without being read."""

# Not every system has all of these. Without O_NONBLOCK the open of a FIFO waits for a writer.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK", "O_BINARY")
)


class OpenFile:
    """An open file; close it.

    It may be a folder, or a FIFO or a device: look at `is_regular` before anything is read.

    Args:
        path: Its path.
        name: What the log calls it.

    Attributes:
        path: Its path.
        stat: What the system says of it.

    >>> file = OpenFile(__file__, "this")
    >>> file.read(0, 3)
    b'\"\"\"'
    >>> file.close()
    """

    __slots__ = ("_fd", "path", "stat")

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, _FLAGS)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HTTPError(404) from error
        except OSError as error:
            if not os.path.isdir(path):
                raise HTTPError(403, "%s cannot be opened: %s", name, error.strerror) from error
            self._fd = -1  # Windows does not open folders
            self.stat = os.stat(path)
        except ValueError as error:
            raise HTTPError(400, "NUL in a static path") from error
        else:
            self.stat = os.fstat(self._fd)

    @property
    def is_regular(self) -> bool:
        """Whether it is an ordinary file, with bytes to read and an end."""
        return stat.S_ISREG(self.stat.st_mode)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.stat.st_mode)

    def real_path(self) -> str:
        """Return where the file is once all links are followed."""
        # Linux knows it of the open file, which is cheaper than to follow the path once more, and
        # cannot be another file.
        try:
            real = os.readlink(f"/proc/self/fd/{self._fd}")
        except OSError:
            return os.path.realpath(self.path)
        if real.endswith(" (deleted)") and not os.path.exists(real):
            raise HTTPError(404)
        return real

    @property
    def size(self) -> int:
        """Its size when it was opened, in bytes."""
        return self.stat.st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes from ``offset`` on, fewer at the end of the file."""
        if hasattr(os, "pread"):
            return os.pread(self._fd, count, offset)
        os.lseek(self._fd, offset, os.SEEK_SET)
        return os.read(self._fd, count)

    async def chunks(
        self, offset: int, count: int, then: Callable[[bytes], bytes] | None = None
    ) -> AsyncIterator[bytes]:
        """Read ``count`` bytes from ``offset`` on, in pieces, in another thread.

        Args:
            offset: Where to begin.
            count: How many bytes.
            then: Changes each piece, in that thread, too.
        """

        def read() -> tuple[bytes, int]:
            data = self.read(offset, min(count, CHUNK))
            return (data if then is None else then(data)), len(data)

        loop = asyncio.get_running_loop()
        while count:
            data, size = await loop.run_in_executor(None, read)
            if not size:
                return
            offset += size
            count -= size
            yield data

    def part(self, offset: int, count: int) -> FileRange:
        """Return a part of it that can be sent, and that stays open when the file is closed."""
        return FileRange(os.dup(self._fd), offset, count)

    def close(self) -> None:
        """Close it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        # Of a path that was only validated.
        if getattr(self, "_fd", -1) >= 0:
            self.close()


def read_file(path: str, start: int, end: int | None) -> Iterator[bytes]:
    """Read a file in pieces, in this thread.

    Args:
        path: Its path.
        start: Where to begin.
        end: Where to stop, this byte excluded; None for the end of the file.
    """
    file = OpenFile(path, path)
    try:
        position = start
        while end is None or position < end:
            data = file.read(position, CHUNK if end is None else min(CHUNK, end - position))
            if not data:
                return
            position += len(data)
            yield data
    finally:
        file.close()
