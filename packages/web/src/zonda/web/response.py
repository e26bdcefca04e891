"""The response of a handler on its way out: transforms and cookies, head and body, the end.

In: a handler and what it has written. Out: calls of ``request.connection``, and a future that is
done when more may be sent without piling up. What takes long, the compression of large bodies, is
left to `zonda.web.later`. Raises RuntimeError for a body with a status that has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from zonda.httputil import ResponseStartLine
from zonda.web.later import Later, is_large

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

_NO_BODY: Final = frozenset((204, 304))
_TAGGED: Final = frozenset(("GET", "HEAD"))
# Fields that describe content which is not sent with these statuses (RFC 9110 §8, §15.4.5).
_REPRESENTATION_HEADERS: Final = (
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
)


def refuse_chunk(chunk: object) -> NoReturn:
    """Say what `RequestHandler.write` does not take.

    Raises:
        TypeError: Always.
    """
    message = f"write() takes bytes, str or dict, not {type(chunk).__name__}"
    if isinstance(chunk, list):
        message += "; lists are not accepted for security reasons: wrap it in a dict"
    raise TypeError(message)


def flush(
    handler: RequestHandler, include_footers: bool, callback: Callable[[], object] | None
) -> asyncio.Future[None]:
    """Do what `RequestHandler.flush` does.

    Args:
        handler: The handler.
        include_footers: Whether this is the end.
        callback: Called when the future is done.
    """
    chunk = b"".join(handler._write_buffer)
    handler._write_buffer = []
    connection = handler.request.connection
    assert connection is not None
    is_head = handler.request.method == "HEAD"
    transforms = handler._transforms
    future: asyncio.Future[None]
    if transforms and (
        handler._later is not None
        or (not is_head and is_large(chunk, transforms, handler._headers_written))
    ):
        future = _later(handler).flush(chunk, include_footers)
    elif not handler._headers_written:
        chunk = prepare_head(handler, chunk, include_footers)
        start_line = ResponseStartLine("HTTP/1.1", handler._status_code, handler._reason)
        future = connection.write_headers(start_line, handler._headers, b"" if is_head else chunk)
    else:
        for transform in transforms:
            chunk = transform.transform_chunk(chunk, include_footers)
        if is_head or not chunk:
            future = asyncio.get_running_loop().create_future()
            future.set_result(None)
        else:
            future = connection.write(chunk)
    handler._headers_written = True
    if callback is not None:
        run = callback
        future.add_done_callback(lambda _: run())
    return future


def prepare_head(handler: RequestHandler, chunk: bytes, finishing: bool) -> bytes:
    """Apply transforms and cookies to the head that is about to be sent.

    Args:
        handler: The handler, whose status and headers may be others afterwards.
        chunk: The first piece of the body.
        finishing: Whether it is all of it.

    Returns:
        What to send of the body.
    """
    for transform in handler._transforms:
        handler._status_code, handler._headers, chunk = transform.transform_first_chunk(
            handler._status_code, handler._headers, chunk, finishing
        )
    if handler._jar is not None:
        for cookie in handler._jar.header_values():
            handler._headers.add("Set-Cookie", cookie)
    return chunk


def finish_begun(handler: RequestHandler, connection: Any) -> asyncio.Future[None]:
    """End a response whose head is out, or one that goes out by `RequestHandler.flush`."""
    future = handler.flush(include_footers=True)
    if handler._later is None:
        connection.finish()
    else:
        handler._later.finish()
    return future


def finish_whole(handler: RequestHandler, connection: Any, by_flush: bool) -> asyncio.Future[None]:
    """Send a response of which nothing is out yet.

    Args:
        handler: The handler.
        connection: That of its request.
        by_flush: Whether the handler wants to see each chunk in `RequestHandler.flush`.
    """
    if handler._status_code == 200 and handler.request.method in _TAGGED:
        if "Etag" not in handler._headers._fields:  # the handler may know a better one
            handler.set_etag_header()
        if handler.check_etag_header():
            handler._write_buffer = []
            handler.set_status(304)
    chunks = handler._write_buffer
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    status = handler._status_code
    if status != 200 and (status < 200 or status in _NO_BODY):
        if chunks:
            raise RuntimeError(f"Cannot send body with {status}")
        for name in _REPRESENTATION_HEADERS:
            handler.clear_header(name)
    try:
        respond = connection.respond
    except AttributeError:  # a connection of another kind
        by_flush = True
    if by_flush:
        if status not in _NO_BODY and "Content-Length" not in handler._headers:
            handler._headers["Content-Length"] = str(len(body))
        return finish_begun(handler, connection)
    if handler._transforms or handler._jar is not None:
        if handler._transforms and is_large(body, handler._transforms, False):
            handler._write_buffer = []
            handler._headers_written = True
            return _later(handler).respond(body)
        body = prepare_head(handler, body, True)
    # The protocol adds Content-Length.
    whole: asyncio.Future[None] = respond(
        handler._status_code, handler._reason, handler._headers, body
    )
    handler._write_buffer = []
    handler._headers_written = True
    return whole


def _later(handler: RequestHandler) -> Later:
    if handler._later is None:
        handler._later = Later(handler)
    return handler._later
