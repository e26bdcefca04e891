"""Accepting connections: from a listening socket to a callback for each connection.

When the process or the machine is out of descriptors or memory, accepting rests for a while and
recovers by itself: one log line for the whole time, no spinning, and the connections wait in
the backlog.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from zonda.ioloop.log import app_log
from zonda.iostream.loops import loops_here

AcceptCallback = Callable[[socket.socket, Any], object]
"""Takes an accepted socket and the address of its peer."""

# Connections accepted per readable event: enough to drain a burst, not so many that the
# connections already open have to wait long.
_ACCEPTS_PER_EVENT = 32

# Listeners ask for a backlog of 128 mostly; the kernel allows 4096.
_MOST_IN_BACKLOG = 4096

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})

FIRST_REST = 0.05
"""Seconds without accepting after a descriptor or memory shortage; doubled while it lasts."""

LONGEST_REST = 1.0
"""The most that the rest grows to, in seconds."""


class Acceptor:
    """Accepts from one listening socket.

    ``callback(connection, address)`` gets each connection, not yet non-blocking. Its exceptions
    are logged and the connection they belong to is closed.
    """

    __slots__ = ("_callback", "_loop", "_next", "_paused", "_rest", "_socket", "_timer", "_watcher")

    def __init__(self, sock: socket.socket, callback: AcceptCallback) -> None:
        self._socket = sock
        self._callback = callback
        self._loop, self._watcher = loops_here()
        self._next = _accept_of(sock)
        self._timer: asyncio.TimerHandle | None = None
        self._rest = 0.0
        self._paused = False
        sock.setblocking(False)
        self._watcher.add_reader(sock.fileno(), self._on_readable)

    def stop(self) -> None:
        """Accept no more; the socket is left open."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._socket.fileno() >= 0 and not self._paused:
            self._watcher.remove_reader(self._socket.fileno())
        self._rest = -1.0

    def pause(self) -> None:
        """Leave new connections where they are, in the backlog of the socket, until `resume`."""
        if self._paused or self._rest < 0:
            return
        self._paused = True
        if self._timer is None:
            self._watcher.remove_reader(self._socket.fileno())

    def resume(self) -> None:
        """Accept again after `pause`."""
        if not self._paused or self._rest < 0:
            return
        self._paused = False
        if self._timer is None:
            self._watcher.add_reader(self._socket.fileno(), self._on_readable)

    def accept_backlog(self) -> None:
        """Accept, now, everybody who waits: to be called before the socket is closed.

        Closing it would reset their connections, of which they believe that they are accepted.
        """
        for _ in range(_MOST_IN_BACKLOG):
            if self._rest != 0.0 or not self._accept():
                return

    def _on_readable(self) -> None:
        for _ in range(_ACCEPTS_PER_EVENT):
            if self._rest < 0 or self._paused:
                return  # by the callback
            if not self._accept():
                return

    def _accept(self) -> bool:
        """Accept one connection; False if there is none, or none may be accepted now."""
        try:
            connection, address = self._next()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._take_a_rest(error)
                return False
            if error.errno in _LISTENER_GONE:
                self.stop()
                raise
            # The peer of this one left before it was accepted (ECONNABORTED, and the network
            # errors that Linux passes on from the new connection).
            return True
        self._rest = 0.0
        try:
            self._callback(connection, address)
        except Exception:
            app_log.error("Error in connection callback", exc_info=True)
            connection.close()
        return True

    def _take_a_rest(self, error: OSError) -> None:
        if not self._rest:
            app_log.error("Cannot accept connections for the moment: %s", error)
        self._rest = min(max(self._rest * 2, FIRST_REST), LONGEST_REST)
        if not self._paused:
            self._watcher.remove_reader(self._socket.fileno())
        self._timer = self._loop.call_later(self._rest, self._rested)

    def _rested(self) -> None:
        self._timer = None
        if not self._paused:
            self._watcher.add_reader(self._socket.fileno(), self._on_readable)


def _accept_of(sock: socket.socket) -> Callable[[], tuple[socket.socket, Any]]:
    """Return what ``sock.accept`` is; of a plain socket without the enumerations it looks up."""
    if type(sock) is not socket.socket:
        return sock.accept
    family, kind, proto = int(sock.family), int(sock.type), sock.proto
    take: Callable[[], tuple[int, Any]] = sock._accept  # type: ignore[attr-defined]

    def accept() -> tuple[socket.socket, Any]:
        fd, address = take()
        return socket.socket(family, kind, proto, fileno=fd), address

    return accept


_LISTENER_GONE = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EOPNOTSUPP})


def add_accept_handler(sock: socket.socket, callback: AcceptCallback) -> Callable[[], None]:
    """Call ``callback(connection, address)`` for each connection to ``sock``.

    Args:
        sock: a listening socket, from ``bind_sockets`` or elsewhere.
        callback: called from the loop.

    Returns:
        A function that ends it; the socket stays open and belongs to the caller.
    """
    return Acceptor(sock, callback).stop
