"""The examples in the docstrings of every module are run, one process a package.

In an environment made for one package (ZONDA_ALONE) only that package's modules are looked at.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ALL = ("httputil", "ioloop", "iostream", "httpserver", "httpclient", "web", "tornado")
ALONE = os.environ.get("ZONDA_ALONE")


def modules(package: str) -> Iterator[str]:
    """The package and the modules in it, by their files: nothing is imported."""
    namespace = importlib.util.find_spec("zonda")
    assert namespace is not None
    for portion in namespace.submodule_search_locations or ():
        for file in sorted(Path(portion, package).rglob("*.py")):
            parts = file.relative_to(portion).with_suffix("").parts
            if parts[-1] != "__main__":
                yield ".".join(("zonda", *parts)).removesuffix(".__init__")


# Examples may do what a test must not: set up logging, switch the drop-in on, make a loop current.
PROGRAM = """
import doctest, importlib, sys
failed = 0
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "zonda").startswith("zonda"):
            raise
        print(name, "is for", error.name, "which is not installed")
        continue
    failed += doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed
sys.exit(bool(failed))
"""


@pytest.mark.parametrize("package", [ALONE] if ALONE else ALL)
def test_examples(package: str) -> None:
    names = list(modules(package))
    assert names, "no such package"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, *names],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
