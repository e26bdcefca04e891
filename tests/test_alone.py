"""In an environment made for one package: what is installed is what it declares, and nothing else.

The tox environments ``alone-*`` name their package in ZONDA_ALONE and run this file beside the
package's own tests.
"""

import importlib
import importlib.metadata
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALL = {"httputil", "ioloop", "iostream", "httpserver", "httpclient", "web", "tornado"}
NAME = os.environ.get("ZONDA_ALONE", "")

pytestmark = pytest.mark.skipif(not NAME, reason="needs an environment made for one package")


def required_siblings(name: str) -> set[str]:
    """The packages that this one brings along, by its installed metadata, at any depth."""
    found = set()
    for requirement in importlib.metadata.requires(f"zonda-{name}") or ():
        if "extra ==" in requirement:
            continue
        match = re.match(r"zonda-(\w+)", requirement)
        assert match, f"zonda-{name} requires {requirement}, which is no sibling"
        found |= {match[1]} | required_siblings(match[1])
    return found


def test_installed_is_what_is_declared() -> None:
    installed = {
        name.removeprefix("zonda-")
        for name in (d.metadata["Name"] for d in importlib.metadata.distributions())
        if name.startswith("zonda")
    }
    assert installed == {NAME} | required_siblings(NAME)


def test_each_declared_package_imports() -> None:
    for name in sorted({NAME} | required_siblings(NAME)):
        importlib.import_module(f"zonda.{name}")


def test_an_undeclared_sibling_cannot_be_imported() -> None:
    for name in sorted(ALL - {NAME} - required_siblings(NAME)):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"zonda.{name}")


def test_the_installed_code_is_this_repository_s() -> None:
    module = importlib.import_module(f"zonda.{NAME}")
    assert module.__file__ is not None
    installed = Path(module.__file__).parent
    source = ROOT / "packages" / NAME / "src" / "zonda" / NAME
    assert not installed.is_relative_to(ROOT / "packages"), "the wheel is tested, not the tree"
    for file in source.rglob("*.py"):
        twin = installed / file.relative_to(source)
        assert twin.read_bytes() == file.read_bytes(), f"{twin} is stale"
