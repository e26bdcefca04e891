"""Compression for bodies under a Content-Encoding.

`compressor_for` takes a coding's name; bytes go into `Compressor.compress`, compressed bytes come
out of it, of ``flush`` (so that the peer can decode all that was put in) and of ``finish``. Nothing
is raised for any data.
"""

import zlib
from types import ModuleType
from typing import Protocol

from zonda.httputil.codings import available_codings, brotli_library, zstd_library
from zonda.httputil.decompression import Decompressor, decoder_for

__all__ = ["Compressor", "Decompressor", "available_codings", "compressor_for", "decoder_for"]

# What pays for answers that are compressed as they are made: brotli and zstd at these levels are
# about as fast as zlib at its own default, and smaller.
_DEFAULT_LEVELS = {"gzip": 6, "deflate": 6, "br": 4, "zstd": 3}
_ZSTD_MAX_LEVEL = 19  # beyond it windows exceed the 8 MiB of RFC 9659


class Compressor(Protocol):
    """One body being compressed; made by `compressor_for`."""

    def compress(self, data: bytes) -> bytes:
        """Take more bytes and return what is ready, possibly nothing."""
        ...

    def flush(self) -> bytes:
        """Return all that is held back, at some cost in size; more may follow."""
        ...

    def finish(self) -> bytes:
        """Return the rest, the end of the format included."""
        ...


def compressor_for(coding: str, level: int | None = None) -> Compressor:
    """Return a compressor for one of `available_codings`.

    Args:
        coding: ``gzip``, ``deflate`` (the zlib format, RFC 1950), ``br`` or ``zstd``.
        level: The library's own measure: 0-9 for zlib, 0-11 for brotli, up to 19 for zstd. None
            for what suits answers made on the fly.

    >>> compressor = compressor_for("gzip")
    >>> body = compressor.compress(b"hello") + compressor.finish()
    >>> decoder_for("gzip").feed(body)
    b'hello'

    Raises:
        LookupError: for a coding that is unknown or whose library is not installed.
    """
    if level is None:
        level = _DEFAULT_LEVELS.get(coding, 0)
    if coding == "gzip":
        return _Zlib(level, 16 + zlib.MAX_WBITS)
    if coding == "deflate":
        return _Zlib(level, zlib.MAX_WBITS)
    if coding == "br" and (brotli := brotli_library()) is not None:
        return _Brotli(brotli, level)
    if coding == "zstd" and (zstd := zstd_library()) is not None:
        return _Zstd(zstd, min(level, _ZSTD_MAX_LEVEL))
    raise LookupError(f"no compressor for content coding {coding!r}")


class _Zlib:
    def __init__(self, level: int, wbits: int) -> None:
        self._encoder = zlib.compressobj(level, zlib.DEFLATED, wbits)

    def compress(self, data: bytes) -> bytes:
        return self._encoder.compress(data)

    def flush(self) -> bytes:
        return self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._encoder.flush()


class _Brotli:
    def __init__(self, library: ModuleType, level: int) -> None:
        self._encoder = library.Compressor(quality=level)

    def compress(self, data: bytes) -> bytes:
        output: bytes = self._encoder.process(data)
        return output

    def flush(self) -> bytes:
        output: bytes = self._encoder.flush()
        return output

    def finish(self) -> bytes:
        output: bytes = self._encoder.finish()
        return output


class _Zstd:
    def __init__(self, library: ModuleType, level: int) -> None:
        self._encoder = library.ZstdCompressor(level=level)

    def compress(self, data: bytes) -> bytes:
        output: bytes = self._encoder.compress(data)
        return output

    def flush(self) -> bytes:
        output: bytes = self._encoder.flush(self._encoder.FLUSH_BLOCK)
        return output

    def finish(self) -> bytes:
        output: bytes = self._encoder.flush(self._encoder.FLUSH_FRAME)
        return output
