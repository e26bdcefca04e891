"""The root conftest.py at work: each kind of sloppiness fails a test, and tidiness passes."""

import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


Outcome = tuple[dict[str, int], str]


def run_suite(folder: Path, files: dict[str, str], loop: str | None) -> dict[str, Outcome]:
    """Run files of tests in one process, under the house's conftest.py and pytest.ini.

    Returns:
        For each file, how many of its tests passed and failed, and what pytest said of these.
    """
    for name in ("conftest.py", "pytest.ini"):
        (folder / name).write_text((ROOT / name).read_text())
    for number, text in enumerate(files.values()):
        (folder / f"test_{number}.py").write_text(textwrap.dedent(text))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "ZONDA_"))}
    if loop is not None:
        environment["ZONDA_LOOP"] = loop
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--junit-xml=out.xml",
            ".",
        ],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if not (folder / "out.xml").exists():
        return dict.fromkeys(files, ({"error": done.returncode}, done.stdout + done.stderr))
    cases = list(ET.parse(folder / "out.xml").getroot().iter("testcase"))
    outcomes: dict[str, Outcome] = {}
    for number, name in enumerate(files):
        counts = {"passed": 0, "failed": 0}
        said = ""
        for case in cases:
            if case.get("classname") == f"test_{number}":
                complaints = [*case.iter("failure"), *case.iter("error")]
                counts["failed" if complaints else "passed"] += 1
                said += "".join(f"{c.get('message')}\n{c.text}" for c in complaints)
        outcomes[name] = counts, said
    return outcomes


TIDY = {
    "async": """
        import asyncio
        async def test():
            await asyncio.sleep(0)
        """,
    "async with fixtures and parameters": """
        import pytest
        @pytest.mark.parametrize("n", [1])
        async def test(n, tmp_path):
            assert n == 1 and tmp_path.exists()
        """,
    "async property": """
        import asyncio
        from hypothesis import given, strategies
        @given(strategies.integers(0, 3))
        async def test(n):
            await asyncio.sleep(0)
            assert n < 4
        """,
    "expected record": """
        import logging
        def test(expect_log):
            with expect_log("a", "ou.h") as records:
                logging.getLogger("a.b").warning("ouch")
            assert records[0].getMessage() == "ouch"
        """,
    "any number of records": """
        def test(expect_log):
            with expect_log("a", count=None):
                pass
        """,
    "information": """
        import logging
        def test():
            logging.getLogger("a").info("by the way")
        """,
    "records a test looks at itself": """
        import logging
        def test(caplog):
            logging.getLogger("a").warning("ouch")
            assert caplog.messages == ["ouch"]
        """,
    "task that ends": """
        import asyncio
        async def test():
            asyncio.create_task(asyncio.sleep(0))
        """,
    "closed socket": """
        import socket
        def test():
            a, b = socket.socketpair()
            a.close(), b.close()
        """,
    "joined thread": """
        import threading
        def test():
            threading.Thread(target=int).start()
        """,
    "work in the loop's threads": """
        import asyncio
        async def test():
            await asyncio.to_thread(int)
        """,
    "child that was waited for": """
        import subprocess
        def test():
            subprocess.run(["true"])
        """,
}

