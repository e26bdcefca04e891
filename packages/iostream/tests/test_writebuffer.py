"""WriteBuffer: order, what is copied, futures."""

import array
import asyncio

import pytest

from zonda.iostream.writebuffer import COPY_BELOW, WriteBuffer

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(1, 60)))
def test_what_goes_in_comes_out(pieces: list[bytes], steps: list[int]) -> None:
    queue = WriteBuffer()
    for piece in pieces:
        queue.append(piece)
    message = b"".join(pieces)
    out = b""
    for step in steps:
        assert queue.size == len(message) - len(out)
        head = b"".join(queue.head())
        count = min(step, len(head))
        out += head[:count]
        queue.advance(count)
        assert queue.flushed == len(out)
    assert message.startswith(out)


def test_large_mutable_data_is_not_copied() -> None:
    queue = WriteBuffer()
    small, large = bytearray(b"s" * COPY_BELOW), bytearray(b"l" * (COPY_BELOW + 1))
    queue.append(small)
    queue.append(large)
    small[0] = large[0] = ord("X")
    assert bytes(queue.head()[0])[:1] == b"s"
    assert bytes(queue.head()[1])[:1] == b"X"


def test_other_formats_count_in_bytes() -> None:
    queue = WriteBuffer()
    queue.append(memoryview(array.array("I", range(5000))))
    assert queue.size == 20_000
    assert b"".join(queue.head()) == array.array("I", range(5000)).tobytes()


async def test_futures() -> None:
    queue = WriteBuffer()
    futures: list[asyncio.Future[None]] = []
    for _ in range(3):
        queue.append(b"12345")
        futures.append(asyncio.get_running_loop().create_future())
        queue.add_waiter(futures[-1])
    futures[0].cancel()
    queue.advance(9)
    assert [future.done() for future in futures] == [True, False, False]
    queue.advance(1)
    assert [future.done() for future in futures] == [True, True, False]
    queue.fail(OSError("gone"))
    assert isinstance(futures[2].exception(), OSError)
    assert queue.size == 0
    assert queue.head() == []
