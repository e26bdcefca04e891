"""A WebSocket connection after its handshake, without I/O.

In: bytes of the peer (`Connection.receive_data`), and what we want to say (``send_...``). Out:
events (`Connection.next_event`, `Connection.events`) and buffers to write. "Not yet" is
``Signal.NEED_DATA``. `ConnectionFailed` is raised when the peer breaks the protocol; it sticks:
nothing more is parsed, and its code is to be sent with `Connection.send_close`. `LocalError` is
raised for what we may not say, and changes nothing.

A message comes as one event, however many fragments it had. It fails as soon as it is known to be
too large or not UTF-8, which may be before it is complete, and memory holds no more than the limit
and the last read. The limit counts bytes after decompression.

The table in `states` says what may be said when. After we have sent Close, messages still come out
until the peer's Close; after that nothing does.

Buffers returned by ``send_...`` may be the very objects that were passed in: do not change those
before the buffers are written.
"""

from collections.abc import Iterator

from zonda.httputil.websocket.assembly import IncompleteMessage, decode_text, not_utf8
from zonda.httputil.websocket.closecodes import CloseCode, close_payload, may_be_sent
from zonda.httputil.websocket.deflate import (
    DeflateAgreement,
    MessageCompressor,
    MessageDecompressor,
)
from zonda.httputil.websocket.errors import ConnectionFailed, LocalError
from zonda.httputil.websocket.events import (
    MORE,
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
    FrameHeader,
    read_header,
    write_frame,
)
from zonda.httputil.websocket.masking import (
    Buffer,
    apply_mask_unchecked,
    as_bytes_like,
)
from zonda.httputil.websocket.states import State

DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024
"""Most bytes of a message after decompression, by default: 10 MiB."""

_WHOLE_TEXT, _WHOLE_BINARY = FIN | TEXT, FIN | BINARY
# Leftovers up to this size are put in front of new data; a buffer that grows takes larger ones.
_SHORT_REST = 256
# Payloads above this size are not copied before they are unmasked.
_LARGE = 4096


