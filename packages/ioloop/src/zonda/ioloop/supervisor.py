"""Several processes of one program, kept running: restart, rolling reload, gentle end.

In: a command and how many processes of it. Out: an exit status, when all have ended. The parent
runs no loop and none of the program's code, so that it outlives whatever happens to that; a reload
starts fresh interpreters with what is on disk then. Each process binds the port itself:

    application.listen(8888, reuse_port=True)
    supervisor.ready()

    python -m zonda.ioloop.supervisor -n 4 app.py

==================  ==============================================================================
signal to parent    what it does
==================  ==============================================================================
SIGTERM, SIGINT     passes SIGTERM on, waits, kills those that have not ended in time
SIGHUP              rolling reload: a new process; when it is ready, SIGTERM to the old; the next
==================  ==============================================================================

A process that ends by itself is started again, at once if it had lived for a while, later and later
if it keeps falling. One that does not say that it is `ready` counts as ready after a time, if it
still runs. Raises ``ValueError`` for numbers that make no sense, ``OSError`` if the command cannot
be started at all.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from zonda.ioloop.log import enable_pretty_logging, gen_log
from zonda.ioloop.process import cpu_count, die_with_parent

__all__ = ["Supervisor", "main", "ready", "worker_number"]

_READY_FD: Final = "ZONDA_READY_FD"
_NUMBER: Final = "ZONDA_WORKER"

# A process that lived for so many seconds did not fail at its start.
_STEADY: Final = 10.0
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 30.0


def worker_number() -> int | None:
    """The number of this process, from 0; None if no supervisor has started it.

    Example:
        >>> worker_number() is None
        True
    """
    text = os.environ.get(_NUMBER, "")
    return int(text) if text.isdigit() else None


def ready() -> None:
    """Tell the supervisor that this process answers now. Nothing happens without a supervisor.

    Example:
        >>> ready()
    """
    fd = os.environ.pop(_READY_FD, "")
    if fd.isdigit():
        try:
            os.write(int(fd), b"1")
            os.close(int(fd))
        except OSError:
            pass  # the supervisor has given up waiting


class _Worker:
    """One process, and the pipe on which it says that it is ready."""

    def __init__(self, number: int, command: Sequence[str]) -> None:
        self.number = number
        self.started = time.monotonic()
        self.is_ready = False
        self.stopping: float | None = None
        read_end, write_end = os.pipe()
        self.ready_fd: int | None = read_end
        tie, parent = die_with_parent(), os.getpid()
        environment = os.environ | {_NUMBER: str(number), _READY_FD: str(write_end)}
        try:
            self.process = subprocess.Popen(
                command,
                env=environment,
                pass_fds=(write_end,),
                # Ctrl-C is for the parent to pass on.
                start_new_session=True,
                # There are no other threads here that a fork could catch in the middle.
                preexec_fn=lambda: tie(parent),
            )
        except OSError:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        gen_log.info("worker %d (pid %d) started", number, self.process.pid)

    def hears(self) -> None:
        """Its pipe is readable: a word, or its end."""
        assert self.ready_fd is not None
        if os.read(self.ready_fd, 1):
            self.is_ready = True
        self.deafen()

    def deafen(self) -> None:
        if self.ready_fd is not None:
            os.close(self.ready_fd)
            self.ready_fd = None

    def stop(self) -> None:
        """Ask it to end, once."""
        if self.stopping is None:
            self.stopping = time.monotonic()
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        gen_log.warning("worker %d (pid %d) does not end: killing it", self.number, self.pid)
        self.process.kill()

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None


class Supervisor:
    """Keeps processes of a command running.

    Args:
        command: The program and its arguments.
        processes: How many; None for one a processor.
        ready_timeout: Seconds after which a process that has not called `ready`, and still runs,
            counts as ready.
        stop_timeout: Seconds from SIGTERM to SIGKILL.

    Raises:
        ValueError: No command, no processes, or a time-out that is not above 0.

    Example::

        sys.exit(Supervisor([sys.executable, "app.py"], processes=4).run())
    """

    def __init__(
        self,
        command: Sequence[str],
        processes: int | None = None,
        *,
        ready_timeout: float = 10.0,
        stop_timeout: float = 30.0,
    ) -> None:
        self.command = list(command)
        self.processes = cpu_count() if processes is None else processes
        self.ready_timeout = ready_timeout
        self.stop_timeout = stop_timeout
        if not self.command:
            raise ValueError("a supervisor needs a command")
        if self.processes < 1:
            raise ValueError(f"processes is 1 at least, not {processes}")
        if ready_timeout <= 0 or stop_timeout <= 0:
            raise ValueError("time-outs are above 0")
        # By number: who works, who will, who is to go. A number is in `_restarts` while nobody
        # works under it.
        self._workers: dict[int, _Worker] = {}
        self._successor: _Worker | None = None
        self._leaving: list[_Worker] = []
        self._restarts: dict[int, float] = {}
        self._delays: dict[int, float] = {}
        self._to_reload: list[int] = []
        self._ending = False
        self._signals: list[int] = []

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, and until the processes have ended.

        Returns:
            0, or 1 if one had to be killed.

        Raises:
            OSError: The command cannot be started.
        """
        killed = False
        with self._watched_signals() as wakeup:
            try:
                for number in range(self.processes):
                    self._workers[number] = _Worker(number, self.command)
                while not (self._ending and not self._everyone()):
                    self._wait(wakeup)
                    self._obey()
                    killed |= self._look_after()
            finally:
                for worker in self._everyone():
                    worker.process.kill()
                    worker.process.wait()
                    worker.deafen()
        return 1 if killed else 0

    @contextmanager
    def _watched_signals(self) -> Iterator[int]:
        """Signals are noted, and wake `select` up through a pipe."""
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        os.set_blocking(write_end, False)
        before = {
            number: signal.signal(number, lambda number, _: self._signals.append(number))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        }
        wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        try:
            yield read_end
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(read_end)
            os.close(write_end)

    def _everyone(self) -> list[_Worker]:
        successor = [self._successor] if self._successor is not None else []
        return [*self._workers.values(), *successor, *self._leaving]

    def _wait(self, wakeup: int) -> None:
        """Until a signal, a word of a process, or the next moment something is due."""
        listening = {w.ready_fd: w for w in self._everyone() if w.ready_fd is not None}
        readable, _, _ = select.select([wakeup, *listening], [], [], self._seconds_left())
        for fd in readable:
            if fd == wakeup:
                os.read(wakeup, 4096)
            else:
                listening[fd].hears()

    def _seconds_left(self) -> float | None:
        due = list(self._restarts.values())
        for worker in self._everyone():
            if worker.stopping is not None:
                due.append(worker.stopping + self.stop_timeout)
            elif not worker.is_ready:
                due.append(worker.started + self.ready_timeout)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _obey(self) -> None:
        """Do what the signals ask for."""
        while self._signals:
            number = self._signals.pop(0)
            if number in (signal.SIGTERM, signal.SIGINT):
                self._end()
            elif number == signal.SIGHUP and not self._ending:
                gen_log.info("reloading %d workers", self.processes)
                self._to_reload = list(range(self.processes))

    def _end(self) -> None:
        if not self._ending:
            gen_log.info("stopping %d workers", len(self._workers))
        self._ending = True
        self._to_reload.clear()
        self._restarts.clear()
        for worker in self._everyone():
            worker.stop()

    def _look_after(self) -> bool:
        """Bury, start again, kill, reload; whether one had to be killed."""
        now = time.monotonic()
        killed = False
        for worker in self._everyone():
            if worker.ended():
                self._bury(worker, now)
            elif worker.stopping is not None:
                if now >= worker.stopping + self.stop_timeout:
                    worker.kill()
                    worker.process.wait()
                    self._bury(worker, now)
                    killed = True
            elif not worker.is_ready and now >= worker.started + self.ready_timeout:
                worker.is_ready = True
        for number in [n for n, due in self._restarts.items() if due <= now]:
            del self._restarts[number]
            self._workers[number] = _Worker(number, self.command)
        self._reload()
        return killed

    def _bury(self, worker: _Worker, now: float) -> None:
        worker.deafen()
        status = worker.process.returncode
        how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
        if worker.stopping is not None:
            gen_log.info("worker %d (pid %d) %s", worker.number, worker.pid, how)
        else:
            gen_log.error("worker %d (pid %d) %s", worker.number, worker.pid, how)
        if worker is self._successor:
            self._successor = None
            if not self._ending:
                # What is on disk does not run: the old ones go on.
                gen_log.error("reload given up")
                self._to_reload.clear()
        elif worker in self._leaving:
            self._leaving.remove(worker)
        else:
            del self._workers[worker.number]
            if not self._ending:
                self._restart_later(worker, now)

    def _restart_later(self, worker: _Worker, now: float) -> None:
        number = worker.number
        if now - worker.started >= _STEADY:
            self._delays.pop(number, None)
        delay = self._delays.get(number, 0.0)
        self._restarts[number] = now + delay
        self._delays[number] = min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)

    def _reload(self) -> None:
        """One step: a successor that is ready takes over; the next one is started."""
        successor = self._successor
        if successor is not None and successor.is_ready and not self._ending:
            self._successor = None
            number = successor.number
            self._restarts.pop(number, None)
            old = self._workers.get(number)
            self._workers[number] = successor
            if old is not None:
                old.stop()
                self._leaving.append(old)
        # One at a time: while an old one ends there is no less to do the work.
        if self._to_reload and self._successor is None and not self._leaving:
            self._successor = _Worker(self._to_reload.pop(0), self.command)


