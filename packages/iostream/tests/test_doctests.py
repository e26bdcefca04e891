"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import zonda.iostream

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(zonda.iostream.__path__, "zonda.iostream.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name.endswith(".caresresolver"):
        pytest.importorskip("pycares")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed
