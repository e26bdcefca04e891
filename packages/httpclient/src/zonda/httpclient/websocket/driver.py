"""The client's driver: it moves bytes between a stream and the protocol.

The stream pushes chunks in; the sans-I/O protocol makes events of them in one pass; messages go to
`ClientDriver.on_message`, and reading pauses while what that returns is not done, and while
`_full` is set. What is written goes straight to the socket; what that does not take is queued,
within bounds.

Closing (RFC 6455 §7): after both have said Close the server is to close the TCP connection; after
`CLOSE_TIMEOUT` seconds we do.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from zonda.httputil.websocket import (
    ClientConnection,
    Close,
    CloseCode,
    ConnectionFailed,
    Event,
    Keepalive,
    LocalError,
    Message,
    OutgoingQueue,
    Ping,
    State,
    WebSocketClosedError,
    message_content,
)
from zonda.httputil.websocket.closecodes import close_payload
from zonda.ioloop.log import app_log, gen_log

if TYPE_CHECKING:
    from zonda.iostream import IOStream

Buffer = bytes | bytearray | memoryview
Received = str | bytes | None
"""A text message, a binary one, or None at the end."""

CLOSE_TIMEOUT = 5.0
"""Seconds that the server has for its part of closing; then the connection is aborted."""
#: Events handled in one go before others on the loop get their turn.
EVENTS_PER_TURN = 256


class ClientDriver:
    """What of a `WebSocketClientConnection` deals with stream and protocol.

    Args:
        protocol: The protocol, before its first byte.
        ping_interval: Seconds between pings; None or 0 for none.
        ping_timeout: Seconds within which a pong must come; None for as many as the interval has.
        queue_limit: Bytes of messages that may wait for a server that reads slowly.
        queue_policy: What happens there: ``wait``, ``drop_oldest`` or ``close``.

    Attributes:
        protocol: The protocol; None before the connection is open, and when it is closed or
            closing.
        close_code: The code with which the server has closed; None if it gave none.
        close_reason: Its reason.
    """

    protocol: ClientConnection | None = None

    def __init__(
        self,
        protocol: ClientConnection,
        ping_interval: float | None,
        ping_timeout: float | None,
        queue_limit: int,
        queue_policy: str,
    ) -> None:
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._stream: IOStream | None = None
        # Reading.
        self._busy = True  # events have to wait: for a callback, for a reader, for their turn
        self._full = False  # ... for a reader
        self._deaf = False  # no more messages are wanted
        # Writing.
        self._writing_paused = False
        self._queue = OutgoingQueue(queue_limit, queue_policy)
        self._room: asyncio.Future[None] | None = None
        self._done: asyncio.Future[None] | None = None
        self._pong: bytes | None = None
        self._close_wanted: tuple[int | None, str] | None = None
        # The timer: pings, or the end of the closing handshake.
        self._timer: asyncio.TimerHandle | None = None
        self._keepalive: Keepalive | None = None
        self._ping_interval = ping_interval or None
        self._ping_timeout = _ping_timeout(ping_interval, ping_timeout)

    def _start(self, stream: IOStream, protocol: ClientConnection) -> None:
        """Begin: the handshake is through."""
        self._stream = stream
        self.protocol = self._protocol = protocol
        if self._ping_interval is not None:
            now = self._loop.time()
            self._keepalive = Keepalive(self._ping_interval, self._ping_timeout, now=now)
            self._set_timer(self._ping_interval, self._look_after_pings)
        self._busy = False
        stream.set_sink(self)

    def on_message(self, message: Received) -> Awaitable[None] | None:
        """A message has come; the next one waits for what is returned."""
        raise NotImplementedError

    def _give_up(self) -> None:
        """Closed before it was open."""
        raise NotImplementedError

    def _end_of_messages(self) -> None:
        """There will be no more; called once or more often."""
        raise NotImplementedError

    def on_ping(self, data: bytes) -> None:
        """A ping has come, and has been answered: a hook."""

    def on_pong(self, data: bytes) -> None:
        """A pong has come: a hook."""

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an exception of a callback: a hook."""
        app_log.error("Uncaught exception in a WebSocket's callback", exc_info=value)

    # -- what the stream says --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._protocol.receive_data(data)
        if not self._busy:
            self._pump()

    def eof_received(self) -> None:
        """The server sends no more."""
        self._close_stream()

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed."""
        self.on_connection_close()

    def on_connection_close(self) -> None:
        """The connection is gone: tells whoever waits for something."""
        self.on_ws_connection_close(self.close_code, self.close_reason)

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """The connection is gone; keeps what the server gave."""
        self.close_code = close_code
        self.close_reason = close_reason
        self.protocol = None
        self._busy = True
        self._cancel_timer()
        self._queue.clear()
        self._fail_writers()
        self._end_of_messages()

    def pause_writing(self) -> None:
        """The server reads more slowly than we write."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It has caught up: what waits may follow."""
        self._writing_paused = False
        if self._pong is not None:
            pong, self._pong = self._pong, None
            self._answer(pong)
        while not self._writing_paused and (message := self._queue.take()) is not None:
            assert isinstance(message, str | bytes)
            self._send(self._protocol.send_message(message))
        if self._writing_paused:
            return
        if self._close_wanted is not None:
            self._say_close(*self._close_wanted)
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # -- from events to messages -----------------------------------------------------------------

    def _pump(self) -> None:
        """Handle what the protocol has, until it has no more or somebody has to be waited for."""
        left = EVENTS_PER_TURN
        try:
            for event in self._protocol.events(EVENTS_PER_TURN):
                waiting = self._take(event)
                if waiting is not None:
                    self._pause()
                    waiting.add_done_callback(self._callback_done)
                    return
                if self._full:
                    self._pause()
                    return
                left -= 1
                if not left:
                    break
            if not left or self._protocol.more:
                self._pause()
                self._loop.call_soon(self._resume)
        except ConnectionFailed as error:
            self._refuse(error)

    def _take(self, event: Event) -> asyncio.Future[None] | None:
        """Handle one event; what the next one has to wait for."""
        kind = type(event)
        try:
            if kind is Message:
                if not self._deaf:
                    result = self.on_message(cast(Message, event).data)
                    if result is not None:
                        return asyncio.ensure_future(result)
            elif kind is Close:
                self._peer_closes(cast(Close, event))
            elif kind is Ping:
                payload = cast(Ping, event).payload
                if self._writing_paused:
                    self._pong = payload  # only the newest is worth an answer (RFC 6455 §5.5.3)
                else:
                    self._answer(payload)
                self.on_ping(payload)
            else:
                payload = cast(Ping, event).payload
                if self._keepalive is not None:
                    self._keepalive.pong(payload, self._loop.time())
                self.on_pong(payload)
        except Exception:
            self._callback_failed()
        return None

    def _callback_done(self, future: asyncio.Future[None]) -> None:
        if future.cancelled():
            self._fail(CloseCode.INTERNAL_ERROR)
        else:
            error = future.exception()
            if error is not None:
                try:
                    raise error
                except Exception:
                    self._callback_failed()
        self._resume()

    def _callback_failed(self) -> None:
        """A callback has raised; called while the exception is being handled."""
        error = sys.exc_info()[1]
        if isinstance(error, WebSocketClosedError) and self.protocol is None:
            return  # whoever answers while the connection closes is not at fault
        self.log_exception(*sys.exc_info())
        self._fail(CloseCode.INTERNAL_ERROR)

    def _pause(self) -> None:
        self._busy = True
        if self._stream is not None:
            self._stream.pause_reading()

    def _resume(self) -> None:
        stream = self._stream
        if stream is None or stream.closed() or self._full:
            return
        self._busy = False
        self._pump()
        if not self._busy:
            stream.resume_reading()

    # -- writing ---------------------------------------------------------------------------------

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        Args:
            message: Text; bytes; or a dictionary, sent as JSON.
            binary: Send a binary message, with bytes as they are and text in UTF-8. Otherwise it is
                a text message, and bytes have to be UTF-8.

        Returns:
            A future that is done when there is room for more.

        Raises:
            WebSocketClosedError: The connection is closed or closing.
            TypeError: It is of another type.
            ValueError: Bytes that are not UTF-8 in a text message.
        """
        data = message_content(message, binary)
        protocol = self.protocol
        if protocol is None:
            raise WebSocketClosedError
        if self._writing_paused:
            if not self._queue.put(data):
                waiting = self._queue.size
                gen_log.warning("A WebSocket's peer does not read: %d bytes wait, closing", waiting)
                self._fail(CloseCode.TRY_AGAIN_LATER)
                raise WebSocketClosedError
        else:
            self._send(protocol.send_message(data))
        if self._writing_paused and self._queue.policy == "wait":
            if self._room is None:
                self._room = self._loop.create_future()
            return self._room
        if self._done is None:
            self._done = self._loop.create_future()
            self._done.set_result(None)
        return self._done  # nobody can change a future that is done: one serves all

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping; the answer comes to `on_pong`.

        Args:
            data: At most 125 bytes.

        Raises:
            WebSocketClosedError: The connection is closed or closing.
            ValueError: Too many bytes.
        """
        if self.protocol is None:
            raise WebSocketClosedError
        try:
            payload = data.encode() if isinstance(data, str) else data
            self._send(self.protocol.send_ping(payload))
        except LocalError as error:
            raise ValueError(str(error)) from error

    def _answer(self, payload: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._send(self._protocol.send_pong(payload))

    def _send(self, buffers: list[Buffer]) -> None:
        if self._stream is not None and buffers:
            self._stream.send_buffers(buffers)

    def _fail_writers(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_exception(WebSocketClosedError())
            room.exception()  # not everybody waits for a write

    # -- closing ---------------------------------------------------------------------------------

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close, behind what waits to be written; a second time it does nothing.

        Messages that the server sends before its own Close can still be read. Before the
        connection is open it gives up connecting.

        Args:
            code: A code (RFC 6455 §7.4); 1000 if there is only a reason.
            reason: A reason.

        Raises:
            LocalError: The code may not be sent.
        """
        if code is None and reason:
            code = CloseCode.NORMAL
        try:
            close_payload(code, reason or "")
        except ValueError as error:
            raise LocalError(str(error)) from error
        if self._stream is None:
            self._give_up()
            return
        if self.protocol is None:
            return
        self.protocol = None
        self._close_wanted = (code, reason or "")
        self._set_timer(CLOSE_TIMEOUT, self._abort)
        if not self._writing_paused:
            self._say_close(code, reason or "")
        if self._full:  # what waits can be read, but to wait for the server's Close is more urgent
            self._full = False
            self._deaf = True
            self._loop.call_soon(self._resume)

    def _fail(self, code: CloseCode, reason: str = "") -> None:
        """Close because something went wrong; no more messages are wanted."""
        self._deaf = True
        self._queue.clear()
        if self.protocol is not None:
            self.protocol = None
            self._fail_writers()
            self._set_timer(CLOSE_TIMEOUT, self._abort)
            self._say_close(code, reason)
        self._end_of_messages()
        if self._full:
            self._full = False
            self._loop.call_soon(self._resume)

    def _say_close(self, code: int | None, reason: str) -> None:
        self._close_wanted = None
        self._send(self._protocol.send_close(code, reason))

    def _peer_closes(self, event: Close) -> None:
        self.close_code, self.close_reason = event.code, event.reason or None
        self.protocol = None
        self._queue.clear()
        self._fail_writers()
        self._send(self._protocol.send_close(event.code))
        self._set_timer(CLOSE_TIMEOUT, self._abort)  # the server closes the connection, or we do
        self._end_of_messages()

    def _refuse(self, error: ConnectionFailed) -> None:
        """The server has broken the protocol: say so, and let it read that."""
        gen_log.info("Malformed WebSocket message: %s", error)
        self._deaf = True
        self.protocol = None
        self._queue.clear()
        self._fail_writers()
        self._send(self._protocol.send_close(error.code, error.reason))
        self._set_timer(CLOSE_TIMEOUT, self._abort)
        if self._stream is not None:
            self._stream.write_eof()
        self._end_of_messages()

    def _close_stream(self) -> None:
        if self._stream is not None and not self._stream.closed():
            self.protocol = None
            self._set_timer(CLOSE_TIMEOUT, self._abort)
            self._stream.close_when_flushed()

    def _abort(self) -> None:
        if self._stream is not None:
            self._stream.abort()

    # -- the timer ---------------------------------------------------------------------------------

    def _look_after_pings(self) -> None:
        """Send a ping if it is time, and close if the pong to an earlier one is overdue."""
        keepalive = self._keepalive
        if keepalive is None or self.protocol is None:
            return
        now = self._loop.time()
        if keepalive.is_dead(now):
            if not self._busy:
                gen_log.info("A WebSocket's peer does not answer pings: closing")
                self._fail(CloseCode.INTERNAL_ERROR, "ping timed out")
                self._close_stream()
                return
            # Its pong may be here: nobody has looked, because nobody takes messages.
            keepalive = self._keepalive = Keepalive(keepalive.interval, keepalive.timeout, now=now)
        if keepalive.wants_ping(now):
            self._send(self._protocol.send_ping(keepalive.ping(now)))
        self._set_timer(keepalive.next_time - now, self._look_after_pings)

    def _set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(delay, callback)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _ping_timeout(interval: float | None, timeout: float | None) -> float | None:
    """The ping timeout: at most the interval; None without pings, or for the interval."""
    if not interval or not timeout:
        return None
    if timeout > interval:
        gen_log.warning(
            "ping_timeout (%s) is longer than ping_interval (%s): the interval is used for both",
            timeout,
            interval,
        )
        return interval
    return timeout
