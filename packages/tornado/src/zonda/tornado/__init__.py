"""The drop-in: programs written for Tornado run on Zonda, unchanged.

`install` puts an import hook in place under which ``tornado`` and each ``tornado.x`` are the
Zonda modules themselves (the same objects, not copies), and the loggers ``tornado.access``,
``tornado.application`` and ``tornado.general`` are where Zonda's records arrive. Nothing named
``tornado`` lies on disk, so the original may stay installed beside it. Nothing happens until it
is switched on, in one of four ways:

* ``python -m zonda.tornado app.py [args]`` or ``python -m zonda.tornado -m package [args]``
* ``import zonda.tornado; zonda.tornado.install()`` before the first ``import tornado``
* ``ZONDA_TORNADO=1`` in the environment (child processes follow)
* ``pytest --zonda-tornado`` or ``zonda_tornado = true`` in pytest's configuration

Raises `OriginalImportedError` when the original has been imported already, and
`ModuleUnavailableError` for a module of Tornado that this version of Zonda does not have.

(PYTEST_DONT_REWRITE: with the variable set this is imported long before pytest starts.)
"""

from zonda.tornado.errors import DropInError, ModuleUnavailableError, OriginalImportedError
from zonda.tornado.switch import install, is_installed, uninstall

__all__ = [
    "DropInError",
    "ModuleUnavailableError",
    "OriginalImportedError",
    "install",
    "is_installed",
    "uninstall",
]