SLOPPY = {
    "failing async": (
        "async def test():\n    assert 1 == 2",
        "assert 1 == 2",
    ),
    "failing async property": (
        """
        from hypothesis import given, strategies
        @given(strategies.integers())
        async def test(n):
            assert n < 4
        """,
        "assert 4 < 4",
    ),
    "record": (
        """
        import logging
        def test():
            logging.getLogger("a").warning("ouch %d", 1)
        """,
        "a WARNING: ouch 1",
    ),
    "record of another logger": (
        """
        import logging
        def test(expect_log):
            with expect_log("a", count=None):
                logging.getLogger("ab").error("ouch")
        """,
        "ab ERROR: ouch",
    ),
    "record that did not come": (
        """
        def test(expect_log):
            with expect_log("a", "ouch"):
                pass
        """,
        "expected 1 records matching 'ouch'",
    ),
    "record too many": (
        """
        import logging
        def test(expect_log):
            with expect_log("a"):
                logging.getLogger("a").warning("one")
                logging.getLogger("a").warning("two")
        """,
        "expected 1 records",
    ),
    "pending task": (
        """
        import asyncio
        async def test():
            global kept
            kept = asyncio.create_task(asyncio.Event().wait())
        """,
        "tasks still pending at the end of the test",
    ),
    "exception in a callback": (
        """
        import asyncio
        async def test():
            asyncio.get_running_loop().call_soon(lambda: 1 / 0)
            await asyncio.sleep(0)
        """,
        "ZeroDivisionError",
    ),
    "coroutine never awaited": (
        """
        import asyncio
        async def test():
            asyncio.sleep(0)
        """,
        "never awaited",
    ),
    "open socket": (
        """
        import socket
        def test():
            global kept
            kept = socket.socket()
        """,
        "descriptors left open: {",
    ),
    "socket left to the collector": (
        """
        import socket
        def test():
            socket.socket()
        """,
        "unclosed <socket",
    ),
    "open file": (
        """
        def test(tmp_path):
            global kept
            kept = open(tmp_path / "file", "w")
        """,
        "descriptors left open: {",
    ),
    "warning": (
        """
        import warnings
        def test():
            warnings.warn("old", DeprecationWarning)
        """,
        "DeprecationWarning: old",
    ),
    "running thread": (
        """
        import threading
        def test():
            threading.Thread(target=threading.Event().wait, daemon=True, name="stray").start()
        """,
        "threads left running: ['stray']",
    ),
    "running child": (
        """
        import os, signal, time
        def test():
            pid = os.posix_spawn("/bin/sleep", ["sleep", "20"], {})
            global kept
            kept = pid
        def test_tidy_up():
            os.kill(kept, signal.SIGKILL)
            os.waitpid(kept, 0)
        """,
        "child processes left behind: {",
    ),
}


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    loop: str = request.param
    pytest.importorskip(loop)
    files = {f"tidy: {name}": text for name, text in TIDY.items()}
    files |= {f"sloppy: {name}": text for name, (text, _) in SLOPPY.items()}
    return run_suite(tmp_path_factory.mktemp(loop), files, loop)


@pytest.mark.parametrize("name", TIDY)
def test_tidy_passes(outcomes: dict[str, Outcome], name: str) -> None:
    counts, said = outcomes[f"tidy: {name}"]
    assert counts == {"passed": 1, "failed": 0}, said


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="leaks are looked up in /proc")
@pytest.mark.parametrize("name", SLOPPY)
def test_sloppy_fails(outcomes: dict[str, Outcome], name: str) -> None:
    counts, said = outcomes[f"sloppy: {name}"]
    assert counts["failed"] == 1, said
    assert SLOPPY[name][1] in said


LOOP = """
    import asyncio
    async def test():
        assert type(asyncio.get_running_loop()).__module__.partition(".")[0] == "{}"
    """


@pytest.mark.parametrize(
    ("named", "runs"), [("asyncio", "asyncio"), ("uvloop", "uvloop"), (None, "uvloop")]
)
def test_loop_is_the_one_that_is_named(tmp_path: Path, named: str | None, runs: str) -> None:
    pytest.importorskip(runs)
    counts, said = run_suite(tmp_path, {"it": LOOP.format(runs)}, named)["it"]
    assert counts == {"passed": 1, "failed": 0}, said


def test_unknown_loop_is_an_error(tmp_path: Path) -> None:
    counts, said = run_suite(tmp_path, {"it": LOOP.format("trio")}, "trio")["it"]
    assert counts == {"error": pytest.ExitCode.USAGE_ERROR}
    assert "ZONDA_LOOP=trio" in said
