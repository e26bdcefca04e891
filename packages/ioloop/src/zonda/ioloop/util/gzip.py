"""Gzip decompression in pieces, with a bound on what each call may return.

In: the compressed bytes as they arrive. Out: what they decompress to, up to ``max_length`` bytes
a call; the rest of the input waits in ``unconsumed_tail``. Raises ``zlib.error`` for anything
that is not a sequence of whole gzip members (RFC 1952 section 2.2).
"""

import warnings
import zlib
from typing import Final

# zlib copies what follows a member for each member it ends. Feeding it bounded steps keeps an
# input of a million empty members linear.
_STEP: Final = 16384
_GZIP: Final = 16 + zlib.MAX_WBITS
_MAGIC: Final = 0x1F


class GzipDecompressor:
    """Decompresses a gzip stream of one or more members.

    Example:
        >>> import gzip
        >>> decompressor = GzipDecompressor()
        >>> decompressor.decompress(gzip.compress(b"hello world"), max_length=5)
        b'hello'
        >>> decompressor.decompress(decompressor.unconsumed_tail, max_length=100)
        b' world'
        >>> decompressor.flush()
        b''
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._started = False  # within a member
        self._tail = b""

    def decompress(
        self, value: bytes | bytearray | memoryview, max_length: int | None = None
    ) -> bytes:
        """Decompress ``value``, the next bytes of the stream.

        Args:
            value: compressed bytes. Pass `unconsumed_tail` here before anything else.
            max_length: most bytes to return; 0 for no limit. Not to give it is deprecated: a
                few bytes can decompress to gigabytes.

        Returns:
            Decompressed bytes, possibly none.

        Raises:
            zlib.error: the input is not gzip, or a check sum is wrong.
            ValueError: ``max_length`` is negative.
        """
        if max_length is None:
            warnings.warn(
                "give GzipDecompressor.decompress a max_length (0 for no limit)",
                DeprecationWarning,
                stacklevel=2,
            )
            max_length = 0
        elif max_length < 0:
            raise ValueError(f"max_length must not be negative, got {max_length}")
        member = self._member
        output = []
        room = max_length
        view = memoryview(value).cast("B")
        position = 0
        end = len(view)
        while position < end:
            if not self._started:
                if view[position] != _MAGIC:
                    raise zlib.error("a gzip member does not begin with its magic number")
                self._started = True
            step = view[position : position + _STEP]
            piece = member.decompress(step, room)
            output.append(piece)
            # At the end of a member zlib may report the same bytes under both names.
            left = member.unused_data if member.eof else member.unconsumed_tail
            position += len(step) - len(left)
            if member.eof:
                member = self._member = zlib.decompressobj(_GZIP)
                self._started = False
            if max_length:
                room -= len(piece)
                if room == 0:
                    break
        self._tail = bytes(view[position:])
        return b"".join(output)

    @property
    def unconsumed_tail(self) -> bytes:
        """The input left over because the last call reached its ``max_length``."""
        return self._tail

    def flush(self) -> bytes:
        """Say that the stream ends here.

        Returns:
            ``b""``: everything was returned by `decompress`.

        Raises:
            zlib.error: the stream ends within a member.
            ValueError: `unconsumed_tail` was not passed to `decompress`.
        """
        if self._tail:
            raise ValueError("pass unconsumed_tail to decompress() before flush()")
        if self._started:
            raise zlib.error("the gzip stream ends within a member")
        return b""
