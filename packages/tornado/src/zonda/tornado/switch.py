"""Switching the drop-in on and off in this process."""

import importlib
import sys

from zonda.tornado import borrowed, loggers
from zonda.tornado.errors import OriginalImportedError
from zonda.tornado.finder import Finder, PackageEntry
from zonda.tornado.names import LOGGERS

_finder = Finder()


def is_installed() -> bool:
    """True while ``import tornado`` gives Zonda in this process."""
    return _finder in sys.meta_path


def install() -> None:
    """Let ``import tornado`` and ``import tornado.x`` give Zonda from now on.

    Does nothing when it is in place already. Other processes are not affected; set
    ``ZONDA_TORNADO=1`` in their environment for that.

    Raises:
        OriginalImportedError: The original has been imported in this process.

    >>> import zonda.tornado
    >>> zonda.tornado.install()
    >>> import tornado
    >>> tornado.version
    '6.6.1'
    >>> zonda.tornado.uninstall()
    """
    if is_installed():
        return
    if names := _imported():
        raise OriginalImportedError(names, getattr(sys.modules.get("tornado"), "__file__", None))
    # First of all: the original's folder may be found by any finder that comes later.
    sys.meta_path.insert(0, _finder)
    sys.path_hooks.append(PackageEntry)
    # Now rather than when it is asked for: another finder may be put ahead of ours meanwhile
    # (pytest's is), but whoever looks for tornado.x looks where this module's __path__ points.
    importlib.import_module("tornado")
    loggers.rename(LOGGERS)


def uninstall() -> None:
    """Undo `install`: the names ``tornado`` and ``tornado.x`` are free for the original again.

    What a program has imported already it keeps. Does nothing when nothing is installed.
    """
    if not is_installed():
        return
    sys.meta_path.remove(_finder)
    sys.path_hooks.remove(PackageEntry)
    for path, entry in list(sys.path_importer_cache.items()):
        if isinstance(entry, PackageEntry):
            del sys.path_importer_cache[path]
    for name in _imported():
        del sys.modules[name]
    borrowed.take_back()
    loggers.restore()


def _imported() -> list[str]:
    return sorted(name for name in sys.modules if name.partition(".")[0] == "tornado")
