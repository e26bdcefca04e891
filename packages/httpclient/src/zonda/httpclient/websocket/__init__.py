"""WebSockets for clients (RFC 6455).

    connection = await websocket_connect("wss://example.com/chat")
    await connection.write_message("hello")
    async for message in connection:
        print(message)

Connecting, proxies and TLS are those of any fetch, and so are their errors
(`zonda.httpclient.errors`); an answer other than 101 is an `HTTPClientError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zonda.httpclient.errors import HTTPRequestError
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.websocket.connection import (
    DEFAULT_MAX_MESSAGE_SIZE,
    OnMessage,
    WebSocketClientConnection,
)
from zonda.httputil.websocket import WebSocketClosedError, WebSocketError
from zonda.httputil.websocket.outgoing import DEFAULT_LIMIT

if TYPE_CHECKING:
    from zonda.iostream.netutil import Resolver

__all__ = [
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "websocket_connect",
]


def websocket_connect(
    url: str | HTTPRequest,
    callback: Callable[[asyncio.Future[WebSocketClientConnection]], object] | None = None,
    connect_timeout: float | None = None,
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
) -> asyncio.Future[WebSocketClientConnection]:
    """Connect to a WebSocket server.

    Args:
        url: A URL with the scheme ``ws`` or ``wss``, or a request with one: for headers,
            credentials, TLS settings, a proxy.
        callback: Legacy: called with the future when it is done.
        connect_timeout: Seconds for connecting, 20 by default; not with a request, which has its
            own.
        on_message_callback: Called with each message, and with None at the end; may be ``async``,
            and then the next message waits for it. Without it, there is ``read_message``.
        compression_options: A dictionary (``compression_level``, ``mem_level``; may be empty) to
            offer compression; None, the default, not to.
        ping_interval: Seconds between pings; None (the default) or 0 for none.
        ping_timeout: Seconds within which a pong must come; at most the interval, which it is by
            default.
        max_message_size: Most bytes of a message, after decompression; 10 MiB by default.
        subprotocols: What to offer, the dearest first.
        resolver: For the host's name; the configured one by default.
        queue_limit: Bytes of messages that may wait for a server that reads slowly; 16 MiB by
            default.
        queue_policy: What happens there: ``"wait"`` (the default), ``"drop_oldest"`` or
            ``"close"``.

    Returns:
        A future for the connection; cancelling it gives up.

    Raises:
        HTTPRequestError: ``connect_timeout`` beside a request.
        ValueError: Options for compression that there are not, or a setting out of its range.

    >>> async def echo():
    ...     async with await websocket_connect("wss://echo.example/") as connection:
    ...         await connection.write_message("hello")
    ...         return await connection.read_message()
    """
    if isinstance(url, HTTPRequest):
        if connect_timeout is not None:
            raise HTTPRequestError("a request has a connect_timeout of its own")
        request = url
    else:
        request = HTTPRequest(url, connect_timeout=connect_timeout)
    connection = WebSocketClientConnection(
        request,
        on_message_callback,
        compression_options,
        ping_interval,
        ping_timeout,
        max_message_size,
        subprotocols,
        resolver,
        queue_limit=queue_limit,
        queue_policy=queue_policy,
    )
    if callback is not None:
        connection.connect_future.add_done_callback(callback)
    return connection.connect_future
