"""Bytes that were read and not yet asked for.

Chunks go in as they came from the socket and are never joined before somebody takes them: taking
exactly one chunk copies nothing, any other take copies each byte once. Searching is left to the
reads (``reading.py``), which remember how far they looked.
"""

# Chunks already taken stay in front of the list until this many have gathered: dropping them one
# by one would move the whole list each time.
_COMPACT = 64


class ReadBuffer:
    """A queue of chunks.

    Attributes:
        size: bytes held.

    >>> buffer = ReadBuffer()
    >>> buffer.append(b"GET / HT")
    >>> buffer.append(b"TP/1.1")
    >>> buffer.take(5), buffer.take(9), buffer.size
    (b'GET /', b' HTTP/1.1', 0)
    """

    __slots__ = ("_chunks", "_first", "_offset", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._first = 0  # index of the first chunk that still has data
        self._offset = 0  # bytes of that chunk already taken
        self.size = 0

    def append(self, chunk: bytes) -> None:
        """Add a chunk (not empty) behind the others."""
        self._chunks.append(chunk)
        self.size += len(chunk)

    def prepend(self, chunk: bytes) -> None:
        """Put a chunk (not empty) back in front of the others."""
        first, offset = self._first, self._offset
        self._chunks[:first] = ()
        if offset:
            self._chunks[0] = self._chunks[0][offset:]
        self._chunks.insert(0, chunk)
        self._first = self._offset = 0
        self.size += len(chunk)

    def take(self, count: int) -> bytes:
        """Remove and return the first ``count`` bytes, which must be there."""
        if count == 0:
            return b""
        chunks = self._chunks
        index = self._first
        offset = self._offset
        chunk = chunks[index]
        self.size -= count
        end = offset + count
        if end < len(chunk):
            self._offset = end
            return chunk[offset:end]
        if end == len(chunk):
            self._drop(index + 1)
            return chunk[offset:] if offset else chunk
        parts: list[bytes | memoryview] = [memoryview(chunk)[offset:]]
        missing = end - len(chunk)
        index += 1
        while missing >= len(chunk := chunks[index]):
            parts.append(chunk)
            missing -= len(chunk)
            index += 1
            if not missing:
                break
        if missing:
            parts.append(memoryview(chunk)[:missing])
        self._drop(index)
        self._offset = missing
        return b"".join(parts)

    def take_into(self, target: memoryview) -> int:
        """Move as many bytes as there are, and fit, into ``target``; return how many."""
        count = min(len(target), self.size)
        chunks = self._chunks
        index, offset = self._first, self._offset
        done = 0
        while done < count:
            chunk = chunks[index]
            part = min(len(chunk) - offset, count - done)
            target[done : done + part] = memoryview(chunk)[offset : offset + part]
            done += part
            offset += part
            if offset == len(chunk):
                index += 1
                offset = 0
        self.size -= count
        self._drop(index)
        self._offset = offset
        return count

    def joined(self) -> bytes:
        """All bytes as one object, left in the buffer as its only chunk."""
        if len(self._chunks) - self._first == 1 and not self._offset:
            return self._chunks[self._first]
        data = self.take(self.size)
        if data:
            self.append(data)
        return data

    def chunks_from(self, position: int) -> list[bytes]:
        """Return the chunks that hold the bytes from ``position`` on, the first one cut to it.

        Walks from the end: the position is that of recent data.
        """
        found: list[bytes] = []
        start = self.size
        index = len(self._chunks)
        while start > position:
            index -= 1
            chunk = self._chunks[index]
            if index == self._first and self._offset:
                chunk = chunk[self._offset :]
            start -= len(chunk)
            found.append(chunk)
        if start < position:
            found[-1] = found[-1][position - start :]
        found.reverse()
        return found

    def _drop(self, index: int) -> None:
        self._offset = 0
        if index == len(self._chunks):
            self._chunks.clear()
            self._first = 0
        elif index > _COMPACT and index * 2 > len(self._chunks):
            del self._chunks[:index]
            self._first = 0
        else:
            # Let go of what was taken without moving the rest.
            for taken in range(self._first, index):
                self._chunks[taken] = b""
            self._first = index
