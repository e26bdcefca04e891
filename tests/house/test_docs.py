"""The gates of the documentation's build shut; building it is the tox environment ``docs``."""

import ast
import importlib
import importlib.util
import zlib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    # Not by its name, which a tool on the index has, too.
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def surface(build: ModuleType) -> ModuleType:
    return importlib.import_module("surface")


def write_inventory(site: Path, *names: str) -> None:
    lines = "".join(f"{name} py:class 1 page.html#{name} -\n" for name in names)
    head = b"# Sphinx inventory version 2\n# Project: x\n# Version: 0\n# compressed using zlib.\n"
    (site / "objects.inv").write_bytes(head + zlib.compress(lines.encode()))


def test_a_name_that_no_page_shows(build: ModuleType, tmp_path: Path) -> None:
    write_inventory(tmp_path, "zonda.web.RequestHandler")
    missing = set(build.undocumented(tmp_path))
    assert "zonda.web.RequestHandler" not in missing
    assert {"zonda.web.Application", "zonda.web.handler.RequestHandler.write"} <= missing


def test_what_is_loaded_from_elsewhere(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<a href="https://a.example/"></a><script src="a.js">')
    (tmp_path / "bad.html").write_text('<script src="https://a.example/a.js"></script>')
    assert [what.partition(":")[0] for what in build.foreign(tmp_path)] == ["bad.html"]


def test_without_docstring(surface: ModuleType) -> None:
    tree = ast.parse("class A:\n  'x'\n  def f(self): ...\n  def _g(self): ...\ndef h(): 'x'\n")
    assert list(surface.without_docstring(tree, "m")) == ["m.A.f"]


def test_every_class_and_function_has_one(build: ModuleType) -> None:
    assert list(build.silent()) == []


def test_modules_that_are_shown_first(surface: ModuleType) -> None:
    for package in surface.PACKAGES:
        for name in surface.surface(package):
            assert surface.documented_by(surface.modules()[name]), name
