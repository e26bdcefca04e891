"""Frame headers: read as written, bit by bit and byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import ConnectionFailed
from zonda.httputil.websocket.frames import read_header, write_frame

DATA = (0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0xC1, 0x42)


@given(
    first=st.sampled_from(DATA),
    payload=st.integers(0, 70_000).map(bytes),
    mask=st.none() | st.binary(min_size=4, max_size=4),
    before=st.binary(max_size=5),
)
def test_read_what_was_written(
    first: int, payload: bytes, mask: bytes | None, before: bytes
) -> None:
    buffer = before + b"".join(write_frame(first, payload, mask))
    header = read_header(buffer, len(before))
    assert header is not None
    assert header.first == first
    assert header.masked is (mask is not None)
    assert header.mask == (mask or b"")
    assert header.length == len(payload) == len(buffer) - header.end
    for size in range(len(before), header.end):
        assert read_header(buffer[:size], len(before)) is None


@given(st.binary(max_size=20))
def test_any_bytes(data: bytes) -> None:
    """A header does not depend on how much of what follows is there, nor does its failure."""
    outcomes = []
    for size in range(len(data) + 1):
        try:
            header = read_header(bytearray(data[:size]), 0)
        except ConnectionFailed as error:
            outcomes.append(error.reason)
        else:
            if header is not None:
                outcomes.append(repr(header))
    assert len(set(outcomes)) <= 1


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_opcodes_that_nobody_knows_fail_at_once(opcode: int) -> None:
    with pytest.raises(ConnectionFailed, match=f"opcode {opcode}"):
        read_header(bytes((0x80 | opcode, 0x80)), 0)
