"""Decompression with bounded output, for bodies under a Content-Encoding.

Compressed bytes go into `Decompressor.feed`, at most ``max_length`` bytes come out of each call;
``unconsumed`` says that there is more to come before new input is needed. No input makes memory
grow beyond the input and ``max_length``, and the time is linear in input and output.
`BadCompressedData` for what is corrupt, truncated (`Decompressor.finish`) or followed by something
else; `OutputTooLarge` for what grows beyond ``max_output``.

=========  =============================================================================
coding     accepted
=========  =============================================================================
gzip       RFC 1952: one or more members, nothing else
deflate    a zlib stream (RFC 1950), or the bare deflate data (RFC 1951) that some send
br         RFC 7932: one stream
zstd       RFC 8878: one or more frames, a window of 8 MiB at most (RFC 9659)
=========  =============================================================================
"""

import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Protocol

from zonda.httputil.codings import brotli_library, parse_content_encoding, zstd_library
from zonda.httputil.errors import BadCompressedData, OutputTooLarge

__all__ = ["Decompressor", "decoder_for"]

_CHUNK = 64 * 1024
# Input is passed on in pieces, as the libraries copy what they have not used: a small piece at the
# beginning of each member, so that a body of a million tiny members costs no more than another.
_FIRST_PIECE = 512
_MAX_CODINGS = 3
_ZSTD_WINDOW_LOG = 23


class Decompressor(Protocol):
    """One body being decompressed; made by `decoder_for`."""

    @property
    def unconsumed(self) -> bool:
        """Whether ``feed(b"")`` may have more output."""
        ...

    def feed(self, data: bytes, max_length: int = _CHUNK) -> bytes:
        """Take more compressed bytes and return at most ``max_length`` decompressed ones.

        Input that is not used yet is kept: call again with ``b""`` while ``unconsumed``.

        Raises:
            BadCompressedData: for data that is not in the coding's format.
            OutputTooLarge: when the whole output exceeds what `decoder_for` was told.
        """
        ...

    def finish(self) -> None:
        """Check, after all input and output, that the data was complete.

        Raises:
            BadCompressedData: if it was not.
            RuntimeError: if there is more output to be had.
        """
        ...


def decoder_for(content_encoding: str, max_output: int | None = None) -> Decompressor | None:
    r"""Return what undoes the codings of a Content-Encoding field; None if one is not known here.

    Without any coding (``identity``) the data comes out as it is, within the same bounds.

    Args:
        content_encoding: Value of the field; of several codings the last one is undone first.
        max_output: Most bytes that may come out altogether; None for no limit.

    >>> decoder = decoder_for("deflate")
    >>> decoder.feed(zlib.compress(b"hello" * 10), max_length=7), decoder.unconsumed
    (b'hellohe', True)
    >>> len(decoder.feed(b""))
    43
    >>> decoder.finish()

    Raises:
        BadCompressedData: for more than three codings, which nobody needs.
    """
    codings = parse_content_encoding(content_encoding)
    if len(codings) > _MAX_CODINGS:
        raise BadCompressedData(f"{len(codings)} content codings on top of each other")
    stages: list[Decompressor] = []
    for coding in reversed(codings):
        # What is between two codings may be larger than the result, but not by much.
        limit = max_output
        if limit is not None and len(stages) < len(codings) - 1:
            limit += limit // 8 + 1024
        stage = _stage(coding, limit)
        if stage is None:
            return None
        stages.append(stage)
    if not stages:
        return _Stage("identity", _Identity, True, max_output)
    return stages[0] if len(stages) == 1 else _Chain(stages)


def _stage(coding: str, max_output: int | None) -> "_Stage | None":
    if coding == "gzip":
        return _Stage(coding, _gzip, True, max_output)
    if coding == "deflate":
        return _Stage(coding, _Deflate, False, max_output)
    if coding == "br" and (brotli := brotli_library()) is not None:
        return _Stage(coding, lambda: _Brotli(brotli), False, max_output)
    if coding == "zstd" and (zstd := zstd_library()) is not None:
        return _Stage(coding, lambda: _Zstd(zstd), True, max_output)
    return None


class _Member(Protocol):
    """One member (frame, stream) of a coding, as one of the libraries decodes it.

    Attributes:
        error: What the library raises for bad data.
        rest: Input that was not used; to be given again, or left over behind the end.
        more: Whether there is output to be had without input; no input is taken before.
        ended: Whether the member is complete.
    """

    error: type[Exception]
    rest: bytes
    more: bool
    ended: bool

    def decode(self, data: bytes, max_length: int) -> bytes: ...


