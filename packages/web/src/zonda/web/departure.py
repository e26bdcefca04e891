"""Clients that have gone, and connections that are given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.iostream import StreamClosedError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


def fail_body(handler: RequestHandler) -> None:
    """Tell who waits for the rest of a streamed body that it will not come."""
    from_peer = handler.request._body_future
    if not from_peer.done():
        from_peer.set_exception(StreamClosedError())
        from_peer.exception()


def abort(handler: RequestHandler) -> None:
    """Close a handler's connection without an answer, or without the rest of one."""
    stream = getattr(handler.request.connection, "stream", None)
    if stream is not None:
        stream.close()
    if not handler._finished:
        handler._end()


def client_is_gone(handler: RequestHandler) -> bool:
    """Say whether nobody is left to answer, as far as that is known."""
    stream = getattr(handler.request.connection, "stream", None)
    return stream is not None and stream.closed()
