"""For tests of WebSocket servers: a client that sends what it is told, rules or no rules.

    async with RawWebSocket(port, "/echo") as peer:
        peer.say("hello")
        assert await peer.message() == "hello"

Nothing here is meant for production.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import ClientConnection as HTTPClientConnection
from zonda.httputil.http1 import InformationalResponse, Signal
from zonda.httputil.websocket import (
    Agreement,
    ClientConnection,
    ClientHandshake,
    Close,
    DeflateOptions,
    Event,
    Message,
)
from zonda.httputil.websocket import Signal as WebSocketSignal

TIMEOUT = 20.0
"""Seconds after which a test that waits for something has failed."""


class RawWebSocket:
    """A client connection over which frames are sent as they are.

    Args:
        port: The server's, on 127.0.0.1.
        path: What to ask for.
        fields: Further fields of the handshake.
        subprotocols: To offer.
        deflate: To offer.

    Attributes:
        response: The answer to the handshake.
        agreement: What was agreed on.
        protocol: The protocol, for what it makes of messages.
    """

    response: InformationalResponse
    agreement: Agreement
    protocol: ClientConnection

    def __init__(
        self,
        port: int,
        path: str = "/",
        fields: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        deflate: DeflateOptions | None = None,
    ) -> None:
        self._port = port
        self._path = path
        self._fields = fields
        self._handshake = ClientHandshake(subprotocols, deflate)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            rest = await asyncio.wait_for(self._open(), TIMEOUT)
        except BaseException:
            self._writer.close()
            raise
        self.protocol = ClientConnection(self.agreement.deflate)
        self.protocol.receive_data(rest)
        return self

    async def _open(self) -> bytes:
        headers = HTTPHeaders({"Host": f"127.0.0.1:{self._port}"})
        headers.update(self._handshake.headers())
        for name, value in self._fields:
            headers.add(name, value)
        http = HTTPClientConnection()
        for buffer in http.send_request("GET", self._path, headers):
            self._writer.write(buffer)
        while True:
            event = http.next_event()
            if event is Signal.NEED_DATA:
                http.receive_data(await self._reader.read(65536))
                continue
            assert isinstance(event, InformationalResponse), event
            self.response = event
            self.agreement = self._handshake.read_response(event.status, event.headers)
            return http.trailing_data

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.transport.abort()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def say(self, *messages: str | bytes) -> None:
        """Send messages, all of them at once."""
        self.send(b"".join(b for each in messages for b in self.protocol.send_message(each)))

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Send a Close."""
        self.send(b"".join(self.protocol.send_close(code, reason)))

    def shut(self) -> None:
        """Half-close the TCP connection."""
        self._writer.write_eof()

    def abort(self) -> None:
        """Let the TCP connection go without a word."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """Let the server see an error (TCP's RST)."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def pause(self) -> None:
        """Read no more, so that what the server sends piles up there."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined] # of all transports

    def resume(self) -> None:
        """Read again."""
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]

    async def event(self) -> Event:
        """Return the next event.

        Raises:
            EOFError: The server has closed the connection.
        """
        while (event := self.protocol.next_event()) is WebSocketSignal.NEED_DATA:
            data = await asyncio.wait_for(self._reader.read(65536), TIMEOUT)
            if not data:
                raise EOFError
            self.protocol.receive_data(data)
        assert not isinstance(event, WebSocketSignal)
        return event

    async def message(self) -> str | bytes:
        """Return the next message, which nothing else may come before."""
        event = await self.event()
        assert isinstance(event, Message), event
        return event.data

    async def protocol_bytes(self) -> bytes:
        """Return the octets of the next message, which comes in one read."""
        data = await asyncio.wait_for(self._reader.read(65536), TIMEOUT)
        self.protocol.receive_data(data)
        await self.message()
        return data

    async def closed(self) -> tuple[int | None, str]:
        """Return code and reason of the server's Close, which nothing else may come before."""
        event = await self.event()
        assert isinstance(event, Close), event
        return event.code, event.reason

    async def ended(self) -> bytes:
        """Return all that the server still sends before it closes the TCP connection."""
        try:
            return await asyncio.wait_for(self._reader.read(-1), TIMEOUT)
        except ConnectionResetError:
            return b""