class _Stage:
    """One coding: its members one after the other, within its bounds."""

    def __init__(
        self,
        coding: str,
        new_member: Callable[[], _Member],
        repeatable: bool,
        max_output: int | None,
    ) -> None:
        self._coding = coding
        self._new_member = new_member
        self._repeatable = repeatable
        self._max_output = max_output
        self._produced = 0
        self._input = b""
        self._position = 0
        self._piece = 0
        self._member: _Member | None = None
        self._complete = False

    @property
    def unconsumed(self) -> bool:
        return self._position < len(self._input) or (self._member is not None and self._member.more)

    def feed(self, data: bytes, max_length: int = _CHUNK) -> bytes:
        if data:
            self._input = self._input[self._position :] + data
            self._position = 0
        output = []
        room = max_length
        if self._max_output is not None:
            room = min(room, self._max_output - self._produced + 1)
        while room > 0 and self.unconsumed:
            chunk = self._decode(room)
            if chunk:
                output.append(chunk)
                room -= len(chunk)
                self._produced += len(chunk)
        if self._max_output is not None and self._produced > self._max_output:
            raise OutputTooLarge(self._max_output)
        return output[0] if len(output) == 1 else b"".join(output)

    def _decode(self, room: int) -> bytes:
        member = self._member
        if member is None:
            if self._complete and not self._repeatable:
                raise BadCompressedData(f"data after the end of the {self._coding} data")
            member = self._member = self._new_member()
            self._complete = False
            self._piece = _FIRST_PIECE
        piece = b""
        if not member.more:
            piece = self._input[self._position : self._position + self._piece]
            self._piece = min(self._piece * 2, _CHUNK)
        try:
            chunk = member.decode(piece, room)
        except member.error as error:
            raise BadCompressedData(f"not {self._coding} data: {error}") from error
        self._position += len(piece)
        if len(member.rest) <= len(piece):
            self._position -= len(member.rest)
        else:  # with what is left of a piece that was handed over some calls ago
            self._input = member.rest + self._input[self._position :]
            self._position = 0
        if member.ended:
            self._member = None
            self._complete = True
        return chunk

    def finish(self) -> None:
        if self.unconsumed:
            raise RuntimeError("finish() before all output was taken")
        if self._member is not None:
            raise BadCompressedData(f"{self._coding} data is truncated")


class _Chain:
    """Several codings, the one that was applied last first."""

    def __init__(self, stages: list[Decompressor]) -> None:
        self._stages = stages

    @property
    def unconsumed(self) -> bool:
        return any(stage.unconsumed for stage in self._stages)

    def feed(self, data: bytes, max_length: int = _CHUNK) -> bytes:
        stages = self._stages
        last = len(stages) - 1
        stages[0].feed(data, 0)
        output = []
        room = max_length
        while room > 0:
            # Go on at the stage nearest to the exit that can: so little is held in between.
            level = last
            while level >= 0 and not stages[level].unconsumed:
                level -= 1
            if level < 0:
                break
            if level == last:
                chunk = stages[level].feed(b"", room)
                output.append(chunk)
                room -= len(chunk)
            else:
                stages[level + 1].feed(stages[level].feed(b"", _CHUNK), 0)
        return b"".join(output)

    def finish(self) -> None:
        for stage in self._stages:
            stage.finish()


class _Zlib:
    error: type[Exception] = zlib.error

    def __init__(self, wbits: int) -> None:
        self._decoder = zlib.decompressobj(wbits)
        self.rest = b""
        self.more = False
        self.ended = False

    def decode(self, data: bytes, max_length: int) -> bytes:
        decoder = self._decoder
        output = decoder.decompress(data, max_length)
        self.ended = decoder.eof
        self.rest = decoder.unused_data if self.ended else decoder.unconsumed_tail
        # zlib does not tell whether it holds output back; asking once too often does no harm.
        self.more = not self.ended and not self.rest and len(output) == max_length
        return output


def _gzip() -> _Zlib:
    return _Zlib(16 + zlib.MAX_WBITS)


class _Deflate:
    """zlib format if the first two bytes are its header, or else bare deflate data."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._head = b""
        self._member: _Zlib | None = None
        self.rest = b""
        self.more = False
        self.ended = False

    def decode(self, data: bytes, max_length: int) -> bytes:
        if self._member is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return b""
            # RFC 1950 section 2.2. No deflate encoder begins like this: it would be a stored
            # block whose padding is not zero.
            is_zlib = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._member = _Zlib(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        output = self._member.decode(data, max_length)
        self.rest, self.more, self.ended = self._member.rest, self._member.more, self._member.ended
        return output


class _Brotli:
    def __init__(self, library: ModuleType) -> None:
        self.error: type[Exception] = library.error
        self._decoder = library.Decompressor()
        self._held = b""
        self.rest = b""
        self.more = False
        self.ended = False

    def decode(self, data: bytes, max_length: int) -> bytes:
        decoder = self._decoder
        # The library takes the limit for a hint, and returns up to 32 KiB more.
        output: bytes = self._held or decoder.process(data, output_buffer_limit=max_length)
        self._held = output[max_length:]
        finished = decoder.is_finished()
        self.ended = finished and not self._held
        self.more = bool(self._held) or not (finished or decoder.can_accept_more_data())
        return output[:max_length]


class _Zstd:
    def __init__(self, library: ModuleType) -> None:
        self.error: type[Exception] = library.ZstdError
        options = {library.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._decoder = library.ZstdDecompressor(options=options)
        self.rest = b""
        self.more = False
        self.ended = False

    def decode(self, data: bytes, max_length: int) -> bytes:
        decoder = self._decoder
        output: bytes = decoder.decompress(data, max_length)
        self.ended = decoder.eof
        self.rest = decoder.unused_data if self.ended else b""
        self.more = not self.ended and not decoder.needs_input
        return output


class _Identity:
    error: type[Exception] = ValueError  # never raised

    def __init__(self) -> None:
        self.rest = b""
        self.more = False
        self.ended = False

    def decode(self, data: bytes, max_length: int) -> bytes:
        self.rest = data[max_length:]
        self.ended = not self.rest
        return data[:max_length]
