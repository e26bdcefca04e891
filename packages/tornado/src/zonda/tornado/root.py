"""What ``import tornado`` gives under the drop-in: the version, and submodules on first use.

The hook copies what is here into a module of that name, whose ``__path__`` leads to the hook.
(PYTEST_DONT_REWRITE: pytest takes the file list of this distribution for one that owns a package
``tornado``, and warns when it was imported before it could rewrite its assertions.)
"""

from zonda.tornado.lazy import import_submodule
from zonda.tornado.names import VERSION, VERSION_INFO, submodules

version: str = VERSION
version_info: tuple[int, int, int, int] = VERSION_INFO

__all__ = [name for name in submodules("tornado") if not name.startswith("_")]


def __getattr__(name: str) -> object:
    return import_submodule("tornado", name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
