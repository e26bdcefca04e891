"""Restarts, of real processes. A test waits for lines of output, and changes files between them."""

import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zonda.ioloop.autoreload import restart
from zonda.ioloop.autoreload.files import Files

LIMIT = 30.0
WAYS = ["watchfiles", "times"]


class Program:
    """A running program, line by line."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "path"), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Who runs the tests in the background may have it ignored, and we would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def until(self, start: str) -> str:
        """The next line that begins with ``start``."""
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"no line {start!r} in:\n" + "\n".join(self.seen)
            self.seen.append(line)
            if line.startswith(start):
                return line.removeprefix(start).strip()

    def finish(self) -> int:
        return self.process.wait(LIMIT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()


Run = Callable[..., Program]


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Starts programs, with and without watchfiles."""
    (tmp_path / "path").mkdir()
    if request.param == "watchfiles":
        pytest.importorskip("watchfiles")
    else:
        (tmp_path / "path" / "watchfiles.py").write_text("raise ImportError('not in this test')")
    started = []

    def start(*arguments: str) -> Program:
        program = Program(tmp_path, *arguments)
        started.append(program)
        return program

    yield start
    for program in started:
        program.close()


def write(path: Path, source: str) -> None:
    """Write a file as editors do, in another second than before.

    Python's bytecode cache tells two sources of one length apart by whole seconds.
    """
    before = path.stat().st_mtime if path.exists() else 0
    fresh = path.with_suffix(".new")
    fresh.write_text(textwrap.dedent(source))
    if int(fresh.stat().st_mtime) <= int(before):
        os.utime(fresh, (before + 1, before + 1))
    fresh.replace(path)


SERVER = """
import os, sys
from zonda.ioloop import IOLoop, autoreload
import part
loop = IOLoop.current()
autoreload.add_reload_hook(lambda: print("hook", flush=True))
autoreload.start(check_time=50)
autoreload.start(check_time=50)
loop.add_callback(lambda: print("up", part.NUMBER, os.getpid(), *sys.argv, flush=True))
loop.start()
"""


def test_a_server_restarts_in_place_when_a_module_changes(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "server.py", SERVER)
    write(tmp_path / "part.py", "NUMBER = 1")
    program = run("server.py", "--port=1", "x y")
    number, pid, *arguments = program.until("up").split(" ", 2)
    assert number == "1"
    for number in ("2", "3"):
        write(tmp_path / "part.py", f"NUMBER = {number}")
        program.until("hook")
        assert program.until("up").split(" ", 2) == [number, pid, *arguments]
    assert arguments == ["server.py --port=1 x y"]


@pytest.mark.parametrize("run", ["times"], indirect=True)
def test_m_and_interpreter_options_are_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    write(tmp_path / "package" / "__init__.py", "")
    source = SERVER.replace("import part", "from package import part")
    write(
        tmp_path / "package" / "server.py",
        source + "\nif 0: pass\n",
    )
    write(tmp_path / "package" / "part.py", "import sys\nNUMBER = sys.flags.dont_write_bytecode")
    program = run("-B", "-m", "package.server", "a")
    first = program.until("up")
    assert first.startswith("1 ")
    assert first.endswith("a")
    write(
        tmp_path / "package" / "part.py", "import sys\nNUMBER = 10 + sys.flags.dont_write_bytecode"
    )
    assert program.until("up") == "1" + first


@pytest.mark.parametrize("run", ["times"], indirect=True)
def test_other_files_are_watched_and_the_folder_is_kept(run: Run, tmp_path: Path) -> None:
    source = """
    import os
    from zonda.ioloop import IOLoop, autoreload
    autoreload.watch(os.path.abspath("settings.conf"))
    text = open("settings.conf").read()
    os.chdir("/")
    loop = IOLoop.current()
    autoreload.start(check_time=50)
    loop.add_callback(lambda: print("up", text, flush=True))
    loop.start()
    """
    write(tmp_path / "server.py", source)
    write(tmp_path / "settings.conf", "one")
    program = run("server.py")
    assert program.until("up") == "one"
    write(tmp_path / "settings.conf", "two")
    assert program.until("up") == "two"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@pytest.mark.parametrize("run", ["watchfiles"], indirect=True)
def test_no_descriptor_leaks_into_the_next_life(run: Run, tmp_path: Path) -> None:
    source = """
    import os, socket
    from zonda.ioloop import IOLoop, autoreload
    import part
    at_start = len(os.listdir("/proc/self/fd"))
    kept = [socket.socket() for _ in range(5)]
    loop = IOLoop.current()
    autoreload.start(check_time=50)
    loop.add_callback(lambda: print("up", at_start, part.NUMBER, flush=True))
    loop.start()
    """
    write(tmp_path / "server.py", source)
    write(tmp_path / "part.py", "NUMBER = 1")
    program = run("server.py")
    count, _ = program.until("up").split()
    for number in ("2", "3"):
        write(tmp_path / "part.py", f"NUMBER = {number}")
        assert program.until("up").split() == [count, number]


