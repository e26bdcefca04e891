"""Run a program's own test suite on the original and under the drop-in, and compare.

``suite.py RESULTS FOLDER [--side original|drop-in] [--each SECONDS] [--part SECONDS] [PATH ...]
[-- pytest's arguments]``: FOLDER is an unpacked source distribution, each PATH in it a test file or
a folder of them (default: ``tests``). Every path is a pytest of its own, with a limit for each test
and one for the part, so that one that hangs for good costs that part's rest alone. RESULTS gets a
JSON file for each side, which holds what became of each test, and the output of each pytest; what
is printed is the tests whose outcome differs. One that fails now and then shows as a difference.
"""

import argparse
import collections
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

SIDES = {"original": "0", "drop-in": "1"}
RECORDER = """
import os

import pytest


def note(name, outcome):
    with open(os.environ["SUITE_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(f"{outcome}\\t{name!r}\\n")


def pytest_runtest_logstart(nodeid, location):
    note(nodeid, "hangs")


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcome = "error" if report.failed and report.when != "call" else report.outcome
        note(report.nodeid, outcome)


def pytest_collectreport(report):
    if report.failed:
        note(report.nodeid, "error")
"""
WORST = ["passed", "skipped", "rerun", "hangs", "failed", "error"]


def outcomes(record: Path) -> dict[str, str]:
    """What became of each test: a start without an end hangs, a failure outweighs all else."""
    seen: dict[str, str] = {}
    for line in record.read_text("utf-8").splitlines() if record.exists() else []:
        outcome, _, name = line.partition("\t")
        before = seen.get(name, "hangs")
        if before == "hangs" or WORST.index(outcome) > WORST.index(before):
            seen[name] = outcome
    return seen


def one(folder: Path, part: str, side: str, results: Path, given: argparse.Namespace) -> None:
    """One path's pytest, its output and record in the folder of results."""
    stem = f"{side}-{part.strip('/').replace('/', '-').removesuffix('.py')}"
    record = results / f"{stem}.outcomes"
    record.unlink(missing_ok=True)
    environment = os.environ | {
        "ZONDA_TORNADO": SIDES[side],
        "SUITE_OUTCOMES": str(record),
        "PYTHONPATH": os.pathsep.join([str(results), os.environ.get("PYTHONPATH", "")]).strip(":"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    command = [sys.executable, "-m", "pytest", "-p", "suite_recorder", "-p", "no:cacheprovider"]
    command += ["-q", "-rfE", "--color=no", f"--timeout={given.each}"]
    command += ["--timeout-method=signal", part, *given.pytest]
    with (results / f"{stem}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(given.part)
        except subprocess.TimeoutExpired:
            log.write(b"\nsuite: its time is over\n")
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def main() -> int:
    """Both sides, or one; then the differences."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--side", choices=SIDES, action="append")
    parser.add_argument("--each", type=int, default=60, help="seconds that one test may take")
    parser.add_argument("--part", type=int, default=3600, help="seconds that one path may take")
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given = parser.parse_args(arguments[:at])
    given.pytest = arguments[at + 1 :]
    folder, results = given.folder.resolve(), given.results.resolve()
    results.mkdir(parents=True, exist_ok=True)
    (results / "suite_recorder.py").write_text(RECORDER, "utf-8")
    for part in given.paths or ["tests"]:
        for side in given.side or SIDES:
            one(folder, part, side, results, given)
    sides: dict[str, dict[str, str]] = {}
    for side in SIDES:
        seen: dict[str, str] = {}
        for record in sorted(results.glob(f"{side}-*.outcomes")):
            seen |= outcomes(record)
        sides[side] = seen
        (results / f"{side}.json").write_text(json.dumps(seen, indent=1), "utf-8")
        counts = sorted(collections.Counter(seen.values()).items())
        print(side, ", ".join(f"{count} {outcome}" for outcome, count in counts))
    for name in sorted(sides["original"].keys() | sides["drop-in"].keys()):
        was, now = (sides[side].get(name, "not run") for side in SIDES)
        if was != now:
            print(f"{was:>8} {now:>8} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
