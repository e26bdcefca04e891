"""libcurl's transfers on a loop: its sockets and its timer, watched for it.

In: configured ``pycurl.Curl`` objects. Out: a call for each when its transfer is over. Callbacks of
a transfer run inside libcurl, where nothing may be added or taken away: `CurlMulti.later` runs what
has to wait until it has returned.

Bytes that a server sends between two responses must not be taken for the next one. libcurl looks
for such bytes only on connections that it has not used for a second, so `CurlMulti` looks on those
that are kept, and has a transfer begin on a new connection while there are any.
"""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from typing import Any, Final

import pycurl

Done = Callable[[int, str], None]
"""Takes the number of curl's error, 0 for success, and its text."""

_READ: Final = (pycurl.POLL_IN, pycurl.POLL_INOUT)
_WRITE: Final = (pycurl.POLL_OUT, pycurl.POLL_INOUT)


class CurlMulti:
    """A ``pycurl.CurlMulti`` driven by a loop.

    Args:
        loop: The loop; everything has to be called from it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._transfers: dict[Any, Done] = {}
        self._added: set[Any] = set()  # those that libcurl knows of
        self._watched: dict[int, int] = {}
        self._kept: dict[int, int] = {}  # sockets that libcurl may use again, and their inodes
        self._timer: asyncio.Handle | None = None
        self._inside = False
        self._postponed: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._transfers)

    def add(self, easy: Any, done: Done) -> None:
        """Begin a transfer; `done` is called from the loop."""
        self._transfers[easy] = done
        self.later(lambda: self._add(easy))

    def _add(self, easy: Any) -> None:
        if easy in self._transfers:
            self._added.add(easy)
            easy.setopt(pycurl.FRESH_CONNECT, self._something_waits())
            self._call(self._multi.add_handle, easy)

    def remove(self, easy: Any) -> None:
        """Stop a transfer, if it is under way; nobody is told. Not within a callback of curl's."""
        self._transfers.pop(easy, None)
        if easy in self._added:
            self._added.discard(easy)
            self._call(self._multi.remove_handle, easy)

    def resume(self, easy: Any) -> None:
        """Go on with a transfer that one of its callbacks has paused; likewise."""
        if easy in self._added:
            self._call(easy.pause, pycurl.PAUSE_CONT)

    def later(self, callback: Callable[[], None]) -> None:
        """Call `callback` as soon as libcurl can be called: now, or when it has returned."""
        if self._inside:
            self._postponed.append(callback)
        else:
            callback()

    def close(self) -> None:
        """Stop all transfers, and close their connections."""
        self.later(self._close)

    def _close(self) -> None:
        for easy in list(self._transfers):
            self.remove(easy)
        self._cancel_timer()
        for fd in list(self._watched):
            self._forget(fd)
        self._multi.close()

    # -- into libcurl ----------------------------------------------------------------------------

    def _call(self, function: Callable[..., Any], *args: Any) -> None:
        self._inside = True
        try:
            function(*args)
        finally:
            self._inside = False
        while self._postponed:
            self._postponed.pop(0)()

    def _act(self, fd: int, events: int) -> None:
        self._call(self._multi.socket_action, fd, events)
        more = 1
        while more and self._added:
            more, finished, failed = self._multi.info_read()
            for easy in finished:
                self._finish(easy, 0, "")
            for easy, number, text in failed:
                self._finish(easy, number, text)

    def _finish(self, easy: Any, number: int, text: str) -> None:
        done = self._transfers.get(easy)
        self.remove(easy)
        if done is not None:
            done(number, text)

    # -- out of libcurl --------------------------------------------------------------------------

    def _watch(self, event: int, fd: int, multi: Any, data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            self._forget(fd)
            inode = _inode(fd)
            if inode is not None:
                self._kept[fd] = inode
            return
        self._kept.pop(fd, None)
        before = self._watched.get(fd, pycurl.POLL_NONE)
        self._watched[fd] = event
        for kinds, add, remove, flag in (
            (_READ, self._loop.add_reader, self._loop.remove_reader, pycurl.CSELECT_IN),
            (_WRITE, self._loop.add_writer, self._loop.remove_writer, pycurl.CSELECT_OUT),
        ):
            if event in kinds:
                add(fd, self._act, fd, flag)
            elif before in kinds:
                remove(fd)

    def _forget(self, fd: int) -> None:
        event = self._watched.pop(fd, None)
        if event in _READ:
            self._loop.remove_reader(fd)
        if event in _WRITE:
            self._loop.remove_writer(fd)

    def _something_waits(self) -> bool:
        """Whether a connection that is kept has something to read, or its end."""
        for fd, inode in list(self._kept.items()):
            if _inode(fd) != inode:  # libcurl closes without a word
                del self._kept[fd]
            elif _readable(fd):
                return True
        return False

    def _set_timer(self, milliseconds: int) -> None:
        self._cancel_timer()
        if milliseconds >= 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _inode(fd: int) -> int | None:
    """What tells a socket from another that has its number later; None for what is no socket."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_ino if stat.S_ISSOCK(status.st_mode) else None


def _readable(fd: int) -> bool:
    peeking = socket.socket(fileno=fd)  # libcurl's sockets do not block
    try:
        peeking.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        peeking.detach()
    return True
