"""`WebSocketClientConnection`: what an application has in its hands.

Messages go to ``on_message_callback``, or wait until `WebSocketClientConnection.read_message` asks
for them. When `QUEUED_MESSAGES` wait, or 64 KiB, reading pauses, and TCP slows the server down.
Stream and protocol are the matter of `driver`, the handshake of `opening`.
"""

from __future__ import annotations

import asyncio
import copy
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zonda.httpclient.websocket.driver import ClientDriver, Received
from zonda.httpclient.websocket.opening import open_websocket
from zonda.httputil import HTTPHeaders, ResponseStartLine
from zonda.httputil.websocket import (
    ClientConnection,
    DeflateOptions,
)
from zonda.httputil.websocket import compression_options as deflate_options
from zonda.httputil.websocket.outgoing import DEFAULT_LIMIT

if TYPE_CHECKING:
    from zonda.httpclient.request import HTTPRequest
    from zonda.iostream.netutil import Resolver

OnMessage = Callable[[Received], "Awaitable[None] | None"]
"""Takes each message, and None at the end; if it returns an awaitable, the next one waits."""

DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024
"""Most bytes of a message after decompression, by default: 10 MiB."""
# Messages that may wait for `read_message` before reading pauses, and their bytes.
QUEUED_MESSAGES = 64
_QUEUED_BYTES = 64 * 1024


class WebSocketClientConnection(ClientDriver):
    """A WebSocket to a server; made by `websocket_connect`.

    ``async for message in connection`` ends when it is closed; ``async with`` closes it.

    Args:
        request: What to connect to.
        on_message_callback: Called with each message, and with None at the end; may be ``async``,
            and then the next message waits for it. Without it, there is `read_message`.
        compression_options: A dictionary (``compression_level``, ``mem_level``; may be empty) to
            offer compression; None not to.
        ping_interval: Seconds between pings; None or 0 for none.
        ping_timeout: Seconds within which a pong must come; at most the interval, which it is by
            default.
        max_message_size: Most bytes of a message, after decompression.
        subprotocols: What to offer, the dearest first.
        resolver: For the host's name.
        queue_limit: Bytes of messages that may wait for a server that reads slowly.
        queue_policy: What happens there: ``wait``, ``drop_oldest`` or ``close``; see
            `zonda.httputil.websocket.outgoing`.

    Attributes:
        connect_future: This connection when it is open, or why it is not.
        close_code: The code with which the server has closed; None if it gave none.
        close_reason: Its reason.
        request: The request; when it is open, with all the fields that were sent.
        headers: The fields of the handshake's response.
        code: None, for programs that ask responses and connections alike.
        protocol: The protocol; None before it is open, and when it is closed or closing.

    Raises:
        ValueError: Options for compression that there are not, or a setting out of its range.
    """

    code: int | None = None

    def __init__(
        self,
        request: HTTPRequest,
        on_message_callback: OnMessage | None = None,
        compression_options: Mapping[str, Any] | None = None,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        subprotocols: Sequence[str] | None = None,
        resolver: Resolver | None = None,
        *,
        queue_limit: int = DEFAULT_LIMIT,
        queue_policy: str = "wait",
    ) -> None:
        deflate = deflate_options(compression_options)
        super().__init__(
            ClientConnection(max_message_size=max_message_size),
            ping_interval,
            ping_timeout,
            queue_limit,
            queue_policy,
        )
        self.request = request
        self.headers: HTTPHeaders | None = None
        self._subprotocol: str | None = None
        self._on_message_callback = on_message_callback
        self._messages: deque[str | bytes] = deque()
        self._bytes = 0
        self._readers: deque[asyncio.Future[Received]] = deque()
        self._ended = False  # nothing more will be received
        self.connect_future: asyncio.Future[WebSocketClientConnection] = asyncio.ensure_future(
            self._connect(subprotocols, deflate, resolver)
        )

    async def _connect(
        self,
        subprotocols: Sequence[str] | None,
        deflate: DeflateOptions | None,
        resolver: Resolver | None,
    ) -> WebSocketClientConnection:
        stream, sent, answer, agreement = await open_websocket(
            self.request, subprotocols, deflate, resolver
        )
        self.request = copy.copy(self.request)
        self.request.headers = sent
        self.headers = answer.headers
        start_line = ResponseStartLine(answer.version, answer.status, answer.reason)
        self.headers_received(start_line, answer.headers)
        self._subprotocol = agreement.subprotocol
        protocol = self._protocol
        if agreement.deflate is not None:
            protocol = ClientConnection(agreement.deflate, protocol.max_message_size)
        self._start(stream, protocol)
        return self

    # -- reading ---------------------------------------------------------------------------------

    def read_message(
        self, callback: Callable[[asyncio.Future[Received]], object] | None = None
    ) -> asyncio.Future[Received]:
        """Read a message.

        Args:
            callback: Called with the future when it is done.

        Returns:
            A future for `str`, `bytes`, or None if the connection is closed; also when asked again.
            Cancelling it loses no message.

        Raises:
            RuntimeError: There is an ``on_message_callback``, which gets the messages.
        """
        if self._on_message_callback is not None:
            raise RuntimeError("the messages go to on_message_callback")
        future: asyncio.Future[Received] = self._loop.create_future()
        if self._messages:
            message = self._messages.popleft()
            self._bytes -= len(message)
            future.set_result(message)
            if self._full and len(self._messages) <= QUEUED_MESSAGES // 4:
                self._full = False
                self._loop.call_soon(self._resume)
        elif self._ended:
            future.set_result(None)
        else:
            self._readers.append(future)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[str | bytes]:
        while (message := await self.read_message()) is not None:
            yield message

    async def __aenter__(self) -> WebSocketClientConnection:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    def on_message(self, message: Received) -> Awaitable[None] | None:
        """A message has come, or None for the end; gives it to whoever wants it."""
        if self._on_message_callback is not None:
            return self._on_message_callback(message)
        while self._readers:
            reader = self._readers.popleft()
            if not reader.done():
                reader.set_result(message)
                return None
        if message is not None:
            self._messages.append(message)
            self._bytes += len(message)
            if len(self._messages) >= QUEUED_MESSAGES or self._bytes >= _QUEUED_BYTES:
                self._full = self.protocol is not None
                self._deaf = not self._full  # closing: the server's Close counts, not the rest
        return None

    def _give_up(self) -> None:
        self.connect_future.cancel()

    def _end_of_messages(self) -> None:
        """Tell readers that there will be no more."""
        if self._ended:
            return
        self._ended = True
        self.protocol = None
        if self._on_message_callback is not None:
            try:
                result = self._on_message_callback(None)
                if result is not None:
                    asyncio.ensure_future(result).add_done_callback(self._end_was_told)
            except Exception:
                self.log_exception(*sys.exc_info())
            return
        readers, self._readers = self._readers, deque()
        for reader in readers:
            if not reader.done():
                reader.set_result(None)

    def _end_was_told(self, future: asyncio.Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.log_exception(type(error), error, error.__traceback__)

    # -- the rest --------------------------------------------------------------------------------

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._subprotocol

    def get_websocket_protocol(self) -> ClientConnection:
        """The protocol, also when the connection is closed."""
        return self._protocol

    def headers_received(self, start_line: ResponseStartLine, headers: HTTPHeaders) -> None:
        """The handshake's response: a hook, called before the connection is open."""
