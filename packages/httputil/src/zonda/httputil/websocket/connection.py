"""A WebSocket connection after its handshake, without I/O.

In: bytes of the peer (`Connection.receive_data`), and what we want to say (``send_...``). Out:
events (`Connection.next_event`) and buffers to write. "Not yet" is ``Signal.NEED_DATA``.
`ConnectionFailed` is raised when the peer breaks the protocol; it sticks: nothing more is parsed,
and its code is to be sent with `Connection.send_close`. `LocalError` is raised for what we may not
say, and changes nothing.

A message comes as one event, however many fragments it had. Its payload is unmasked, decompressed
and, if it is text, checked as it arrives, so that a message that is too large or not UTF-8 fails
before it is complete, and memory holds no more than the limit and the last read. The limit counts
bytes after decompression.

After we have sent Close, messages still come out until the peer's Close; after that nothing does.
"""

import codecs
import enum
import os
import zlib
from collections.abc import Iterator

from zonda.httputil.errors import OutputTooLarge
from zonda.httputil.websocket.closecodes import CloseCode, close_payload, may_be_sent
from zonda.httputil.websocket.deflate import (
    DeflateAgreement,
    MessageCompressor,
    MessageDecompressor,
)
from zonda.httputil.websocket.errors import ConnectionFailed, LocalError
from zonda.httputil.websocket.events import (
    NEED_DATA,
    Close,
    Event,
    Message,
    Ping,
    Pong,
    Signal,
)
from zonda.httputil.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    MAX_CONTROL_PAYLOAD,
    OPCODE,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    TEXT,
    Buffer,
    FrameHeader,
    read_header,
    write_frame,
)
from zonda.httputil.websocket.masking import apply_mask

DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024

_new_utf8_decoder = codecs.getincrementaldecoder("utf-8")


class State(enum.Enum):
    """Where the closing handshake stands (RFC 6455 §7)."""

    OPEN = "open"
    CLOSING = "closing"
    """We have sent Close and wait for the peer's."""
    CLOSED = "closed"
    """Both have, or the connection has failed."""


