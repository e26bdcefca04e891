"""Each program runs under plain ``python`` and under the launcher; both must behave alike."""

import importlib.util
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., "CompletedProcess[str]"]

REPORT = """
import __main__, os, sys
print(sys.argv, sys.path[0], os.getcwd())
names = ("__name__", "__file__", "__package__", "__cached__")
print({name: getattr(__main__, name, "absent") for name in names})
print(__main__.__spec__ and (__main__.__spec__.name, __main__.__spec__.origin))
print(type(__main__.__loader__).__name__, sys.modules["__main__"].__dict__ is globals())
print(sorted(set(globals()) - {"__annotations__", "__main__", "os", "sys", "names"}))
"""

SCRIPTS = {
    "report": REPORT,
    "imports_beside_it": "import beside; print(beside.value)",
    "exit_status": "raise SystemExit(3)",
    "exit_message": "import sys; sys.exit('so much for that')",
    "traceback": "def f():\n    1 / 0\n\nf()\n",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e\n",
    "syntax_error": "x = = 1\n",
    "own_excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0])\n1 / 0\n",
    "future": "from __future__ import annotations\ndef f(x: nope): ...\nprint(f.__annotations__)",
    "interrupt": "raise KeyboardInterrupt",
    "exit_handler": (
        "import atexit, pickle\nclass C: pass\n"
        "@atexit.register\ndef last():\n    import __main__\n"
        "    print(__main__.C is C, type(pickle.loads(pickle.dumps(C()))))\n"
    ),
    "thread_outlives_the_file": (
        "import threading, time, sys\nvalue = 42\n"
        "def later():\n    threading.main_thread().join()\n"
        "    print(value, sys.modules['__main__'].value)\n"
        "threading.Thread(target=later).start()\n"
    ),
    "worker_process": (
        "import multiprocessing\ndef double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    with context.Pool(1) as pool:\n        print(pool.map(double, [1, 2]))\n"
    ),
}


def alike(run: Run, *arguments: str) -> "CompletedProcess[str]":
    plain = run(*arguments, check=False)
    ours = run("-m", "zonda.tornado", *arguments, check=False)
    assert ours.stdout == plain.stdout
    assert ours.stderr == plain.stderr
    assert ours.returncode == plain.returncode
    return ours


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("place", [".", "inner"])
def test_script(run: Run, tmp_path: Path, name: str, place: str) -> None:
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(SCRIPTS[name])
    (folder / "beside.py").write_text("value = 'found beside the script'")
    path = os.path.join(place, "app.py") if place != "." else "app.py"
    result = alike(run, path, "--port=1", "-m", "x")
    assert result.stdout or result.stderr or result.returncode


def test_script_by_link(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "app.py").write_text(SCRIPTS["report"] + SCRIPTS["imports_beside_it"])
    (folder / "beside.py").write_text("value = 1")
    (tmp_path / "link.py").symlink_to(folder / "app.py")
    assert alike(run, "link.py").stdout.endswith("1\n")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_container(run: Run, tmp_path: Path, kind: str) -> None:
    text = REPORT + "import beside\nbeside.fail()\n"
    beside = "def fail():\n    raise RuntimeError('here')\n"
    if kind == "folder":
        path = tmp_path / "app"
        path.mkdir()
        (path / "__main__.py").write_text(text)
        (path / "beside.py").write_text(beside)
    else:
        path = tmp_path / "app.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("__main__.py", text)
            archive.writestr("beside.py", beside)
    plain = run(path.name, "a", check=False)
    ours = run("-m", "zonda.tornado", path.name, "a", check=False)
    assert ours.stdout == plain.stdout
    assert ours.returncode == plain.returncode == 1
    # Plain Python shows runpy's frames here; what counts is that the program's own are there.
    assert plain.stderr.splitlines()[-3:] == ours.stderr.splitlines()[-3:]


@pytest.mark.parametrize("name", ["package", "package.module", "package.inner"])
def test_module(run: Run, tmp_path: Path, name: str) -> None:
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text("")
    (tmp_path / "package" / "__init__.py").write_text("value = 'relative'")
    program = REPORT + "from DOTS import value\nprint(value)\n"
    for file in ("__main__.py", "module.py"):
        (tmp_path / "package" / file).write_text(program.replace("DOTS", "."))
    (inner / "__main__.py").write_text(program.replace("DOTS", ".."))
    plain = run("-B", "-m", name, "a", "-b")
    ours = run("-B", "-m", "zonda.tornado", "-m", name, "a", "-b")
    assert ours.stdout == plain.stdout
    assert ours.stdout.endswith("relative\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nosuch.py"], 2, "can't open file '{cwd}/nosuch.py': [Errno 2] No such file"),
        (["-m", "nosuch"], 1, "No module named nosuch"),
        (["-m", "nosuch.module"], 1, "Error while finding module specification"),
        (["-m", "email"], 1, "No module named email.__main__; 'email' is a package and cannot be"),
        (["."], 1, "can't find '__main__' module in '.'"),
        ([], 2, "usage: python -m zonda.tornado FILE"),
        (["-x", "app.py"], 1, "expected the program to run"),
        (["-m"], 1, "expected the program to run"),
    ],
)
def test_nothing_to_run(
    run: Run, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    result = run("-m", "zonda.tornado", *arguments, check=False)
    assert result.returncode == status
    assert message.format(cwd=tmp_path) in result.stderr
    assert "Traceback" not in result.stderr


def test_help(run: Run) -> None:
    assert run("-m", "zonda.tornado", "--help").stdout.startswith("usage: python -m zonda.tornado")


def test_the_program_gets_zonda_and_so_do_its_children(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os, subprocess, sys\n"
        "import tornado.util\n"
        "print(tornado.util.__name__, os.environ['ZONDA_TORNADO'], flush=True)\n"
        "if sys.argv[1:] != ['child']:\n"
        "    subprocess.run([sys.executable, __file__, 'child'], check=True)\n"
    )
    result = run("-m", "zonda.tornado", "app.py")
    assert result.stdout.splitlines() == ["zonda.ioloop.util 1"] * 2


def test_modules_of_tornado_run_as_programs(run: Run) -> None:
    """``python -m tornado.x`` runs what lies behind it, which need not be called x."""
    if importlib.util.find_spec("zonda.ioloop.autoreload") is None:
        pytest.skip("this version has no autoreload")
    result = run("-m", "zonda.tornado", "-m", "tornado.autoreload", "--help", check=False)
    plain = run("-m", "tornado.autoreload", "--help", check=False, env={"ZONDA_TORNADO": "1"})
    assert (result.returncode, result.stdout) == (plain.returncode, plain.stdout)
    assert "autoreload" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_safe_path_keeps_the_script_folder_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import sys\nprint(sys.path)\n")
    plain = run("-P", "app.py")
    ours = run("-P", "-m", "zonda.tornado", "app.py")
    assert ours.stdout == plain.stdout
    assert str(tmp_path) not in ours.stdout.replace(sys.prefix, "")
