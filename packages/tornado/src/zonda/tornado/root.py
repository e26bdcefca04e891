"""What ``import tornado`` gives under the drop-in: the version, and submodules on first use.

The hook loads this file under the name ``tornado``; importing it by its own name has no use.
"""

from zonda.tornado.lazy import import_submodule
from zonda.tornado.names import VERSION, VERSION_INFO, submodules

version: str = VERSION
version_info: tuple[int, int, int, int] = VERSION_INFO

__all__ = [name for name in submodules("tornado") if not name.startswith("_")]


def __getattr__(name: str) -> object:
    return import_submodule(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
