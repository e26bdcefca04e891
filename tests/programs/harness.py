"""Runs a program of others as a process of its own and asks it things over real sockets.

A driver gets a `Run` and starts with it what it drives, on the original or under the drop-in:
which one is in the environment alone, so the program and all its children are the same. What does
not come within a time limit, and a traceback that the driver did not expect, fail the run.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")
PATIENCE = 40.0


@dataclass
class Answer:
    """A response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def eventually(question: Callable[[], _T], seconds: float = PATIENCE) -> _T:
    """Ask again until the answer is true; refused connections count as false."""
    deadline = time.monotonic() + seconds
    while True:
        answer: _T | OSError
        try:
            answer = question()
            if answer:
                return answer
        except OSError as error:
            answer = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {answer!r}")
        time.sleep(0.05)


class Program:
    """A running program that listens on ``port``."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return self.ask("GET", path, None, headers)

    def post(self, path: str, value: object, headers: Mapping[str, str] | None = None) -> Answer:
        """POST of JSON."""
        fields = {"Content-Type": "application/json", **(headers or {})}
        return self.ask("POST", path, json.dumps(value), fields)

    def output(self) -> str:
        """What it printed."""
        return self.log.read_text("utf-8", "replace")

    def wait_for(self, path: str, headers: Mapping[str, str] | None = None) -> None:
        """Wait until it answers."""

        def answers() -> bool:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            return self.get(path, headers).status < 500

        eventually(answers)


@dataclass
class Run:
    """One run of a driver.

    Attributes:
        drop_in: Under the drop-in, or on the original.
        folder: An empty one.
    """

    drop_in: bool
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of all processes of this run."""
        return {
            **os.environ,
            "ZONDA_TORNADO": "1" if self.drop_in else "0",
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }

    def python(self, *arguments: str, **variables: str) -> str:
        """Run Python to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment | variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def start(
        self, port: int, *arguments: str, tracebacks: int | None = 0, **variables: str
    ) -> Iterator[Program]:
        """Start Python; end it afterwards, kindly.

        Args:
            port: Where the program will listen: it is among the arguments.
            arguments: Of Python.
            tracebacks: How many it prints; None for any number.
            variables: For its environment.
        """
        log = self.folder / "output.txt"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=self.environment | variables,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        program = Program(process, port, log)
        try:
            yield program
            process.terminate()
            process.wait(PATIENCE)
        except BaseException:
            process.kill()
            process.wait()
            sys.stderr.write(program.output()[-8000:])
            raise
        said = program.output()
        found = said.count("Traceback (most recent")
        assert tracebacks in (None, found), said[-8000:]
