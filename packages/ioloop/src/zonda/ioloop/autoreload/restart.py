"""Replaces the process by a new one that runs the same command.

In: the command the interpreter was started with, its options and ``-m`` included. Out: never
comes back.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

from zonda.ioloop.log import gen_log

#: Called in this order before the restart.
hooks: list[Callable[[], object]] = []

# The command may name its program relative to where it was started.
_folder = os.getcwd()


def command() -> list[str]:
    """The command that started this program.

    Example:
        >>> command()[0] == sys.executable
        True
    """
    arguments = sys.orig_argv[1:] if len(sys.orig_argv) > 1 else sys.argv
    return [sys.executable, *arguments]


def restart() -> NoReturn:
    """Call the hooks, then start the program again in this process's place.

    Example::

            hooks.append(connection.close)
            restart()
    """
    for hook in hooks:
        try:
            hook()
        except Exception:
            gen_log.exception("a reload hook failed: %r", hook)
    if hasattr(signal, "setitimer"):
        # A timer outlives exec, and nobody would be there yet to handle its signal.
        signal.setitimer(signal.ITIMER_REAL, 0)
    if hasattr(signal, "pthread_sigmask"):
        # So does the mask.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        os.chdir(_folder)
    except OSError:
        pass
    arguments = command()
    if sys.platform == "win32":
        # There exec starts another process and ends this one, which the shell takes for the end.
        os._exit(subprocess.call(arguments))
    os.execv(arguments[0], arguments)
