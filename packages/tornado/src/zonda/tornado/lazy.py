"""Attributes of a package that are its submodules, imported when somebody asks for them."""

import importlib
from types import ModuleType

from zonda.tornado.errors import ModuleUnavailableError
from zonda.tornado.names import submodules


def import_submodule(package: str, name: str) -> ModuleType:
    """The submodule ``name`` of ``package``, for use as its module-level ``__getattr__``.

    Raises:
        AttributeError: Tornado has no such module, or this version of Zonda does not. An
            optional dependency that is missing shows as the submodule's own ImportError.
    """
    if name not in submodules(package):
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleUnavailableError as error:
        raise AttributeError(f"module {package!r} has no attribute {name!r}: {error}") from error
