"""Which files make up the program, and whether they are as they were.

In: ``sys.modules`` and the names given to ``add``. Out: the path of a file that changed since it
was first looked at. One that is not there (an editor may be replacing it) is looked at next time.
"""

import os
import sys
from collections.abc import Iterator
from types import ModuleType


class Files:
    """The files of all imported modules and some more, with their modification times.

    Example:
        >>> files = Files()
        >>> files.add(__file__)
        >>> files.note()
        >>> files.changed() is None
        True
    """

    def __init__(self) -> None:
        self._more: set[str] = set()
        self._times: dict[str, int] = {}

    def add(self, path: str) -> None:
        """Watch ``path`` too."""
        self._more.add(path)

    def paths(self) -> set[str]:
        """All files, as far as they are files."""
        paths = set(self._more)
        # A copy, for other threads import meanwhile. Some put things there that are no modules,
        # with attributes that do anything.
        loaded: list[object] = list(sys.modules.values())
        for module in loaded:
            if not isinstance(module, ModuleType):
                continue
            path = module.__dict__.get("__file__")
            if isinstance(path, str):
                paths.add(path[:-1] if path.endswith((".pyc", ".pyo")) else path)
        return paths

    def folders(self) -> set[str]:
        """The folders in which they are."""
        folders = {os.path.dirname(os.path.abspath(path)) for path in self.paths()}
        return {folder for folder in folders if os.path.isdir(folder)}

    def note(self) -> None:
        """Note what those are like that have not been looked at before."""
        for path, modified in self._look():
            self._times.setdefault(path, modified)

    def changed(self) -> str | None:
        """The path of one that changed since the last call, or since it was noted; or None."""
        found = None
        for path, modified in self._look():
            if self._times.setdefault(path, modified) != modified:
                self._times[path] = modified
                found = path
        return found

    def _look(self) -> Iterator[tuple[str, int]]:
        for path in self.paths():
            try:
                yield path, os.stat(path).st_mtime_ns
            except OSError:
                continue
