"""The examples in the docstrings of every module run."""

import asyncio
import doctest
import importlib
import pkgutil
import sys
from collections.abc import Iterator

import pytest

import zonda.ioloop

MODULES = [
    "zonda.ioloop",
    *(module.name for module in pkgutil.walk_packages(zonda.ioloop.__path__, "zonda.ioloop.")),
]


@pytest.fixture(autouse=True)
def no_loop() -> Iterator[None]:
    asyncio.set_event_loop(None)
    yield
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    importlib.import_module(name)
    # Not the attribute of its package, which may be a function of the same name.
    results = doctest.testmod(sys.modules[name], optionflags=doctest.ELLIPSIS)
    assert results.failed == 0
