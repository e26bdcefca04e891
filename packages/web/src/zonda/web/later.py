"""Responses that are compressed in another thread, so that nobody else waits for it.

In: the pieces of one response, large ones and those that come while a large one is under way. Out:
calls of the connection, in the order of the pieces, and a future for each, as of any response. The
exchange stays open meanwhile: a request that the client has sent behind this one waits its turn. A
client that has gone is no error; a transform that raises is logged, and the connection closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from zonda.httputil import HTTPHeaders, HTTPOutputError, ResponseStartLine
from zonda.ioloop.log import app_log
from zonda.web.transforms import GZipContentEncoding, OutputTransform

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

LARGE: Final = 128 * 1024
"""Bytes from which on a thread is worth its cost: gzip takes 1 to 3 ms for so many."""

Sent = asyncio.Future[None]


def is_large(chunk: bytes, transforms: Iterable[OutputTransform], begun: bool) -> bool:
    """Say whether a piece of a body is worth a thread, and its transforms are known to bear one.

    Args:
        chunk: The piece.
        transforms: Those of its response.
        begun: Whether they have seen the first piece.
    """
    if len(chunk) < LARGE:
        return False
    worth_it = False
    for each in transforms:
        if not each._bears_threads:
            return False
        if isinstance(each, GZipContentEncoding):
            worth_it |= each.coding is not None if begun else each.wants(chunk)
    return worth_it


@dataclass(slots=True)
class _Head:
    """Status and fields as they were when the head was to be sent, and as transforms leave them."""

    status: int
    reason: str
    headers: HTTPHeaders
    cookies: list[str]
    transforms: tuple[OutputTransform, ...]

    def transform(self, chunk: bytes, finishing: bool) -> bytes:
        for each in self.transforms:
            self.status, self.headers, chunk = each.transform_first_chunk(
                self.status, self.headers, chunk, finishing
            )
        for cookie in self.cookies:
            self.headers.add("Set-Cookie", cookie)
        return chunk


@dataclass(slots=True)
class _Piece:
    """A piece of the body: what makes it ready, in a thread, and what sends it then."""

    transform: Callable[[bytes, bool], bytes]
    send: Callable[[bytes], Sent]
    chunk: bytes
    finishing: bool
    sent: Sent


class Later:
    """The pieces of a response that wait for a thread, or for one that does.

    Args:
        handler: Whose response it is; its ``_later`` is this as long as pieces wait.
    """

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler
        self._connection: Any = handler.request.connection
        self._loop = asyncio.get_running_loop()
        self._pieces: deque[_Piece] = deque()
        self._at_end: Callable[[], object] | None = None

    def respond(self, body: bytes) -> Sent:
        """Send a whole response."""
        head = self._head()

        def send(chunk: bytes) -> Sent:
            whole: Sent = self._connection.respond(head.status, head.reason, head.headers, chunk)
            return whole

        return self._add(head.transform, send, body, True)

    def flush(self, chunk: bytes, finishing: bool) -> Sent:
        """Send a piece, behind the head if that is not out.

        Args:
            chunk: The piece.
            finishing: Whether it is the last.
        """
        if self._handler._headers_written:
            return self._add(self._transform, self._write, chunk, finishing)
        head = self._head()

        def send(chunk: bytes) -> Sent:
            start_line = ResponseStartLine("HTTP/1.1", head.status, head.reason)
            begun: Sent = self._connection.write_headers(start_line, head.headers, chunk)
            return begun

        return self._add(head.transform, send, chunk, finishing)

    def finish(self) -> None:
        """Say behind the last piece that the response is complete."""
        self._at_end = self._connection.finish

    def _head(self) -> _Head:
        # Copied: what the handler does to its headers from now on comes too late.
        handler = self._handler
        cookies = handler._jar.header_values() if handler._jar is not None else []
        return _Head(
            handler._status_code,
            handler._reason,
            handler._headers.copy(),
            cookies,
            tuple(handler._transforms),
        )

    def _transform(self, chunk: bytes, finishing: bool) -> bytes:
        for each in self._handler._transforms:
            chunk = each.transform_chunk(chunk, finishing)
        return chunk

    def _write(self, chunk: bytes) -> Sent:
        sent: Sent = self._connection.write(chunk)
        return sent

    def _add(
        self,
        transform: Callable[[bytes, bool], bytes],
        send: Callable[[bytes], Sent],
        chunk: bytes,
        finishing: bool,
    ) -> Sent:
        sent: Sent = self._loop.create_future()
        self._pieces.append(_Piece(transform, send, chunk, finishing, sent))
        if len(self._pieces) == 1:
            self._go_on()
        return sent

    def _go_on(self) -> None:
        """Transform and send what waits, up to the next piece that is worth a thread."""
        while self._pieces:
            piece = self._pieces[0]
            if len(piece.chunk) >= LARGE:
                try:
                    work = self._loop.run_in_executor(
                        None, piece.transform, piece.chunk, piece.finishing
                    )
                except RuntimeError as error:  # the loop is about to end
                    self._give_up(error)
                    break
                work.add_done_callback(self._transformed)
                return
            self._send(partial(piece.transform, piece.chunk, piece.finishing))
        self._handler._later = None
        if self._at_end is not None:
            try:
                self._at_end()
            except HTTPOutputError:
                app_log.error("Uncaught exception at the end of a response", exc_info=True)

    def _transformed(self, work: asyncio.Future[bytes]) -> None:
        self._send(work.result)
        self._go_on()

    def _send(self, result: Callable[[], bytes]) -> None:
        """Send the first piece that waits.

        Args:
            result: Returns it as transformed, or raises what the transform has.
        """
        piece = self._pieces[0]
        try:
            sent = piece.send(result())
        except HTTPOutputError as error:
            # The connection has ended the exchange.
            self._give_up(error)
        except Exception as error:
            app_log.error("Uncaught exception in a transform", exc_info=True)
            self._handler._abort()
            self._give_up(error)
        else:
            self._pieces.popleft()
            sent.add_done_callback(lambda done: _pass_on(done, piece.sent))

    def _give_up(self, error: Exception) -> None:
        while self._pieces:
            _fail(self._pieces.popleft().sent, error)
        self._at_end = None


def _pass_on(done: Sent, to: Sent) -> None:
    if to.done():
        return
    error = None if done.cancelled() else done.exception()
    if error is None:
        to.set_result(None)
    else:
        _fail(to, error)


def _fail(future: Sent, error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # not everybody waits for a response to be out
