"""From a file to the connection, by the shortest way there is.

In: a handler whose head is complete, ``Content-Length`` included, and the ranges to send. Out:
bytes on their way, at most a little ahead of the client. A small response is read at once and goes
out in one write with its head. A large one goes by ``sendfile`` where the connection can do that,
and is otherwise read in another thread. Raises `StreamClosedError` when the client is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import TYPE_CHECKING, Any, Final

from zonda.web.staticfiles.ranges import Parts, Range
from zonda.web.transforms import GZipContentEncoding

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler
    from zonda.web.staticfiles.openfile import OpenFile

AT_ONCE: Final = 64 * 1024
"""Bytes up to which a response is read on the spot: cheaper than any way around it."""

Content = bytes | str | Iterable[bytes] | AsyncIterable[bytes] | None


async def send_file(handler: RequestHandler, file: OpenFile, body: Range | Parts) -> None:
    """Send one range of a file, or several.

    Args:
        handler: Finished by its caller afterwards.
        file: Closed by its caller.
        body: The range, or the ranges with what is between them.
    """
    pieces: Iterable[tuple[bytes, int, int]]
    if isinstance(body, Parts):
        pieces, end, length = body, body.end, body.length
    else:
        start, stop = body
        pieces, end, length = ((b"", start, stop),), b"", stop - start
    if length <= AT_ONCE:
        for head, start, stop in pieces:
            if head:
                handler.write(head)
            handler.write(file.read(start, stop - start))
        if end:
            handler.write(end)
        return
    connection: Any = handler.request.connection
    direct = getattr(connection, "can_send_files", False) and _goes_out_as_it_is(handler)
    if direct:
        handler.flush()
        direct = _goes_out_as_it_is(handler)  # a transform decides when it sees the head
    for head, start, stop in pieces:
        if head:
            handler.write(head)
        if direct:
            if head:
                handler.flush()
            await connection.write_file(file.part(start, stop - start))
        else:
            await _send_read(handler, file, start, stop)
    if end:
        handler.write(end)


async def _send_read(handler: RequestHandler, file: OpenFile, start: int, stop: int) -> None:
    """Send a range that has to be read, and perhaps compressed, in another thread."""
    if not handler._headers_written:
        handler.flush()
    encoding = [
        each
        for each in handler._transforms
        if isinstance(each, GZipContentEncoding) and each.coding is not None
    ]
    if len(encoding) == 1 == len(handler._transforms):
        connection: Any = handler.request.connection
        # Without a flush after each piece, which the client need not have at once.
        async for chunk in file.chunks(start, stop - start, encoding[0].encode):
            await connection.write(chunk)
        return
    async for chunk in file.chunks(start, stop - start):
        handler.write(chunk)
        await handler.flush()


def _goes_out_as_it_is(handler: RequestHandler) -> bool:
    """Whether no transform wants to see the body."""
    for transform in handler._transforms:
        if not isinstance(transform, GZipContentEncoding):
            return False
        if handler._headers_written and transform.coding is not None:
            return False
    headers = handler._headers
    # Without a length the body would be chunked, which is a transformation, too.
    return "Content-Length" in headers and "Transfer-Encoding" not in headers


async def send_content(handler: RequestHandler, content: Content | Awaitable[Content]) -> None:
    """Send what an override of ``get_content`` returns.

    Args:
        handler: Finished by its caller afterwards.
        content: Bytes or text; an iterable of bytes, asynchronous or not; something to await that
            gives one of them. Pieces are sent as they come, each after the one before has left.
    """
    if isinstance(content, Awaitable):
        content = await content
    if content is None:
        return
    if isinstance(content, (bytes, str)):
        handler.write(content)
    elif isinstance(content, AsyncIterable):
        async for chunk in content:
            handler.write(chunk)
            await handler.flush()
    else:
        for chunk in content:
            handler.write(chunk)
            await handler.flush()
