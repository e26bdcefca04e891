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
from dataclasses import dataclass

from zonda.httputil.errors import OutputTooLarge
from zonda.httputil.websocket.errors import HandshakeError

NAME = "permessage-deflate"
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
# zlib cannot make a raw stream with a window of 2**8 bytes.
_SMALLEST_WINDOW = 9

Parameters = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class DeflateAgreement:
    """What both sides have agreed on.

    Attributes:
        server_no_context_takeover: See the module.
        client_no_context_takeover: See the module.
        server_max_window_bits: 8 to 15.
        client_max_window_bits: 8 to 15.
        level: Effort of our compressor, 1 to 9.
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
        bits = self.client_max_window_bits if server else self.server_max_window_bits
        alone = self.client_no_context_takeover if server else self.server_no_context_takeover
        return MessageDecompressor(bits, not alone)


@dataclass(frozen=True, slots=True)
class DeflateOptions:
    """What one side wants of the extension.

    Attributes:
        server_no_context_takeover: Ask for, or insist on, messages compressed one by one.
        client_no_context_takeover: The same of the client.
        server_max_window_bits: 9 to 15; None to leave it to the other side.
        client_max_window_bits: 9 to 15; None to leave it to the other side.
        level: Effort of our compressor, 1 to 9.
        memory_level: Memory of our compressor, 1 to 9: 2 ** (level + 9) bytes a connection.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | None = None
    level: int = 6
    memory_level: int = 8

    def __post_init__(self) -> None:
        for bits in (self.server_max_window_bits, self.client_max_window_bits):
            if bits is not None and not _SMALLEST_WINDOW <= bits <= 15:
                raise ValueError(f"window bits are {_SMALLEST_WINDOW} to 15, not {bits}")

    def offer(self) -> dict[str, str | None]:
        """The parameters that a client offers."""
        parameters: dict[str, str | None] = {}
        if self.server_no_context_takeover:
            parameters["server_no_context_takeover"] = None
        if self.client_no_context_takeover:
            parameters["client_no_context_takeover"] = None
        if self.server_max_window_bits is not None:
            parameters["server_max_window_bits"] = str(self.server_max_window_bits)
        # Without it the server could not ask for a smaller window.
        bits = self.client_max_window_bits
        parameters["client_max_window_bits"] = None if bits is None else str(bits)
        return parameters

    def accept(self, offer: Parameters) -> tuple[dict[str, str | None], DeflateAgreement] | None:
        """Answer one offer, as a server.

        Returns:
            The parameters of the answer, and what is agreed on; None to decline this offer.
        """
        if not _well_formed(offer, in_offer=True):
            return None
        answer: dict[str, str | None] = {}
        server_alone = "server_no_context_takeover" in offer or self.server_no_context_takeover
        client_alone = "client_no_context_takeover" in offer or self.client_no_context_takeover
        if server_alone:
            answer["server_no_context_takeover"] = None
        if client_alone:
            answer["client_no_context_takeover"] = None
        server_bits = min(int(offer.get("server_max_window_bits") or 15), 15)
        if self.server_max_window_bits is not None:
            server_bits = min(server_bits, self.server_max_window_bits)
        if server_bits < _SMALLEST_WINDOW:
            return None
        if server_bits < 15 or "server_max_window_bits" in offer:
            answer["server_max_window_bits"] = str(server_bits)
        client_bits = 15
        if "client_max_window_bits" in offer:
            client_bits = int(offer["client_max_window_bits"] or 15)
            if self.client_max_window_bits is not None:
                client_bits = min(client_bits, self.client_max_window_bits)
            if client_bits < 15:
                answer["client_max_window_bits"] = str(client_bits)
        return answer, DeflateAgreement(
            server_alone, client_alone, server_bits, client_bits, self.level, self.memory_level
        )

    def agree(self, answer: Parameters) -> DeflateAgreement:
        """Check a server's answer to our offer, as a client.

        Raises:
            HandshakeError: It is malformed, or goes beyond the offer (RFC 7692 §7.1).
        """
        if not _well_formed(answer, in_offer=False):
            raise HandshakeError(f"malformed {NAME} parameters in the server's answer")
        server_bits = int(answer.get("server_max_window_bits") or 15)
        wanted = self.server_max_window_bits
        if wanted is not None and server_bits > wanted:
            raise HandshakeError("the server did not accept server_max_window_bits")
        if self.server_no_context_takeover and "server_no_context_takeover" not in answer:
            raise HandshakeError("the server did not accept server_no_context_takeover")
        client_bits = min(
            int(answer.get("client_max_window_bits") or 15), self.client_max_window_bits or 15
        )
        if client_bits < _SMALLEST_WINDOW:
            raise HandshakeError("a client window of 2**8 bytes is not supported")
        return DeflateAgreement(
            "server_no_context_takeover" in answer,
            "client_no_context_takeover" in answer or self.client_no_context_takeover,
            server_bits,
            client_bits,
            self.level,
            self.memory_level,
        )


