"""A body that is made in pieces, for libcurl to take as it can send them.

In: pieces (`Upload.write`) and the end. Out: what curl's read function returns, a pause when there
is nothing. Raises `LocalProtocolError` for a body of another length than announced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import pycurl

from zonda.httpclient.errors import HTTPStreamClosedError
from zonda.httputil.http1 import LocalProtocolError

if TYPE_CHECKING:
    from zonda.httpclient.connection import Buffer


class Upload:
    """See the module's text.

    Args:
        announced: Length of the body in bytes, None if it is not known.
        resume: Called when there is something for curl, which had to pause.
    """

    def __init__(self, announced: int | None, resume: Callable[[], None]) -> None:
        self._announced = announced
        self._resume = resume
        self._written = 0
        self._queue: deque[memoryview] = deque()
        self._ended = False
        self._starving = False  # curl waits for us
        self._drained: asyncio.Future[None] | None = None

    def write(self, data: Buffer) -> asyncio.Future[None]:
        """Add a piece; the future is done when curl has taken it.

        Raises:
            LocalProtocolError: More than was announced.
        """
        piece = memoryview(bytes(data))
        self._written += len(piece)
        if self._announced is not None and self._written > self._announced:
            raise LocalProtocolError(f"more than the {self._announced} bytes announced")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not piece:
            future.set_result(None)
            return future
        self._queue.append(piece)
        self._tell_writer()  # one that did not wait
        self._drained = future
        self._feed()
        return future

    def end(self) -> None:
        """No more pieces.

        Raises:
            LocalProtocolError: Less than was announced.
        """
        if self._announced is not None and self._written < self._announced:
            raise LocalProtocolError(
                f"{self._written} bytes of the {self._announced} that were announced"
            )
        self._ended = True
        self._feed()

    def read(self, size: int) -> bytes | int:
        """Curl's read function: some bytes, ``b""`` at the end, or a pause."""
        if not self._queue:
            self._tell_writer()
            if self._ended:
                return b""
            self._starving = True
            paused: int = pycurl.READFUNC_PAUSE
            return paused
        piece = self._queue.popleft()
        if len(piece) > size:
            self._queue.appendleft(piece[size:])  # of a view: nothing is copied
        return bytes(piece[:size])

    def abandon(self) -> None:
        """Nobody will take any more."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(HTTPStreamClosedError("Connection closed"))
            self._drained.exception()  # not everybody waits for a write

    def _tell_writer(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _feed(self) -> None:
        if self._starving:
            self._starving = False
            self._resume()