def test_a_hook_that_fails_does_not_stop_the_restart(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "part.py", "NUMBER = 1")
    write(tmp_path / "server.py", SERVER.replace('print("hook", flush=True)', "1 / 0"))
    program = run("server.py")
    program.until("up 1")
    write(tmp_path / "part.py", "NUMBER = 2")
    program.until("ZeroDivisionError")
    program.until("up 2")


# -- the wrapper

WRAPPER = ("-m", "zonda.ioloop.autoreload")


def test_a_program_comes_back_when_its_syntax_error_is_mended(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "program.py", "print('one'\n")
    program = run(*WRAPPER, "program.py", "--option", "x")
    program.until("SyntaxError")
    write(tmp_path / "broken.py", "def f(:\n")
    write(tmp_path / "program.py", "import broken")
    program.until("SyntaxError")
    source = "import sys\nprint('mended', __name__, *sys.argv)"
    write(tmp_path / "broken.py", source)
    assert program.until("mended") == "broken program.py --option x"
    write(tmp_path / "program.py", source)
    assert program.until("mended") == "__main__ program.py --option x"


def test_a_server_survives_a_syntax_error_under_the_wrapper(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "server.py", SERVER)
    write(tmp_path / "part.py", "NUMBER = 1")
    program = run(*WRAPPER, "server.py")
    first = program.until("up 1")
    write(tmp_path / "part.py", "NUMBER = (")
    program.until("SyntaxError")
    write(tmp_path / "part.py", "NUMBER = 2")
    assert program.until("up 2") == first


def test_a_module_runs_until_success(run: Run, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    write(tmp_path / "package" / "__init__.py", "")
    write(tmp_path / "package" / "__main__.py", "import sys\nprint('run 1')\nsys.exit(3)")
    program = run(*WRAPPER, "--until-success", "-m", "package", "a")
    program.until("run 1")
    program.until("the program exited with status 3")
    write(tmp_path / "package" / "__main__.py", "1 / 0")
    program.until("ZeroDivisionError")
    source = "import sys\nprint('run 3', __name__, *sys.argv[1:])\nsys.exit()"
    write(tmp_path / "package" / "__main__.py", source)
    assert program.until("run 3") == "__main__ a"
    assert program.finish() == 0


@pytest.mark.parametrize("run", ["times"], indirect=True)
def test_the_programs_own_logging_is_left_to_it(run: Run, tmp_path: Path) -> None:
    source = """
    from zonda.ioloop.log import app_log
    from zonda.ioloop.options import parse_command_line
    print(parse_command_line())
    app_log.warning("hello")
    """
    write(tmp_path / "program.py", source)
    program = run(*WRAPPER, "--until-success", "program.py", "--logging=warning", "rest")
    program.until("['rest']")
    assert program.until("[W ").endswith("hello")
    assert program.finish() == 0


@pytest.mark.parametrize("run", ["times"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "either -m or a path must be given"),
        (["-m"], "-m needs the name of a module"),
        (["--nope", "x.py"], "no option --nope"),
    ],
)
def test_a_wrong_command_line_is_answered_with_the_usage(
    run: Run, arguments: list[str], sentence: str
) -> None:
    program = run(*WRAPPER, *arguments)
    program.until(sentence)
    program.until("usage: python -m zonda.ioloop.autoreload")
    assert program.finish() == 1


@pytest.mark.parametrize("run", WAYS, indirect=True)
def test_an_interrupt_ends_the_wait(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "program.py", "")
    program = run(*WRAPPER, "program.py")
    program.until("the program ended normally")
    program.process.send_signal(signal.SIGINT)
    assert program.finish() in (130, -signal.SIGINT)


# -- the parts


def test_files_change_only_once_and_may_be_missing(tmp_path: Path) -> None:
    files = Files()
    path = tmp_path / "file"
    files.add(str(path))
    assert files.changed() is None
    write(path, "1")
    assert files.changed() is None  # seen for the first time
    write(path, "2")
    assert files.changed() == str(path)
    assert files.changed() is None
    path.unlink()
    assert files.changed() is None
    write(path, "3")
    assert files.changed() == str(path)
    assert str(tmp_path) in files.folders()


def test_modules_are_watched_whatever_is_in_sys_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    monkeypatch.setitem(sys.modules, "odd", Odd())
    monkeypatch.setitem(sys.modules, "none", None)
    assert __file__ in Files().paths()


def test_the_command_is_the_one_we_were_started_with() -> None:
    assert restart.command() == [sys.executable, *sys.orig_argv[1:]]
