"""The page about other people's programs, from what their runs left: ``table.py RESULTS PAGE``.

In: a JSON file for each program (see `run.py`), and beside this file what was measured with the
programs' own test suites (``suites.json``). Out: the page. The exit code is 1 if a result of a
driver is missing.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HEAD = """# Programs of others

This page is written by `python3 dev programs`. Each program is installed as it was released, in an
environment of its own beside Tornado {tornado} and Zonda, started as a process, and driven over
real sockets: once with Tornado, once with `ZONDA_TORNADO=1`. Nothing of it is changed. The drivers
are in `tests/programs`.

| program | versions | what is driven | on Tornado | on Zonda |
|---|---|---|---|---|
"""
SUITES = """
## Their own test suites

Test suites of released source distributions, run once with Tornado and once with the drop-in in
the same environment, on Python 3.11. What fails on both was
looked into for jupyter_server only: there it is the environment, other libraries, or deprecation
warnings of Tornado 6.6 that the suite turns into errors.

| suite | on Tornado | on Zonda | what differs |
|---|---|---|---|
"""
LIMITS = """
## What does not run, and why

"""


def verdict(result: dict[str, Any]) -> str:
    """One cell: whether it runs."""
    if not result["error"]:
        return "runs"
    first = result["error"].splitlines()[0].replace("|", "\\|")
    return f"fails: {first}"


def page(results: list[dict[str, Any]], suites: dict[str, Any]) -> str:
    """The whole page."""
    lines = [HEAD.format(tornado=results[0]["tornado"])]
    for result in results:
        versions = ", ".join(f"{name} {each}" for name, each in result["versions"].items())
        cells = [
            result["name"],
            f"{versions}, Python {result['python']}",
            result["driven"],
            verdict(result["original"]),
            verdict(result["drop-in"]),
        ]
        lines.append(f"| {' | '.join(cells)} |\n")
    lines.append(SUITES)
    for row in suites["suites"]:
        lines.append(f"| {' | '.join(row)} |\n")
    lines.append(LIMITS)
    lines += [f"- {sentence}\n" for sentence in suites["limits"]]
    return "".join(lines)


def main(folder: Path, output: Path) -> int:
    """Write the page."""
    expected = {file.stem.removeprefix("drive_") for file in HERE.glob("drive_*.py")}
    results = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    missing = sorted(expected - {result["name"] for result in results})
    if missing:
        print(f"no result of {', '.join(missing)}: {output} stays as it is", file=sys.stderr)
        return 1
    suites = json.loads((HERE / "suites.json").read_text("utf-8"))
    output.write_text(page(results, suites), "utf-8")
    print(f"{output}: {len(results)} programs")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
