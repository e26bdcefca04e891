"""Decompression: every coding whole, bytewise and bounded; bombs, garbage, truncation."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.codings import available_codings, brotli_library
from zonda.httputil.compression import compressor_for
from zonda.httputil.decompression import Decompressor, decoder_for
from zonda.httputil.errors import BadCompressedData, HTTPInputError, OutputTooLarge

TEXT = b"".join(b"%d bottles of beer, " % i for i in range(2000))


def raw_deflate(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return encoder.compress(data) + encoder.flush()


def compressed(coding: str, data: bytes) -> bytes:
    encoder = compressor_for(coding)
    return encoder.compress(data) + encoder.finish()


# How to make data for a Content-Encoding.
ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
    "two": ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    "three": ("deflate,,gzip , gzip", lambda d: gzip.compress(gzip.compress(zlib.compress(d)))),
}
for _coding in ("br", "zstd"):
    if _coding in available_codings():
        ENCODERS[_coding] = (_coding, lambda data, coding=_coding: compressed(coding, data))  # type: ignore[misc]

coded = pytest.mark.parametrize("name", ENCODERS)
# Those that have an end of their own.
ending = pytest.mark.parametrize("name", [name for name in ENCODERS if name != "identity"])


def decoder(name: str, max_output: int | None = None) -> Decompressor:
    found = decoder_for(ENCODERS[name][0], max_output)
    assert found is not None
    return found


def decompress(
    name: str,
    data: bytes,
    step: int = 1 << 30,
    max_length: int = 1000,
    max_output: int | None = None,
) -> bytes:
    stage = decoder(name, max_output)
    output = []
    for i in range(0, len(data), step):
        chunk = stage.feed(data[i : i + step], max_length)
        output.append(chunk)
        while stage.unconsumed:
            assert len(chunk) <= max_length
            chunk = stage.feed(b"", max_length)
            output.append(chunk)
    stage.finish()
    return b"".join(output)


def test_optional_codings_are_tested_where_they_are_installed() -> None:
    pytest.importorskip("brotli")
    pytest.importorskip("backports.zstd")
    assert available_codings() == ("br", "zstd", "gzip", "deflate")


@coded
@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(10_000)], ids=["empty", "x", "text", "0"])
@pytest.mark.parametrize("step", [1, 7, 1 << 30])
@pytest.mark.parametrize("max_length", [1, 1000, 1 << 20])
def test_round_trip(name: str, data: bytes, step: int, max_length: int) -> None:
    if max_length == 1:
        data = data[:2000]
    assert decompress(name, ENCODERS[name][1](data), step, max_length) == data


@given(st.binary(max_size=200), st.integers(1, 300), st.integers(1, 300))
def test_any_split_gives_the_same(data: bytes, step: int, max_length: int) -> None:
    for name, (_, encode) in ENCODERS.items():
        assert decompress(name, encode(data), step, max_length) == data


@given(st.binary(max_size=200), st.integers(1, 300), st.booleans())
def test_nothing_undocumented_is_raised(data: bytes, step: int, begin_well: bool) -> None:
    for name, (_, encode) in ENCODERS.items():
        start = encode(TEXT)[: len(data)] if begin_well else b""
        try:
            decompress(name, start + data, step, max_output=10_000)
        except HTTPInputError:
            pass


@ending
@pytest.mark.parametrize("step", [1, 1 << 30])
def test_truncated(name: str, step: int) -> None:
    data = ENCODERS[name][1](b"hello world")
    for length in range(1, len(data)):
        with pytest.raises(BadCompressedData):
            decompress(name, data[:length], step)


@ending
@pytest.mark.parametrize("garbage", [b"x", b"\x00" * 100, b"<html>", b"\x1f\x8bnot gzip"])
@pytest.mark.parametrize("step", [1, 1 << 30])
def test_trailing_garbage(name: str, garbage: bytes, step: int) -> None:
    with pytest.raises(BadCompressedData):
        decompress(name, ENCODERS[name][1](b"hello") + garbage, step)


@ending
def test_corrupt(name: str) -> None:
    data = bytearray(ENCODERS[name][1](TEXT))
    wrong = 0
    for i in range(0, len(data), len(data) // 40):
        data[i] ^= 0x55
        try:
            wrong += decompress(name, bytes(data), max_output=10**6) != TEXT
        except HTTPInputError:
            wrong += 1
        data[i] ^= 0x55
    # Brotli and bare deflate have no checksum, and gzip's header has bytes that mean nothing.
    assert wrong > 30


@pytest.mark.parametrize("name", [name for name in ("gzip", "zstd") if name in ENCODERS])
@pytest.mark.parametrize("step", [1, 5, 1 << 30])
def test_several_members(name: str, step: int) -> None:
    encode = ENCODERS[name][1]
    data = encode(b"hello, ") + encode(b"") + encode(b"world") * 100
    for max_length in (1, 3, 1 << 20):
        assert decompress(name, data, step, max_length) == b"hello, " + b"world" * 100


def test_no_data_at_all_is_an_empty_body() -> None:
    for name in ENCODERS:
        stage = decoder(name)
        assert stage.feed(b"") == b""
        stage.finish()


def test_finish_is_for_the_end() -> None:
    for name, (_, encode) in ENCODERS.items():
        stage = decoder(name)
        stage.feed(encode(TEXT), 10)
        with pytest.raises((RuntimeError, BadCompressedData)):
            stage.finish()


@coded
def test_input_may_come_before_all_output_was_taken(name: str) -> None:
    encode = ENCODERS[name][1]
    data = encode(TEXT)
    stage = decoder(name)
    output = [stage.feed(data[i : i + 100], 50) for i in range(0, len(data), 100)]
    while stage.unconsumed:
        output.append(stage.feed(b"", 5000))
    stage.finish()
    assert b"".join(output) == TEXT


@coded
def test_limit_of_the_whole(name: str) -> None:
    data = ENCODERS[name][1](TEXT)
    assert decompress(name, data, max_output=len(TEXT)) == TEXT
    for step in (1, 1 << 30):
        with pytest.raises(OutputTooLarge) as caught:
            decompress(name, data, step, max_output=len(TEXT) - 1)
        assert caught.value.limit == len(TEXT) - 1
        assert caught.value.status == 413


def bomb(name: str) -> bytes:
    """Compressed zeros, 10 MiB or more."""
    if name == "two":
        return zlib.compress(gzip.compress(bytes(10 << 20)))
    return ENCODERS[name][1](bytes(10 << 20))


@ending
def test_a_bomb_costs_bounded_memory(name: str) -> None:
    # CVE-2025-69223: 10 MiB of zeros, and of those a thousand times what is taken.
    data = bomb(name)
    stage = decoder(name)
    tracemalloc.start()
    try:
        assert stage.feed(data, 10 << 10) == bytes(10 << 10)
        for _ in range(100):
            assert len(stage.feed(b"", 10 << 10)) <= 10 << 10
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20
    with pytest.raises(OutputTooLarge):
        decompress(name, data, max_length=1 << 16, max_output=1 << 20)


def test_a_thousand_members_of_zeros() -> None:
    # 10 GiB in all, if one went on.
    data = gzip.compress(bytes(10 << 20)) * 1000
    with pytest.raises(OutputTooLarge):
        decompress("gzip", data, max_length=1 << 16, max_output=30 << 20)


def test_a_bomb_inside_a_bomb() -> None:
    # What is between the codings is bounded too, though next to nothing comes out in the end.
    inner = gzip.compress(b"") * 500_000
    with pytest.raises(OutputTooLarge):
        decompress("two", zlib.compress(inner), max_output=1 << 20)


@pytest.mark.skipif("br" not in available_codings(), reason="no brotli")
def test_old_brotli_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Brotli:
        class Decompressor:  # before 1.2 there was no way to bound its output
            def process(self, data: bytes) -> bytes:
                raise NotImplementedError

    monkeypatch.setitem(__import__("sys").modules, "brotli", Brotli)
    brotli_library.cache_clear()
    try:
        assert decoder_for("br") is None
        assert "br" not in available_codings()
    finally:
        monkeypatch.undo()
        brotli_library.cache_clear()


@pytest.mark.skipif("zstd" not in available_codings(), reason="no zstd")
def test_zstd_window_is_bounded() -> None:
    zstd = pytest.importorskip("backports.zstd")
    options = {zstd.CompressionParameter.window_log: 27}
    encoder = zstd.ZstdCompressor(options=options)
    data = encoder.compress(bytes(1 << 20)) + encoder.flush()
    with pytest.raises(BadCompressedData, match="zstd"):
        decompress("zstd", data)


def test_unknown_codings() -> None:
    for value in ("compress", "gzip, foo", "foo, gzip", "gzip;q=1", "b r"):
        assert decoder_for(value) is None


def test_many_codings_are_refused() -> None:
    with pytest.raises(BadCompressedData, match="4 content codings"):
        decoder_for("gzip, gzip, gzip, gzip")
    assert decoder_for("identity, gzip, identity, gzip, , , gzip") is not None


def test_order_of_codings() -> None:
    data = zlib.compress(gzip.compress(b"hello"))
    assert decompress("two", data) == b"hello"
    stage = decoder_for("deflate, gzip")
    assert stage is not None
    with pytest.raises(BadCompressedData):
        stage.feed(data)


def test_deflate_that_looks_like_neither() -> None:
    with pytest.raises(BadCompressedData, match="not deflate data"):
        decompress("raw", b"\xff\xff\xff")


@pytest.mark.parametrize("name", [name for name in ("gzip", "zstd") if name in ENCODERS])
@pytest.mark.parametrize("step", [100, 1 << 30])
def test_many_tiny_members_cost_linear_time(name: str, step: int) -> None:
    def cost(count: int) -> float:
        data = ENCODERS[name][1](b"") * count
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            assert decompress(name, data, step) == b""
            best = min(best, time.process_time() - start)
        return best

    assert cost(20_000) < 8 * cost(5000) + 0.01
