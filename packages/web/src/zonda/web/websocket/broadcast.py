"""One message to many connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zonda.httputil.escape import json_encode
from zonda.httputil.websocket import PreparedMessage, WebSocketClosedError
from zonda.web.websocket.handler import WebSocketHandler
from zonda.web.websocket.protocol13 import WebSocketProtocol13


def broadcast(
    connections: Iterable[WebSocketHandler],
    message: str | bytes | dict[str, Any],
    binary: bool = False,
) -> int:
    """Send a message to many: it is framed once, and compressed once for each setting in use.

    Nobody is waited for: for those who read slowly the message is queued, as `write_message` says,
    and those who are closed, or closing, are passed over. One broadcast holds up the loop for as
    long as it takes to write to all of them (some 10 microseconds each).

    Args:
        connections: The handlers.
        message: As for `WebSocketHandler.write_message`.
        binary: As there.

    Returns:
        How many it was sent to, or queued for.

    Raises:
        TypeError: The message is of another type.
        ValueError: Bytes that are not UTF-8 in a text message.
    """
    if isinstance(message, dict):
        message = json_encode(message)
    elif not isinstance(message, str | bytes):
        raise TypeError(f"a message is str, bytes or dict, not {type(message).__name__}")
    if binary:
        prepared = PreparedMessage(message.encode() if isinstance(message, str) else message)
    else:
        prepared = PreparedMessage(message.decode() if isinstance(message, bytes) else message)
    reached = 0
    for handler in tuple(connections):  # sets of them change when one closes
        connection = handler.ws_connection
        try:
            if type(connection) is WebSocketProtocol13:
                connection.write_prepared(prepared)
            elif connection is not None:
                connection.write_message(message, binary)
            else:
                continue
        except WebSocketClosedError:
            continue
        reached += 1
    return reached