class Connection:
    """What both roles share; use `ServerConnection` or `ClientConnection`.

    Args:
        deflate: permessage-deflate as agreed in the handshake; None without it.
        max_message_size: Most bytes of a message, after decompression.

    Attributes:
        state: See `State`.
        close_code: The peer's code: `CloseCode.NO_CODE` if its Close had none, None before.
        close_reason: The peer's reason.
    """

    __slots__ = (
        "_buffer",
        "_compressor",
        "_decoder",
        "_decompressor",
        "_error",
        "_fragmenting",
        "_header",
        "_mask_at",
        "_message",
        "_opcode",
        "_peer_closed",
        "_position",
        "_remaining",
        "_we_closed",
        "close_code",
        "close_reason",
        "max_message_size",
    )

    _is_server: bool

    def __init__(
        self,
        deflate: DeflateAgreement | None = None,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    ) -> None:
        self.max_message_size = max_message_size
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._compressor: MessageCompressor | None = None
        self._decompressor: MessageDecompressor | None = None
        if deflate is not None:
            self._compressor = deflate.compressor(server=self._is_server)
            self._decompressor = deflate.decompressor(server=self._is_server)
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._error: ConnectionFailed | None = None
        self._peer_closed = False
        self._we_closed = False
        # The frame whose payload is being read, and how much of it is still to come.
        self._header: FrameHeader | None = None
        self._remaining = 0
        self._mask_at = 0
        # The message that its fragments add up to.
        self._opcode = CONTINUATION  # of its first frame, with RSV1; CONTINUATION: none begun
        self._message = bytearray()
        self._decoder: codecs.IncrementalDecoder | None = None
        # Whether we are in the middle of a message of our own.
        self._fragmenting = False

    @property
    def state(self) -> State:
        """Where the closing handshake stands."""
        if self._error is not None or (self._peer_closed and self._we_closed):
            return State.CLOSED
        if self._we_closed or self._peer_closed:
            return State.CLOSING
        return State.OPEN

    # -- what the peer says ----------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take in what was read from the peer."""
        if self._error is not None or self._peer_closed:
            return
        buffer = self._buffer
        position = self._position
        if position == len(buffer):
            self._buffer = data
            self._position = 0
        elif type(buffer) is bytearray:
            if position > 65536:
                del buffer[:position]
                self._position = 0
            buffer += data
        else:
            self._buffer = joined = bytearray(memoryview(buffer)[position:])
            joined += data
            self._position = 0

    def events(self) -> Iterator[Event]:
        """All events that there are now.

        Raises:
            ConnectionFailed: As `next_event`, behind the last of them.
        """
        while (event := self.next_event()) is not NEED_DATA:
            assert not isinstance(event, Signal)
            yield event

    def next_event(self) -> Event | Signal:
        """The next event, or ``Signal.NEED_DATA``.

        Raises:
            ConnectionFailed: The peer broke the protocol, now or before.
        """
        if self._error is not None:
            raise self._error
        try:
            while not self._peer_closed:
                header = self._header
                if header is None:
                    header = read_header(self._buffer, self._position)
                    if header is None:
                        return NEED_DATA
                    self._check(header)
                    self._position = header.end
                    if header.first & OPCODE < CLOSE:
                        self._header = header
                        self._remaining = header.length
                        self._mask_at = 0
                    elif len(self._buffer) - header.end < header.length:
                        # Control frames are read whole; they are short.
                        self._header = header
                        return NEED_DATA
                if header.first & OPCODE >= CLOSE:
                    if len(self._buffer) - self._position < header.length:
                        return NEED_DATA
                    self._header = None
                    return self._control(header)
                if self._remaining and not self._read_payload(header):
                    return NEED_DATA
                if self._remaining:
                    continue
                self._header = None
                if header.first & FIN:
                    return self._complete()
        except ConnectionFailed as error:
            self._error = error
            self._buffer = b""
            self._position = 0
            raise
        return NEED_DATA

    def _check(self, header: FrameHeader) -> None:
        """Refuse a frame that may not come now; take note of the message it begins."""
        first = header.first
        opcode = first & OPCODE
        if header.masked is not self._is_server:
            raise ConnectionFailed(
                CloseCode.PROTOCOL_ERROR,
                "frames of a client have to be masked"
                if self._is_server
                else "frames of a server may not be masked",
            )
        if first & (RSV2 | RSV3):
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "reserved bits set")
        if first & RSV1 and (opcode not in (TEXT, BINARY) or self._decompressor is None):
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "reserved bit set")
        if opcode >= CLOSE:
            return
        if opcode == CONTINUATION:
            if self._opcode == CONTINUATION:
                raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "continuation of no message")
        else:
            if self._opcode != CONTINUATION:
                raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "message inside a message")
            self._opcode = opcode | (first & RSV1)
            if opcode == TEXT:
                self._decoder = _new_utf8_decoder()
        if not self._opcode & RSV1 and header.length > self._room():
            raise self._too_big()

    def _room(self) -> int:
        # Text is counted as the bytes it came in.
        return self.max_message_size - len(self._message)

    def _too_big(self) -> ConnectionFailed:
        return ConnectionFailed(
            CloseCode.MESSAGE_TOO_BIG, f"message larger than {self.max_message_size} bytes"
        )

    def _read_payload(self, header: FrameHeader) -> bool:
        """Take what is there of a data frame's payload; whether there was any."""
        buffer = self._buffer
        position = self._position
        end = min(position + self._remaining, len(buffer))
        taken = end - position
        if not taken:
            return False
        chunk: bytes | bytearray = buffer[position:end]
        if end == len(buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = end
        if header.masked:
            mask = header.mask
            turn = self._mask_at & 3
            chunk = apply_mask(chunk, mask[turn:] + mask[:turn] if turn else mask)
            self._mask_at += taken
        self._remaining -= taken
        self._append(chunk)
        return True

    def _append(self, chunk: bytes | bytearray) -> None:
        """Add a piece of payload to the message."""
        if self._opcode & RSV1:
            assert self._decompressor is not None
            try:
                chunk = self._decompressor.decompress(chunk, self._room())
            except OutputTooLarge as error:
                raise self._too_big() from error
            except zlib.error as error:
                raise ConnectionFailed(
                    CloseCode.PROTOCOL_ERROR, "compressed data is malformed"
                ) from error
        self._store(chunk)

    def _store(self, chunk: bytes | bytearray, final: bool = False) -> None:
        # The bytes are kept for text as well: a list of short strings would cost many times as
        # much memory as what was sent.
        self._message += chunk
        if self._decoder is not None:
            try:
                self._decoder.decode(chunk, final)
            except UnicodeDecodeError as error:
                raise ConnectionFailed(CloseCode.INVALID_DATA, "text is not UTF-8") from error

    def _complete(self) -> Message:
        """The last fragment is there."""
        if self._opcode & RSV1:
            assert self._decompressor is not None
            try:
                self._store(self._decompressor.end(self._room()))
            except OutputTooLarge as error:
                raise self._too_big() from error
            except zlib.error as error:
                raise ConnectionFailed(
                    CloseCode.PROTOCOL_ERROR, "compressed data is malformed"
                ) from error
        message, self._message = self._message, bytearray()
        self._opcode = CONTINUATION
        if self._decoder is None:
            return Message(bytes(message))
        self._decoder = None
        try:
            return Message(message.decode("utf-8"))
        except UnicodeDecodeError as error:  # a character that is not complete
            raise ConnectionFailed(CloseCode.INVALID_DATA, "text is not UTF-8") from error

    def _control(self, header: FrameHeader) -> Ping | Pong | Close:
        position = self._position
        payload = bytes(self._buffer[position : position + header.length])
        self._position = position + header.length
        if self._position == len(self._buffer):
            self._buffer = b""
            self._position = 0
        if header.masked:
            payload = apply_mask(payload, header.mask)
        opcode = header.first & OPCODE
        if opcode == PING:
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        return self._closed_by_peer(payload)

    def _closed_by_peer(self, payload: bytes) -> Close:
        code: int | None = None
        reason = ""
        if payload:
            code = int.from_bytes(payload[:2], "big")
            if len(payload) == 1 or not may_be_sent(code):
                raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "invalid close code")
            try:
                reason = payload[2:].decode("utf-8")
            except UnicodeDecodeError as error:
                raise ConnectionFailed(
                    CloseCode.INVALID_DATA, "close reason is not UTF-8"
                ) from error
        self._peer_closed = True
        self._buffer = b""
        self._position = 0
        self._message = bytearray()
        self._decoder = None
        self.close_code = CloseCode.NO_CODE if code is None else code
        self.close_reason = reason
        return Close(code, reason)

    # -- what we say -----------------------------------------------------------------------------

    def send_message(
        self, data: str | Buffer, *, fin: bool = True, compress: bool = True
    ) -> list[Buffer]:
        """Say a message, or a fragment of one.

        Args:
            data: Text becomes a text message, bytes a binary one.
            fin: False if more fragments follow: they go on with what the first one began, and
                are not compressed.
            compress: Whether to, where it was agreed on.

        Raises:
            LocalError: We have sent Close, or the connection has failed.
        """
        if self._we_closed or self._error is not None:
            raise LocalError("the WebSocket is closed")
        if isinstance(data, str):
            opcode = TEXT
            payload: Buffer = data.encode("utf-8")
        else:
            opcode = BINARY
            payload = data
        if self._fragmenting:
            opcode = CONTINUATION
        elif compress and fin and self._compressor is not None:
            payload = self._compressor.compress(payload)
            opcode |= RSV1
        self._fragmenting = not fin
        return write_frame(FIN | opcode if fin else opcode, payload, self._mask())

    def send_ping(self, payload: bytes = b"") -> list[Buffer]:
        """Say Ping.

        Args:
            payload: At most 125 bytes, which the Pong repeats.

        Raises:
            LocalError: The payload is too long, or as `send_message`.
        """
        return self._send_control(PING, payload)

    def send_pong(self, payload: bytes = b"") -> list[Buffer]:
        """Say Pong; arguments and errors as `send_ping`."""
        return self._send_control(PONG, payload)

    def _send_control(self, opcode: int, payload: bytes) -> list[Buffer]:
        if self._we_closed or self._error is not None:
            raise LocalError("the WebSocket is closed")
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise LocalError(f"a control frame holds {MAX_CONTROL_PAYLOAD} bytes at most")
        return write_frame(FIN | opcode, payload, self._mask())

    def send_close(self, code: int | None = None, reason: str = "") -> list[Buffer]:
        """Say Close; nothing can be said after that. A second time it says nothing.

        Args:
            code: 1000 to 1003, 1007 to 1014 or 3000 to 4999; None for none.
            reason: Cut where it is too long.

        Raises:
            LocalError: The code may not be sent.
        """
        try:
            payload = close_payload(code, reason)
        except ValueError as error:
            raise LocalError(str(error)) from error
        if self._we_closed:
            return []
        self._we_closed = True
        return write_frame(FIN | CLOSE, payload, self._mask())

    def _mask(self) -> bytes | None:
        raise NotImplementedError


class ServerConnection(Connection):
    """The server's side: the peer masks its frames, we do not.

    >>> server = ServerConnection()
    >>> client = ClientConnection()
    >>> for buffer in client.send_message("hello") + client.send_close(1000):
    ...     server.receive_data(buffer)
    >>> list(server.events())
    [<Message 'hello'>, <Close 1000 ''>]
    """

    __slots__ = ()
    _is_server = True

    def _mask(self) -> None:
        return None


class ClientConnection(Connection):
    """The client's side: we mask our frames, the peer does not."""

    __slots__ = ()
    _is_server = False

    def _mask(self) -> bytes:
        return os.urandom(4)
