"""ReadBuffer against a plain bytes object, and what it costs."""

import time

import pytest

from zonda.iostream.readbuffer import ReadBuffer

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(min_size=1, max_size=20)),
        st.tuples(st.just("prepend"), st.binary(min_size=1, max_size=20)),
        st.tuples(st.just("take"), st.integers(0, 40)),
        st.tuples(st.just("into"), st.integers(0, 40)),
        st.tuples(st.just("from"), st.integers(0, 40)),
        st.tuples(st.just("joined"), st.none()),
    ),
    max_size=60,
)


@given(OPERATIONS)
def test_like_bytes(operations: list[tuple[str, object]]) -> None:
    buffer, model = ReadBuffer(), b""
    for name, value in operations:
        if name == "append":
            assert isinstance(value, bytes)
            buffer.append(value)
            model += value
        elif name == "prepend":
            assert isinstance(value, bytes)
            buffer.prepend(value)
            model = value + model
        elif name == "joined":
            assert buffer.joined() == model
        else:
            assert isinstance(value, int)
            count = min(value, len(model))
            if name == "take":
                assert buffer.take(count) == model[:count]
                model = model[count:]
            elif name == "into":
                target = bytearray(value)
                assert buffer.take_into(memoryview(target)) == count
                assert target[:count] == model[:count]
                model = model[count:]
            else:
                assert b"".join(buffer.chunks_from(count)) == model[count:]
        assert buffer.size == len(model)
    assert buffer.take(buffer.size) == model


def test_a_whole_chunk_is_not_copied() -> None:
    buffer = ReadBuffer()
    chunk = b"x" * 1000
    buffer.append(chunk)
    assert buffer.take(1000) is chunk


def test_many_small_takes_are_linear() -> None:
    buffer = ReadBuffer()
    for _ in range(200_000):
        buffer.append(b"x")
    started = time.perf_counter()
    for _ in range(200_000):
        buffer.take(1)
    assert time.perf_counter() - started < 5  # 0.2 s; quadratic would be minutes


def test_taken_chunks_are_let_go() -> None:
    buffer = ReadBuffer()
    for _ in range(10):
        buffer.append(b"x" * 100)
    buffer.take(350)
    assert sum(map(len, buffer._chunks)) == 700
