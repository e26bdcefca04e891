"""A request body on its way from the loop to the thread of an application: ``wsgi.input``.

The loop feeds pieces in, the thread reads from a file object and waits where there are none yet.
`BodyPipe.feed` says when enough waits; `on_read` is then called (in the loop) when there is room
again. It is called as well before the thread waits for the first time: the client may have to be
asked for the body. A thread whose client goes away gets StreamClosedError, an OSError.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from zonda.iostream import StreamClosedError

READ_AHEAD = 64 * 1024
"""Bytes of a body that may wait for the application."""


class BodyPipe(io.RawIOBase):
    """The pipe; as a file it has the reading end. `reader` is the file for the application.

    Args:
        loop: Whose thread feeds.
        on_read: Called in the loop: the thread waits for more, or has made room.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_read: Callable[[], None]) -> None:
        super().__init__()
        self._loop = loop
        self._on_read = on_read
        self._change = threading.Condition()
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._over = False  # all of it is here
        self._gone = False  # the client is

    # -- the loop's end --------------------------------------------------------------------------

    def feed(self, data: bytes) -> bool:
        """Add a piece; return whether so much waits now that the next one should, too."""
        with self._change:
            self._pieces.append(memoryview(data))
            self._size += len(data)
            self._change.notify()
            return self._size > READ_AHEAD

    def feed_eof(self) -> None:
        """The body is complete."""
        with self._change:
            self._over = True
            self._change.notify()

    def fail(self) -> None:
        """The client is gone: of a body that is not complete, nothing more can be read."""
        with self._change:
            self._gone = True
            self._change.notify()

    # -- the thread's end ------------------------------------------------------------------------

    def readable(self) -> bool:
        """True, as files have it."""
        return True

    def readinto(self, buffer: Any) -> int:  # collections.abc.Buffer, from 3.12 on
        """Read what is there, at least one byte; wait for it.

        Raises:
            StreamClosedError: The client has gone away inside the body.
        """
        target = memoryview(buffer).cast("B")
        if not target:
            return 0
        with self._change:
            asked = False
            while not self._pieces:
                if self._over:
                    return 0
                if self._gone:
                    raise StreamClosedError
                if not asked:
                    asked = True
                    self._tell_loop()
                self._change.wait()
            piece = self._pieces[0]
            size = min(len(piece), len(target))
            target[:size] = piece[:size]
            if size == len(piece):
                self._pieces.popleft()
            else:
                self._pieces[0] = piece[size:]
            was_full = self._size > READ_AHEAD
            self._size -= size
            if was_full and self._size <= READ_AHEAD:
                self._tell_loop()
            return size

    def _tell_loop(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._on_read)
        except RuntimeError:  # the loop is closed
            self._gone = True

    @property
    def reader(self) -> io.BufferedReader:
        """A buffered file over this one: what applications read from."""
        return io.BufferedReader(self, READ_AHEAD)
