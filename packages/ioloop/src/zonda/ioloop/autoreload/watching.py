"""The watch over the files: from a loop, or without one."""

import time
import weakref
from collections.abc import Callable
from typing import Final, NoReturn

from zonda.ioloop.autoreload import notify
from zonda.ioloop.autoreload.files import Files
from zonda.ioloop.autoreload.restart import hooks, restart
from zonda.ioloop.log import gen_log
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.periodic import PeriodicCallback

_files: Final = Files()
_loops: "Final[weakref.WeakKeyDictionary[IOLoop, PeriodicCallback]]" = weakref.WeakKeyDictionary()
_SECONDS_BETWEEN_LOOKS: Final = 0.5


def start(check_time: int = 500) -> None:
    """Watch the files from the current loop on, and restart when one changes.

    Calling it again on the same loop does nothing.

    Args:
        check_time: milliseconds between looks.

    Example:
        >>> io_loop = IOLoop()
        >>> start()
        >>> io_loop.close()
    """
    io_loop = IOLoop.current()
    if io_loop in _loops:
        return
    if any(not other.asyncio_loop.is_closed() for other in _loops):
        gen_log.warning("autoreload was started on more than one loop in this process")
    note_present_state()
    periodic = PeriodicCallback(_restart_if_changed, check_time)
    _loops[io_loop] = periodic
    periodic.start()
    loop = io_loop.asyncio_loop

    def look_now() -> None:
        try:
            loop.call_soon_threadsafe(_restart_if_changed)
        except RuntimeError:
            pass  # closed in this moment

    notify.call_in_thread(_files.folders, loop.is_closed, look_now)


def watch(filename: str) -> None:
    """Watch one more file, whatever it is: a template, a configuration.

    Example:
        >>> watch("settings.conf")
    """
    _files.add(filename)


def add_reload_hook(fn: Callable[[], object]) -> None:
    """Call ``fn`` before the restart, to flush or hand over what needs it.

    Descriptors need no hook: those that Python opened are closed by the restart.

    Example:
        >>> add_reload_hook(lambda: print("until soon"))
    """
    hooks.append(fn)


def wait() -> NoReturn:
    """Wait for a change without a loop, then restart.

    For a program that found at its start that it cannot run as it is.

    Example::

        try:
            import application
        except SyntaxError:
            autoreload.wait()
    """
    note_present_state()
    while True:
        if not notify.wait(_files.folders()):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        _restart_if_changed()


def note_present_state() -> None:
    """Take the files as they are now for unchanged, those that have not been seen before.

    Example::

            note_present_state()  # before the program runs: it may change its files meanwhile
    """
    _files.note()


def _restart_if_changed() -> None:
    path = _files.changed()
    if path is not None:
        gen_log.info("%s modified; restarting", path)
        restart()
