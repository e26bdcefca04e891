"""Every public class and function has a docstring with an example in it, which is run elsewhere."""

import importlib
import inspect
from collections.abc import Iterator

import pytest

# The modules that stand for Tornado's, and what else applications and siblings import.
MODULES = (
    "zonda.ioloop",
    "zonda.ioloop.autoreload",
    "zonda.ioloop.concurrent",
    "zonda.ioloop.factory",
    "zonda.ioloop.finished",
    "zonda.ioloop.gen",
    "zonda.ioloop.locks",
    "zonda.ioloop.log",
    "zonda.ioloop.options",
    "zonda.ioloop.platform.asyncio",
    "zonda.ioloop.process",
    "zonda.ioloop.pytest_plugin",
    "zonda.ioloop.queues",
    "zonda.ioloop.stepping",
    "zonda.ioloop.testing",
    "zonda.ioloop.util",
)


def public(module_name: str) -> Iterator[tuple[str, object]]:
    module = importlib.import_module(module_name)
    for name in getattr(module, "__all__", None) or vars(module):
        thing = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        if thing.__module__.startswith("zonda."):
            yield f"{thing.__module__}.{thing.__qualname__}", thing


THINGS = {name: thing for module in MODULES for name, thing in public(module)}


def test_there_are_many() -> None:
    assert len(THINGS) > 80


@pytest.mark.parametrize("name", THINGS)
def test_it_has_an_example(name: str) -> None:
    thing = THINGS[name]
    # Its own, not an inherited one.
    doc = thing.__doc__
    assert doc, "no docstring"
    # "Example::" is for what a test cannot run: it would fork this process, or replace it.
    assert ">>> " in doc or "Example::\n" in doc, "no example"
    if inspect.isclass(thing):
        for key, value in vars(thing).items():
            function = value.fget if isinstance(value, property) else inspect.unwrap(value)
            function = getattr(function, "__func__", function)
            if not key.startswith("_") and inspect.isfunction(function):
                # An overriding method may leave it to the one it overrides.
                assert inspect.getdoc(getattr(thing, key)), f"{key} has no docstring"
