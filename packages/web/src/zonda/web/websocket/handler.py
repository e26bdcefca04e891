"""`WebSocketHandler`: one WebSocket, seen from the application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from zonda.httpserver.upgrades import Forget, Upgraded, nobody
from zonda.httputil import HTTPHeaders
from zonda.httputil.websocket import HandshakeError, WebSocketClosedError
from zonda.httputil.websocket.handshake import VERSION
from zonda.httputil.websocket.outgoing import DEFAULT_LIMIT
from zonda.ioloop.log import gen_log
from zonda.web.crossorigin import why_refused
from zonda.web.handler import RequestHandler
from zonda.web.websocket.parameters import (
    DEFAULT_CLOSE_TIMEOUT,
    DEFAULT_MAX_MESSAGE_SIZE,
    WebSocketParams,
)
from zonda.web.websocket.protocol import WebSocketProtocol
from zonda.web.websocket.protocol13 import WebSocketProtocol13

if TYPE_CHECKING:
    from zonda.iostream import IOStream

_NO_HEADERS = HTTPHeaders()
_NO_CHUNKS: list[bytes] = []


class WebSocketHandler(RequestHandler):
    """Handles a WebSocket: make a subclass and define `on_message`.

    The request comes first: `initialize`, `prepare`, then `get`, which answers the handshake. From
    then on `open`, `on_message`, `on_ping`, `on_pong` and, once, `on_close` are called, in order
    and one at a time: reading pauses while an ``async`` one runs. If the connection is lost
    meanwhile, `write_message` raises; `on_close` waits for `open` to end, but not for the others.
    An exception in one is logged and closes the connection with 1011.

    ::

        class Echo(WebSocketHandler):
            async def on_message(self, message):
                await self.write_message(message)

    Settings of the application: ``websocket_ping_interval``, ``websocket_ping_timeout``,
    ``websocket_max_message_size`` (see the properties of these names), ``websocket_close_timeout``
    (seconds for the closing handshake, 5), ``websocket_queue_limit`` and
    ``websocket_queue_policy`` (see `write_message`).

    Args:
        application: The application.
        request: The request.
        **kwargs: The rule's arguments, passed to `initialize`.

    Attributes:
        ws_connection: The connection: None before the handshake and when it is closed or closing.
        close_code: The code with which the client has closed; None if it gave none, or is gone
            without a Close.
        close_reason: Its reason, None as for the code.
        open_args: Groups of the path, positional, that `open` gets.
        open_kwargs: The same by name.
    """

    # Most of a connection's life these stay as they are: in the class they cost it nothing.
    ws_connection: WebSocketProtocol | None = None
    close_code: int | None = None
    close_reason: str | None = None
    open_args: tuple[str, ...] = ()
    open_kwargs: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed
    _switched = False
    _told_of_close = False

    # -- hooks -----------------------------------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        """The WebSocket is open. No message is read before this is done.

        Args:
            *args: Groups of the path.
            **kwargs: The same by name.
        """

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """A message has come.

        Args:
            message: `str` if it is a text message, `bytes` if it is a binary one.
        """
        raise NotImplementedError(f"{type(self).__name__} must override on_message()")

    def on_ping(self, data: bytes) -> Awaitable[None] | None:
        """A ping has come, and has been answered."""

    def on_pong(self, data: bytes) -> Awaitable[None] | None:
        """A pong has come, be it to `ping` or to one of ``websocket_ping_interval``."""

    def on_close(self) -> None:
        """The WebSocket is closed; `close_code` and `close_reason` say what the client gave."""

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose a subprotocol (RFC 6455 §1.9); None for none, as the default does.

        A client that offered some and gets none may close the connection.

        Args:
            subprotocols: What the client offers, the dearest first.
        """
        return None

    def get_compression_options(self) -> dict[str, Any] | None:
        """Return options to switch compression on (RFC 7692); None, the default, to do without.

        An empty dictionary will do. ``compression_level`` is 0 to 9 (6), ``mem_level`` 1 to 9 (8);
        also ``server_no_context_takeover``, ``client_no_context_takeover`` (False),
        ``server_max_window_bits``, ``client_max_window_bits`` (9 to 15).

        What it costs: a connection that has sent a message keeps a compressor, which is
        ``2 ** (window bits + 2) + 2 ** (mem_level + 9)`` bytes, 256 KiB as it is set, and one that
        has received one a window of 32 KiB and some. With ``server_no_context_takeover`` and
        ``client_no_context_takeover`` both are given back after each message, which compresses
        small messages less well.
        """
        return None

    def check_origin(self, origin: str) -> bool:
        """Say whether a page of another origin may connect.

        Asked when the request is not known to come from a page of this host. The default asks
        ``check_trusted_origin``, as for other requests, which knows the ``trusted_origins``
        setting. A WebSocket sends cookies wherever the page came from: to return True always is
        safe only for what needs no authentication.

        Args:
            origin: The ``Origin`` header.
        """
        return bool(self.check_trusted_origin(origin))

    # -- settings --------------------------------------------------------------------------------

    @property
    def ping_interval(self) -> float | None:
        """Seconds between pings (setting ``websocket_ping_interval``); None or 0 for none."""
        return cast("float | None", self.settings.get("websocket_ping_interval"))

    @property
    def ping_timeout(self) -> float | None:
        """Seconds within which a pong must come (``websocket_ping_timeout``); at most the interval.

        None for the interval.
        """
        return cast("float | None", self.settings.get("websocket_ping_timeout"))

    @property
    def max_message_size(self) -> int:
        """Largest message in bytes, after decompression (``websocket_max_message_size``, 10 MiB).

        A larger one closes the connection with 1009.
        """
        return cast(int, self.settings.get("websocket_max_message_size", DEFAULT_MAX_MESSAGE_SIZE))

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol that `select_subprotocol` chose."""
        assert self.ws_connection is not None
        return self.ws_connection.selected_subprotocol

    # -- the handshake ---------------------------------------------------------------------------

    async def get(self, *args: str, **kwargs: str) -> None:
        """Answer the handshake (RFC 6455 §4.2); returns when `open` is done.

        Args:
            *args: For `open`.
            **kwargs: For `open`.
        """
        self.open_args = args
        self.open_kwargs = kwargs
        connection: Any = self.request.connection
        carried = getattr(connection, "websocket", None)  # see `protocol`
        if carried is None:
            if self.request.headers.get("Upgrade", "").lower() != "websocket":
                return self._refuse(400, 'Can "Upgrade" only to "WebSocket".')
            options = self.request.headers.get("Connection", "").lower().split(",")
            if "upgrade" not in (option.strip(" \t") for option in options):
                return self._refuse(400, '"Connection" must be "Upgrade".')
        reason = why_refused(self.request.headers, self.request.host, self.check_origin)
        if reason is not None:
            return self._refuse(403, "Cross origin websockets not allowed", reason)
        protocol = self.get_websocket_protocol() if carried is None else carried(self)
        if protocol is None:
            self.set_header("Sec-WebSocket-Version", VERSION)
            return self._refuse(426, "", "another version of the protocol")
        self.ws_connection = protocol
        try:
            await protocol.accept_connection(self)
        except HandshakeError as error:
            self.ws_connection = None
            for name, value in error.headers.items():
                self.set_header(name, value)
            self._refuse(error.status, "Missing/Invalid WebSocket headers", str(error))
        except BaseException:
            if not self._switched:
                self.ws_connection = None
            raise

    def _refuse(self, status: int, message: str, reason: str = "") -> None:
        self.set_status(status)
        gen_log.debug("%d %s: %s", status, self._request_summary(), reason or message)
        self.finish(message)

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Return what will speak with the client; None if it wants another version (426)."""
        if self.request.headers.get("Sec-WebSocket-Version") != VERSION:
            return None
        settings = self.settings
        return WebSocketProtocol13(
            self,
            False,
            WebSocketParams(
                ping_interval=self.ping_interval,
                ping_timeout=self.ping_timeout,
                max_message_size=self.max_message_size,
                compression_options=self.get_compression_options(),
                close_timeout=settings.get("websocket_close_timeout", DEFAULT_CLOSE_TIMEOUT),
                queue_limit=settings.get("websocket_queue_limit", DEFAULT_LIMIT),
                queue_policy=settings.get("websocket_queue_policy", "wait"),
            ),
        )

    def _switch_protocols(
        self, headers: HTTPHeaders, successor: Upgraded
    ) -> tuple[IOStream, Forget]:
        """Send the 101 and give the stream away.

        Returns:
            The stream, and what to call when ``successor`` is through with it.
        """
        self.set_status(101)
        self.clear_header("Content-Type")
        for name, value in headers.get_all():
            self.set_header(name, value)
        self._transforms = ()  # there is no content to transform
        self.flush()
        connection: Any = self.request.connection
        upgrade = getattr(connection, "upgrade", None)
        if upgrade is None:  # a connection of another kind: no server looks after what follows
            stream, forget = self.detach(), nobody
        else:
            stream, forget = upgrade(successor)
        self._switched = True
        self._end()
        # Nothing is added to these any more: let go of what they hold.
        self._headers, self._write_buffer = _NO_HEADERS, _NO_CHUNKS
        self.request.server_connection = None
        return stream, forget

    # -- messages --------------------------------------------------------------------------------

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        To wait for what is returned keeps memory bounded when the client reads slowly. Messages of
        those who do not wait are queued, up to the setting ``websocket_queue_limit`` (16 MiB);
        what happens there is ``websocket_queue_policy``:

        - ``"wait"``, the default: writers wait; a message beyond the limit, of one that does not,
          closes the connection with 1013.
        - ``"drop_oldest"``: writers never wait; the oldest messages are given up for newer ones.
        - ``"close"``: writers never wait; at the limit the connection is closed with 1013.

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
        connection = self.ws_connection
        if connection is None:
            raise WebSocketClosedError
        return connection.write_message(message, binary)

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping; the answer comes to `on_pong`.

        Args:
            data: At most 125 bytes.

        Raises:
            WebSocketClosedError: The connection is closed or closing.
            ValueError: Too many bytes.
        """
        connection = self.ws_connection
        if connection is None or connection.is_closing():
            raise WebSocketClosedError
        connection.write_ping(data.encode() if isinstance(data, str) else data)

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close; `on_close` follows when the client has answered, or in 5 seconds.

        What was written before is sent first.

        Args:
            code: A code (RFC 6455 §7.4); 1000 if there is only a reason.
            reason: A reason; cut beyond 123 bytes of UTF-8.

        Raises:
            LocalError: The code may not be sent.
        """
        connection = self.ws_connection
        if connection is not None:
            connection.close(code, reason)
            self.ws_connection = None

    def set_nodelay(self, value: bool) -> None:
        """Send small messages at once rather than together (``TCP_NODELAY``; on by default)."""
        assert self.ws_connection is not None
        self.ws_connection.set_nodelay(value)

    # -- the end ---------------------------------------------------------------------------------

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """The connection is gone; keeps what the client gave, and runs `on_connection_close`."""
        self.close_code = close_code
        self.close_reason = close_reason
        self.on_connection_close()

    def on_connection_close(self) -> None:
        """The connection is gone, as a WebSocket or before it was one."""
        if not self._switched:
            super().on_connection_close()
            return
        self.ws_connection = None
        if not self._told_of_close:
            self._told_of_close = True
            self.on_close()


def _before_switching(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a request, which has no meaning once it has become a WebSocket."""

    @wraps(method)
    def checked(self: WebSocketHandler, *args: Any, **kwargs: Any) -> Any:
        if self._switched:
            raise RuntimeError(f"{method.__name__}() is of no use for a WebSocket")
        return method(self, *args, **kwargs)

    return checked


for _name in (
    "add_header",
    "clear_cookie",
    "clear_header",
    "finish",
    "flush",
    "redirect",
    "set_cookie",
    "set_header",
    "set_status",
    "write",
):
    setattr(WebSocketHandler, _name, _before_switching(getattr(RequestHandler, _name)))
