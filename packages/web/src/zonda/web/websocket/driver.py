"""RFC 6455 over a stream: the server's driver.

The stream pushes chunks in; the sans-I/O protocol turns each into messages, which go to the handler
in one pass, and what the handler answers goes out in one write at the end of the pass. A message
that is answered at once costs no future and no task.

- **Reading** pauses while an ``async`` callback of the handler runs, and after `EVENTS_PER_TURN`
  events, so that others get their turn. The peer is slowed down by TCP then. A callback does not
  hide the loss of the connection: one read goes ahead, and a FIN with nothing before it is seen.
- **Writing** goes straight to the socket. What that does not take waits: up to 64 KiB as bytes in
  the stream, the rest as messages in an `OutgoingQueue`, which is bounded.
- **Pings** of the peer are answered at once; while the peer does not read, only the newest is.
- **Closing** (RFC 6455 §7): a Close of the peer is answered and the connection closed. Our own goes
  out behind what waits, and the peer has ``close_timeout`` seconds to answer. A peer that breaks
  the protocol gets the code for it, and what it still sends is thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zonda.httputil.websocket import (
    Close,
    CloseCode,
    ConnectionFailed,
    Event,
    Keepalive,
    LocalError,
    Message,
    OutgoingQueue,
    Ping,
    PreparedMessage,
    ServerConnection,
    State,
    WebSocketClosedError,
    message_content,
)
from zonda.httputil.websocket.closecodes import close_payload
from zonda.ioloop.log import gen_log
from zonda.web.websocket.parameters import WebSocketParams, shared
from zonda.web.websocket.protocol import WebSocketProtocol

if TYPE_CHECKING:
    from zonda.httpserver.upgrades import Forget
    from zonda.iostream import IOStream
    from zonda.web.websocket.handler import WebSocketHandler

Buffer = bytes | bytearray | memoryview

# Events handled in one go before other connections get their turn.
EVENTS_PER_TURN = 256
# Frames up to this size are put together with others of the same pass, so many at most.
_SMALL = 4096
_TOGETHER = 32


class ServerDriver(WebSocketProtocol):
    """What of a `WebSocketProtocol13` deals with stream and protocol, from the handshake on.

    Args:
        handler: The handler.
        params: Settings.

    Attributes:
        stream: The stream; None until the handshake is through.
    """

    __slots__ = (
        "_busy",
        "_close_wanted",
        "_corked",
        "_deaf",
        "_done",
        "_eof",
        "_forget",
        "_keepalive",
        "_loop",
        "_open",
        "_params",
        "_plain",
        "_pong",
        "_protocol",
        "_queue",
        "_room",
        "_subprotocol",
        "_timer",
        "_writing_paused",
        "stream",
    )

    def __init__(self, handler: WebSocketHandler, params: WebSocketParams) -> None:
        super().__init__(handler)
        self._params = params = shared(params)
        self._loop = asyncio.get_running_loop()
        # The stream: None until the handshake is through.
        self.stream: IOStream | None = None
        self._protocol = ServerConnection(max_message_size=params.max_message_size)
        self._subprotocol: str | None = None
        self._forget: Forget | None = None
        self._open = False  # messages can be sent
        self._plain = True  # without compression: all such connections of a server share frames
        # Reading: whether events have to wait, for a callback or for their turn.
        self._busy = True
        self._eof = False
        self._deaf = False  # the handler gets no more messages
        # Writing: frames of the pass that is under way; None outside of one.
        self._corked: list[Buffer] | None = None
        self._writing_paused = False
        self._queue: OutgoingQueue | None = None
        self._room: asyncio.Future[None] | None = None
        self._done: asyncio.Future[None] | None = None
        self._pong: bytes | None = None
        # Closing: code and reason of a Close that is to follow what waits.
        self._close_wanted: tuple[int | None, str] | None = None
        # Pings, or the end of the closing handshake.
        self._timer: asyncio.TimerHandle | None = None
        self._keepalive: Keepalive | None = None

    # -- what the stream says --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._protocol.receive_data(data)
        if self._busy:
            if self.stream is not None:
                self.stream.pause_reading()
        else:
            self._pump()

    def eof_received(self) -> None:
        """The peer sends no more: without a Close that is a loss of the connection."""
        self._eof = True
        if not (self._busy and self._protocol.bytes_buffered):
            self._end()

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed."""
        self._open = False
        self._busy = True
        self._cancel_timer()
        self._queue = None
        self._fail_writers()
        forget, self._forget = self._forget, None
        if forget is not None:
            forget(self)
        self.on_connection_close()

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It has caught up: what waits may follow."""
        self._writing_paused = False
        if self._pong is not None:
            pong, self._pong = self._pong, None
            self._control(self._protocol.send_pong, pong)
        queue = self._queue
        while queue is not None and not self._writing_paused:
            message = queue.take()
            if message is None:
                self._queue = None
                break
            if isinstance(message, PreparedMessage):
                self._send([self._protocol.send_prepared(message)])
            else:
                self._send(self._protocol.send_message(message))
        if self._writing_paused:
            return
        if self._close_wanted is not None:
            self._say_close(*self._close_wanted)
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # -- from events to the handler --------------------------------------------------------------

    def _pump(self) -> None:
        """Handle what the protocol has, until it has no more or the handler has to be waited for.

        Leaves `_busy` set in the latter case.
        """
        handler = self.handler
        if handler is None or self._deaf:
            self._skip()
            return
        run, on_message = self._context.run, handler.on_message
        corked: list[Buffer] = []
        self._corked = corked
        left = EVENTS_PER_TURN
        try:
            for event in self._protocol.events(EVENTS_PER_TURN):
                if type(event) is Message:
                    try:
                        result = run(on_message, event.data)
                    except Exception as error:
                        self._callback_failed(error)
                        result = None
                    if (
                        result is not None
                        and result is not self._done
                        and (waiting := self._start(result)) is not None
                        and self._wait_for(waiting)
                    ):
                        break
                elif self._other(event, handler):
                    break
                if self._deaf:  # since a callback, or the answer to it, has failed
                    self._loop.call_soon(self._skip)  # type: ignore[unreachable]
                    break
                left -= 1
                if not left:
                    self._busy = True
                    self._loop.call_soon(self._resume)
                    break
            else:
                if self._protocol.more:
                    self._busy = True
                    self._loop.call_soon(self._resume)
        except ConnectionFailed as error:
            self._refuse(error)
        finally:
            self._corked = None
            if corked:
                self._write(corked)

    def _other(self, event: Event, handler: WebSocketHandler) -> bool:
        """Handle an event that is no message; True if the next one has to wait."""
        if type(event) is Close:
            self._peer_closes(event)
            return True
        assert not isinstance(event, Close | Message)
        if type(event) is Ping:
            self._answer(event.payload)
            waiting = self._call(handler.on_ping, event.payload)
        else:
            if self._keepalive is not None:
                self._keepalive.pong(event.payload, self._loop.time())
            waiting = self._call(handler.on_pong, event.payload)
        return waiting is not None and self._wait_for(waiting)

    def _wait_for(self, future: asyncio.Future[Any]) -> bool:
        """Hold the next events back until ``future`` is done."""
        if future.done():
            self._is_through(future)
            return False
        self._busy = True
        future.add_done_callback(self._callback_done)
        return True

    def _callback_done(self, future: asyncio.Future[Any]) -> None:
        self._is_through(future)
        self._resume()

    def _resume(self) -> None:
        """Go on after a pause, with what is here already and then with reading."""
        stream = self.stream
        if stream is None or stream.closed():
            return
        self._busy = False
        self._pump()
        if not self._busy:
            if self._eof:
                self._end()
            else:
                stream.resume_reading()

    def _skip(self) -> None:
        """Handle what the protocol has when no message is wanted any more."""
        if self.handler is None:
            return
        try:
            for event in self._protocol.events():
                if type(event) is Close:
                    self._peer_closes(event)
                    return
        except ConnectionFailed:
            pass  # thrown away, until it has read our Close and left, or its time is over

    # -- from the handler to the stream ----------------------------------------------------------

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message (see `WebSocketHandler.write_message`)."""
        if type(message) is not str or binary:
            message = message_content(message, binary)
        if not self._open:
            raise WebSocketClosedError
        if self._writing_paused:
            return self._enqueue(message)
        frame = self._protocol.send_message(message)
        corked, done = self._corked, self._done
        if corked is None or done is None or len(corked) >= _TOGETHER or len(frame[-1]) > _SMALL:
            self._send(frame)
            return self._written()
        # The answer to a message while others of the same read wait; nothing has to be asked.
        corked += frame
        return done

    def write_prepared(self, message: PreparedMessage) -> asyncio.Future[None]:
        """Send a message that others get, too, with the frame they share.

        Raises:
            WebSocketClosedError: The connection is closed or closing.
        """
        if not self._open:
            raise WebSocketClosedError
        if self._writing_paused:
            return self._enqueue(message)
        self._send([self._protocol.send_prepared(message)])
        return self._written()

    def _answer(self, payload: bytes) -> None:
        """Answer a ping, or remember to."""
        if self._writing_paused:
            self._pong = payload  # only the newest is worth an answer (RFC 6455 §5.5.3)
        else:
            self._control(self._protocol.send_pong, payload)

    def _control(self, say: Callable[[bytes], list[Buffer]], payload: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._send(say(payload))

    def _send(self, buffers: list[Buffer]) -> None:
        """Write frames, or put them with others of this pass."""
        corked = self._corked
        large = len(buffers[-1]) > _SMALL
        if corked is None or (large and not corked):
            stream = self.stream
            if stream is not None:
                if len(buffers) == 1:
                    stream.send(buffers[0])
                else:
                    stream.send_buffers(buffers)
        else:
            corked += buffers
            if large or len(corked) > _TOGETHER:
                self._uncork()

    def _uncork(self) -> None:
        """Write what this pass has collected so far."""
        if self._corked:
            corked = self._corked.copy()
            self._corked.clear()
            self._write(corked)

    def _write(self, frames: list[Buffer]) -> None:
        stream = self.stream
        if stream is not None:
            if len(frames) == 1:
                stream.send(frames[0])
            elif len(frames[-1]) > _SMALL:
                stream.send_buffers(frames)
            else:
                stream.send(b"".join(frames))

    def _written(self) -> asyncio.Future[None]:
        """What a write returns: done, unless the stream asks to wait."""
        if not self._writing_paused or self._params.queue_policy != "wait":
            done = self._done
            if done is None:
                done = self._done = self._loop.create_future()
                done.set_result(None)
            return done  # nobody can change a future that is done: one serves all
        room = self._room
        if room is None:
            room = self._room = self._loop.create_future()
        return room

    def _enqueue(self, message: str | bytes | PreparedMessage) -> asyncio.Future[None]:
        queue = self._queue
        if queue is None:
            params = self._params
            queue = self._queue = OutgoingQueue(params.queue_limit, params.queue_policy)
        if not queue.put(message):
            gen_log.warning("A WebSocket's peer does not read: %d bytes wait, closing", queue.size)
            self.fail(CloseCode.TRY_AGAIN_LATER)
            raise WebSocketClosedError
        return self._written()

    def _fail_writers(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_exception(WebSocketClosedError())
            room.exception()  # not everybody waits for a write

    # -- closing ---------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return not self._open

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close, behind what waits to be written; a second time it does nothing.

        Raises:
            LocalError: The code may not be sent.
        """
        if not self._open:
            return
        if code is None and reason:
            code = CloseCode.NORMAL
        try:
            close_payload(code, reason or "")
        except ValueError as error:
            raise LocalError(str(error)) from error
        self._open = False
        self._close_wanted = (code, reason or "")
        self._set_timer(self._params.close_timeout, self.abort)
        if not self._writing_paused:
            self._say_close(code, reason or "")

    def fail(self, code: CloseCode, reason: str = "") -> None:
        """Close because something went wrong; the handler gets no more messages."""
        self._deaf = True
        self._queue = None
        if not self._open:
            if self._close_wanted is not None:  # a Close that was to follow what waited
                self._say_close(*self._close_wanted)
            return
        self._open = False
        self._fail_writers()
        self._set_timer(self._params.close_timeout, self.abort)
        self._say_close(code, reason)

    def drain(self) -> None:
        """The server goes away (1001)."""
        self.close(CloseCode.GOING_AWAY)

    def abort(self) -> None:
        """End at once."""
        if self.stream is not None:
            self.stream.abort()

    def _say_close(self, code: int | None, reason: str) -> None:
        self._close_wanted = None
        buffers = self._protocol.send_close(code, reason)
        if buffers:
            self._send(buffers)
        if self._deaf and self._busy:
            # The answer has to be read, whatever keeps the handler busy.
            self._loop.call_soon(self._resume)

    def _peer_closes(self, event: Close) -> None:
        self._open = False
        self.close_code, self.close_reason = event.code, event.reason or None
        self._queue = None
        self._fail_writers()
        buffers = self._protocol.send_close(event.code)
        if buffers:  # else ours came first
            self._send(buffers)
        self._uncork()
        self._busy = True
        self._set_timer(self._params.close_timeout, self.abort)
        if self.stream is not None:
            self.stream.close_when_flushed()

    def _refuse(self, error: ConnectionFailed) -> None:
        """The peer has broken the protocol: say so, and let it read that."""
        gen_log.info("Malformed WebSocket message: %s", error)
        self._open = False
        self._deaf = True
        self._queue = None
        self._fail_writers()
        buffers = self._protocol.send_close(error.code, error.reason)
        if buffers:
            self._send(buffers)
        self._uncork()
        self._set_timer(self._params.close_timeout, self.abort)
        if self.stream is not None:
            # Closing now, with its data unread, would reset the connection and lose our Close.
            self.stream.write_eof()

    def _end(self) -> None:
        """Nothing more is to be said or heard."""
        self._open = False
        self._fail_writers()
        stream = self.stream
        if stream is not None and not stream.closed():
            self._set_timer(self._params.close_timeout, self.abort)
            stream.close_when_flushed()

    # -- the timer ---------------------------------------------------------------------------------

    def _set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(delay, callback)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
