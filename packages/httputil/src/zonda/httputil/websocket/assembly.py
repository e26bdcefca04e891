"""A message on its way in, put together from pieces of payload.

In: unmasked payload as it arrives, be it a whole fragment or a part of one
(`IncompleteMessage.append`, and `IncompleteMessage.complete` for the last piece). Out: the message,
when it is complete. `ConnectionFailed` is raised as soon as what is there shows that the message is
too large (1009), is text that is not UTF-8 (1007) or is not deflate data (1007 too: both are data
that is not what it says it is, and with one code the outcome does not depend on the pieces).

What came so far is held once, as bytes, however small the pieces were. Text is checked as it comes,
by decoding it, and decoded at the end: strings would take up to four times the memory.
"""

import zlib
from codecs import utf_8_decode

from zonda.httputil.websocket.closecodes import CloseCode
from zonda.httputil.websocket.deflate import MessageDecompressor
from zonda.httputil.websocket.errors import ConnectionFailed


class IncompleteMessage:
    """One message whose end is still to come.

    Args:
        is_text: Whether it is a text message.
        max_size: Most bytes of it, after decompression.
        decompressor: What undoes its compression; None for a message without.
    """

    __slots__ = ("_content", "_decompressor", "_half_character", "_is_text", "_max_size", "_taken")

    def __init__(
        self, is_text: bool, max_size: int, decompressor: MessageDecompressor | None
    ) -> None:
        self._is_text = is_text
        self._max_size = max_size
        self._decompressor = decompressor
        # bytes while there is one piece only, which is never copied then.
        self._content: bytes | bytearray = b""
        self._half_character = b""
        self._taken = 0

    def check_frame(self, length: int) -> None:
        """Refuse a frame whose payload would be too large, before any of it is there."""
        limit = self._max_size
        if self._decompressor is not None:
            # What deflate cannot shrink grows by less than this. Beyond it are blocks of nothing,
            # which could go on forever without a byte coming out.
            limit += limit // 8 + 1024
        self._taken += length
        if self._taken > limit:
            raise too_big(self._max_size)

    def append(self, piece: bytes) -> None:
        """Take a piece that is not the last one."""
        if self._decompressor is not None:
            piece = self._decompress(self._decompressor, piece, final=False)
        if not piece:
            return
        if self._is_text:
            self._check_text(piece)
        content = self._content
        if not content:
            self._content = piece
        elif type(content) is bytearray:
            content += piece
        else:
            self._content = joined = bytearray(content)
            joined += piece

    def complete(self, piece: bytes) -> str | bytes:
        """Take the last piece, and return the message."""
        if self._decompressor is not None:
            piece = self._decompress(self._decompressor, piece, final=True)
        content = self._content
        if not content:
            content = piece
        elif type(content) is bytearray or piece:
            content += piece
        if self._is_text:
            return decode_text(content)
        return bytes(content)

    def _decompress(self, decompressor: MessageDecompressor, piece: bytes, final: bool) -> bytes:
        room = self._max_size - len(self._content)
        try:
            output = decompressor.decompress(piece, room, final=final)
        except zlib.error as error:
            raise ConnectionFailed(
                CloseCode.INVALID_DATA, "compressed data is malformed"
            ) from error
        if len(output) > room:
            if self._is_text:
                self._check_text(output)  # as it would have been, had it come in smaller pieces
            raise too_big(self._max_size)
        return output

    def _check_text(self, piece: bytes) -> None:
        if self._half_character:
            piece = self._half_character + piece
        elif piece.isascii():  # ten times faster than to decode it
            return
        try:
            _, decoded = utf_8_decode(piece, "strict", False)
        except UnicodeDecodeError as error:
            raise not_utf8() from error
        self._half_character = piece[decoded:]


def decode_text(data: bytes | bytearray) -> str:
    """Decode the whole of a text message."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise not_utf8() from error


def too_big(limit: int) -> ConnectionFailed:
    """The failure that a message larger than ``limit`` is."""
    return ConnectionFailed(CloseCode.MESSAGE_TOO_BIG, f"message larger than {limit} bytes")


def not_utf8() -> ConnectionFailed:
    """The failure that text which is not UTF-8 is."""
    return ConnectionFailed(CloseCode.INVALID_DATA, "text is not UTF-8")
