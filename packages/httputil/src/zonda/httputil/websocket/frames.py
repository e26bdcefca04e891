"""Frames on the wire (RFC 6455 §5.2): headers read and written, nothing interpreted.

`read_header` takes a buffer and a position and returns where the payload begins; None stands for
"not all there yet". It raises `ConnectionFailed` for what no frame may look like.
"""

import struct
from typing import Final, NamedTuple

from zonda.httputil.websocket.closecodes import CloseCode
from zonda.httputil.websocket.errors import ConnectionFailed
from zonda.httputil.websocket.masking import Buffer, apply_mask_unchecked

CONTINUATION: Final = 0x0
"""Opcode of the fragments behind the first."""
TEXT: Final = 0x1
"""Opcode of a text message."""
BINARY: Final = 0x2
"""Opcode of a binary message."""
CLOSE: Final = 0x8
"""Opcode of a Close."""
PING: Final = 0x9
"""Opcode of a Ping."""
PONG: Final = 0xA
"""Opcode of a Pong."""

FIN: Final = 0x80
"""Bit of the first octet: the last fragment of a message."""
RSV1: Final = 0x40
"""Bit of the first octet, reserved for extensions: compressed, with permessage-deflate."""
RSV2: Final = 0x20
"""Bit of the first octet, reserved for extensions."""
RSV3: Final = 0x10
"""Bit of the first octet, reserved for extensions."""
OPCODE: Final = 0x0F
"""Bits of the first octet that are the opcode."""
MASKED: Final = 0x80
"""Bit of the second octet: the payload is masked."""

MAX_CONTROL_PAYLOAD: Final = 125
"""Bytes that a control frame may carry (RFC 6455 section 5.5)."""

#: Payloads up to this size go out in one piece with their header.
SMALL: Final = 16 * 1024

_DATA_OR_CONTROL: Final = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))


class FrameHeader(NamedTuple):
    """The header of one frame.

    Attributes:
        first: The first byte: FIN, RSV bits and opcode.
        masked: Whether the payload is masked.
        length: Bytes of payload.
        mask: Four bytes, empty without masking.
        end: Position behind the header.
    """

    first: int
    masked: bool
    length: int
    mask: bytes
    end: int


def read_header(buffer: bytes | bytearray, position: int) -> FrameHeader | None:
    """Read the header that begins at ``position``; None if it is not complete.

    Raises:
        ConnectionFailed: An unknown opcode, a control frame that is fragmented or too long, or a
            length that is not written in the fewest bytes.
    """
    available = len(buffer) - position
    if available < 2:
        return None
    first = buffer[position]
    second = buffer[position + 1]
    opcode = first & OPCODE
    length = second & 0x7F
    if opcode not in _DATA_OR_CONTROL:
        raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, f"unknown opcode {opcode}")
    if opcode >= CLOSE:
        if length > MAX_CONTROL_PAYLOAD:
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "control frame too long")
        if not first & FIN:
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "fragmented control frame")
    end = position + 2
    if length == 126:
        if available < 4:
            return None
        length = int.from_bytes(buffer[end : end + 2], "big")
        end += 2
        if length < 126:
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "length not in its shortest form")
    elif length == 127:
        if available < 10:
            return None
        length = int.from_bytes(buffer[end : end + 8], "big")
        end += 8
        if length < 65536 or length >> 63:
            raise ConnectionFailed(
                CloseCode.PROTOCOL_ERROR, "length not in its shortest form, or negative"
            )
    if not second & MASKED:
        return FrameHeader(first, False, length, b"", end)
    if len(buffer) < end + 4:
        return None
    return FrameHeader(first, True, length, bytes(buffer[end : end + 4]), end + 4)


def write_frame(first: int, payload: Buffer, mask: bytes | None) -> list[Buffer]:
    """Return the buffers of a frame: one if the payload is small or masked, else two.

    Args:
        first: FIN, RSV bits and opcode.
        payload: The payload, not masked yet; its ``len`` is its number of bytes.
        mask: Four bytes, None not to mask.
    """
    length = len(payload)
    flag = 0 if mask is None else MASKED
    if length < 126:
        header = bytes((first, flag | length))
    elif length < 65536:
        header = struct.pack("!BBH", first, flag | 126, length)
    else:
        header = struct.pack("!BBQ", first, flag | 127, length)
    if mask is not None:
        return [b"".join((header, mask, apply_mask_unchecked(payload, mask)))]
    if length <= SMALL:
        return [header + payload]
    return [header, payload]
