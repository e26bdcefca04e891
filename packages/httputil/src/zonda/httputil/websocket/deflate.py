"""permessage-deflate (RFC 7692): what is agreed on, and the compression itself.

`DeflateOptions` is what one side wants. A client offers it (`offer`) and checks the answer
(`agree`); a server answers an offer (`accept`). The outcome, `DeflateAgreement`, makes a
`MessageCompressor` and a `MessageDecompressor` for each side.

==============================  =====================================================
parameter                       in effect
==============================  =====================================================
server_no_context_takeover      the server compresses each message by itself
client_no_context_takeover      the client does
server_max_window_bits          the server's window is at most 2**n bytes
client_max_window_bits          the client's; in an offer without a value "I can be told"
==============================  =====================================================
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from zonda.httputil.websocket.errors import HandshakeError
from zonda.httputil.websocket.extensions import Parameters

NAME = "permessage-deflate"
"""The extension's name in ``Sec-WebSocket-Extensions``."""
CompressorSettings = tuple[int, int, int, int, int]
"""Level, method, window bits, memory level and strategy, as `zlib.compressobj` takes them."""
_PARAMETERS = frozenset(
    (
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    )
)
# What ends each block that zlib flushes, and what messages leave out (RFC 7692 §7.2.1).
_TAIL = b"\x00\x00\xff\xff"
# A peer may end its deflate stream inside a message and begin another (§7.2.3.4); that costs a
# decompressor each time, so not without end.
_MAX_STREAMS = 16
_OLD_NAMES = {"compression_level": "level", "mem_level": "memory_level"}
_WINDOW_BITS = {str(bits): bits for bits in range(8, 16)}


@dataclass(frozen=True, slots=True)
class DeflateAgreement:
    """What both sides have agreed on.

    Attributes:
        server_no_context_takeover: Whether the server compresses each message by itself.
        client_no_context_takeover: Whether the client does.
        server_max_window_bits: 8 to 15.
        client_max_window_bits: 8 to 15.
        level: Effort of our compressor, 0 to 9.
        memory_level: Memory of our compressor, 1 to 9.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 15
    client_max_window_bits: int = 15
    level: int = 6
    memory_level: int = 8

    def compressor(self, *, server: bool) -> "MessageCompressor":
        """The compressor of one side."""
        bits = self.server_max_window_bits if server else self.client_max_window_bits
        alone = self.server_no_context_takeover if server else self.client_no_context_takeover
        return MessageCompressor(bits, not alone, self.level, self.memory_level)

    def decompressor(self, *, server: bool) -> "MessageDecompressor":
        """The decompressor of one side: it reads what the other side's compressor wrote."""
        alone = self.client_no_context_takeover if server else self.server_no_context_takeover
        return MessageDecompressor(not alone)


