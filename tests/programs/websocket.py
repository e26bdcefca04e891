"""A WebSocket client of a few lines: a peer of its own for programs that are driven.

It connects, sends texts, and reads whole messages (RFC 6455); pings are answered. What is not a
WebSocket raises AssertionError, silence TimeoutError.
"""

import base64
import hashlib
import os
import socket
import struct
from types import TracebackType

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class WebSocket:
    """A connection to a server on this machine.

    Args:
        port: Where it listens.
        path: With the query.
        fields: More lines of the head of the handshake.
        seconds: How long any one wait may be.
    """

    def __init__(self, port: int, path: str, *fields: str, seconds: float = 20.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key.decode()}",
            *fields,
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        status = self._file.readline()
        self.fields: dict[str, str] = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        assert b" 101 " in status, (status, self.fields)
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        assert self.fields["sec-websocket-accept"] == accept

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._socket.close()

    def send(self, message: str | bytes) -> None:
        """Send a message, in one frame."""
        if isinstance(message, str):
            self._frame(_TEXT, message.encode())
        else:
            self._frame(_BINARY, message)

    def _frame(self, opcode: int, data: bytes) -> None:
        size = len(data)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack("!BH", 0x80 | 126, size)
        else:
            head += struct.pack("!BQ", 0x80 | 127, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._socket.sendall(head + mask + masked)

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        assert len(data) == count, "the connection ended within a frame"
        return data

    def receive(self) -> str | bytes | None:
        """The next message; None once the server has closed."""
        parts: list[bytes] = []
        kind = _TEXT
        while True:
            first, second = self._exactly(2)
            assert second < 128, "a server does not mask"
            size = second
            if size == 126:
                size = struct.unpack("!H", self._exactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", self._exactly(8))[0]
            data = self._exactly(size)
            opcode = first & 15
            if opcode == _PING:
                self._frame(_PONG, data)
            elif opcode == _CLOSE:
                self._frame(_CLOSE, data)
                return None
            elif opcode != _PONG:
                kind = opcode or kind
                parts.append(data)
                if first & 128:
                    whole = b"".join(parts)
                    return whole.decode() if kind == _TEXT else whole

    def text(self) -> str:
        """The next message, which is a text."""
        message = self.receive()
        assert isinstance(message, str), message
        return message

    def close(self) -> None:
        """Say goodbye, and wait for the server to do so."""
        self._frame(_CLOSE, struct.pack("!H", 1000))
        while self.receive() is not None:
            pass
