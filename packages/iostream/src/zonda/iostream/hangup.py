"""The end of connections that nobody reads from at the moment.

A stream that is paused, or whose peer has finished sending, is not watched for reading: that would
spin. A reset must be noticed all the same. On Linux, an epoll of our own with an empty event mask
reports just errors and hang-ups; the loop watches that epoll. There is one for each loop,
open while somebody uses it. Elsewhere there is none, and a reset is noticed by the next write.
"""

import asyncio
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary

_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, HangupWatch]" = WeakKeyDictionary()


class HangupWatch:
    """One loop's watch; see ``watch_hangup``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._on_readable)

    def add(self, fd: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` when ``fd`` has hung up."""
        self._epoll.register(fd, 0)
        self._callbacks[fd] = callback

    def remove(self, fd: int) -> None:
        """Watch ``fd``, which is still open, no more."""
        del self._callbacks[fd]
        self._epoll.unregister(fd)
        if not self._callbacks:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            del _watches[self._loop]

    def _on_readable(self) -> None:
        for fd, _ in self._epoll.poll(0):
            callback = self._callbacks.get(fd)
            if callback is not None:
                self.remove(fd)
                callback()
                if not self._callbacks:
                    return


def watch_hangup(
    loop: asyncio.AbstractEventLoop, fd: int, callback: Callable[[], None]
) -> Callable[[], None] | None:
    """Call ``callback`` once when the connection of ``fd`` is reset or closed both ways.

    Returns:
        A function that ends the watch, to be called before ``fd`` is closed and not after
        ``callback``; None where there is no such watch.
    """
    if not hasattr(select, "epoll"):
        return None
    watch = _watches.get(loop)
    try:
        if watch is None:
            watch = _watches[loop] = HangupWatch(loop)
        watch.add(fd, callback)
    except OSError:
        return None  # short of descriptors: this is a service, not a promise
    return lambda: watch.remove(fd)
