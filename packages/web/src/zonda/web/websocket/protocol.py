"""What a `WebSocketHandler` talks to: its ``ws_connection``, whatever carries the messages.

`WebSocketProtocol13` carries them over a stream. Something else can, too: where the request's
connection has a method ``websocket``, the handler calls that, with itself, in place of making a
`WebSocketProtocol13`. An ASGI server, which does handshake and frames itself, is served by a
subclass whose

- `accept_connection` sends ``websocket.accept`` with what `choose_subprotocol` returns (or
  ``websocket.close`` if it raises), then awaits `handler_opens`, and begins to receive;
- ``websocket.receive`` ends in ``await handler_receives(data)``, one at a time: that is the
  back-pressure;
- ``websocket.disconnect`` ends in `handler_closes`, with the code and reason, once;
- `write_message`, `close` send ``websocket.send`` and ``websocket.close``. ASGI knows no pings:
  `write_ping` and `start_pinging` say so or do nothing, as the server pings by itself.

The three ``handler_...`` methods run the application's callbacks in the context of its request, and
see to what it raises: that is logged, and the connection closed with 1011 (`fail`).
"""

from __future__ import annotations

import abc
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from zonda.httputil.websocket import CloseCode, WebSocketClosedError
from zonda.ioloop.log import app_log, gen_log
from zonda.ioloop.stepping import start_coroutine

if TYPE_CHECKING:
    from zonda.web.websocket.handler import WebSocketHandler


class WebSocketProtocol(abc.ABC):
    """One WebSocket connection, as its handler sees it.

    To be made inside the request's context: the handler's callbacks run in a copy of it.

    Args:
        handler: The handler.

    Attributes:
        handler: The handler; None once it was told of the end.
        close_code: The code of the peer's Close; None before, and for a Close without one.
        close_reason: Its reason.
    """

    # Subclasses of applications' own may have more; those here are kept small.
    __slots__ = ("__dict__", "_context", "_opening", "close_code", "close_reason", "handler")

    def __init__(self, handler: WebSocketHandler) -> None:
        self.handler: WebSocketHandler | None = handler
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._context = copy_context()
        # While ``open`` runs: the end that `on_close` has yet to be told of, if it has come.
        self._opening: list[tuple[int | None, str | None]] | None = None

    # -- what carries the messages ---------------------------------------------------------------

    @abc.abstractmethod
    async def accept_connection(self, handler: WebSocketHandler) -> None:
        """Answer the handshake, run ``handler.open``, and begin to receive."""

    @abc.abstractmethod
    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message (see `WebSocketHandler.write_message`)."""

    @abc.abstractmethod
    def write_ping(self, data: bytes) -> None:
        """Send a ping of at most 125 bytes."""

    @abc.abstractmethod
    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close (see `WebSocketHandler.close`)."""

    @abc.abstractmethod
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""

    @property
    @abc.abstractmethod
    def selected_subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on."""

    @abc.abstractmethod
    def set_nodelay(self, x: bool) -> None:
        """Send small messages at once rather than together."""

    @abc.abstractmethod
    def start_pinging(self) -> None:
        """Begin to send pings, if the handler's settings want them."""

    @abc.abstractmethod
    def fail(self, code: CloseCode) -> None:
        """Close because something went wrong; the handler gets no more messages."""

    # -- what the handler is told ----------------------------------------------------------------

    def on_connection_close(self) -> None:
        """The connection is gone."""
        self.handler_closes(self.close_code, self.close_reason)

    def choose_subprotocol(self, offered: list[str]) -> str | None:
        """Ask the handler for one of the subprotocols that the client offers.

        Raises:
            ValueError: It names another one.
        """
        assert self.handler is not None
        chosen = self.handler.select_subprotocol(offered)
        if chosen is not None and chosen not in offered:
            raise ValueError(f"select_subprotocol() returned {chosen!r}, which was not offered")
        return chosen

    async def handler_opens(self) -> None:
        """Run ``handler.open`` to its end, and then what has come of the connection meanwhile."""
        handler = self.handler
        assert handler is not None
        ends = self._opening = []
        try:
            await self._wait(self._call(handler.open, *handler.open_args, **handler.open_kwargs))
        finally:
            self._opening = None
            if ends:
                self.handler_closes(*ends[0])

    async def handler_receives(self, message: str | bytes) -> None:
        """Run ``handler.on_message`` to its end."""
        handler = self.handler
        if handler is not None:
            await self._wait(self._call(handler.on_message, message))

    def handler_closes(self, code: int | None, reason: str | None) -> None:
        """Run ``handler.on_ws_connection_close``, and with that its ``on_close``; once only.

        What ``open`` sets up, ``on_close`` takes down: if that still runs, it is waited for.
        """
        if self._opening is not None:
            self._opening.append((code, reason))
            return
        handler, self.handler = self.handler, None
        if handler is not None:
            try:
                self._context.run(handler.on_ws_connection_close, code, reason)
            except Exception:
                _log_exception(handler)

    # -- running the application -----------------------------------------------------------------

    def _call(
        self, callback: Callable[..., Awaitable[None] | None], *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any] | None:
        """Call the application.

        Returns:
            None if that is done, for better or worse; else what is done when it is.
        """
        try:
            result = self._context.run(callback, *args, **kwargs)
        except Exception as error:
            self._callback_failed(error)
            return None
        return None if result is None else self._start(result)

    def _start(self, result: Awaitable[None]) -> asyncio.Future[Any] | None:
        """Go on with what a callback has returned, as far as it goes without waiting."""
        try:
            coroutine = result if isinstance(result, Coroutine) else _awaited(result)
            rest = start_coroutine(coroutine, self._context)
            return rest if isinstance(rest, asyncio.Future) else None
        except asyncio.CancelledError:
            self.fail(CloseCode.INTERNAL_ERROR)
        except Exception as error:
            self._callback_failed(error)
        return None

    async def _wait(self, future: asyncio.Future[Any] | None) -> None:
        """Wait for a callback, and look at how it has ended."""
        if future is not None:
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                future.cancel()
                raise
            self._is_through(future)

    def _is_through(self, future: asyncio.Future[Any]) -> None:
        """Look at how a callback that had to wait has ended."""
        if future.cancelled():
            self.fail(CloseCode.INTERNAL_ERROR)
            return
        error = future.exception()
        if error is not None:
            try:
                raise error
            except Exception as caught:  # so that log_exception finds it in sys.exc_info()
                self._callback_failed(caught)

    def _callback_failed(self, error: Exception) -> None:
        """A callback has raised; called while the exception is being handled."""
        handler = self.handler
        if handler is None or (isinstance(error, WebSocketClosedError) and self.is_closing()):
            # Whoever answers a message while the connection closes is not at fault.
            gen_log.debug("A message was not sent: %s", error)
            return
        _log_exception(handler)
        self.fail(CloseCode.INTERNAL_ERROR)


def _log_exception(handler: WebSocketHandler) -> None:
    try:
        handler.log_exception(*sys.exc_info())
    except Exception:
        app_log.error("Error in exception logger", exc_info=True)


async def _awaited(result: Awaitable[None]) -> None:
    await result
