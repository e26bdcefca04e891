"""One message to many connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zonda.httputil.websocket import PreparedMessage, WebSocketClosedError, message_content
from zonda.iostream.multicast import send_to_all
from zonda.web.websocket.handler import WebSocketHandler
from zonda.web.websocket.protocol13 import WebSocketProtocol13

if TYPE_CHECKING:
    from zonda.iostream import IOStream


def broadcast(
    connections: Iterable[WebSocketHandler],
    message: str | bytes | dict[str, Any],
    binary: bool = False,
) -> int:
    """Send a message to many: it is framed once, and compressed once for each setting in use.

    Nobody is waited for: for those who read slowly the message is queued, as `write_message` says,
    and those who are closed, or closing, are passed over. One broadcast holds up the loop for as
    long as it takes to write to all of them (some 8 microseconds each, mostly the system's).

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
    prepared = PreparedMessage(message_content(message, binary))
    reached = 0
    # Nearly all of thousands have nothing queued and no compression: what write_prepared does for
    # them is a call of socket.send each, and is done for all at once.
    ready: list[IOStream] = []
    for handler in tuple(connections):  # sets of them change when one closes
        connection = handler.ws_connection
        try:
            if type(connection) is WebSocketProtocol13:
                if (
                    connection._plain
                    and connection._open
                    and not connection._writing_paused
                    and connection._corked is None
                    and connection.stream is not None
                ):
                    ready.append(connection.stream)
                    continue
                connection.write_prepared(prepared)
            elif connection is not None:
                connection.write_message(message, binary)
            else:
                continue
        except WebSocketClosedError:
            continue
        reached += 1
    if ready:
        send_to_all(ready, prepared.frame)
    return reached + len(ready)
