"""One pending read as an object: a future that knows what it waits for.

``attempt(buffer)`` takes from the buffer what the read asks for and resolves the future, or
returns False, "not yet". ``at_eof(buffer)`` is the last attempt, after which no data can come.
Both raise UnsatisfiableReadError when ``max_bytes`` is passed; the stream closes then.

A task that is cancelled between the moment its read was resolved and the moment it would have run
has not seen the data: the read gives it back to the stream (``give_back``), so that it is there
for the next one.
"""

import asyncio
import re
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from zonda.iostream.errors import UnsatisfiableReadError
from zonda.iostream.readbuffer import ReadBuffer

T = TypeVar("T")


class Read(asyncio.Future[T], Generic[T]):
    """What all kinds of read share."""

    give_back: Callable[[bytes], None] | None = None

    def attempt(self, buffer: ReadBuffer) -> bool:
        """Resolve from ``buffer`` if it holds enough."""
        raise NotImplementedError

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """Resolve from what is left, knowing that nothing will follow."""
        return self.attempt(buffer)

    def unread(self, result: T) -> bytes:
        """The bytes that were taken from the buffer for ``result``."""
        assert isinstance(result, bytes)
        return result

    def __await__(self) -> Generator[Any, None, T]:
        if self.done():
            return self.result()
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            give_back = self.give_back
            if give_back is not None and not self.cancelled() and self.exception() is None:
                give_back(self.unread(self.result()))
            raise


class ReadBytes(Read[bytes]):
    """``count`` bytes, or with ``partial`` between 1 and ``count``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int, partial: bool) -> None:
        super().__init__(loop=loop)
        self._count = count
        self._partial = partial

    def attempt(self, buffer: ReadBuffer) -> bool:
        if buffer.size >= self._count:
            self.set_result(buffer.take(self._count))
            return True
        if self._partial and buffer.size:
            self.set_result(buffer.take(buffer.size))
            return True
        return False


class ReadInto(Read[int]):
    """Fill the caller's buffer, or with ``partial`` some of it; the result is the count."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: memoryview, partial: bool) -> None:
        super().__init__(loop=loop)
        self._target = target
        self._partial = partial
        self._filled = 0

    def attempt(self, buffer: ReadBuffer) -> bool:
        if buffer.size:
            self._filled += buffer.take_into(self._target[self._filled :])
        if self._filled == len(self._target) or (self._partial and self._filled):
            self.set_result(self._filled)
            return True
        return False

    def unread(self, result: int) -> bytes:
        return bytes(self._target[:result])

    def taken(self) -> bytes:
        """What has been moved so far by a read that is now cancelled."""
        return bytes(self._target[: self._filled])


class ReadUntil(Read[bytes]):
    """Up to and including ``delimiter``; no byte is searched twice."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, delimiter: bytes, max_bytes: int | None
    ) -> None:
        super().__init__(loop=loop)
        self._delimiter = delimiter
        self._max_bytes = max_bytes
        self._searched = 0

    def attempt(self, buffer: ReadBuffer) -> bool:
        size = buffer.size
        delimiter = self._delimiter
        # The delimiter may straddle what was searched and what is new.
        start = max(0, self._searched - len(delimiter) + 1)
        if size > self._searched or not delimiter:
            chunks = buffer.chunks_from(start)
            recent = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            found = recent.find(delimiter)
            if found >= 0:
                end = start + found + len(delimiter)
                self._check(end)
                self.set_result(buffer.take(end))
                return True
            self._searched = size
        self._check(size)
        return False

    def _check(self, size: int) -> None:
        if self._max_bytes is not None and size > self._max_bytes:
            raise UnsatisfiableReadError(self._delimiter, self._max_bytes)


class ReadRegex(Read[bytes]):
    """Up to the end of the first match.

    An expression cannot be resumed, so it is searched from the start again: at each chunk while
    the buffer is small, then each time it has grown by an eighth and whenever the stream runs
    dry (``flush``), which keeps the cost of a long read linear.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        regex: "re.Pattern[bytes]",
        max_bytes: int | None,
    ) -> None:
        super().__init__(loop=loop)
        self._regex = regex
        self._max_bytes = max_bytes

    def attempt(self, buffer: ReadBuffer) -> bool:
        size = buffer.size
        match = self._regex.search(buffer.joined())
        if match is not None:
            self._check(match.end())
            self.set_result(buffer.take(match.end()))
            return True
        self._check(size)
        return False

    def _check(self, size: int) -> None:
        if self._max_bytes is not None and size > self._max_bytes:
            raise UnsatisfiableReadError(self._regex.pattern, self._max_bytes)


class ReadUntilClose(Read[bytes]):
    """Everything until the peer has finished."""

    def attempt(self, buffer: ReadBuffer) -> bool:
        return False

    def at_eof(self, buffer: ReadBuffer) -> bool:
        self.set_result(buffer.take(buffer.size))
        return True
