"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import zonda.httpclient

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(zonda.httpclient.__path__, "zonda.httpclient.")
    if not info.name.endswith(".__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if ".curl" in name:
        pytest.importorskip("pycurl")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed
