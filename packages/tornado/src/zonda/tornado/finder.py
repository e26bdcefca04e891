"""The import hook: finds every ``tornado`` name and loads the Zonda module in its place.

In goes a dotted name, out comes a module spec, or None for a name that is not Tornado's. The
module that ``import tornado.gen`` leaves in ``sys.modules`` *is* ``zonda.ioloop.gen``: its
``__name__``, ``__spec__`` and ``__loader__`` stay what they were, so it reloads, pickles and
introspects as itself. Raises ModuleUnavailableError when such a module does not exist (yet).
"""

import importlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from zonda.tornado.borrowed import lend
from zonda.tornado.errors import ModuleUnavailableError
from zonda.tornado.names import MODULES, PACKAGES, submodules

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

# The one entry in the __path__ of a package without a folder; `PackageEntry` answers for it.
_MARK = "<zonda.tornado>"

# What the import system sets on a module, and no other module may have from it.
_IDENTITY = frozenset(
    f"__{name}__"
    for name in ("name", "package", "spec", "loader", "path", "file", "cached", "builtins")
)


@runtime_checkable
class _Inspectable(Protocol):
    # Loaders of zip files can do this too but are not registered as ExecutionLoader.
    def get_code(self, fullname: str) -> CodeType | None: ...
    def get_source(self, fullname: str) -> str | None: ...
    def get_filename(self, fullname: str) -> str: ...


class _Window(ModuleType):
    # What the import system made for a Tornado name, and drops; `_looks_at` is the Zonda module.
    # Agents (newrelic, ddtrace, all that build on wrapt) wrap the loader, and patch the module
    # they see: this one, by its Tornado name, which is what they look their patches up with.
    _looks_at: ModuleType

    def __getattr__(self, name: str) -> object:
        return getattr(self._looks_at, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._looks_at, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._looks_at, name)

    def __dir__(self) -> list[str]:
        return dir(self._looks_at)


class AliasLoader(importlib.abc.ExecutionLoader):
    """Loads the Zonda module under its own name and lets the Tornado name stand for it."""

    def __init__(self, fullname: str, target: str) -> None:
        self.fullname = fullname
        self.target = target

    def exec_module(self, module: ModuleType) -> None:
        """Put the Zonda module where the import system picks the result up.

        ``module`` is the empty one the import system made; from here on it stands for the Zonda
        module, for those who wrapped this loader. Handing the Zonda module out from
        ``create_module`` instead would have its ``__spec__`` overwritten.
        """
        self._target_spec()
        found = sys.modules[self.fullname] = importlib.import_module(self.target)
        lend(found, self.fullname.removeprefix("tornado."))
        vars(module)["_looks_at"] = found
        module.__class__ = _Window

    def is_package(self, fullname: str) -> bool:
        """False: what Tornado has as modules are modules, whatever they are in Zonda."""
        return False

    def get_filename(self, fullname: str) -> str:
        """The file of the Zonda module."""
        return self._inspect(self._target_spec()).get_filename(self.target)

    def get_source(self, fullname: str) -> str | None:
        """The source of the Zonda module."""
        return self._inspect(self._target_spec()).get_source(self.target)

    def get_code(self, fullname: str) -> CodeType | None:
        """Code for ``python -m tornado.x``: the ``__main__`` of x where x became a package."""
        spec = self._target_spec()
        if spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{self.target}.__main__") or spec
        return self._inspect(spec).get_code(spec.name)

    def _target_spec(self) -> ModuleSpec:
        try:
            spec = importlib.util.find_spec(self.target)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{self.target}.".startswith(f"{error.name}."):
                raise  # a dependency of the package above is missing: that is the better message
            spec = None
        if spec is None:
            raise ModuleUnavailableError(self.fullname, self.target)
        return spec

    def _inspect(self, spec: ModuleSpec) -> _Inspectable:
        loader: object = spec.loader
        if not isinstance(loader, _Inspectable):
            raise ImportError(f"{spec.name} has no source", name=self.fullname)
        return loader


class PackageLoader(importlib.abc.Loader):
    """Fills the package ``tornado`` or ``tornado.platform`` from a module of the drop-in."""

    def __init__(self, target: str) -> None:
        self.target = target

    def exec_module(self, module: ModuleType) -> None:
        """Give it what the drop-in's module has, except what makes it that module."""
        source = vars(importlib.import_module(self.target))
        vars(module).update({k: v for k, v in source.items() if k not in _IDENTITY})


class PackageEntry:
    """Stands for the folder that a Tornado package does not have: ``pkgutil`` lists by it."""

    def __init__(self, path: str) -> None:
        package, mark, _ = path.partition(_MARK)
        if not mark:
            raise ImportError(f"not an entry of the drop-in: {path!r}")
        self._package = package

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> None:
        """Nothing: what exists was found by `Finder` before this entry is asked."""

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """Pairs of name and "is a package", as ``pkgutil.iter_modules`` wants them."""
        for name in submodules(self._package):
            yield prefix + name, f"{self._package}.{name}" in PACKAGES


class Finder(importlib.abc.MetaPathFinder):
    """The entry for ``sys.meta_path``; must stand ahead of the finder that sees the original."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The spec of a Tornado module, None for a name that Tornado does not have."""
        if fullname.partition(".")[0] != "tornado":
            return None
        # The import lock is held here: whoever imports something now waits for threads that wait
        # for this one. So nothing is looked up; the loaders find out what exists.
        if fullname in PACKAGES:
            spec = ModuleSpec(fullname, PackageLoader(PACKAGES[fullname]))
            file = PACKAGES[fullname].rpartition(".")[2] + ".py"
            spec.origin = os.path.join(os.path.dirname(__file__), file)
            spec.has_location = True
            spec.submodule_search_locations = [fullname + _MARK]
            return spec
        if fullname in MODULES:
            loader = AliasLoader(fullname, MODULES[fullname])
            return ModuleSpec(fullname, loader, origin=MODULES[fullname])
        parent = fullname.rpartition(".")[0]
        if parent in MODULES:
            # zonda.web is a package, tornado.web is not. Left to the other finders, this name
            # would load a second copy of a submodule of zonda.web.
            raise ModuleNotFoundError(
                f"No module named {fullname!r}; {parent!r} is not a package", name=fullname
            )
        return None

    def find_distributions(
        self, context: "DistributionFinder.Context | None" = None
    ) -> "Iterable[Distribution]":
        """Answer ``importlib.metadata.version("tornado")``, and nothing but this name.

        Programs compare the version of the distribution where they could read
        ``tornado.version``; both say the same. Listings (a context without a name) stay honest:
        they show what is installed.
        """
        if context is None or context.name is None or context.name.lower() != "tornado":
            return []
        # Start-up time: importlib.metadata costs more than the rest of this package together.
        from zonda.tornado.distribution import TornadoDistribution  # noqa: PLC0415

        return [TornadoDistribution()]
