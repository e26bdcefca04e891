"""What ``import tornado.platform`` gives under the drop-in: its submodules, on first use.

The hook copies what is here into a module of that name. It is no alias of a Zonda package because
its submodules live in two of them.
"""

from zonda.tornado.lazy import import_submodule
from zonda.tornado.names import submodules

__all__ = submodules("tornado.platform")


def __getattr__(name: str) -> object:
    return import_submodule("tornado.platform", name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
