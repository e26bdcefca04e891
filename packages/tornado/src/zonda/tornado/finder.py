"""The import hook: finds every ``tornado`` name and loads the Zonda module in its place.

In goes a dotted name, out comes a module spec, or None for a name that is not Tornado's. The
module that ``import tornado.gen`` leaves in ``sys.modules`` *is* ``zonda.ioloop.gen``: its
``__name__``, ``__spec__`` and ``__loader__`` stay what they were, so it reloads, pickles and
introspects as itself. Raises ModuleUnavailableError when such a module does not exist (yet).
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from zonda.tornado.errors import ModuleUnavailableError
from zonda.tornado.names import MODULES, PACKAGES, submodules

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

# The one entry in the __path__ of a package without a folder; `PackageEntry` answers for it.
_MARK = "<zonda.tornado>"


class _Loader(importlib.abc.ExecutionLoader):
    """Shows the source, code and file of the Zonda module behind a Tornado name."""

    def __init__(self, fullname: str, target: str, spec: ModuleSpec | None) -> None:
        self.fullname = fullname
        self.target = target
        self.target_spec = spec

    def _behind(self) -> importlib.abc.ExecutionLoader:
        spec = self.target_spec
        if spec is None:
            raise ModuleUnavailableError(self.fullname, self.target)
        loader = spec.loader
        if not isinstance(loader, importlib.abc.ExecutionLoader):
            raise ImportError(f"{self.target} has no source", name=self.fullname)
        return loader

    def is_package(self, fullname: str) -> bool:
        return fullname in PACKAGES

    def get_filename(self, fullname: str) -> str:
        return self._behind().get_filename(self.target)

    def get_source(self, fullname: str) -> str | None:
        return self._behind().get_source(self.target)

    def get_code(self, fullname: str) -> CodeType | None:
        return self._behind().get_code(self.target)


class AliasLoader(_Loader):
    """Loads the Zonda module under its own name and lets the Tornado name stand for it."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the Zonda module where the import system picks the result up.

        ``module`` is the empty one the import system made. Handing the Zonda module out from
        ``create_module`` instead would have its ``__spec__`` overwritten.
        """
        if self.target_spec is None:
            raise ModuleUnavailableError(self.fullname, self.target)
        sys.modules[self.fullname] = importlib.import_module(self.target)

    def get_code(self, fullname: str) -> CodeType | None:
        """Code for ``python -m tornado.x``: the ``__main__`` of x where x became a package."""
        spec = self.target_spec
        if spec is not None and spec.submodule_search_locations is not None:
            main = importlib.util.find_spec(f"{self.target}.__main__")
            if main is not None and isinstance(main.loader, importlib.abc.InspectLoader):
                return main.loader.get_code(main.name)
        return super().get_code(fullname)


class PackageLoader(_Loader):
    """Loads a file of the drop-in as the package ``tornado`` or ``tornado.platform``."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file with the Tornado name as its ``__name__``."""
        code = self.get_code(self.fullname)
        assert code is not None
        exec(code, module.__dict__)


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
        if fullname in PACKAGES:
            behind = PACKAGES[fullname]
            package = PackageLoader(fullname, behind, _find(behind))
            spec = _spec(fullname, package)
            spec.submodule_search_locations = [fullname + _MARK]
            return spec
        if fullname in MODULES:
            behind = MODULES[fullname]
            return _spec(fullname, AliasLoader(fullname, behind, _find(behind)))
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


def _find(target: str) -> ModuleSpec | None:
    """The spec of a Zonda module, None if it or a package above it does not exist."""
    try:
        return importlib.util.find_spec(target)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{target}.".startswith(f"{error.name}."):
            raise  # a dependency of the package above is missing: that is the better message
        return None


def _spec(fullname: str, loader: _Loader) -> ModuleSpec:
    spec = ModuleSpec(fullname, loader)
    if loader.target_spec is not None and loader.target_spec.has_location:
        spec.origin = loader.target_spec.origin
        spec.has_location = True
    return spec
