"""Masking of payloads (RFC 6455 §5.3): XOR with four bytes, over and over.

The C function of the ``websockets`` package does it when that is installed; it is some fifty times
faster on large payloads. Pure Python takes one big-integer XOR for short ones, and four table
look-ups of whole lanes for long ones. The mask is checked here, whichever does the work: C code
that trusts its length reads past its end.
"""

from collections.abc import Callable
from functools import lru_cache

_SHORT = 512


def apply_mask(data: bytes | bytearray | memoryview, mask: bytes) -> bytes:
    """Mask a payload, or unmask it: that is the same.

    Args:
        data: The payload.
        mask: Four bytes.

    Raises:
        ValueError: The mask has another length.

    >>> apply_mask(apply_mask(b"payload", b"mask"), b"mask")
    b'payload'
    """
    if len(mask) != 4:
        raise ValueError(f"a mask has 4 bytes, not {len(mask)}")
    return _apply(data, mask)


def apply_mask_pure(data: bytes | bytearray | memoryview, mask: bytes) -> bytes:
    """The same without C code; the mask is trusted."""
    size = len(data)
    if size < _SHORT:
        repeated = (mask * (size // 4 + 1))[:size]
        return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(
            size, "little"
        )
    result = bytearray(size)
    for lane in range(4):
        # Every fourth byte meets the same byte of the mask.
        result[lane::4] = bytes(data[lane::4]).translate(_table(mask[lane]))
    return bytes(result)


@lru_cache(maxsize=256)
def _table(key: int) -> bytes:
    return bytes(value ^ key for value in range(256))


_apply: Callable[[bytes | bytearray | memoryview, bytes], bytes]
try:
    from websockets.speedups import apply_mask as _apply
except ImportError:
    _apply = apply_mask_pure
