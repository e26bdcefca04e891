"""The chunked coding by itself; malformed input is in the rows of the two connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.http1 import Limits, RemoteProtocolError
from zonda.httputil.http1.chunked import ChunkedReader, encode_chunk

pieces = st.lists(st.binary(max_size=40), max_size=20)


def encode(chunks: list[bytes]) -> bytes:
    return b"".join(b"".join(encode_chunk(chunk)) for chunk in chunks) + b"0\r\n\r\n"


@given(pieces, st.integers(1, 50))
def test_decode_is_the_inverse_of_encode(chunks: list[bytes], step: int) -> None:
    encoded = encode(chunks)
    reader = ChunkedReader(Limits())
    buffer = bytearray()
    content = b""
    position = 0
    for i in range(0, len(encoded), step):
        assert not reader.done
        buffer += encoded[i : i + step]
        found, position = reader.read(buffer, position, None)
        content += found
    assert reader.done
    assert position == len(buffer)
    assert content == b"".join(chunks)
    assert reader.read(buffer, position, None) == (b"", position)


@pytest.mark.parametrize("size", [1, 16384, 16385, 70000])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_encode(size: int, kind: type[bytes]) -> None:
    data = kind(b"x" * size)
    buffers = encode_chunk(data)
    assert b"".join(buffers) == b"%x\r\n%s\r\n" % (size, b"x" * size)
    if size > 16384:
        assert buffers[1] is data


def test_an_empty_chunk_is_not_the_end() -> None:
    assert encode_chunk(b"") == []


def test_what_follows_the_message_is_left() -> None:
    reader = ChunkedReader(Limits())
    assert reader.read(b"..1\r\na\r\n0\r\nA: b\r\n\r\nGET", 2, None) == (b"a", 19)
    assert reader.done
    assert reader.trailers is not None
    assert reader.trailers["A"] == "b"


def test_content_in_front_of_a_fault_comes_first() -> None:
    reader = ChunkedReader(Limits())
    data = b"1\r\na\r\n1\r\nb\r\n5\r\nc"
    content, position = reader.read(data, 0, 4)
    assert content == b"ab"
    with pytest.raises(RemoteProtocolError) as caught:
        reader.read(data, position, 4)
    assert caught.value.status == 413


def test_tiny_chunks_come_as_one_piece() -> None:
    reader = ChunkedReader(Limits())
    content, _ = reader.read(b"1\r\nx\r\n" * 10_000, 0, None)
    assert content == b"x" * 10_000
