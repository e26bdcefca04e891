"""A part of a file on its way to a socket, from the system's cache straight to the network.

In: a descriptor of an open file, an offset, a number of bytes. It stands in a stream's queue like a
buffer (it has a length), is sent a bounded piece at a time by ``os.sendfile``, and closes its
descriptor when it is out or dropped. "Not yet" is BlockingIOError, as with ``socket.send``; any
other OSError means that it cannot be sent, a file that has become shorter among them.
"""

import errno
import os
import socket
from types import TracebackType
from typing import Self

MOST_AT_ONCE = 256 * 1024
"""Bytes handed to the socket in one go: the loop is everybody's."""

# What sendfile says of files, or sockets, that it cannot do.
_UNSUPPORTED = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK))


class FileRange:
    """Bytes of a file that are to be sent.

    Args:
        fd: A descriptor, open for reading and owned from here on; its own position is not used.
        offset: Where the bytes begin.
        count: How many; the file must have them.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     _ = file.write(b"0123456789")
    ...     file.flush()
    ...     part = FileRange(os.dup(file.fileno()), 2, 5)
    >>> ours, theirs = socket.socketpair()
    >>> part.send_to(ours), theirs.recv(10), len(part)
    (5, b'23456', 5)
    >>> part.advance(5)
    >>> len(part), part.closed
    (0, True)
    >>> ours.close(), theirs.close()
    (None, None)
    """

    __slots__ = ("_count", "_fd", "_offset")

    def __init__(self, fd: int, offset: int, count: int) -> None:
        self._fd = fd
        self._offset = offset
        self._count = count

    def __len__(self) -> int:
        return self._count

    @property
    def closed(self) -> bool:
        """Whether the descriptor is closed."""
        return self._fd < 0

    def send_to(self, sock: socket.socket) -> int:
        """Send the next bytes to a non-blocking socket; `advance` has to follow.

        Returns:
            How many it has taken, at most `MOST_AT_ONCE`.

        Raises:
            BlockingIOError: It takes none at present.
            OSError: The socket or the file has failed, or the file ends too early.
        """
        count = min(self._count, MOST_AT_ONCE)
        try:
            sent = os.sendfile(sock.fileno(), self._fd, self._offset, count)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            # A file system or a kind of socket that wants it the long way round.
            sent = sock.send(data) if (data := os.pread(self._fd, count, self._offset)) else 0
        if not sent:
            raise OSError(errno.EIO, "the file has become shorter while it was being sent")
        return sent

    def advance(self, count: int) -> None:
        """``count`` bytes are out; the last ones close the file."""
        self._offset += count
        self._count -= count
        if not self._count:
            self.close()

    def close(self) -> None:
        """Close the descriptor; nothing happens if it is closed."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
