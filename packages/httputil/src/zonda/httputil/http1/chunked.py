"""The chunked transfer coding (RFC 9112 §7.1), both ways.

`ChunkedReader` takes the connection's buffer and a position in it and returns the content found and
the new position. "Not yet" is content ``b""`` with ``done`` still false. All chunks that are in the
buffer come back as one piece, so tiny chunks cost one event a read, not one each. It raises
`RemoteProtocolError`; content in front of the fault is returned first, so that what is seen does
not depend on how the bytes were split.
"""

import re
from typing import Final

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.head import (
    FIELD_BLOCK,
    FORBIDDEN,
    REQUEST_FRAMING,
    diagnose_trailers,
)
from zonda.httputil.http1.limits import Limits

Buffer = bytes | bytearray | memoryview

# Sixteen digits: nothing overflows in whatever else reads the same size. White space is allowed in
# front of an extension only.
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16}+)(?:[ \t]*+;([\t\x20-\x7e\x80-\xff]*+))?+\r\n")
_SIZE_LINE_START: Final = re.compile(rb"[0-9A-Fa-f]{1,16}+(?:[ \t]*+;|[ \t]*+\Z|\r\Z|\Z)")
_SIZE_LINE_START_LENGTH: Final = 64

_SIZE, _DATA, _DATA_END, _TRAILERS, _DONE = range(5)

SMALL: Final = 16 * 1024
"""Up to this many bytes copying into one buffer is cheaper than a buffer more to write."""


