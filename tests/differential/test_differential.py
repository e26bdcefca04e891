"""Programs written for Tornado print the same on Zonda, whatever they print.

``programs/`` holds the programs. ``expected/NAME.txt`` is what Tornado 6.6.1 made of one;
``expected/NAME.diff`` is how ours differs on purpose, and is absent where nothing does (the reasons
are in docs/from-tornado.md). Programs in the styles of Tornado 2 to 4 run on ours only. Where
Tornado is installed it has to print what was recorded.

To record again: ``python tests/differential/test_differential.py PYTHON_WITH_TORNADO [NAME...]``.
"""

import difflib
import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
EXPECTED = HERE / "expected"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem != "wire")
HAS_ORIGINAL = importlib.util.find_spec("tornado") is not None
OLD = {name for name in NAMES if name.startswith("old_")}

_VARYING = [
    (re.compile(r"0x[0-9a-f]+"), "0x0"),
    (re.compile(r"Task-\d+"), "Task-N"),
    (re.compile(re.escape(str(PROGRAMS)) + "/"), ""),
    (re.compile(r"tests/differential/programs/"), ""),
    (re.compile(r"(?<=defined at )\S+:\d+"), "LINE"),
    # As Python 3.13 has it.
    (re.compile(r"416 Range Not Satisfiable"), "416 Requested Range Not Satisfiable"),
]


def run(*command: str, loop: str = "asyncio") -> str:
    """The standard output of a program, with what varies replaced, and how it ended."""
    environment = {k: v for k, v in os.environ.items() if k not in ("ZONDA_TORNADO", "LANG")}
    environment.update(ZONDA_LOOP=loop, PYTHONUTF8="1", PYTHONWARNINGS="ignore", PYTHONHASHSEED="0")
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    text = done.stdout
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    if done.returncode:
        text += f"exit status {done.returncode}\n{done.stderr[-2000:]}"
    return text


def difference(original: str, ours: str) -> str:
    """What is in the one and not in the other, in order."""
    lines = difflib.unified_diff(original.splitlines(), ours.splitlines(), lineterm="", n=0)
    return "".join(line + "\n" for line in lines if line[:2] not in ("--", "++", "@@"))


@pytest.fixture(scope="module")
def first_runs() -> dict[tuple[str, bool], str]:
    """All programs, some at a time: most of their time they wait."""
    loop = os.environ.get("ZONDA_LOOP", "asyncio")
    with ThreadPoolExecutor(3) as pool:
        made = {(name, True): pool.submit(on_ours, name, loop) for name in NAMES}
        if HAS_ORIGINAL:
            for name in set(NAMES) - OLD:
                made[name, False] = pool.submit(run, str(PROGRAMS / f"{name}.py"))
    return {key: future.result() for key, future in made.items()}


def on_ours(name: str, loop: str) -> str:
    return run("-m", "zonda.tornado", str(PROGRAMS / f"{name}.py"), loop=loop)


def recorded(name: str) -> tuple[str, str]:
    original = (EXPECTED / f"{name}.txt").read_text("utf-8")
    intended = EXPECTED / f"{name}.diff"
    return original, intended.read_text("utf-8") if intended.exists() else ""


@pytest.mark.parametrize("name", NAMES)
def test_ours(name: str, first_runs: dict[tuple[str, bool], str]) -> None:
    original, intended = recorded(name)
    found = difference(original, first_runs[name, True])
    if found != intended:  # a machine that is busy: programs wait some milliseconds for events
        found = difference(original, on_ours(name, os.environ.get("ZONDA_LOOP", "asyncio")))
    assert found == intended


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OLD])
@pytest.mark.skipif(not HAS_ORIGINAL, reason="needs the original")
def test_original(name: str, first_runs: dict[tuple[str, bool], str]) -> None:
    original, _ = recorded(name)
    found = first_runs[name, False]
    if found != original:
        found = run(str(PROGRAMS / f"{name}.py"))
    assert difference(original, found) == ""


@pytest.mark.parametrize("module", ["websockets", "brotli", "socks"])
def test_a_file_of_the_program_is_not_run_by_us(module: str, tmp_path: Path) -> None:
    # An optional library that we look for may have the name of a file beside the program.
    (tmp_path / f"{module}.py").write_text(
        "import sys\nfrom tornado import web, websocket\nprint('imported', __name__)\n"
        "class Handler(websocket.WebSocketHandler): pass\n"
    )
    program = tmp_path / "program.py"
    program.write_text(
        "from tornado import httpclient, web, websocket\nprint('first')\n"
        f"import {module}\nprint({module}.Handler.__name__)\n"
    )
    assert run("-m", "zonda.tornado", str(program)) == f"first\nimported {module}\nHandler\n"
    assert run("-m", "zonda.tornado", str(tmp_path / f"{module}.py")) == "imported __main__\n"


def record(python: str, names: list[str]) -> None:
    """Write what the original makes of programs, and how ours differs."""
    ours = sys.executable
    EXPECTED.mkdir(exist_ok=True)
    for name in names or NAMES:
        text = EXPECTED / f"{name}.txt"
        intended = EXPECTED / f"{name}.diff"
        sys.executable = python
        try:
            original = "" if name in OLD else run(str(PROGRAMS / f"{name}.py"))
        finally:
            sys.executable = ours
        found = on_ours(name, "asyncio")
        if name in OLD:
            original = found
        text.write_text(original, "utf-8")
        intended.unlink(missing_ok=True)
        if found := difference(original, found):
            intended.write_text(found, "utf-8")
        print(name, len(original.splitlines()), "lines,", len(found.splitlines()), "differ")


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2:])
