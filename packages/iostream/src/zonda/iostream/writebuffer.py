"""Bytes that were accepted for writing and that the socket has not taken yet.

Buffers go in whole, in order, and are not copied (small mutable ones are); ``head`` gives the
next few for one ``sendmsg``, ``advance`` says how many bytes of them are out. A `FileRange` among
them is given alone, because it takes another call. Futures put in with
``add_waiter`` resolve, in order, once everything that was queued before them is out.
"""

import asyncio
from collections import deque
from itertools import islice, takewhile
from typing import cast

from zonda.iostream.filerange import FileRange

Buffer = bytes | bytearray | memoryview

# A mutable buffer up to this size is copied, so that the caller may reuse it; a larger one must
# not be changed before it is written.
COPY_BELOW = 4096
# Buffers for one sendmsg. The kernel takes up to 1024; more than a few dozen gains nothing.
BATCH = 64


class WriteBuffer:
    """A queue of buffers and of the futures that wait for them.

    Attributes:
        size: bytes held.
        flushed: bytes that went through and are out.

    >>> queue = WriteBuffer()
    >>> queue.append(b"abc")
    >>> queue.append(b"def")
    >>> queue.advance(4)
    >>> [bytes(buffer) for buffer in queue.head()], queue.size
    ([b'ef'], 2)
    """

    __slots__ = ("_buffers", "_files", "_waiters", "flushed", "size")

    def __init__(self) -> None:
        self._buffers: deque[bytes | memoryview | FileRange] = deque()
        self._files = 0  # how many of them are ranges of files
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.size = 0
        self.flushed = 0

    def __len__(self) -> int:
        return self.size

    def append(self, data: Buffer | FileRange) -> None:
        """Queue ``data``; a range of a file belongs to the queue from here on."""
        if isinstance(data, bytes):
            size = len(data)
        elif isinstance(data, FileRange):
            size = len(data)
            if size:
                self._files += 1
            else:
                data.close()
        elif len(data) <= COPY_BELOW:
            data = bytes(data)
            size = len(data)
        else:
            data = memoryview(data)
            if data.ndim != 1 or data.format != "B":
                data = data.cast("B")
            size = len(data)
        if size:
            self._buffers.append(data)
            self.size += size

    def head(self) -> "list[bytes | memoryview]":
        """The next buffers to write, or the next range of a file, which is told by its type."""
        if self._files:
            if isinstance(first := self._buffers[0], FileRange):
                return [cast(memoryview, first)]
            plain = takewhile(lambda each: not isinstance(each, FileRange), self._buffers)
            return cast("list[bytes | memoryview]", list(islice(plain, BATCH)))
        return cast("list[bytes | memoryview]", list(islice(self._buffers, BATCH)))

    def advance(self, count: int) -> None:
        """``count`` bytes are out."""
        self.size -= count
        self.flushed += count
        buffers = self._buffers
        while count:
            first = buffers[0]
            size = len(first)
            if isinstance(first, FileRange):
                first.advance(count)  # it comes alone, so that this is all there is to count
                if count == size:
                    buffers.popleft()
                    self._files -= 1
                break
            if count < size:
                buffers[0] = memoryview(first)[count:]
                break
            count -= size
            buffers.popleft()
        waiters = self._waiters
        while waiters and waiters[0][0] <= self.flushed:
            future = waiters.popleft()[1]
            if not future.done():  # cancelled by its owner: the bytes go out all the same
                future.set_result(None)

    def add_waiter(self, future: "asyncio.Future[None]") -> None:
        """Resolve ``future`` once all that is queued now is out."""
        self._waiters.append((self.flushed + self.size, future))

    def fail(self, error: BaseException) -> None:
        """Drop everything; the waiting futures raise ``error``."""
        if self._files:
            for each in self._buffers:
                if isinstance(each, FileRange):
                    each.close()
            self._files = 0
        self._buffers.clear()
        self.size = 0
        waiters, self._waiters = self._waiters, deque()
        for _, future in waiters:
            if not future.done():
                future.set_exception(error)
                future.exception()  # whoever dropped the future does not care: no log record
