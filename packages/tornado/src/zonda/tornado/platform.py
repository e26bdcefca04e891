"""What ``import tornado.platform`` gives under the drop-in: its submodules, on first use.

The hook loads this file under the name ``tornado.platform``. It is a file of its own, and not an
alias, because its submodules live in two packages of Zonda.
"""

from zonda.tornado.lazy import import_submodule
from zonda.tornado.names import submodules

__all__ = submodules("tornado.platform")


def __getattr__(name: str) -> object:
    return import_submodule(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
