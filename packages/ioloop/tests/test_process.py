"""Forked processes, in real ones: each case is a program that reports on its standard output."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

from zonda.ioloop import process

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

LIMIT = 30.0
PRELUDE = """
import asyncio, logging, os, signal, sys, random, time
from zonda.ioloop.process import cpu_count, fork_processes, task_id
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    started = []

    def run(program: str) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PRELUDE + textwrap.dedent(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child

    yield run
    for child in started:
        child.kill()
        child.communicate(timeout=LIMIT)


def finish(child: "subprocess.Popen[str]") -> tuple[list[str], str, int]:
    out, err = child.communicate(timeout=LIMIT)
    return sorted(out.split("\n")[:-1]), err, child.returncode


def lines(child: "subprocess.Popen[str]", count: int) -> list[str]:
    assert child.stdout is not None
    return sorted(child.stdout.readline().strip() for _ in range(count))


def test_each_child_gets_its_number_and_the_parent_leaves_with_the_last(start: Start) -> None:
    out, err, code = finish(start("say(fork_processes(3), task_id())"))
    assert out == ["0 0", "1 1", "2 2"]
    assert code == 0
    assert err.count("exited normally") == 3


def test_none_and_0_mean_one_a_processor(start: Start) -> None:
    for number in ("None", "0"):
        out, _, _ = finish(start(f"say(fork_processes({number}))"))
        assert out == sorted(str(n) for n in range(process.cpu_count()))


def test_output_waiting_in_a_buffer_is_written_once(start: Start) -> None:
    out, _, _ = finish(start("print('once'); fork_processes(2)"))
    assert out == ["once"]


def test_one_that_crashed_is_started_again_under_its_number(start: Start) -> None:
    program = """
    reader, writer = os.pipe()
    os.write(writer, b"01")
    number = fork_processes(2)
    if number == 0:
        attempt = os.read(reader, 1)
        say("attempt", attempt.decode())
        if attempt == b"0":
            os._exit(3)
        os.write(writer, b"x")
        sys.exit()
    time.sleep(0)
    """
    out, err, code = finish(start(program))
    assert out == ["attempt 0", "attempt 1"]
    assert "exited with status 3, restarting" in err
    assert code == 0


def test_one_killed_by_a_signal_is_started_again(start: Start) -> None:
    program = """
    reader, writer = os.pipe()
    os.write(writer, b"01")
    fork_processes(1)
    if os.read(reader, 1) == b"0":
        os.kill(os.getpid(), signal.SIGKILL)
    say("alive")
    """
    out, err, code = finish(start(program))
    assert (out, code) == (["alive"], 0)
    assert "was killed by signal 9, restarting" in err


def test_too_many_crashes_end_everything(start: Start) -> None:
    program = """
    try:
        number = fork_processes(2, max_restarts=3)
    except RuntimeError as error:
        say(error)
        sys.exit(5)
    if number == 1:
        say("idle", os.getpid())
        time.sleep(0.02)  # pause() would sleep through a signal that came just before it
    os._exit(1)
    """
    out, err, code = finish(start(program))
    assert code == 5
    assert out[0] == "children crashed more than 3 times: giving up"
    assert err.count("restarting") == 4
    for line in out[1:]:
        with pytest.raises(ProcessLookupError):
            os.kill(int(line.split()[1]), 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_forwarded_and_nothing_is_restarted(
    start: Start, number: signal.Signals
) -> None:
    program = """
    number = fork_processes(2)
    def handler(signum, frame):
        say("got", signum)
        sys.exit(0)
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    say("ready")
    while True:
        time.sleep(0.02)  # pause() would sleep through a signal that came just before it
    """
    child = start(program)
    assert lines(child, 2) == ["ready", "ready"]
    child.send_signal(number)
    out, _, code = finish(child)
    assert out == [f"got {int(number)}"] * 2
    assert code == 0


def test_a_child_that_dies_of_the_forwarded_signal_ended_well(start: Start) -> None:
    child = start("fork_processes(2)\nsay('ready')\nwhile True: time.sleep(0.02)")
    assert lines(child, 2) == ["ready", "ready"]
    child.send_signal(signal.SIGTERM)
    _, err, code = finish(child)
    assert code == 0
    assert "restarting" not in err


def test_a_child_that_fails_while_stopping_shows_in_the_status(start: Start) -> None:
    program = """
    fork_processes(1)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    say("ready")
    while True: time.sleep(0.02)
    """
    child = start(program)
    lines(child, 1)
    child.send_signal(signal.SIGTERM)
    _, err, code = finish(child)
    assert code == 1
    assert "exited with status 7 while stopping" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_children_do_not_outlive_a_killed_parent(start: Start) -> None:
    child = start("fork_processes(2)\nsay('ready')\nwhile True: time.sleep(0.02)")
    assert lines(child, 2) == ["ready", "ready"]
    child.send_signal(signal.SIGKILL)
    # The end of the output comes when the last of them has closed it.
    out, _, code = finish(child)
    assert out == []
    assert code == -signal.SIGKILL


def test_each_child_has_random_numbers_of_its_own(start: Start) -> None:
    out, _, _ = finish(start("random.seed(1)\nfork_processes(3)\nsay(random.random())"))
    assert len(set(out)) == 3


def test_signals_are_unblocked_in_the_children(start: Start) -> None:
    out, _, _ = finish(
        start("fork_processes(2)\nsay(signal.pthread_sigmask(signal.SIG_BLOCK, []))")
    )
    assert out == ["set()", "set()"]


def test_a_loop_made_before_is_replaced_in_the_children(start: Start) -> None:
    program = """
    from zonda.ioloop.loop import IOLoop
    before = IOLoop.current()
    fork_processes(2)
    say(IOLoop.current() is before, IOLoop.current().run_sync(lambda: asyncio.sleep(0, "runs")))
    """
    out, err, code = finish(start(program))
    assert out == ["False runs"] * 2, err
    assert code == 0


async def test_it_refuses_to_fork_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="while a loop is running"):
        process.fork_processes(2)
    assert process.task_id() is None


def test_without_fork_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(RuntimeError, match=r"os\.fork"):
        process.fork_processes(2)


def test_cpu_count_is_what_this_process_may_use() -> None:
    if hasattr(os, "sched_getaffinity"):
        assert process.cpu_count() == len(os.sched_getaffinity(0))
    assert process.cpu_count() >= 1


def test_the_loop_of_a_test_is_not_ours() -> None:
    # The suite itself must not have been forked by a test above.
    assert asyncio._get_running_loop() is None
    assert process.task_id() is None
