"""When a child process ends.

On Linux the child's pidfd becomes readable; elsewhere, or where there is none to be had, a thread
waits. Neither needs a SIGCHLD handler, so nothing is taken from others who have children, and
nothing is lost to them.
"""

import os
import subprocess
import threading
from collections.abc import Callable

from zonda.iostream.loops import current_loop, watching_loop


def _no_pidfd(pid: int, flags: int = 0) -> int:
    raise OSError("this platform has no pidfd")


_pidfd_open: Callable[[int], int] = getattr(os, "pidfd_open", _no_pidfd)


class ExitWatch:
    """Calls ``callback(returncode)`` once on the loop it was made on, when ``process`` has ended.

    The process is reaped by it.
    """

    __slots__ = ("_callback", "_loop", "_pidfd", "_process", "_watcher")

    def __init__(
        self, process: "subprocess.Popen[bytes]", callback: Callable[[int], object]
    ) -> None:
        self._process = process
        self._callback = callback
        self._loop = current_loop()
        self._watcher = watching_loop()
        self._pidfd = -1
        if process.poll() is not None:
            self._loop.call_soon(self._ended)
            return
        try:
            self._pidfd = _pidfd_open(process.pid)
        except OSError:
            threading.Thread(
                target=self._wait, name=f"zonda-wait-{process.pid}", daemon=True
            ).start()
        else:
            self._watcher.add_reader(self._pidfd, self._readable)

    def _readable(self) -> None:
        if self._process.poll() is not None:
            self._watcher.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._ended()

    def _wait(self) -> None:
        self._process.wait()
        try:
            self._loop.call_soon_threadsafe(self._ended)
        except RuntimeError:
            pass  # the loop was closed first: nobody is left to be told

    def _ended(self) -> None:
        self._callback(self._process.returncode)
