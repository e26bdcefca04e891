"""Several processes of one program.

In: a number of processes. Out: in each child its task number; the parent never comes back but
watches over the children: it starts those again that crash, forwards SIGTERM and SIGINT, and
leaves when all have left. Raises ``RuntimeError`` where it cannot fork, and when children crash
too often; ``SystemExit`` at the end of the parent.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Final

from zonda.ioloop.factory import thread_loop
from zonda.ioloop.log import gen_log

__all__ = ["cpu_count", "fork_processes", "task_id"]

_DEFAULT_RESTARTS: Final = 100
_PR_SET_PDEATHSIG: Final = 1
_SI_KERNEL: Final = 128

_task_id: int | None = None


def cpu_count() -> int:
    """How many processors this process may use.

    Example:
        >>> cpu_count() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def task_id() -> int | None:
    """The number of this child, from 0; None in a process that `fork_processes` did not make.

    Example:
        >>> task_id() is None
        True
    """
    return _task_id


def fork_processes(num_processes: int | None, max_restarts: int | None = None) -> int:
    """Split this process into a parent and ``num_processes`` children.

    Call it before anything uses the loop: sockets that shall be shared are bound before, loops,
    threads and connections are made after. Each child begins without a loop and with a random
    generator of its own. On Linux a child gets SIGTERM when its parent dies, however it dies.

    The parent starts a child again that died of a signal or left with a status other than 0. It
    forwards SIGTERM and SIGINT (unless the terminal has sent that to everyone already), starts
    nothing again from then on, and leaves when its children have.

    Args:
        num_processes: None or 0 for one a processor, see `cpu_count`.
        max_restarts: how often children may crash, all together; 100 by default.

    Returns:
        In the children only: the task number, 0 and up. One that was started again has its
        predecessor's.

    Raises:
        RuntimeError: a loop is running, this platform cannot fork, or children crashed more
            often than ``max_restarts``; the others have been ended then.
        SystemExit: in the parent, when all children have left: with status 0, or with 1 if
            any failed while it was ending.

    Example::

        sockets = zonda.iostream.netutil.bind_sockets(8888)
        fork_processes(0)
        server.add_sockets(sockets)
    """
    if not hasattr(os, "fork"):
        raise RuntimeError("fork_processes() needs os.fork, which this platform does not have")
    loop = asyncio._get_running_loop() or thread_loop()
    if loop is not None and loop.is_running():
        raise RuntimeError(
            "fork_processes() was called while a loop is running: call it before the loop is"
            " started, not from a coroutine or callback"
        )
    if num_processes is None or num_processes <= 0:
        num_processes = cpu_count()
    if max_restarts is None:
        max_restarts = _DEFAULT_RESTARTS
    gen_log.info("Starting %d processes", num_processes)
    return _Parent(max_restarts).run(num_processes)


def die_with_parent() -> Callable[[int], None]:
    """Prepare, before a fork, what a new child calls so as not to outlive its parent.

    Returns:
        A function of the parent's process id: on Linux the child gets SIGTERM when the parent dies;
        nothing elsewhere.

    Example:
        >>> callable(die_with_parent())
        True
    """
    if not sys.platform.startswith("linux"):
        return lambda parent: None
    try:
        import ctypes  # noqa: PLC0415 - optional in Python, and slow to load

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda parent: None

    def tie(parent: int) -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            # It died before the kernel knew that we care.
            os._exit(1)

    return tie


class _Parent:
    """The parent's side: from the first fork to the last child's end.

    SIGTERM, SIGINT and SIGCHLD are blocked here and fetched one by one, so that none of them can
    come between a fork and the note of its result.
    """

    _signals = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})

    def __init__(self, max_restarts: int) -> None:
        self._restarts_left = max_restarts
        self._max_restarts = max_restarts
        self._children: dict[int, int] = {}
        self._stopping: signal.Signals | None = None
        self._failed = False
        self._die_with_parent = die_with_parent()

    def run(self, count: int) -> int:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            # Children would vanish without a status.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            for number in range(count):
                if self._fork(number):
                    return number
            while self._children:
                self._handle_signal()
                reborn = self._reap()
                if reborn is not None:
                    return reborn
        finally:
            # Empty in a child, and at the ordinary end.
            self._end_children()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        sys.exit(1 if self._failed else 0)

    def _fork(self, number: int) -> bool:
        """Start child ``number``; True in the child."""
        global _task_id
        for stream in (sys.stdout, sys.stderr):
            # What waits in a buffer would be written by every child.
            if stream is not None:
                stream.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = number
            return False
        self._children.clear()
        self._die_with_parent(parent)
        # A loop made before the fork shares its selector with the parent's and cannot be used.
        if thread_loop() is not None:
            asyncio.set_event_loop(None)
        random.seed(os.urandom(32))
        _task_id = number
        return True

    def _handle_signal(self) -> None:
        """Wait for a signal, and do what it asks for unless it is SIGCHLD."""
        if hasattr(signal, "sigwaitinfo"):
            info = signal.sigwaitinfo(self._signals)
            number = signal.Signals(info.si_signo)
            from_terminal = info.si_code == _SI_KERNEL
        else:
            number = signal.Signals(signal.sigwait(self._signals))
            from_terminal = False
        if number is signal.SIGCHLD:
            return
        self._stopping = number
        if not from_terminal:
            self._kill(number)

    def _reap(self) -> int | None:
        """Bury those that died; the task number in a child that replaces one of them."""
        for pid, number in list(self._children.items()):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0  # somebody else has waited for it
            if not ended:
                continue
            del self._children[pid]
            if self._is_well(pid, number, os.waitstatus_to_exitcode(status)):
                continue
            if self._restarts_left <= 0:
                raise RuntimeError(
                    f"children crashed more than {self._max_restarts} times: giving up"
                )
            self._restarts_left -= 1
            if self._fork(number):
                return number
        return None

    def _is_well(self, pid: int, number: int, code: int) -> bool:
        """Log how a child ended; False if it shall be started again."""
        if code == 0:
            gen_log.info("child %d (pid %d) exited normally", number, pid)
            return True
        how = f"was killed by signal {-code}" if code < 0 else f"exited with status {code}"
        if self._stopping is not None:
            if code != -self._stopping:
                self._failed = True
                gen_log.warning("child %d (pid %d) %s while stopping", number, pid, how)
            return True
        gen_log.warning("child %d (pid %d) %s, restarting", number, pid, how)
        return False

    def _kill(self, number: signal.Signals) -> None:
        for pid in self._children:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # it will be reaped in a moment

    def _end_children(self) -> None:
        self._kill(signal.SIGTERM)
        for pid in self._children:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass
