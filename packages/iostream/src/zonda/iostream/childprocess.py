"""Child processes whose pipes are streams and whose end is a future."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from subprocess import CalledProcessError
from typing import Any, ClassVar, Final

from zonda.ioloop import IOLoop
from zonda.ioloop.log import app_log
from zonda.iostream.exits import ExitWatch
from zonda.iostream.loops import current_loop
from zonda.iostream.pipes import PipeIOStream


class _Stream:
    def __repr__(self) -> str:
        return "Subprocess.STREAM"


class Subprocess:
    """A ``subprocess.Popen`` with streams.

    Takes the arguments of ``subprocess.Popen``; ``stdin``, ``stdout`` and ``stderr`` may also be
    ``Subprocess.STREAM``, which makes the attribute of that name a PipeIOStream. No signal handler
    is installed.

    Attributes:
        proc: the Popen object.
        pid: the process's id.
        returncode: None until the end has been noticed (``set_exit_callback``,
            ``wait_for_exit``); negative for a signal.
        stdin: a stream to write to, or what Popen made, or None.
        stdout: a stream to read from, or what Popen made, or None.
        stderr: a stream to read from, or what Popen made, or None.

    >>> async def main():
    ...     child = Subprocess(["sort"], stdin=Subprocess.STREAM, stdout=Subprocess.STREAM)
    ...     await child.stdin.write(b"b\\na\\n")
    ...     child.stdin.close()
    ...     print(await child.stdout.read_until_close(), await child.wait_for_exit())
    >>> asyncio.run(main())
    b'a\\nb\\n' 0
    """

    STREAM: Final[object] = _Stream()

    # A process whose end is awaited lives until then, whoever else has let go of it.
    _awaited: ClassVar[set["Subprocess"]] = set()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.io_loop = IOLoop.current()
        streams: dict[str, PipeIOStream] = {}
        childs: list[int] = []
        try:
            for name in ("stdin", "stdout", "stderr"):
                if kwargs.get(name) is not Subprocess.STREAM:
                    continue
                reader, writer = os.pipe()
                ours, theirs = (writer, reader) if name == "stdin" else (reader, writer)
                childs.append(theirs)
                kwargs[name] = theirs
                streams[name] = PipeIOStream(ours)
            self.proc: subprocess.Popen[bytes] = subprocess.Popen(*args, **kwargs)
        except BaseException:
            for stream in streams.values():
                stream.close()
            raise
        finally:
            for fd in childs:
                os.close(fd)
        # Any: what Popen makes depends on its arguments.
        self.stdin: Any = streams.get("stdin", self.proc.stdin)
        self.stdout: Any = streams.get("stdout", self.proc.stdout)
        self.stderr: Any = streams.get("stderr", self.proc.stderr)
        self.pid = self.proc.pid
        self.returncode: int | None = None
        self._exit_callback: Callable[[int], object] | None = None
        self._watch: ExitWatch | None = None

    def set_exit_callback(self, callback: Callable[[int], object]) -> None:
        """Call ``callback(returncode)`` from the loop when the process has ended.

        There is one callback; a second call replaces it. The process may have ended long ago.
        """
        self._exit_callback = callback
        if self.returncode is not None:
            current_loop().call_soon(self._run_callback)
        elif self._watch is None:
            Subprocess._awaited.add(self)
            self._watch = ExitWatch(self.proc, self._ended)

    def wait_for_exit(self, raise_error: bool = True) -> "asyncio.Future[int]":
        """Return a future of the return code.

        It takes the place of the exit callback. Read from the process's pipes meanwhile, or it may
        wait for ever to write to them.

        Args:
            raise_error: let the future raise ``subprocess.CalledProcessError`` for a return code
                other than 0.
        """
        future: asyncio.Future[int] = current_loop().create_future()

        def ended(returncode: int) -> None:
            if future.done():
                return
            if returncode and raise_error:
                future.set_exception(CalledProcessError(returncode, self.proc.args))
            else:
                future.set_result(returncode)

        self.set_exit_callback(ended)
        return future

    @classmethod
    def initialize(cls) -> None:
        """Do nothing: there is no signal handler to install (kept from Tornado's API)."""

    @classmethod
    def uninitialize(cls) -> None:
        """Do nothing, see ``initialize``."""

    def _ended(self, returncode: int) -> None:
        self.returncode = returncode
        self._watch = None
        Subprocess._awaited.discard(self)
        self._run_callback()

    def _run_callback(self) -> None:
        callback, self._exit_callback = self._exit_callback, None
        if callback is not None and self.returncode is not None:
            try:
                callback(self.returncode)
            except Exception:
                app_log.error("Uncaught exception in an exit callback", exc_info=True)