def main() -> int:
    """``python -m zonda.ioloop.supervisor [-n N] app.py [arguments]``, or ``-m module``.

    Example::

            python -m zonda.ioloop.supervisor -n 4 app.py --port=8888
    """
    parser = argparse.ArgumentParser(
        prog="python -m zonda.ioloop.supervisor",
        description="Keep several processes of a Python program running. SIGHUP reloads.",
    )
    parser.add_argument("-n", "--processes", type=int, help="how many (one a processor)")
    parser.add_argument("--ready-timeout", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--stop-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("program", nargs="*", help="file or -m module, and its arguments")
    # What follows the program's name, or -m, is the program's and none of argparse's business.
    words = sys.argv[1:]
    with_value = {"-n", "--processes", "--ready-timeout", "--stop-timeout"}
    position = 0
    while position < len(words) and words[position].startswith("-") and words[position] != "-m":
        position += 2 if words[position] in with_value else 1
    arguments = parser.parse_args(words[:position])
    arguments.program = words[position:]
    if not arguments.program:
        parser.error("name a program")
    enable_pretty_logging()
    try:
        return Supervisor(
            [sys.executable, *arguments.program],
            arguments.processes,
            ready_timeout=arguments.ready_timeout,
            stop_timeout=arguments.stop_timeout,
        ).run()
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
