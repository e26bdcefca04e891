"""Server-sent events: a response that goes on, one event after the other (HTML standard §9.2).

    class Prices(RequestHandler):
        async def get(self):
            async with self.sse() as events:
                async for price in prices(after=events.last_event_id):
                    await events.send({"price": price.value}, id=price.number)

`EventStream` is the block's object; `format_event` the bytes of one event. When the client goes,
the block ends where it is waiting, quietly: what follows it, and every ``finally``, still runs. So
it does when the server drains: the response ends, and the client comes back, to whoever listens
then, with its ``Last-Event-ID``. Events are not sent faster than the client takes them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from zonda.httputil.escape import json_encode
from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

Data = str | Mapping[str, Any] | Sequence[Any] | int | float | bool | None
"""Text, or what is sent as JSON."""

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that no proxy takes the stream for dead."""

# What ends a line in an event stream. Nothing else does, so that str.splitlines is no help.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NOT_IN_FIELDS: Final = re.compile(r"[\r\n\x00]")


def format_event(
    data: Data = "",
    event: str | None = None,
    id: str | int | None = None,
    retry: float | None = None,
) -> bytes:
    r"""Return the bytes of an event.

    Args:
        data: Text, of any number of lines; anything else as JSON.
        event: Its type, if not ``message``.
        id: What the client names in ``Last-Event-ID`` when it comes back; "" to forget it.
        retry: Seconds the client shall wait before it comes back.

    Raises:
        ValueError: ``event`` or ``id`` has a line end or NUL in it, or ``retry`` is negative.

    >>> format_event("two\nlines", event="note", id=7)
    b'event: note\nid: 7\ndata: two\ndata: lines\n\n'
    >>> format_event({"a": 1}, retry=2.5)
    b'retry: 2500\ndata: {"a": 1}\n\n'
    """
    lines = []
    for name, value in (("event", event), ("id", id)):
        if value is not None:
            text = str(value)
            if _NOT_IN_FIELDS.search(text):
                raise ValueError(f"a line end or NUL in the {name} of an event: {text!r}")
            lines.append(f"{name}: {text}")
    if retry is not None:
        if retry < 0:
            raise ValueError(f"retry cannot be negative: {retry}")
        lines.append(f"retry: {round(retry * 1000)}")
    text = data if isinstance(data, str) else json_encode(data)
    lines.extend([f"data: {line}" for line in _LINE_END.split(text)])
    return ("\n".join(lines) + "\n\n").encode()


class EventStream:
    """The events of one response, for the time of an ``async with`` block.

    Args:
        handler: The handler, whose response this will be.
        retry: Seconds the client shall wait before it comes back.
        heartbeat: Seconds of silence after which a comment is sent; None for none.

    Attributes:
        last_event_id: The ``id`` of the last event that this client got before it lost the
            connection; None if it comes for the first time.
        closed: Whether the client is gone, or the server about to end.
    """

    def __init__(
        self,
        handler: RequestHandler,
        retry: float | None = None,
        heartbeat: float | None = HEARTBEAT,
    ) -> None:
        if heartbeat is not None and heartbeat <= 0:
            raise ValueError(f"heartbeat is a number of seconds, not {heartbeat}")
        given = handler.request.headers.get("Last-Event-ID")
        # Header fields are read as Latin-1; this one is UTF-8.
        self.last_event_id = (
            None if given is None else given.encode("latin-1", "replace").decode("utf-8", "replace")
        )
        self.closed = False
        self._handler = handler
        self._retry = retry
        self._heartbeat = heartbeat
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._sent: asyncio.Future[None] | None = None
        self._cancelled = False
        self._ended = False

    async def __aenter__(self) -> Self:
        handler = self._handler
        handler.set_header("Content-Type", "text/event-stream; charset=utf-8")
        if "Cache-Control" not in handler._headers:
            handler.set_header("Cache-Control", "no-store")
        handler.set_header("X-Accel-Buffering", "no")  # nginx would wait for more
        self._task = asyncio.current_task()
        self._tell_handler = handler.on_connection_close
        handler.on_connection_close = self._peer_gone  # type: ignore[method-assign]
        set_drain_callback = getattr(handler.request.connection, "set_drain_callback", None)
        if set_drain_callback is not None:  # not all servers tell
            set_drain_callback(self._stop)
        # Something has to follow the head, or some clients do not see it.
        retry = self._retry
        handler.write(":\n\n" if retry is None else f"retry: {round(retry * 1000)}\n\n")
        try:
            await self._flush()
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._end()
        if self._cancelled:
            assert self._task is not None
            # A cancellation from elsewhere that came meanwhile counts on.
            return self._task.uncancel() <= 0 and isinstance(error, asyncio.CancelledError)
        return self.closed and isinstance(error, StreamClosedError)

    async def send(
        self,
        data: Data = "",
        event: str | None = None,
        id: str | int | None = None,
        retry: float | None = None,
    ) -> None:
        """Send an event; returns when the next one may follow.

        Args:
            data: Text, or anything for JSON.
            event: Its type, if not ``message``.
            id: What the client names when it comes back.
            retry: Seconds the client shall wait before it does.

        Raises:
            StreamClosedError: The client is gone. The block takes care of it.
            ValueError: As `format_event`.
        """
        await self._write(format_event(data, event, id, retry))

    async def comment(self, text: str = "") -> None:
        """Send a line that clients ignore."""
        lines = [f": {line}" for line in _LINE_END.split(text)]
        await self._write(("\n".join(lines) + "\n\n").encode())

    async def _write(self, data: bytes) -> None:
        if self.closed:
            raise StreamClosedError
        self._handler.write(data)
        await self._flush()

    async def _flush(self) -> None:
        self._sent = self._handler.flush()
        self._wait_for_silence()
        await self._sent

    def _wait_for_silence(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._heartbeat is not None and not self.closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._heartbeat, self._beat)

    def _beat(self) -> None:
        # To a client that has not taken the last event yet, another byte is no sign of life.
        if self._sent is None or self._sent.done():
            self._handler.write(b":\n\n")
            self._sent = self._handler.flush()
            self._sent.add_done_callback(_retrieve)
        self._wait_for_silence()

    def _peer_gone(self) -> None:
        self._stop()
        self._tell_handler()

    def _stop(self) -> None:
        """Leave the block, wherever it waits."""
        if self.closed or self._ended:
            return
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.done():
            self._cancelled = self._task.cancel()

    def _end(self) -> None:
        self._ended = True
        self._heartbeat = None
        if self._timer is not None:
            self._timer.cancel()
        del self._handler.on_connection_close


def _retrieve(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
