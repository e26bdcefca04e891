"""The settings of one WebSocket connection, and what a ping timeout may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zonda.httputil.websocket.outgoing import DEFAULT_LIMIT, OutgoingQueue
from zonda.ioloop.log import gen_log

DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024
"""Most bytes of a message after decompression, by default: 10 MiB."""
DEFAULT_CLOSE_TIMEOUT = 5.0
"""Seconds to wait for the peer's part of closing, by default."""


@dataclass(frozen=True, slots=True)
class WebSocketParams:
    """Settings of a connection, made by `WebSocketHandler.get_websocket_protocol`.

    Attributes:
        ping_interval: Seconds between pings; None or 0 for none.
        ping_timeout: Seconds within which a pong must come; None for the interval.
        max_message_size: Most bytes of a message, after decompression.
        compression_options: As `WebSocketHandler.get_compression_options` returns them.
        close_timeout: Seconds that the closing handshake may take.
        queue_limit: Bytes of messages that may wait for a slow peer.
        queue_policy: ``wait``, ``drop_oldest`` or ``close``; see
            `zonda.httputil.websocket.outgoing`.
    """

    ping_interval: float | None = None
    ping_timeout: float | None = None
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE
    compression_options: Mapping[str, Any] | None = field(default=None)
    close_timeout: float = DEFAULT_CLOSE_TIMEOUT
    queue_limit: int = DEFAULT_LIMIT
    queue_policy: str = "wait"

    def effective_ping_timeout(self) -> float | None:
        """The ping timeout: positive, and at most the interval; None without pings."""
        interval, timeout = self.ping_interval, self.ping_timeout
        if not interval:
            return None
        if timeout is None or timeout <= 0:
            return interval
        return min(timeout, interval)


_shared: list[WebSocketParams] = []
_MOST_SHARED = 16


def shared(params: WebSocketParams) -> WebSocketParams:
    """One object for equal settings: all connections of an application mostly have the same.

    Raises:
        ValueError: A queue limit or policy that is none.

    >>> shared(WebSocketParams()) is shared(WebSocketParams())
    True
    """
    for known in _shared:
        if known == params:
            return known
    OutgoingQueue(params.queue_limit, params.queue_policy)  # refuses what is none
    interval, timeout = params.ping_interval, params.ping_timeout
    if interval and timeout and timeout > interval:
        gen_log.warning(
            "websocket_ping_timeout (%s) is longer than websocket_ping_interval (%s):"
            " the interval is used for both",
            timeout,
            interval,
        )
    if len(_shared) < _MOST_SHARED:
        _shared.append(params)
    return params
