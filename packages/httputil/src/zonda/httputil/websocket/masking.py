"""Masking of payloads (RFC 6455 §5.3): XOR with four bytes, over and over.

The C function of the ``websockets`` package does it when that is installed; it is some fifty times
faster on large payloads. Pure Python takes one big-integer XOR for short ones, and four table
look-ups of whole lanes for long ones. The mask is checked here, whichever does the work: C code
that trusts its length reads past its end.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

Buffer = bytes | bytearray | memoryview

_SHORT = 2048
_to_int = int.from_bytes


def apply_mask(data: Buffer, mask: bytes | bytearray) -> bytes:
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
    return apply_mask_unchecked(as_bytes_like(data), mask)


def apply_mask_pure(data: Buffer, mask: bytes | bytearray) -> bytes:
    """The same without C code; the arguments are trusted."""
    size = len(data)
    if size < _SHORT:
        repeated = (mask * (size // 4 + 1))[:size]
        return (_to_int(data) ^ _to_int(repeated)).to_bytes(size)
    if type(data) is memoryview:
        data = bytes(data)  # every fourth item of a view takes five times as long
    result = bytearray(size)
    for lane in range(4):
        # Every fourth byte meets the same byte of the mask.
        result[lane::4] = data[lane::4].translate(_table(mask[lane]))
    return bytes(result)


def as_bytes_like(data: Buffer) -> Buffer:
    """A buffer whose ``len`` is its number of bytes: memoryviews may have wider or sparse items."""
    if type(data) is memoryview and not (
        data.itemsize == 1 and data.ndim == 1 and data.c_contiguous
    ):
        return data.tobytes()
    return data


@lru_cache(maxsize=256)
def _table(key: int) -> bytes:
    return bytes(value ^ key for value in range(256))


def _has_submodule(package: str, name: str) -> bool:
    # Looks, and imports nothing.
    try:
        spec = find_spec(package)
    except ValueError:  # a module of that name without a file
        return False
    folders = spec.submodule_search_locations if spec is not None else None
    return any(any(Path(folder).glob(f"{name}.*")) for folder in folders or ())


apply_mask_unchecked: Callable[[Buffer, bytes | bytearray], bytes]
"""As `apply_mask`, for callers who know that their arguments are right."""
try:
    # Found before it is imported: a program's own file websockets.py must not run because of us.
    if not _has_submodule("websockets", "speedups"):
        raise ImportError("websockets is not installed, or without its C code")
    from websockets.speedups import apply_mask as apply_mask_unchecked
except ImportError:
    apply_mask_unchecked = apply_mask_pure


# Masks are drawn many at once: a system call for each would cost more than the rest of a frame.
_MASKS_DRAWN = 128
_masks: list[bytes] = []


def new_mask() -> bytes:
    """A mask that nobody can foresee (RFC 6455 §10.3): four bytes of the system's randomness."""
    try:
        return _masks.pop()
    except IndexError:
        drawn = os.urandom(4 * _MASKS_DRAWN)
        _masks.extend(drawn[at : at + 4] for at in range(4, len(drawn), 4))
        return drawn[:4]


if hasattr(os, "register_at_fork"):
    # A child must not use the masks that its parent will use.
    os.register_at_fork(after_in_child=_masks.clear)
