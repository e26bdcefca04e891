"""One message for many connections of a server: framed once, compressed once for each setting.

In: the message. Out: the bytes of its frame, plain (`PreparedMessage.frame`) or as a compressor
with certain settings makes it (`PreparedMessage.compressed`). They are made when first asked for
and kept. A client cannot share frames: each of its frames has a mask of its own.
"""

from zonda.httputil.websocket.deflate import CompressorSettings, MessageCompressor
from zonda.httputil.websocket.errors import LocalError
from zonda.httputil.websocket.frames import BINARY, FIN, RSV1, TEXT, write_frame


class PreparedMessage:
    """A message ready to be sent by `ServerConnection.send_prepared`.

    Args:
        data: Text becomes a text message, bytes a binary one.

    Attributes:
        size: Bytes of the message.

    Raises:
        LocalError: Text that UTF-8 cannot express.

    >>> PreparedMessage("hi").frame
    b'\\x81\\x02hi'
    """

    __slots__ = ("_compressed", "_first", "_payload", "_plain", "size")

    def __init__(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self._first = FIN | TEXT
            try:
                self._payload = data.encode()
            except UnicodeEncodeError as error:
                raise LocalError(f"a text message has to be Unicode: {error}") from error
        else:
            self._first = FIN | BINARY
            self._payload = data
        self.size = len(self._payload)
        self._plain: bytes | None = None
        self._compressed: dict[CompressorSettings, bytes] = {}

    @property
    def frame(self) -> bytes:
        """The frame without compression."""
        frame = self._plain
        if frame is None:
            frame = self._plain = b"".join(write_frame(self._first, self._payload, None))
        return frame

    def compressed(self, compressor: MessageCompressor) -> bytes:
        """The frame as ``compressor`` would make it, had it said nothing before.

        It refers to no earlier message, so every peer can read it, whatever it was sent before. The
        compressor itself is not used: it has to `MessageCompressor.restart`.
        """
        settings = compressor.settings
        frame = self._compressed.get(settings)
        if frame is None:
            payload = MessageCompressor.compress_alone(settings, self._payload)
            frame = b"".join(write_frame(self._first | RSV1, payload, None))
            self._compressed[settings] = frame
        return frame
