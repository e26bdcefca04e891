"""All packages installed together share the namespace `zonda`, which belongs to none of them."""

import importlib
import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

NAMES = ("httputil", "ioloop", "iostream", "httpserver", "httpclient", "web", "tornado")


def test_zonda_has_no_file_of_its_own() -> None:
    spec = importlib.util.find_spec("zonda")
    assert spec is not None
    assert spec.origin is None


@pytest.mark.parametrize("name", NAMES)
def test_public_names_exist(name: str) -> None:
    module = importlib.import_module(f"zonda.{name}")
    assert module.__doc__
    missing = [public for public in module.__all__ if not hasattr(module, public)]
    assert missing == []
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.skipif("ZONDA_FROM_WHEELS" not in os.environ, reason="the tree itself is tested")
@pytest.mark.parametrize("name", NAMES)
def test_what_is_tested_is_the_wheel_of_this_tree(name: str) -> None:
    module = importlib.import_module(f"zonda.{name}")
    assert module.__file__ is not None
    installed = Path(module.__file__).parent
    source = ROOT / "packages" / name / "src" / "zonda" / name
    assert not installed.is_relative_to(ROOT / "packages")
    for file in source.rglob("*.py"):
        assert (installed / file.relative_to(source)).read_bytes() == file.read_bytes(), file
