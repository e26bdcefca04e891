"""Subprocess: pipes, return codes, exit callbacks, with pidfds and with threads."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from zonda.iostream import PipeIOStream, StreamClosedError, exits
from zonda.iostream.childprocess import Subprocess


@pytest.fixture(params=["pidfd", "thread"], autouse=True)
def _how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "thread":
        monkeypatch.setattr(exits, "_pidfd_open", exits._no_pidfd)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("no pidfd")


def python(code: str, **streams: object) -> Subprocess:
    return Subprocess([sys.executable, "-S", "-c", code], **streams)


async def test_all_three_streams() -> None:
    child = python(
        "import sys\n"
        "for line in sys.stdin: print(line.upper(), end='', flush=True)\n"
        "print('done', file=sys.stderr)",
        stdin=Subprocess.STREAM,
        stdout=Subprocess.STREAM,
        stderr=Subprocess.STREAM,
    )
    assert isinstance(child.stdin, PipeIOStream)
    await child.stdin.write(b"one\n")
    assert await child.stdout.read_until(b"\n") == b"ONE\n"
    await child.stdin.write(b"two\n")
    assert await child.stdout.read_until(b"\n") == b"TWO\n"
    child.stdin.close()
    assert await child.stderr.read_until_close() == b"done\n"
    assert await child.stdout.read_until_close() == b""
    assert await child.wait_for_exit() == 0
    assert child.returncode == 0
    assert child.pid == child.proc.pid


async def test_standard_pipes_stay_what_they_are() -> None:
    child = python("print('x')", stdout=subprocess.PIPE)
    await child.wait_for_exit()
    assert child.stdin is None
    with child.stdout:
        assert child.stdout.read() == b"x\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM)],
)
async def test_return_code(code: str, expected: int) -> None:
    child = python(code)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        await child.wait_for_exit()
    assert caught.value.returncode == expected
    assert child.returncode == expected
    assert await child.wait_for_exit(raise_error=False) == expected


async def test_exit_callback() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child = python("raise SystemExit(7)")
    child.set_exit_callback(future.set_result)
    assert await future == 7


async def test_exit_callback_after_the_end() -> None:
    child = python("")
    child.proc.wait()
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child.set_exit_callback(future.set_result)
    assert not future.done()
    assert await future == 0


async def test_dropped_reference() -> None:
    """The callback runs even if nobody keeps the Subprocess."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    python("").set_exit_callback(future.set_result)
    assert await future == 0
    assert not Subprocess._awaited


async def test_many_at_once() -> None:
    children = [Subprocess(["true"]) for _ in range(20)]
    assert await asyncio.gather(*(child.wait_for_exit() for child in children)) == [0] * 20


async def test_other_peoples_children_are_left_alone() -> None:
    """No SIGCHLD handler, and ``subprocess`` beside us still reaps its own."""
    before = signal.getsignal(signal.SIGCHLD)
    Subprocess.initialize()
    child = Subprocess(["true"])
    theirs = subprocess.Popen(["false"])  # noqa: ASYNC220 - that is the point
    assert await child.wait_for_exit() == 0
    assert signal.getsignal(signal.SIGCHLD) is before
    assert theirs.wait() == 1
    Subprocess.uninitialize()


async def test_closed_stdin_of_a_child_that_left() -> None:
    child = Subprocess(["true"], stdin=Subprocess.STREAM)
    await child.wait_for_exit()

    async def write() -> None:
        for _ in range(10):
            await child.stdin.write(b"x" * 100_000)

    with pytest.raises(StreamClosedError) as caught:
        await write()
    assert isinstance(caught.value.real_error, BrokenPipeError)


@pytest.mark.parametrize("streams", [{}, dict.fromkeys(("stdin", "stdout"), Subprocess.STREAM)])
async def test_failed_start_leaves_nothing_open(streams: dict[str, object]) -> None:
    with pytest.raises(FileNotFoundError):
        Subprocess(["/nonexistent/program"], **streams)


async def test_cancelled_wait() -> None:
    child = Subprocess(["cat"], stdin=Subprocess.STREAM)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(child.wait_for_exit(), 0.01)
    child.stdin.close()
    assert await child.wait_for_exit() == 0
