import importlib.util
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

import zonda.tornado

Run = Callable[..., "CompletedProcess[str]"]
Script = Callable[[str], str]


def test_nothing_happens_until_it_is_switched_on(run: Run, path_of_original: str) -> None:
    out = run(
        "-c",
        "import sys, zonda.tornado\n"
        "assert not zonda.tornado.is_installed() and 'tornado' not in sys.modules\n"
        "try:\n import tornado\n print(tornado.__spec__.origin)\n"
        "except ModuleNotFoundError:\n print('no tornado')",
        env={"PYTHONPATH": path_of_original},
    ).stdout
    assert "tornado" in out
    assert "zonda" not in out


def test_installing_twice_is_installing_once(script: Script) -> None:
    script(
        """
        import sys
        before = list(sys.meta_path), list(sys.path_hooks)
        zonda.tornado.install()
        assert before == (list(sys.meta_path), list(sys.path_hooks))
        zonda.tornado.uninstall()
        assert not zonda.tornado.is_installed()
        zonda.tornado.uninstall()
        """
    )


def test_uninstall_gives_the_names_back(run: Run, path_of_original: str) -> None:
    run(
        "-c",
        """
import importlib, sys
import zonda.tornado
import zonda.ioloop.util
before = list(sys.meta_path), list(sys.path_hooks), set(sys.modules)
zonda.tornado.install()
import tornado.util
import pkgutil
assert list(pkgutil.iter_modules(tornado.__path__))
kept = tornado.util
zonda.tornado.uninstall()
assert before[:2] == (list(sys.meta_path), list(sys.path_hooks))
assert not [name for name in sys.modules if name.partition(".")[0] == "tornado"]
assert not [key for key in sys.path_importer_cache if "zonda.tornado>" in key]
assert kept is sys.modules["zonda.ioloop.util"]
importlib.invalidate_caches()
spec = importlib.util.find_spec("tornado")
assert spec is None or "zonda" not in spec.origin, spec
zonda.tornado.install()
import tornado.util
assert tornado.util is kept
""",
        env={"PYTHONPATH": path_of_original},
    )


def test_it_refuses_when_the_original_is_there_already(run: Run, tmp_path: object) -> None:
    out = run(
        "-c",
        """
import sys, types
sys.modules["tornado"] = tornado = types.ModuleType("tornado")
tornado.__file__ = "/elsewhere/tornado/__init__.py"
for name in ("gen", "ioloop", "web"):
    sys.modules["tornado." + name] = types.ModuleType("tornado." + name)
import zonda.tornado
before = list(sys.meta_path)
try:
    zonda.tornado.install()
except zonda.tornado.OriginalImportedError as error:
    assert isinstance(error, ImportError) and isinstance(error, zonda.tornado.DropInError)
    assert error.modules == ["tornado", "tornado.gen", "tornado.ioloop", "tornado.web"]
    print(error)
assert sys.meta_path == before and not zonda.tornado.is_installed()
assert sys.modules["tornado"] is tornado
""",
    ).stdout
    assert out.startswith("the original Tornado has been imported already: tornado, tornado.gen,")
    assert "/elsewhere/tornado/__init__.py" in out
    for way in ("zonda.tornado.install()", "python -m zonda.tornado", "ZONDA_TORNADO=1"):
        assert way in out


def test_the_real_original_works_beside_it(run: Run) -> None:
    if importlib.util.find_spec("tornado") is None:
        pytest.skip("the original is not installed in this environment")
    out = run(
        "-c",
        """
import zonda.tornado
zonda.tornado.install()
import tornado.util, tornado.escape
assert tornado.util.__name__ == "zonda.ioloop.util"
zonda.tornado.uninstall()
import tornado.util, tornado.escape, tornado.log
assert tornado.util.__name__ == "tornado.util" and "zonda" not in tornado.__file__
assert tornado.log.access_log.name == "tornado.access"
try:
    zonda.tornado.install()
except zonda.tornado.OriginalImportedError as error:
    print(error)
""",
    ).stdout
    assert "the original Tornado has been imported already" in out


def test_this_process_is_left_alone() -> None:
    assert not zonda.tornado.is_installed()
    assert not [one for one in sys.meta_path if type(one).__module__ == "zonda.tornado.finder"]