def _well_formed(parameters: Parameters, *, in_offer: bool) -> bool:
    for name, value in parameters.items():
        if name not in _PARAMETERS:
            return False
        if name.endswith("_takeover"):
            if value is not None:
                return False
        elif value is None:
            if not (in_offer and name == "client_max_window_bits"):
                return False
        elif value not in ("8", "9", "10", "11", "12", "13", "14", "15"):
            return False
    return True


class MessageCompressor:
    """Compresses messages of one direction.

    Args:
        window_bits: 9 to 15.
        context_takeover: Whether a message may refer to those before it.
        level: 1 to 9.
        memory_level: 1 to 9.
    """

    __slots__ = ("_arguments", "_compressor", "_context_takeover")

    def __init__(
        self, window_bits: int, context_takeover: bool, level: int, memory_level: int
    ) -> None:
        self._arguments = (level, zlib.DEFLATED, -window_bits, memory_level)
        self._context_takeover = context_takeover
        self._compressor = zlib.compressobj(*self._arguments) if context_takeover else None

    def compress(self, data: bytes | bytearray | memoryview) -> bytes:
        """Compress a whole message (RFC 7692 §7.2.1)."""
        compressor = self._compressor or zlib.compressobj(*self._arguments)
        result = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        # An empty message leaves nothing; a lone header byte stands for it (§7.2.3.6).
        return result.removesuffix(_TAIL) or b"\x00"


class MessageDecompressor:
    """Decompresses messages of one direction, piece by piece, within bounds.

    Args:
        window_bits: 8 to 15.
        context_takeover: Whether a message may refer to those before it.
    """

    __slots__ = ("_bits", "_context_takeover", "_decompressor", "_streams")

    def __init__(self, window_bits: int, context_takeover: bool) -> None:
        self._bits = -window_bits
        self._context_takeover = context_takeover
        self._decompressor = zlib.decompressobj(self._bits)
        self._streams = 0

    def decompress(self, data: bytes | bytearray | memoryview, max_length: int) -> bytes:
        """Decompress a piece of a message.

        Args:
            data: The piece.
            max_length: Most bytes that may come out.

        Raises:
            OutputTooLarge: More would come out.
            zlib.error: It is not deflate data.
        """
        output = b""
        while True:
            # One byte more than allowed shows that there is too much.
            output += self._decompressor.decompress(data, max_length + 1 - len(output))
            if len(output) > max_length:
                raise OutputTooLarge(max_length)
            if not self._decompressor.eof:
                return output
            data = self._decompressor.unused_data
            self._streams += 1
            if self._streams > _MAX_STREAMS:
                raise zlib.error("too many deflate streams in one message")
            self._decompressor = zlib.decompressobj(self._bits)
            if not data:
                return output

    def end(self, max_length: int) -> bytes:
        """Say that the message is complete; the rest of it comes out. Raises as `decompress`."""
        output = self.decompress(_TAIL, max_length)
        self._streams = 0
        if not self._context_takeover:
            self._decompressor = zlib.decompressobj(self._bits)
        return output
