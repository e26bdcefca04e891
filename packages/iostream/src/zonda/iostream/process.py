"""Processes: forking a server (from zonda-ioloop) and running other programs."""

from subprocess import CalledProcessError

from zonda.ioloop.log import gen_log
from zonda.ioloop.process import cpu_count, fork_processes, task_id
from zonda.iostream.childprocess import Subprocess

__all__ = [
    "CalledProcessError",
    "Subprocess",
    "cpu_count",
    "fork_processes",
    "gen_log",
    "task_id",
]