@dataclass(frozen=True, slots=True)
class DeflateOptions:
    """What one side wants of the extension.

    Attributes:
        server_no_context_takeover: Ask for, or insist on, messages compressed one by one.
        client_no_context_takeover: The same of the client.
        server_max_window_bits: 8 to 15; None to leave it to the other side.
        client_max_window_bits: 8 to 15; None to leave it to the other side.
        level: Effort of our compressor, 0 to 9.
        memory_level: Memory of our compressor, 1 to 9: 2 ** (level + 9) bytes a connection.

    Raises:
        ValueError: A number is out of its range.

    >>> answer, agreement = DeflateOptions().accept([("server_max_window_bits", "10")])
    >>> answer, agreement.server_max_window_bits
    ([('server_max_window_bits', '10')], 10)
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | None = None
    level: int = 6
    memory_level: int = 8

    def __post_init__(self) -> None:
        for bits in (self.server_max_window_bits, self.client_max_window_bits):
            if bits is not None and not 8 <= bits <= 15:
                raise ValueError(f"window bits are 8 to 15, not {bits}")
        if not 0 <= self.level <= 9:
            raise ValueError(f"a compression level is 0 to 9, not {self.level}")
        if not 1 <= self.memory_level <= 9:
            raise ValueError(f"a memory level is 1 to 9, not {self.memory_level}")

    def offer(self) -> Parameters:
        """The parameters that a client offers."""
        parameters: list[tuple[str, str | None]] = []
        if self.server_no_context_takeover:
            parameters.append(("server_no_context_takeover", None))
        if self.client_no_context_takeover:
            parameters.append(("client_no_context_takeover", None))
        if self.server_max_window_bits is not None:
            parameters.append(("server_max_window_bits", str(self.server_max_window_bits)))
        # Without it the server could not ask for a smaller window.
        bits = self.client_max_window_bits
        parameters.append(("client_max_window_bits", None if bits is None else str(bits)))
        return parameters

    def accept(self, offer: Parameters) -> tuple[Parameters, DeflateAgreement] | None:
        """Answer one offer, as a server.

        Returns:
            The parameters of the answer, and what is agreed on; None to decline this offer, as it
            is malformed (RFC 7692 §7.1).
        """
        wanted = _read(offer, in_offer=True)
        if wanted is None:
            return None
        server_alone = "server_no_context_takeover" in wanted or self.server_no_context_takeover
        client_alone = "client_no_context_takeover" in wanted or self.client_no_context_takeover
        server_bits = min(
            wanted.get("server_max_window_bits") or 15, self.server_max_window_bits or 15
        )
        client_bits = 15
        if "client_max_window_bits" in wanted:  # else the client does not know how to
            client_bits = min(
                wanted["client_max_window_bits"] or 15, self.client_max_window_bits or 15
            )
        answer: list[tuple[str, str | None]] = []
        if server_alone:
            answer.append(("server_no_context_takeover", None))
        if client_alone:
            answer.append(("client_no_context_takeover", None))
        if server_bits < 15 or "server_max_window_bits" in wanted:
            answer.append(("server_max_window_bits", str(server_bits)))
        if client_bits < 15:
            answer.append(("client_max_window_bits", str(client_bits)))
        return answer, DeflateAgreement(
            server_alone, client_alone, server_bits, client_bits, self.level, self.memory_level
        )

    def agree(self, answer: Parameters) -> DeflateAgreement:
        """Check a server's answer to our offer, as a client.

        Raises:
            HandshakeError: It is malformed, or goes beyond the offer (RFC 7692 §7.1).
        """
        given = _read(answer, in_offer=False)
        if given is None:
            raise HandshakeError(f"malformed {NAME} parameters in the server's answer")
        if self.server_no_context_takeover and "server_no_context_takeover" not in given:
            raise HandshakeError("the server did not accept server_no_context_takeover")
        server_bits = given.get("server_max_window_bits") or 15
        if server_bits > (self.server_max_window_bits or 15):
            raise HandshakeError("the server did not accept server_max_window_bits")
        ours = self.client_max_window_bits or 15
        client_bits = given.get("client_max_window_bits") or ours
        if client_bits > ours:
            raise HandshakeError("the server answers a larger client_max_window_bits")
        return DeflateAgreement(
            "server_no_context_takeover" in given,
            "client_no_context_takeover" in given or self.client_no_context_takeover,
            server_bits,
            client_bits,
            self.level,
            self.memory_level,
        )


def compression_options(options: Mapping[str, Any] | None) -> DeflateOptions | None:
    """What the dictionary that `WebSocketHandler.get_compression_options` returns means.

    Args:
        options: None for no compression. Else ``compression_level`` and ``mem_level``, or any
            attribute of `DeflateOptions` by its name; all may be left out.

    Raises:
        ValueError: An unknown name, or a value out of its range.

    >>> compression_options({"compression_level": 1}).level
    1
    """
    if options is None:
        return None
    names = {field.name for field in fields(DeflateOptions)}
    arguments = {}
    for key, value in options.items():
        name = _OLD_NAMES.get(key, key)
        if name not in names:
            raise ValueError(f"unknown compression option {key!r}")
        arguments[name] = value
    return DeflateOptions(**arguments)


def _read(parameters: Parameters, *, in_offer: bool) -> dict[str, int | None] | None:
    """The parameters with window bits as numbers; None if they are malformed."""
    result: dict[str, int | None] = {}
    for name, value in parameters:
        if name in result or name not in _PARAMETERS:
            return None
        if name.endswith("_takeover"):
            if value is not None:
                return None
            result[name] = None
        elif value is None:
            if not (in_offer and name == "client_max_window_bits"):
                return None
            result[name] = None
        elif value in _WINDOW_BITS:
            result[name] = _WINDOW_BITS[value]
        else:
            return None
    return result


class MessageCompressor:
    """Compresses messages of one direction; zlib's memory is taken at the first one.

    Args:
        window_bits: 8 to 15.
        context_takeover: Whether a message may refer to those before it.
        level: 0 to 9.
        memory_level: 1 to 9.
    """

    __slots__ = ("_arguments", "_compressor", "_context_takeover")

    def __init__(
        self, window_bits: int, context_takeover: bool, level: int, memory_level: int
    ) -> None:
        strategy = zlib.Z_DEFAULT_STRATEGY
        if window_bits == 8:
            # zlib makes no raw stream with a window of 2**8 bytes. One that refers to the byte
            # before and to nothing else fits into any window.
            window_bits = 9
            strategy = zlib.Z_RLE
        self._arguments: CompressorSettings = (
            level,
            zlib.DEFLATED,
            -window_bits,
            memory_level,
            strategy,
        )
        self._context_takeover = context_takeover
        self._compressor: zlib._Compress | None = None

    @property
    def settings(self) -> CompressorSettings:
        """What decides how a message looks: equal settings, equal output."""
        return self._arguments

    @staticmethod
    def compress_alone(settings: CompressorSettings, data: bytes) -> bytes:
        """Compress a message that refers to no other."""
        compressor = zlib.compressobj(*settings)
        result = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return result.removesuffix(_TAIL) or b"\x00"

    def restart(self) -> None:
        """Refer to nothing that was said before.

        As has to be after a message that was not compressed here: the peer's window holds it, and
        ours does not.
        """
        self._compressor = None

    def compress(self, data: bytes | bytearray | memoryview, final: bool = True) -> bytes:
        """Compress a message, or a fragment of one (RFC 7692 §7.2.1).

        Args:
            data: The message or fragment.
            final: Whether the message ends here.
        """
        compressor = self._compressor
        if compressor is None:
            compressor = self._compressor = zlib.compressobj(*self._arguments)
        # Flushed at the end of each fragment, so that the peer can read it at once.
        result = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        if not final:
            return result
        if not self._context_takeover:
            self._compressor = None
        # Where there is nothing to flush, a lone header byte stands for it (§7.2.3.6).
        return result.removesuffix(_TAIL) or b"\x00"


class MessageDecompressor:
    """Decompresses messages of one direction, piece by piece, within bounds.

    It reads with the largest window, whatever was agreed: with a smaller one zlib would notice a
    reference beyond it or not, depending on how the data came in pieces.

    Args:
        context_takeover: Whether a message may refer to those before it.
    """

    __slots__ = ("_context_takeover", "_decompressor", "_streams")

    def __init__(self, context_takeover: bool) -> None:
        self._context_takeover = context_takeover
        self._decompressor: zlib._Decompress | None = None
        self._streams = 0

    def decompress(self, data: bytes, max_length: int, final: bool) -> bytes:
        """Decompress a message, or a piece of one.

        Args:
            data: The piece.
            max_length: Most bytes that may come out.
            final: Whether the message ends here.

        Returns:
            What comes out. One byte more than `max_length` says that it is too much: there may be
            more, and nothing can be decompressed after it.

        Raises:
            zlib.error: It is not deflate data.
        """
        if final:
            data += _TAIL
        if self._decompressor is None:
            self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        output = self._inflate(data, max_length) if max_length else b""
        if len(output) == max_length:
            # Full. Seldom is there more than the end of the message behind this.
            rest = self._decompressor.unconsumed_tail if max_length else data
            output += self._next_byte(rest)
        if final:
            self._streams = 0
            if not self._context_takeover:
                self._decompressor = None
        return output

    def _inflate(self, data: bytes, max_length: int) -> bytes:
        """At most ``max_length`` bytes, across the ends of deflate streams."""
        decompressor = self._decompressor
        assert decompressor is not None
        output = decompressor.decompress(data, max_length)
        while decompressor.eof and len(output) < max_length:
            # The last block of a stream (BFINAL, §7.2.3.4): what follows is another stream.
            self._streams += 1
            if self._streams > _MAX_STREAMS:
                raise zlib.error("too many deflate streams in one message")
            data = decompressor.unused_data
            decompressor = self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
            output += decompressor.decompress(data, max_length - len(output))
        return output

    def _next_byte(self, data: bytes) -> bytes:
        """The one byte that is too much, if there is one.

        zlib looks ahead: asked for one byte, it complains of malformed data right behind it, though
        in smaller pieces the byte would have come out first. So that too large a message is too
        large however it was cut, data with an error in it is read again byte by byte.
        """
        decompressor = self._decompressor
        assert decompressor is not None
        saved, streams = decompressor.copy(), self._streams
        try:
            return self._inflate(data, 1)
        except zlib.error:
            self._decompressor, self._streams = saved, streams
        output = self._inflate(b"", 1)
        for position in range(len(data)):
            if output:
                break
            output = self._inflate(data[position : position + 1], 1)
        return output
