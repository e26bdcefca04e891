"""Compression: what comes out can be read back, by others too, and after each flush."""

import gzip
import importlib
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.compression import available_codings, compressor_for, decoder_for

TEXT = b"hello world, " * 1000

OTHERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}
if "br" in available_codings():
    OTHERS["br"] = importlib.import_module("brotli").decompress


@pytest.mark.parametrize("coding", available_codings())
@pytest.mark.parametrize("level", [None, 1, 9])
def test_round_trip(coding: str, level: int | None) -> None:
    encoder = compressor_for(coding, level)
    data = encoder.compress(TEXT[:100]) + encoder.compress(b"") + encoder.compress(TEXT[100:])
    data += encoder.finish()
    assert len(data) < len(TEXT) / 50
    decoder = decoder_for(coding)
    assert decoder is not None
    assert decoder.feed(data) == TEXT
    decoder.finish()
    if coding in OTHERS:
        assert OTHERS[coding](data) == TEXT


@pytest.mark.parametrize("coding", available_codings())
@given(chunks=st.lists(st.binary(max_size=50), max_size=5))
def test_flush_lets_the_peer_read_on(coding: str, chunks: list[bytes]) -> None:
    encoder = compressor_for(coding)
    decoder = decoder_for(coding)
    assert decoder is not None
    for chunk in chunks:
        assert decoder.feed(encoder.compress(chunk) + encoder.flush()) == chunk
    assert decoder.feed(encoder.finish()) == b""
    decoder.finish()


@pytest.mark.parametrize("coding", available_codings())
def test_nothing(coding: str) -> None:
    encoder = compressor_for(coding)
    decoder = decoder_for(coding)
    assert decoder is not None
    assert decoder.feed(encoder.finish()) == b""
    decoder.finish()


@pytest.mark.skipif("zstd" not in available_codings(), reason="no zstd")
@pytest.mark.parametrize("level", [19, 22])
def test_zstd_window_is_one_that_browsers_accept(level: int) -> None:
    encoder = compressor_for("zstd", level)
    data = encoder.compress(bytes(1 << 20)) + encoder.finish()
    decoder = decoder_for("zstd")
    assert decoder is not None
    assert decoder.feed(data, 1 << 21) == bytes(1 << 20)


def test_same_input_same_output() -> None:
    # No time stamp in the header: a response's Etag would never match.
    first, second = (compressor_for("gzip") for _ in range(2))
    assert first.compress(TEXT) + first.finish() == second.compress(TEXT) + second.finish()


@pytest.mark.parametrize("coding", ["", "identity", "compress", "GZIP"])
def test_unknown(coding: str) -> None:
    with pytest.raises(LookupError, match="no compressor"):
        compressor_for(coding)