class ChunkedReader:
    """Reads one chunked message.

    Attributes:
        done: The end, trailers included, has been read.
        trailers: The trailer section, `None` without one.

    >>> reader = ChunkedReader(Limits())
    >>> reader.read(b"3\\r\\nabc\\r\\n2;x=y\\r\\nde\\r\\n0\\r\\n\\r\\n", 0, None)
    (b'abcde', 24)
    >>> reader.done
    True
    """

    __slots__ = (
        "_excess",
        "_fault",
        "_limits",
        "_remaining",
        "_scanned",
        "_state",
        "_total",
        "done",
        "trailers",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._state = _SIZE
        self._remaining = 0  # of the current chunk
        self._total = 0  # announced by all chunks so far
        self._excess = 0  # extension bytes beyond data bytes
        self._scanned = 0  # bytes of an incomplete line that hold no end of it
        self._fault: RemoteProtocolError | None = None
        self.done = False
        self.trailers: HTTPHeaders | None = None

    def read(
        self, buffer: bytes | bytearray, position: int, body_limit: int | None
    ) -> tuple[bytes, int]:
        """Decode what `buffer` holds from `position` on.

        Args:
            buffer: Received bytes; not modified.
            position: Where this reader stopped before.
            body_limit: Most content bytes of the message, `None` for no limit.

        Returns:
            The content and where the next call has to go on.

        Raises:
            RemoteProtocolError: Malformed or over a limit (status 413 for the body limit).
        """
        if self._fault is not None:
            raise self._fault
        pieces: list[bytes | bytearray] = []
        try:
            position = self._read(buffer, position, body_limit, pieces)
        except RemoteProtocolError as error:
            if not pieces:
                raise
            self._fault = error  # raised by the next call
        if len(pieces) == 1:
            return bytes(pieces[0]), position
        return b"".join(pieces), position

    def _read(
        self,
        buffer: bytes | bytearray,
        position: int,
        body_limit: int | None,
        pieces: list[bytes | bytearray],
    ) -> int:
        length = len(buffer)
        while True:
            if self._state == _SIZE:
                if self._scanned and not self._line_complete(buffer, position):
                    return position
                match = _SIZE_LINE.match(buffer, position)
                if match is None:
                    if buffer.find(b"\n", position) >= 0:
                        raise RemoteProtocolError("malformed chunk size or extension")
                    self._check_incomplete(buffer, position)
                    return position
                self._scanned = 0
                digits, extension = match.groups()
                size = int(digits, 16)
                if body_limit is not None and self._total + size > body_limit:
                    raise RemoteProtocolError(f"content larger than {body_limit} bytes", 413)
                if extension is not None:
                    excess = max(0, self._excess + len(extension) + 1 - size)
                    if excess > self._limits.chunk_extension:
                        raise RemoteProtocolError("too many chunk extensions")
                    self._excess = excess
                position = match.end()
                if not size:
                    self._state = _TRAILERS
                    continue
                self._total += size
                end = position + size
                if end + 2 <= length and buffer.startswith(b"\r\n", end):
                    pieces.append(buffer[position:end])  # the whole chunk is here: no states
                    position = end + 2
                    continue
                self._remaining = size
                self._state = _DATA
            elif self._state == _DATA:
                if position == length:
                    return position
                piece = buffer[position : position + self._remaining]
                pieces.append(piece)
                position += len(piece)
                self._remaining -= len(piece)
                if self._remaining:
                    return position
                self._state = _DATA_END
            elif self._state == _DATA_END:
                if buffer.startswith(b"\r\n", position):
                    position += 2
                    self._state = _SIZE
                elif position == length or (length - position == 1 and buffer[position] == 13):
                    return position
                else:
                    raise RemoteProtocolError("chunk data not followed by CRLF")
            elif self._state == _TRAILERS:
                return self._read_trailers(buffer, position)
            else:
                return position

    def _line_complete(self, buffer: bytes | bytearray, position: int) -> bool:
        # Only what is new since the last call is looked at, the beginning aside: a line that comes
        # a byte at a time costs linear time.
        scanned = self._scanned
        if buffer.find(b"\n", position + scanned) >= 0:
            return True
        self._check_incomplete(buffer, position)
        return False

    def _check_incomplete(self, buffer: bytes | bytearray, position: int) -> None:
        """Refuse what cannot become a size line, as soon as it is there."""
        scanned = self._scanned
        if scanned < _SIZE_LINE_START_LENGTH:
            start = bytes(buffer[position : position + _SIZE_LINE_START_LENGTH])
            if start and not _SIZE_LINE_START.match(start):
                raise RemoteProtocolError("malformed chunk size")
        if FORBIDDEN.search(buffer, position + max(0, scanned - 1)):
            raise RemoteProtocolError("malformed chunk extension")
        self._scanned = len(buffer) - position
        if self._scanned > self._limits.chunk_extension + _SIZE_LINE_START_LENGTH:
            raise RemoteProtocolError("chunk extension too long")

    def _read_trailers(self, buffer: bytes | bytearray, position: int) -> int:
        if buffer.startswith(b"\r\n", position):
            self._state = _DONE
            self.done = True
            return position + 2
        limits = self._limits
        end = buffer.find(b"\r\n\r\n", position + max(0, self._scanned - 3))
        if end < 0:
            available = len(buffer) - position
            bad = FORBIDDEN.search(buffer, position + max(0, self._scanned - 1))
            self._scanned = available
            if bad or available > limits.trailer:
                raise diagnose_trailers(bytes(buffer[position:]), limits)
            return position
        end += 2
        block = buffer[position:end].decode("latin-1")
        if (
            len(block) + 2 > limits.trailer
            or block.count("\n") > limits.field_count
            or not FIELD_BLOCK.fullmatch(block)
        ):
            raise diagnose_trailers(bytes(buffer[position : end + 2]), limits)
        # A recipient that merges trailers would frame, route or authorise by these (§6.5.1).
        if REQUEST_FRAMING.search("\n" + block):
            raise RemoteProtocolError("forbidden field in a trailer section")
        self.trailers = HTTPHeaders.from_block(block)
        self._state = _DONE
        self.done = True
        return end + 2


def encode_chunk(data: Buffer) -> list[Buffer]:
    """One chunk with `data` as its content; nothing for empty data (it would end the message).

    >>> encode_chunk(b"hello")
    [b'5\\r\\nhello\\r\\n']
    """
    length = data.nbytes if isinstance(data, memoryview) else len(data)
    if not length:
        return []
    size = b"%x\r\n" % length
    if length <= SMALL:
        return [b"".join((size, data, b"\r\n"))]
    return [size, data, b"\r\n"]
