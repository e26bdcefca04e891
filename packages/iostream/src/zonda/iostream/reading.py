"""One pending read as an object: what it waits for, and the future that its caller has.

``attempt(buffer)`` takes from the buffer what the read asks for and resolves the future, or
returns False, "not yet". ``at_eof(buffer)`` is the last attempt, after which no data can come.
Both raise UnsatisfiableReadError when ``max_bytes`` is passed; the stream closes then.

``least``, ``most`` and ``answered_by(data)`` are the short cut for the common case: the buffer is
empty and one chunk is the result as it is.

A task that is cancelled between the moment its read was resolved and the moment it would have run
has not seen the data: the read gives it back to its owner (the stream), so that it is there for
the next one.

The futures are asyncio's own, and not of a class of ours: a task awaits these in half the time.
Reads have no ``__init__``, their attributes are set by who makes them.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from zonda.iostream.errors import UnsatisfiableReadError
from zonda.iostream.readbuffer import ReadBuffer
from zonda.iostream.waking import guard_wakeups

T = TypeVar("T")

_EAGER_SEARCH = 64 * 1024


class Owner(Protocol):
    """What a read wants of its stream."""

    def give_back(self, data: bytes) -> None:
        """Put bytes back in front of the buffer."""

    def retry(self, read: "Read[Any]") -> None:
        """Attempt this read anew, if it is still the pending one."""


class Read(Generic[T]):
    """What all kinds of read share.

    Attributes:
        owner: the stream.
        future: what the caller waits for.
        least: bytes from which on a chunk is the result as it is ...
        most: ... and up to which; by default no length tells.
    """

    __slots__ = ("future", "owner")

    owner: Owner
    future: "asyncio.Future[T]"
    least: ClassVar[int] = 1
    most: ClassVar[int] = 0

    def attempt(self, buffer: ReadBuffer) -> bool:
        """Resolve from ``buffer`` if it holds enough."""
        raise NotImplementedError

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """Resolve from what is left, knowing that nothing will follow."""
        return self.attempt(buffer)

    def answered_by(self, data: bytes) -> bool:
        """Whether ``data``, which is all there is, is the result as it is."""
        return False

    def unread(self, result: T) -> bytes:
        """The bytes that were taken from the buffer for ``result``."""
        assert isinstance(result, bytes)
        return result

    def resolve(self, result: T) -> None:
        """Set the future's result; a task that never sees it gives it back."""
        future, owner = self.future, self.owner
        # Not by ``self.future``: this read may be another one by then.
        guard_wakeups(future, lambda: owner.give_back(self.unread(result)))
        future.set_result(result)


class ReadBytes(Read[bytes]):
    """Between ``least`` and ``most`` bytes."""

    __slots__ = ("least", "most")

    least: int  # type: ignore[misc]  # each has its own
    most: int  # type: ignore[misc]

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        size = buffer.size
        if size >= self.least:
            self.resolve(buffer.take(max(min(size, self.most), 0)))
            return True
        return False


class ReadInto(Read[int]):
    """Fill the caller's buffer, or with ``partial`` some of it; the result is the count."""

    __slots__ = ("filled", "partial", "target")

    target: memoryview
    partial: bool
    filled: int

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        return self.fill(buffer.take_into(self.target[self.filled :]) if buffer.size else 0)

    def fill(self, count: int) -> bool:
        """Resolve if ``count`` more bytes of the target are what was missing."""
        self.filled += count
        if self.filled == len(self.target) or (self.partial and self.filled):
            self.resolve(self.filled)
            return True
        return False

    def unread(self, result: int) -> bytes:
        """See Read."""
        return bytes(self.target[:result])

    def taken(self) -> bytes:
        """What has been moved so far by a read that is now cancelled."""
        return bytes(self.target[: self.filled])


class ReadUntil(Read[bytes]):
    """Up to and including ``delimiter``; no byte is searched twice."""

    __slots__ = ("delimiter", "max_bytes", "searched")

    delimiter: bytes
    max_bytes: int | None
    searched: int

    def answered_by(self, data: bytes) -> bool:
        """See Read."""
        delimiter = self.delimiter
        size = len(data)
        return (
            data.endswith(delimiter)
            and data.find(delimiter) == size - len(delimiter)
            and (self.max_bytes is None or size <= self.max_bytes)
        )

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        end = self._find(buffer)
        if end:
            self._check(end)
            self.resolve(buffer.take(end))
            return True
        self.searched = buffer.size
        self._check(buffer.size)
        return False

    def _find(self, buffer: ReadBuffer) -> int:
        """Where the delimiter ends; 0 where there is none yet."""
        delimiter = self.delimiter
        overlap = len(delimiter) - 1
        # The delimiter may straddle what was searched and what is new, and any two chunks.
        start = max(0, self.searched - overlap)
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
        if self.max_bytes is not None and size > self.max_bytes:
            raise UnsatisfiableReadError(self.delimiter, self.max_bytes)


class ReadRegex(Read[bytes]):
    """Up to the end of the first match.

    A search for an expression cannot be resumed, so each one begins at the start of the data. Up to
    64 KiB there is one for each chunk; above, one when the data has grown by a quarter, or
    after a rest of four times what the last one took.
    """

    __slots__ = ("_next_size", "_rest", "_timer", "max_bytes", "regex")

    regex: "re.Pattern[bytes]"
    max_bytes: int | None

    def __init__(self) -> None:
        self._next_size = 0
        self._rest = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        if _EAGER_SEARCH < buffer.size < self._next_size:
            self._check(buffer.size)
            if self._timer is None:
                self._timer = self.future.get_loop().call_later(self._rest, self._search_again)
            return False
        return self.at_eof(buffer)

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        size = buffer.size
        started = time.perf_counter()
        match = self.regex.search(buffer.joined())
        self._rest = 4 * (time.perf_counter() - started)
        self._next_size = size + size // 4
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if match is not None:
            self._check(match.end())
            self.resolve(buffer.take(match.end()))
            return True
        self._check(size)
        return False

    def _search_again(self) -> None:
        self._timer = None
        self._next_size = 0
        if not self.future.done():
            self.owner.retry(self)

    def _check(self, size: int) -> None:
        if self.max_bytes is not None and size > self.max_bytes:
            raise UnsatisfiableReadError(self.regex.pattern, self.max_bytes)


class ReadUntilClose(Read[bytes]):
    """Everything until the peer has finished."""

    __slots__ = ()

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        return False

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        self.resolve(buffer.take(buffer.size))
        return True


class ReadStreaming(Read[bytes]):
    """``count`` bytes, or all until the end, handed on as they come; the result is empty."""

    __slots__ = ("deliver", "missing")

    deliver: Callable[[bytes], object]
    missing: int | None

    def attempt(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        count = buffer.size if self.missing is None else min(buffer.size, self.missing)
        if count:
            if self.missing is not None:
                self.missing -= count
            self.deliver(buffer.take(count))
        return self._finish(self.missing == 0)

    def at_eof(self, buffer: ReadBuffer) -> bool:
        """See Read."""
        return self.attempt(buffer) or self._finish(self.missing is None)

    def _finish(self, complete: bool) -> bool:
        if complete and not self.future.done():
            self.resolve(b"")
        return complete
