"""Limits and options of the WebSockets of an ASGI application."""

from dataclasses import dataclass

from zonda.httputil.websocket import DeflateOptions

_DEFLATE = DeflateOptions()


@dataclass(frozen=True, slots=True)
class WebSocketOptions:
    """Limits and options of WebSockets. Sizes are bytes, times seconds.

    Args:
        max_message_size: The largest message, after decompression.
        deflate: Options of permessage-deflate; None declines it.
        ping_interval: From one ping to the next; None for no pings.
        ping_timeout: Within which a pong must come; the interval by default.
        close_timeout: For the peer to answer our Close.
    """

    max_message_size: int = 16 * 1024 * 1024
    deflate: DeflateOptions | None = _DEFLATE
    ping_interval: float | None = 20.0
    ping_timeout: float | None = None
    close_timeout: float = 5.0
