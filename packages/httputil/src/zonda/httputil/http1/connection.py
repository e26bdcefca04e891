"""What both roles share: the input buffer and reading content.

The buffer is the `bytes` object of one read as long as a message fits in it (no copy); only what
arrives in pieces is gathered in a `bytearray`. A position moves through it, so nothing is shifted
per event.
"""

import copy
from typing import NoReturn

from zonda.httputil.http1.chunked import ChunkedReader
from zonda.httputil.http1.errors import (
    IncompleteMessage,
    LocalProtocolError,
    RemoteProtocolError,
)
from zonda.httputil.http1.events import END_OF_MESSAGE, Data, EndOfMessage, Signal
from zonda.httputil.http1.framing import Framing
from zonda.httputil.http1.head import FORBIDDEN
from zonda.httputil.http1.limits import Limits
from zonda.httputil.http1.states import State

_BODY, _DONE, _ERROR, _SWITCHED = State.BODY, State.DONE, State.ERROR, State.SWITCHED
_NEED_DATA = Signal.NEED_DATA

# Consumed bytes at the front of a bytearray are let go in steps of this size at least.
_COMPACT = 64 * 1024


class Connection:
    """Input side of `ServerConnection` and `ClientConnection`; not used by itself.

    Attributes:
        limits: The limits of this connection.
        our_state: State of what we send.
        their_state: State of what the peer sends.
        keep_alive: Whether the connection persists after this exchange, as far as is known yet.
    """

    __slots__ = (
        "_body_limit",
        "_buffer",
        "_chunked",
        "_eof",
        "_error",
        "_position",
        "_received",
        "_remaining",
        "_scanned",
        "keep_alive",
        "limits",
        "our_state",
        "their_state",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.our_state = State.IDLE
        self.their_state = State.IDLE
        self.keep_alive = True
        self._buffer: bytes | bytearray = b""
        self._position = 0  # everything before it has been consumed
        self._scanned = 0  # bytes behind it that hold no end of a head
        self._eof = False
        self._error: RemoteProtocolError | None = None
        self._body_limit = limits.body
        # Content still to come: a count, None until the peer closes; unused while chunked.
        self._remaining: int | None = 0
        self._received = 0  # bytes of content of the message, unless chunked
        self._chunked: ChunkedReader | None = None

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take in what was read from the peer; ``b""`` says that it ended its side.

        Behind an error of the peer, bytes are dropped.

        Raises:
            LocalProtocolError: Bytes behind the end.
        """
        if self._eof:
            if data and self.their_state is not _ERROR:
                raise LocalProtocolError("data received behind the end of the stream")
            return
        if not data:
            self._eof = True
            return
        buffer = self._buffer
        position = self._position
        if position == len(buffer):
            self._buffer = data if type(data) is bytes else bytes(data)
            self._position = 0
        elif type(buffer) is bytearray:
            if position > _COMPACT:
                del buffer[:position]
                self._position = 0
            buffer += data
        else:
            self._buffer = joined = bytearray(memoryview(buffer)[position:])
            joined += data
            self._position = 0

    @property
    def trailing_data(self) -> bytes:
        """Bytes received and not consumed: what follows an upgrade, CONNECT or the last message."""
        return bytes(self._buffer[self._position :])

    @property
    def bytes_buffered(self) -> int:
        """How many bytes have been received and not consumed: what back-pressure goes by."""
        return len(self._buffer) - self._position

    @property
    def truncated(self) -> bool:
        """Whether the peer has ended before the content that is being read: no event can help."""
        if not self._eof or self.their_state is not _BODY:
            return False
        if self._chunked is None:
            return self._remaining is not None and self._remaining > self.bytes_buffered
        ahead = copy.copy(self._chunked)
        try:
            ahead.read(self._buffer, self._position, None)
        except RemoteProtocolError:
            return True
        return not ahead.done

    @property
    def body_limit(self) -> int | None:
        """How many bytes of content the current message may have; None for any number."""
        return self._body_limit

    def set_body_limit(self, limit: int | None) -> None:
        """Allow the current message `limit` bytes of content instead of ``limits.body``.

        Takes effect on the next event; it ends with the message.
        """
        self._body_limit = limit

    def _fail(self, error: RemoteProtocolError) -> NoReturn:
        self.their_state = _ERROR
        self.keep_alive = False
        self._error = error
        self._eof = True  # what comes now is dropped, not gathered
        raise error

    def _find_head_end(self) -> int:
        """Index behind the empty line that ends the head, -1 if it is not there yet.

        What is there is looked at once only, so a head that comes a byte at a time costs linear
        time. Returns -2 if what is there cannot become a head within the limits.
        """
        buffer = self._buffer
        position = self._position
        scanned = self._scanned
        end = buffer.find(b"\r\n\r\n", position + scanned - 3 if scanned > 3 else position)
        if end >= 0:
            self._scanned = 0
            return end + 4
        available = len(buffer) - position
        if (
            FORBIDDEN.search(buffer, position + max(0, scanned - 1))
            or buffer.startswith(b"\n", position)  # the CR before it may be the end of a content
            or available > self.limits.head
        ):
            return -2
        line_limit = self.limits.start_line + 2
        if available >= line_limit and buffer.find(b"\n", position, position + line_limit) < 0:
            return -2
        self._scanned = available
        return -1

    def _begin_content(self, framing: Framing) -> None:
        self._received = 0
        self._remaining, chunked = framing
        self._chunked = ChunkedReader(self.limits) if chunked else None
        self.their_state = _BODY

    def _read_content(self) -> Data | EndOfMessage | Signal:
        if self._chunked is not None:
            return self._read_chunked(self._chunked)
        remaining = self._remaining
        if remaining == 0:
            self.their_state = _DONE
            return END_OF_MESSAGE
        buffer = self._buffer
        position = self._position
        available = len(buffer) - position
        limit = self._body_limit
        # A length is too much as soon as it is announced.
        if limit is not None and remaining is not None and self._received + remaining > limit:
            self._fail(RemoteProtocolError(f"content larger than {limit} bytes", 413))
        if not available:
            if not self._eof:
                return _NEED_DATA
            if remaining is None:
                self.their_state = _DONE
                return END_OF_MESSAGE
            self._fail(IncompleteMessage(f"peer closed {remaining} bytes before the end"))
        if remaining is None:
            taken = available if limit is None else min(available, limit - self._received)
            if taken <= 0:
                self._fail(RemoteProtocolError(f"content larger than {limit} bytes", 413))
        else:
            taken = remaining if remaining < available else available
            self._remaining = remaining - taken
        self._received += taken
        if taken == len(buffer) and type(buffer) is bytes:
            data = buffer  # a whole read: no copy
        else:
            data = bytes(memoryview(buffer)[position : position + taken])
        self._consume(position + taken)
        return Data(data)

    def _read_chunked(self, reader: ChunkedReader) -> Data | EndOfMessage | Signal:
        try:
            data, position = reader.read(self._buffer, self._position, self._body_limit)
        except RemoteProtocolError as error:
            self._fail(error)
        self._consume(position)
        if data:
            return Data(data)
        if reader.done:
            self.their_state = _DONE
            self._chunked = None
            self._remaining = 0
            return END_OF_MESSAGE if reader.trailers is None else EndOfMessage(reader.trailers)
        if self._eof:
            self._fail(IncompleteMessage("peer closed inside a chunked message"))
        return _NEED_DATA

    def _consume(self, position: int) -> None:
        if position == len(self._buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = position