class Connection:
    """What both roles share; use `ServerConnection` or `ClientConnection` of `roles`.

    Args:
        deflate: permessage-deflate as agreed in the handshake; None without it.
        max_message_size: Most bytes of a message, after decompression.

    Attributes:
        max_message_size: Most bytes of a message; a change counts from the next one on.
        close_code: The peer's code: `CloseCode.NO_CODE` if its Close had none, None before.
        close_reason: The peer's reason, None before its Close.
        more: Whether `events` has ended because its patience had, with data left.
    """

    # There are many connections, and most are idle: what only some need is made when they do.
    __slots__ = (
        "_between_messages",
        "_buffer",
        "_compressor",
        "_decompressor",
        "_failure",
        "_fragmenting",
        "_header",
        "_incomplete",
        "_payload_left",
        "_peer_closed",
        "_position",
        "_we_closed",
        "close_code",
        "close_reason",
        "max_message_size",
        "more",
    )

    _is_server: bool
    # The bit that a frame of the peer must have, and one of ours.
    _peer_masked: int

    def __init__(
        self,
        deflate: DeflateAgreement | None = None,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    ) -> None:
        self.max_message_size = max_message_size
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.more = False
        self._compressor: MessageCompressor | None = None
        self._decompressor: MessageDecompressor | None = None
        if deflate is not None:
            self._compressor = deflate.compressor(server=self._is_server)
            self._decompressor = deflate.decompressor(server=self._is_server)
        self._buffer: bytes | bytearray = b""
        self._position = 0
        # No message has begun, nobody has closed, nothing has failed.
        self._between_messages = True
        # Not the exception itself: that would hold on to the frames it was raised through.
        self._failure: tuple[CloseCode, str] | None = None
        self._peer_closed = False
        self._we_closed = False
        # The data frame whose payload is being read, and how much of it is still to come.
        self._header: FrameHeader | None = None
        self._payload_left = 0
        self._incomplete: IncompleteMessage | None = None
        # First opcode of our own message whose end is still to be said, with RSV1; 0 for none.
        self._fragmenting = 0

    @property
    def state(self) -> State:
        """Where the closing handshake stands."""
        if self._failure is not None or (self._peer_closed and self._we_closed):
            return State.CLOSED
        if self._we_closed or self._peer_closed:
            return State.CLOSING
        return State.OPEN

    @property
    def bytes_buffered(self) -> int:
        """Bytes that were received and are part of no event yet."""
        return len(self._buffer) - self._position

    # -- what the peer says ----------------------------------------------------------------------

    def receive_data(self, data: Buffer) -> None:
        """Take in what was read from the peer; anything but bytes is copied."""
        if type(data) is not bytes:
            data = bytes(data)
        buffer = self._buffer
        if not buffer:  # nor is there a position
            if self._failure is None and not self._peer_closed:
                self._buffer = data
            return
        position = self._position
        rest = len(buffer) - position
        if type(buffer) is bytearray:
            if position > 65536:
                del buffer[:position]
                self._position = 0
            buffer += data
        elif rest <= _SHORT_REST:  # as it always is if all events are taken before the next read
            self._buffer = buffer[position:] + data
            self._position = 0
        else:
            self._buffer = joined = bytearray(memoryview(buffer)[position:])
            joined += data
            self._position = 0

    def events(self, patience: int = 0) -> Iterator[Event]:
        """All events that there are now; faster than one by one.

        Args:
            patience: As for `next_event`; see `more`.

        Raises:
            ConnectionFailed: As `next_event`, behind the last of them.
        """
        # Nearly all frames are whole messages, short, uncompressed and here already: these are
        # read in one go. Everything else, errors too, is left to next_event. What is kept in self
        # is up to date at each yield.
        masked = self._peer_masked
        self.more = False
        while True:
            if self._between_messages:
                buffer = self._buffer
                position = self._position
                size = len(buffer)
                if size - position < 2:
                    return
                first = buffer[position]
                if first in (_WHOLE_TEXT, _WHOLE_BINARY):
                    length = buffer[position + 1] ^ masked
                    start = position + 2
                    if length >= 126:
                        if length == 126 and size - start >= 2:
                            length = buffer[start] << 8 | buffer[start + 1]
                            start += 2
                            if length < 126:
                                length = size
                        else:
                            length = size  # more than there is: not for here
                    if masked:
                        start += 4
                    end = start + length
                    if end <= size and length <= self.max_message_size:
                        payload = buffer[start:end]
                        if masked:
                            payload = apply_mask_unchecked(payload, buffer[start - 4 : start])
                        if end == size:
                            self._buffer = b""
                            self._position = 0
                        else:
                            self._position = end
                        if first == _WHOLE_TEXT:
                            try:
                                text = payload.decode()
                            except UnicodeDecodeError as error:
                                raise self._failed(not_utf8()) from error
                            yield Message(text)
                        else:
                            yield Message(payload if type(payload) is bytes else bytes(payload))
                        continue
            event = self.next_event(patience)
            if isinstance(event, Signal):
                self.more = event is MORE
                return
            yield event

    def next_event(self, patience: int = 0) -> Event | Signal:
        """The next event, or ``Signal.NEED_DATA``.

        Args:
            patience: ``Signal.MORE`` is returned after so many fragments of a message without its
                end: they cost time, however small they are, and others wait. 0 for no limit.

        Raises:
            ConnectionFailed: The peer broke the protocol, now or before.
        """
        if self._failure is not None:
            raise ConnectionFailed(*self._failure)
        try:
            while not self._peer_closed:
                header = self._header
                if header is None:
                    header = read_header(self._buffer, self._position)
                    if header is None:
                        return NEED_DATA
                    self._check(header)
                    if header.first & OPCODE >= CLOSE:
                        if len(self._buffer) - header.end < header.length:
                            return NEED_DATA  # they are short: read anew when there is more
                        return self._control(header)
                    self._begin_frame(header)
                incomplete = self._incomplete
                assert incomplete is not None
                piece = self._take_payload(header)
                if self._payload_left:
                    if piece:
                        incomplete.append(piece)
                    return NEED_DATA
                self._header = None
                if header.first & FIN:
                    self._incomplete = None
                    self._between_messages = True
                    return Message(incomplete.complete(piece))
                incomplete.append(piece)
                patience -= 1
                if patience == 0:
                    return MORE
        except ConnectionFailed as error:
            self._failed(error)
            raise
        return NEED_DATA

    def _failed(self, error: ConnectionFailed) -> ConnectionFailed:
        self._let_go()
        self._failure = error.code, error.reason
        return error

    def _let_go(self) -> None:
        # Nothing more will be read.
        self._between_messages = False
        self._buffer = b""
        self._position = 0
        self._header = None
        self._incomplete = None
        self._decompressor = None

    def _check(self, header: FrameHeader) -> None:
        """Refuse a frame that may not come now."""
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
        if opcode == CONTINUATION:
            if self._incomplete is None:
                raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "continuation of no message")
        elif opcode < CLOSE and self._incomplete is not None:
            raise ConnectionFailed(CloseCode.PROTOCOL_ERROR, "message inside a message")

    def _begin_frame(self, header: FrameHeader) -> None:
        """Take note of a data frame, and of the message it may begin."""
        self._header = header
        self._payload_left = header.length
        self._position = header.end
        incomplete = self._incomplete
        if incomplete is None:
            incomplete = self._incomplete = IncompleteMessage(
                header.first & OPCODE == TEXT,
                self.max_message_size,
                self._decompressor if header.first & RSV1 else None,
            )
            self._between_messages = False
        incomplete.check_frame(header.length)

    def _take_payload(self, header: FrameHeader) -> bytes:
        """What is there of a data frame's payload, unmasked."""
        buffer = self._buffer
        start = self._position
        end = min(start + self._payload_left, len(buffer))
        if end == len(buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = end
        # The mask goes on where it was left.
        turn = (header.length - self._payload_left) & 3
        self._payload_left -= end - start
        if not header.masked:
            return bytes(buffer[start:end])
        large = end - start > _LARGE and type(buffer) is bytes
        piece = (memoryview(buffer) if large else buffer)[start:end]
        return apply_mask_unchecked(piece, header.mask[turn:] + header.mask[:turn])

    def _control(self, header: FrameHeader) -> Ping | Pong | Close:
        end = header.end + header.length
        payload = bytes(self._buffer[header.end : end])
        if end == len(self._buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = end
        if header.masked:
            payload = apply_mask_unchecked(payload, header.mask)
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
            reason = decode_text(payload[2:])
        self._peer_closed = True
        self._let_go()
        self.close_code = CloseCode.NO_CODE if code is None else code
        self.close_reason = reason
        return Close(code, reason)

    # -- what we say -----------------------------------------------------------------------------

    def send_message(
        self, data: str | Buffer, *, fin: bool = True, compress: bool = True
    ) -> list[Buffer]:
        """Say a message, or a fragment of one.

        Args:
            data: Text becomes a text message, bytes a binary one; fragments of one message are
                all of one kind.
            fin: False if more fragments follow.
            compress: Whether to, where it was agreed on; the first fragment decides.

        Raises:
            LocalError: It may not be said now (see the module), is not of the kind that its message
                began with, or is a str that UTF-8 cannot express.
        """
        if isinstance(data, str):
            opcode = TEXT
            try:
                payload: Buffer = data.encode()
            except UnicodeEncodeError as error:
                raise LocalError(f"a text message has to be Unicode: {error}") from error
        else:
            opcode = BINARY
            payload = as_bytes_like(data)
        if self._we_closed or self._failure is not None:
            raise LocalError("the WebSocket is closed")
        begun = self._fragmenting
        if begun:
            if begun & OPCODE != opcode:
                raise LocalError("a message is either text or binary, in all its fragments")
            opcode = CONTINUATION
            compressor = self._compressor if begun & RSV1 else None
        else:
            if self._peer_closed:
                raise LocalError("the WebSocket is closed")
            compressor = self._compressor if compress else None
            if compressor is not None:
                opcode |= RSV1
        if compressor is not None:
            payload = compressor.compress(payload, fin)
        if fin:
            if self._is_server and len(payload) < 126:  # most of what servers say: no call for it
                self._fragmenting = 0
                return [bytes((FIN | opcode, len(payload))) + payload]
            opcode |= FIN
        buffers = write_frame(opcode, payload, self._mask())
        if fin:
            self._fragmenting = 0
        elif not begun:
            self._fragmenting = opcode
        return buffers

    def send_ping(self, payload: Buffer = b"") -> list[Buffer]:
        """Say Ping.

        Args:
            payload: At most 125 bytes, which the Pong repeats.

        Raises:
            LocalError: The payload is too long, or either side has closed.
        """
        return self._send_control(PING, payload)

    def send_pong(self, payload: Buffer = b"") -> list[Buffer]:
        """Say Pong; arguments and errors as `send_ping`."""
        return self._send_control(PONG, payload)

    def _send_control(self, opcode: int, payload: Buffer) -> list[Buffer]:
        if self._we_closed or self._peer_closed or self._failure is not None:
            raise LocalError("the WebSocket is closed")
        payload = as_bytes_like(payload)
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise LocalError(f"a control frame holds {MAX_CONTROL_PAYLOAD} bytes at most")
        return write_frame(FIN | opcode, payload, self._mask())

    def send_close(self, code: int | None = None, reason: str = "") -> list[Buffer]:
        """Say Close; nothing can be said after that. A second time it says nothing.

        Args:
            code: 1000 to 1003, 1007 to 1014 or 3000 to 4999; None for none. The code of the peer's
                Close, or of `ConnectionFailed`, if that is what it answers.
            reason: Cut where it is too long.

        Raises:
            LocalError: The code may not be sent, there is a reason without a code, or the reason
                cannot be expressed in UTF-8.
        """
        try:
            payload = close_payload(code, reason)
        except ValueError as error:
            raise LocalError(str(error)) from error
        if self._we_closed:
            return []
        self._we_closed = True
        self._compressor = None
        return write_frame(FIN | CLOSE, payload, self._mask())

    def _mask(self) -> bytes | None:
        raise NotImplementedError
