"""A regular file, open for reading: what a response is made of.

In: a path that has been found allowed. Out: its size, its time, and bytes from any place in it.
Raises `HTTPError`: 404 if it is not there, 403 if it may not be read or is no regular file (a FIFO
or a device that has been put in its place would block, or do worse).
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
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
    """An open regular file; close it.

    Args:
        path: Its path.
        name: What the log calls it.

    >>> file = OpenFile(__file__, "this")
    >>> file.read(0, 3)
    b'\"\"\"'
    >>> file.close()
    """

    __slots__ = ("_fd", "stat")

    def __init__(self, path: str, name: str) -> None:
        try:
            self._fd = os.open(path, _FLAGS)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HTTPError(404) from error
        except OSError as error:
            raise HTTPError(403, "%s cannot be opened: %s", name, error.strerror) from error
        self.stat = os.fstat(self._fd)
        if not stat.S_ISREG(self.stat.st_mode):
            self.close()
            raise HTTPError(403, "%s is not a file", name)

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

    async def chunks(self, offset: int, count: int) -> AsyncIterator[bytes]:
        """Read ``count`` bytes from ``offset`` on, in pieces, in another thread."""
        loop = asyncio.get_running_loop()
        while count:
            data = await loop.run_in_executor(None, self.read, offset, min(count, CHUNK))
            if not data:
                return
            offset += len(data)
            count -= len(data)
            yield data

    def part(self, offset: int, count: int) -> FileRange:
        """Return a part of it that can be sent, and that stays open when the file is closed."""
        return FileRange(os.dup(self._fd), offset, count)

    def close(self) -> None:
        """Close it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
