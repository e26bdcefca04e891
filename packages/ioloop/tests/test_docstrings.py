"""Every public class and function has a docstring with an example in it, which is run elsewhere."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import zonda.ioloop

MODULES = [
    module.name
    for module in pkgutil.walk_packages(zonda.ioloop.__path__, "zonda.ioloop.")
    if not module.name.endswith("__main__")
]

# What a test cannot run: it would fork this process, replace it or not come back. Their examples
# are programs to read.
TO_READ = {
    "zonda.ioloop.autoreload.notify.call_in_thread",
    "zonda.ioloop.autoreload.notify.wait",
    "zonda.ioloop.autoreload.program.main",
    "zonda.ioloop.autoreload.restart.restart",
    "zonda.ioloop.autoreload.watching.note_present_state",
    "zonda.ioloop.autoreload.watching.wait",
    "zonda.ioloop.process.fork_processes",
    "zonda.ioloop.supervisor.Supervisor",
    "zonda.ioloop.supervisor.main",
    "zonda.ioloop.testing.program.main",
}


def public(module_name: str) -> Iterator[tuple[str, object]]:
    module = importlib.import_module(module_name)
    for name in getattr(module, "__all__", None) or vars(module):
        thing = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        if thing.__module__.startswith("zonda.ioloop"):
            yield f"{thing.__module__}.{thing.__qualname__}", thing


THINGS = {name: thing for module in MODULES for name, thing in public(module)}


def test_there_are_many() -> None:
    assert len(THINGS) > 130
    assert set(THINGS) >= TO_READ


@pytest.mark.parametrize("name", THINGS)
def test_it_has_an_example(name: str) -> None:
    thing = THINGS[name]
    # Its own, not an inherited one.
    doc = thing.__doc__
    assert doc, "no docstring"
    assert ("Example::\n" if name in TO_READ else ">>> ") in doc, "no example"
    if inspect.isclass(thing):
        for key, value in vars(thing).items():
            function = value.fget if isinstance(value, property) else inspect.unwrap(value)
            function = getattr(function, "__func__", function)
            if not key.startswith("_") and inspect.isfunction(function):
                # An overriding method may leave it to the one it overrides.
                assert inspect.getdoc(getattr(thing, key)), f"{key} has no docstring"
