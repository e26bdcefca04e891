"""Drive one program on the original and under the drop-in: ``run.py NAME RESULTS``.

A driver is a module beside this one with three names: ``DISTRIBUTIONS``, what it drives, the
program's own first; ``DRIVEN``, what is done, for the table; ``drive(run)``, which does it. The
result is a JSON file in the folder RESULTS; the exit code is 1 if either run failed: a driver that
the original does not pass says nothing.
"""

import importlib
import json
import platform
import sys
import tempfile
import time
import traceback
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WHICH = "import tornado.web, zonda.web; print(tornado.web is zonda.web)"


def attempt(driver: Any, drop_in: bool) -> dict[str, Any]:
    """Drive it once: what came of it and how long it took."""
    from tests.programs.harness import Run  # noqa: PLC0415 - main() says where it is

    started = time.monotonic()
    error = ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = Run(drop_in, Path(folder))
        try:
            assert run.python("-c", WHICH).strip() == str(drop_in), "the wrong tornado"
            driver.drive(run)
        except Exception as failure:
            traceback.print_exc()
            error = f"{type(failure).__name__}: {failure}"[:300]
    return {"error": error, "seconds": round(time.monotonic() - started, 1)}


def main(name: str, results: Path) -> int:
    """Drive one program both ways."""
    # By this name whatever is installed: some distributions bring a package "tests".
    tests = types.ModuleType("tests")
    tests.__path__ = [str(HERE.parent)]
    sys.modules["tests"] = tests
    driver = importlib.import_module(f"tests.programs.drive_{name}")
    outcome: dict[str, Any] = {
        "name": name,
        "versions": {each: version(each) for each in driver.DISTRIBUTIONS},
        "python": platform.python_version(),
        "tornado": version("tornado"),
        "driven": driver.DRIVEN,
        "original": attempt(driver, False),
        "drop-in": attempt(driver, True),
    }
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(outcome, indent=1), "utf-8")
    for which in ("original", "drop-in"):
        print(f"{name} {which}: {outcome[which]['error'] or 'ok'}, {outcome[which]['seconds']} s")
    return 1 if outcome["original"]["error"] or outcome["drop-in"]["error"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
