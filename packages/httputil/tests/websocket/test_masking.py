"""Masking: C, pure and naive agree; nothing but four bytes is a mask."""

import os
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import apply_mask, masking
from zonda.httputil.websocket.masking import apply_mask_pure, new_mask

Kind = type[bytes] | type[bytearray] | type[memoryview]
KINDS: list[Kind] = [bytes, bytearray, memoryview]


def naive(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


@given(st.binary(max_size=200), st.binary(min_size=4, max_size=4), st.sampled_from(KINDS))
def test_all_agree(data: bytes, mask: bytes, kind: Kind) -> None:
    expected = naive(data, mask)
    for function in (apply_mask, apply_mask_pure):
        result = function(kind(data), mask)
        assert type(result) is bytes
        assert result == expected
        assert function(result, mask) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 511, 2047, 2048, 2049, 2050, 2051, 70_000])
def test_sizes(size: int, kind: Kind) -> None:
    data, mask = os.urandom(size), b"\x00\x01\xfe\xff"
    expected = naive(data, mask)
    assert apply_mask(kind(data), mask) == expected
    assert apply_mask_pure(kind(data), mask) == expected


def test_both_with_the_c_function() -> None:
    speedups = pytest.importorskip("websockets.speedups")
    assert masking.apply_mask_unchecked is speedups.apply_mask


@pytest.mark.parametrize("mask", [b"", b"a", b"abc", b"abcde", b"abcdabcd"])
@pytest.mark.parametrize("size", [0, 1, 8, 5000])
def test_mask_of_another_length(mask: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="a mask has 4 bytes"):
        apply_mask(b"x" * size, mask)


def test_views_of_other_shapes() -> None:
    wide = memoryview(array("H", range(50)))
    assert apply_mask(wide, b"abcd") == naive(wide.tobytes(), b"abcd")
    sparse = memoryview(bytes(range(100)))[::-3]
    assert apply_mask(sparse, b"abcd") == naive(sparse.tobytes(), b"abcd")


def test_masks_are_random_and_differ() -> None:
    masks = [new_mask() for _ in range(2000)]
    assert all(type(mask) is bytes and len(mask) == 4 for mask in masks)
    assert len(set(masks)) > 1990


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_has_masks_of_its_own() -> None:
    new_mask()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"".join(new_mask() for _ in range(50)))
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    data = os.read(reader, 1000)
    os.close(reader)
    theirs = {data[at : at + 4] for at in range(0, len(data), 4)}
    ours = {new_mask() for _ in range(200)}
    assert len(theirs) == 50
    assert not theirs & ours
