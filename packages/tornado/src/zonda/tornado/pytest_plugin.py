"""pytest with the drop-in: ``--zonda-tornado``, or ``zonda_tornado = true`` in its configuration.

Takes effect before conftest files and test modules are imported, and in processes that the tests
start. A plugin that imports Tornado while pytest collects its plugins comes too early for it:
set ``ZONDA_TORNADO=1`` then.
"""

import pytest

from zonda.tornado import environment
from zonda.tornado.errors import OriginalImportedError
from zonda.tornado.switch import install, is_installed, uninstall

_switched_on = pytest.StashKey[pytest.MonkeyPatch]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option and the setting."""
    help_text = "run code written for Tornado on Zonda: `import tornado` gives Zonda's modules"
    group = parser.getgroup("zonda")
    group.addoption("--zonda-tornado", action="store_true", default=False, help=help_text)
    parser.addini("zonda_tornado", help_text, type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Switch it on, ahead of anything that could import Tornado."""
    wanted = early_config.known_args_namespace.zonda_tornado or early_config.getini("zonda_tornado")
    if not wanted or is_installed():
        return
    try:
        install()
    except OriginalImportedError as error:
        raise pytest.UsageError(f"zonda-tornado: {error}") from error
    patch = pytest.MonkeyPatch()
    patch.setenv(environment.VARIABLE, "1")
    early_config.stash[_switched_on] = patch


def pytest_report_header() -> str | None:
    """Say which Tornado the tests see."""
    return "tornado: Zonda's drop-in" if is_installed() else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the process as it was (pytest may run inside another program)."""
    patch = config.stash.get(_switched_on, None)
    if patch is not None:
        patch.undo()
        uninstall()
