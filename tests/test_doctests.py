"""The examples in the docstrings of every module are run; every module imports by itself.

In an environment made for one package (ZONDA_ALONE) only that package's modules are looked at.
"""

import doctest
import importlib
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


NAMES = [m for package in ([ALONE] if ALONE else ALL) for m in modules(package)]


PROGRAM = """
import doctest, importlib, sys
sys.exit(doctest.testmod(importlib.import_module(sys.argv[1]), optionflags=doctest.ELLIPSIS)[0])
"""


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    if name.startswith("zonda.tornado"):  # it changes how its whole process imports
        done = subprocess.run([sys.executable, "-c", PROGRAM, name], check=False)
        assert done.returncode == 0, "see the captured output"
        return
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "zonda").startswith("zonda"):
            raise
        pytest.skip(f"{name} is for {error.name}, which is not installed")
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0, "see the captured output"


def test_modules_are_found() -> None:
    assert len(NAMES) > 5
