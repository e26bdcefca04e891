"""A client that is gone: whether it is, and which exceptions only say so."""

from zonda.httputil import HTTPConnection
from zonda.iostream import StreamClosedError


def is_lost(connection: HTTPConnection) -> bool:
    """Say whether nothing can be sent any more to who made a request.

    ``on_connection_close`` comes earlier than that if a client only finishes sending.
    """
    stream = getattr(connection, "stream", None)
    return (stream is not None and stream.closed()) or bool(getattr(connection, "finished", False))


def comes_from_disconnect(error: BaseException) -> bool:
    """Say whether an exception is what became of our telling that the client is gone.

    Frameworks wrap the OSError of ``send`` in their own exceptions and in groups.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, StreamClosedError):
            return True
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        waiting += (one.__cause__, one.__context__)
    # What has nothing to do with us but says so by its name, as Starlette's does when `receive`
    # told it.
    return type(error).__name__ == "ClientDisconnect"
