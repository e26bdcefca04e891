"""The servers to measure, each a process pinned to one core.

`SERVERS` is the table. `Server.start` returns when the port accepts connections; `cpu_seconds`
reads the kernel's account of the process. Raises ServerError when a server ends, or does not
listen in time, with what it wrote to standard error.
"""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.workloads import Workload

FOLDER = Path(__file__).parent / "servers"
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server that does not run, or answers something else than it should."""


@dataclass(frozen=True)
class Kind:
    """How a server is started.

    Attributes:
        title: What the table says.
        file: Its program in ``servers/``.
        zonda: True: on Zonda, in the interpreter that runs the benchmarks; False: a peer.
        arguments: Arguments of the program after the port.
        environment: Variables to set.
        lacks: Workloads that it has nothing for.
        default: Measured when no servers are named.
    """

    title: str
    file: str
    zonda: bool = False
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    default: bool = True


SERVERS = {
    "zonda": Kind("Zonda, uvloop", "tornado_app.py", True, environment={"ZONDA_LOOP": "uvloop"}),
    "zonda-asyncio": Kind(
        "Zonda, asyncio", "tornado_app.py", True, environment={"ZONDA_LOOP": "asyncio"}
    ),
    "tornado": Kind("Tornado {tornado}", "tornado_app.py"),
    "tornado-uvloop": Kind(
        "Tornado {tornado}, uvloop", "tornado_app.py", arguments=("uvloop",), default=False
    ),
    "asgi": Kind("uvicorn {uvicorn}, bare ASGI app", "asgi_bare.py", lacks=("page",)),
    "starlette": Kind("Starlette {starlette}, uvicorn", "starlette_app.py"),
    "aiohttp": Kind("aiohttp {aiohttp}, uvloop", "aiohttp_app.py"),
    "sanic": Kind("Sanic {sanic}", "sanic_app.py"),
}


class Server:
    """One running server."""

    def __init__(self, kind: Kind, python: Path, core: int) -> None:
        self.kind = kind
        self.python = python
        self.core = core
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()

    def start(self, timeout: float = 20.0) -> None:
        """Start the process and wait until it listens."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        drop_in = ["-m", "zonda.tornado"] if self.kind.zonda else []
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ZONDA_")}
        self._process = subprocess.Popen(
            [
                str(self.python),
                *drop_in,
                str(FOLDER / self.kind.file),
                str(self.port),
                *self.kind.arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            env=environment | self.kind.environment,
            cwd=tempfile.gettempdir(),
            preexec_fn=lambda: os.sched_setaffinity(0, {self.core}),
        )
        deadline = time.monotonic() + timeout
        while True:
            self._check_running()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"{self.kind.file} does not listen after {timeout:g} s\n{self._said()}"
                    ) from None
                time.sleep(0.05)

    def check(self, workload: Workload) -> None:
        """Ask once and compare the answer."""
        self._check_running()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request(workload.method, workload.path, workload.body, workload.headers)
            response = connection.getresponse()
            body = response.read()
        if response.status != 200 or not workload.accepts(body):
            raise ServerError(
                f"{self.kind.file} answers {workload.method} {workload.path} with"
                f" {response.status} {body[:200]!r}\n{self._said()}"
            )

    def cpu_seconds(self) -> float:
        """User and system time that the kernel has charged to the process so far."""
        process = self._check_running()
        text = Path(f"/proc/{process.pid}/stat").read_text()
        # The command's name, in parentheses, may hold spaces; utime and stime are fields 14, 15.
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._stderr.close()

    def _check_running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None:
            raise ServerError(f"{self.kind.file} was not started")
        if process.poll() is not None:
            raise ServerError(
                f"{self.kind.file} ended with status {process.returncode}\n{self._said()}"
            )
        return process

    def _said(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")[-4000:]


def python_for(kind: Kind, peers: Path) -> Path:
    """The interpreter to start this kind of server with."""
    return Path(sys.executable) if kind.zonda else peers
