"""The supervisor, as a process, with real workers that write down what happens to them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zonda.ioloop.supervisor import Supervisor

WORKER = """
    import os, signal, sys, time
    from zonda.ioloop.supervisor import ready, worker_number

    def note(what):
        with open("log", "a") as file:
            file.write(f"{what} {worker_number()} {os.getpid()} VERSION\\n")

    def end(*_):
        note("term")
        if not stubborn:
            sys.exit(0)

    stubborn = os.path.exists("stubborn")
    signal.signal(signal.SIGTERM, end)
    if os.path.exists("broken"):
        note("broken")
        sys.exit(3)
    note("start")
    if not os.path.exists("silent"):
        ready()
        ready()  # twice is once
    while True:
        time.sleep(60)
"""


class Program:
    """A supervisor at work in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.write("one")

    def write(self, version: str) -> None:
        (self.folder / "worker.py").write_text(textwrap.dedent(WORKER).replace("VERSION", version))

    def start(self, *options: str) -> None:
        command = ["-m", "zonda.ioloop.supervisor", "-n", "2", *options, "worker.py", "-n", "x"]
        with (self.folder / "errors").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=self.folder, stderr=errors
            )

    def events(self, what: str) -> list[list[str]]:
        """Number, process id and version of everything of a kind that happened."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split()[1:] for line in lines if line.startswith(f"{what} ")]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, (self.folder / "errors").read_text()
            time.sleep(0.01)

    def said(self, text: str) -> bool:
        return text in (self.folder / "errors").read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    yield program
    if program.process.poll() is None:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_start_and_end(program: Program, number: signal.Signals) -> None:
    program.start()
    program.until(lambda: len(program.events("start")) == 2)
    assert sorted(event[0] for event in program.events("start")) == ["0", "1"]
    assert program.end(number) == 0
    assert len(program.events("term")) == 2


def test_one_that_dies_is_replaced(program: Program) -> None:
    program.start()
    program.until(lambda: len(program.events("start")) == 2)
    number, pid, _ = program.events("start")[0]
    os.kill(int(pid), signal.SIGKILL)
    program.until(lambda: len(program.events("start")) == 3)
    assert program.events("start")[2][0] == number
    assert program.said("was killed by signal 9")
    assert program.end() == 0


def test_a_rolling_reload_runs_what_is_on_disk(program: Program) -> None:
    program.start()
    program.until(lambda: len(program.events("start")) == 2)
    program.write("two")
    program.process.send_signal(signal.SIGHUP)
    program.until(lambda: len(program.events("term")) == 2)
    assert [event[2] for event in program.events("start")] == ["one", "one", "two", "two"]
    # There were never fewer than two: each successor came before its predecessor went.
    kinds = [line.split()[0] for line in program.log.read_text().splitlines()]
    assert kinds == ["start", "start", "start", "term", "start", "term"]
    assert program.end() == 0


def test_a_reload_of_a_broken_program_changes_nothing(program: Program) -> None:
    program.start()
    program.until(lambda: len(program.events("start")) == 2)
    (program.folder / "broken").touch()
    program.process.send_signal(signal.SIGHUP)
    program.until(lambda: program.said("reload given up"))
    assert len(program.events("broken")) == 1
    assert not program.events("term")
    (program.folder / "broken").unlink()
    program.process.send_signal(signal.SIGHUP)
    program.until(lambda: len(program.events("term")) == 2)
    assert program.end() == 0


def test_one_that_keeps_falling_is_not_started_in_a_loop(program: Program) -> None:
    (program.folder / "broken").touch()
    program.start()
    program.until(lambda: len(program.events("broken")) >= 4)
    first = len(program.events("broken"))
    time.sleep(0.3)  # in which a loop would start dozens
    assert len(program.events("broken")) - first <= 2
    (program.folder / "broken").unlink()
    program.until(lambda: len(program.events("start")) == 2)
    assert program.end() == 0


def test_one_that_does_not_end_is_killed(program: Program) -> None:
    (program.folder / "stubborn").touch()
    program.start("--stop-timeout", "0.2")
    program.until(lambda: len(program.events("start")) == 2)
    assert program.end() == 1
    assert program.said("killing it")


def test_one_that_says_nothing_is_ready_after_a_time(program: Program) -> None:
    (program.folder / "silent").touch()
    program.start("--ready-timeout", "0.2")
    program.until(lambda: len(program.events("start")) == 2)
    program.process.send_signal(signal.SIGHUP)
    program.until(lambda: len(program.events("term")) == 2)
    program.until(lambda: len(program.events("start")) == 4)  # later: they start slowly
    assert program.end() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of the end")
def test_workers_do_not_outlive_a_killed_supervisor(program: Program) -> None:
    program.start()
    program.until(lambda: len(program.events("start")) == 2)
    program.process.kill()
    program.process.wait()
    program.until(lambda: len(program.events("term")) == 2)


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ([], {}, "command"),
        (["x"], {"processes": 0}, "processes"),
        (["x"], {"ready_timeout": 0}, "time-outs"),
        (["x"], {"stop_timeout": -1}, "time-outs"),
    ],
)
def test_numbers_that_make_no_sense(
    command: list[str], arguments: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Supervisor(command, **arguments)


def test_a_command_that_is_not_there() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(OSError, match="no-such-program"):
        Supervisor(["/no-such-program"], 1).run()
    assert signal.getsignal(signal.SIGTERM) is before
