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
import time
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from zonda.iostream.errors import UnsatisfiableReadError
from zonda.iostream.readbuffer import ReadBuffer

T = TypeVar("T")

_EAGER_SEARCH = 64 * 1024


class Read(asyncio.Future[T], Generic[T]):
    """What all kinds of read share."""

    give_back: Callable[[bytes], None] | None = None
    """Set by the stream: puts bytes back in front."""

    retry: "Callable[[Read[Any]], None] | None" = None
    """Set by the stream: attempts this read anew, if it is still the pending one."""

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
        """See Read."""
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
        """See Read."""
        if buffer.size:
            self._filled += buffer.take_into(self._target[self._filled :])
        if self._filled == len(self._target) or (self._partial and self._filled):
            self.set_result(self._filled)
            return True
        return False

    def unread(self, result: int) -> bytes:
        """See Read."""
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
        """See Read."""
        end = self._find(buffer)
        if end:
            self._check(end)
            self.set_result(buffer.take(end))
            return True
        self._searched = buffer.size
        self._check(buffer.size)
        return False

    def _find(self, buffer: ReadBuffer) -> int:
        """Where the delimiter ends; 0 where there is none yet."""
        delimiter = self._delimiter
        overlap = len(delimiter) - 1
        # The delimiter may straddle what was searched and what is new, and any two chunks.
        start = max(0, self._searched - overlap)
        tail = b""
        for chunk in buffer.chunks_from(start):
            if tail:
                found = (tail + chunk[:overlap]).find(delimiter)
                if found >= 0:
                    return start - len(tail) + found + len(delimiter)
            found = chunk.find(delimiter)
            if found >= 0:
                return start + found + len(delimiter)
            start += len(chunk)
            if overlap:
                tail = chunk[-overlap:] if len(chunk) >= overlap else (tail + chunk)[-overlap:]
        return 0

    def _check(self, size: int) -> None:
        if self._max_bytes is not None and size > self._max_bytes:
            raise UnsatisfiableReadError(self._delimiter, self._max_bytes)


class ReadRegex(Read[bytes]):
    """Up to the end of the first match.

    A search for an expression cannot be resumed, so each one begins at the start of the data. Up to
    64 KiB there is one for each chunk; above, one when the data has grown by a quarter, or
    after a rest of four times what the last one took.
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
        self._next_size = 0
        self._rest = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        if _EAGER_SEARCH < buffer.size < self._next_size and self.retry is not None:
            self._check(buffer.size)
            if self._timer is None:
                self._timer = self.get_loop().call_later(self._rest, self._search_again)
            return False
        return self.at_eof(buffer)

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        size = buffer.size
        started = time.perf_counter()
        match = self._regex.search(buffer.joined())
        self._rest = 4 * (time.perf_counter() - started)
        self._next_size = size + size // 4
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if match is not None:
            self._check(match.end())
            self.set_result(buffer.take(match.end()))
            return True
        self._check(size)
        return False

    def _search_again(self) -> None:
        self._timer = None
        self._next_size = 0
        if self.retry is not None and not self.done():
            self.retry(self)

    def _check(self, size: int) -> None:
        if self._max_bytes is not None and size > self._max_bytes:
            raise UnsatisfiableReadError(self._regex.pattern, self._max_bytes)


class ReadUntilClose(Read[bytes]):
    """Everything until the peer has finished."""

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        return False

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        self.set_result(buffer.take(buffer.size))
        return True


class ReadStreaming(Read[bytes]):
    """``count`` bytes, or all until the end, handed on as they come; the result is empty."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        count: int | None,
        deliver: Callable[[bytes], object],
    ) -> None:
        super().__init__(loop=loop)
        self._missing = count
        self._deliver = deliver

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        count = buffer.size if self._missing is None else min(buffer.size, self._missing)
        if count:
            if self._missing is not None:
                self._missing -= count
            self._deliver(buffer.take(count))
        return self._finish(self._missing == 0)

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        return self.attempt(buffer) or self._finish(self._missing is None)

    def _finish(self, complete: bool) -> bool:
        if complete and not self.done():
            self.set_result(b"")
        return complete
