"""Starts the program again when its source changes. For development.

Two ways, which go together: a program calls `start` on its loop (the web framework's setting
``autoreload`` does); or it is run as ``python -m zonda.ioloop.autoreload app.py arguments``, which
brings a program back that ended, even with a ``SyntaxError``, once a file has changed.

Watched are the files of all imported modules and those given to `watch`, by their modification
times. Where ``watchfiles`` is installed a change is seen at once instead of at the next look.

A restart replaces the process by the command it was started with: everything in it is lost, open
descriptors are closed. Nothing is raised; what a hook raises is logged.
"""

from zonda.ioloop.autoreload.program import main
from zonda.ioloop.autoreload.watching import add_reload_hook, start, wait, watch
from zonda.ioloop.log import gen_log

__all__ = ["add_reload_hook", "gen_log", "main", "start", "wait", "watch"]
