"""`WebSocketProtocol13`: RFC 6455 over a stream, as Tornado's users know it.

The handshake and the pings are here; all that comes after the handshake is the matter of `driver`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zonda.httputil import HTTPHeaders
from zonda.httputil.websocket import (
    CloseCode,
    Keepalive,
    LocalError,
    ServerConnection,
    WebSocketClosedError,
    accept,
    accept_key,
    compression_options,
    read_request,
)
from zonda.httputil.websocket.frames import FIN, OPCODE, RSV1, RSV2, RSV3
from zonda.ioloop.log import gen_log
from zonda.web.websocket.driver import ServerDriver
from zonda.web.websocket.parameters import WebSocketParams

if TYPE_CHECKING:
    from zonda.web.websocket.handler import WebSocketHandler


class WebSocketProtocol13(ServerDriver):
    """One WebSocket connection over a stream.

    Args:
        handler: The handler.
        mask_outgoing: False: a server does not mask.
        params: Settings.

    Raises:
        ValueError: Masking was asked for, or a setting is out of its range.
    """

    FIN = FIN
    RSV1 = RSV1
    RSV2 = RSV2
    RSV3 = RSV3
    RSV_MASK = RSV1 | RSV2 | RSV3
    OPCODE_MASK = OPCODE

    __slots__ = ()

    def __init__(
        self, handler: WebSocketHandler, mask_outgoing: bool, params: WebSocketParams
    ) -> None:
        if mask_outgoing:
            raise ValueError("a server does not mask; a client is a WebSocketClientConnection")
        super().__init__(handler, params)

    # -- the handshake ---------------------------------------------------------------------------

    @staticmethod
    def compute_accept_value(key: str | bytes) -> str:
        """Return the ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key`` (RFC 6455 §4.2.2)."""
        return accept_key(key if isinstance(key, str) else key.decode("latin-1"))

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        """Answer the handshake, run ``handler.open``, and begin to receive.

        Raises:
            HandshakeError: It is no handshake.
            ValueError: The handler chose a subprotocol that was not offered, or options for
                compression that there are not.
        """
        request = handler.request
        handshake = read_request(request.method or "", request.version, request.headers)
        headers, agreement = accept(
            handshake,
            self.choose_subprotocol(handshake.subprotocols),
            compression_options(self._params.compression_options),
        )
        self._subprotocol = agreement.subprotocol
        if agreement.deflate is not None:
            self._protocol = ServerConnection(agreement.deflate, self._params.max_message_size)
            self._plain = False
        stream, self._forget = handler._switch_protocols(headers, self)
        self.stream = stream
        self._open = True
        stream.set_sink(self)
        self.start_pinging()
        try:
            await self.handler_opens()
        except asyncio.CancelledError:
            self.fail(CloseCode.INTERNAL_ERROR)
            raise
        # Looked at, headers take some kilobytes; until the next look octets will do.
        lines = [f"{name}: {value}\r\n" for name, value in request.headers.get_all()]
        request.headers = HTTPHeaders.from_block("".join(lines).encode("latin-1"))
        self._resume()

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on."""
        return self._subprotocol

    # -- the timer -------------------------------------------------------------------------------

    def write_ping(self, data: bytes) -> None:
        """Send a ping.

        Raises:
            WebSocketClosedError: The connection is closed or closing.
            ValueError: More than 125 bytes.
        """
        if not self._open:
            raise WebSocketClosedError
        try:
            self._send(self._protocol.send_ping(data))
        except LocalError as error:
            raise ValueError(str(error)) from error

    def set_nodelay(self, x: bool) -> None:
        """Send small messages at once rather than together (``TCP_NODELAY``)."""
        if self.stream is not None:
            self.stream.set_nodelay(x)

    @property
    def ping_interval(self) -> float | None:
        """Seconds between pings, None without them."""
        return self._params.ping_interval or None

    @property
    def ping_timeout(self) -> float | None:
        """Seconds within which a pong must come, None without pings."""
        return self._params.effective_ping_timeout()

    @staticmethod
    def ping_sleep_time(*, last_ping_time: float, interval: float, now: float) -> float:
        """Seconds until the next ping."""
        return max(0, last_ping_time + interval - now)

    def start_pinging(self) -> None:
        """Begin to send pings, if the settings want them."""
        interval = self.ping_interval
        if interval and self._keepalive is None:
            now = self._loop.time()
            self._keepalive = Keepalive(interval, self.ping_timeout, now=now)
            self._set_timer(interval, self.periodic_ping)

    def periodic_ping(self) -> None:
        """Send a ping if it is time, and close if the pong to an earlier one is overdue."""
        keepalive = self._keepalive
        if keepalive is None or not self._open:
            return
        now = self._loop.time()
        if keepalive.is_dead(now):
            if not self._busy:
                gen_log.info("A WebSocket's peer does not answer pings: closing")
                self.fail(CloseCode.INTERNAL_ERROR, "ping timed out")
                if self.stream is not None:
                    self.stream.close_when_flushed()
                return
            # Its pong may be here: nobody has looked, because the handler is not ready for more.
            keepalive = self._keepalive = Keepalive(keepalive.interval, keepalive.timeout, now=now)
        if keepalive.wants_ping(now):
            self._send(self._protocol.send_ping(keepalive.ping(now)))
        self._set_timer(keepalive.next_time - now, self.periodic_ping)
