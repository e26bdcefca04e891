from collections.abc import Callable

import pytest

from zonda.tornado.names import MODULES

Script = Callable[[str], str]

# One of these exists in every version: Zonda modules without any dependency.
PAIRS = [("tornado.util", "zonda.ioloop.util"), ("tornado.escape", "zonda.httputil.escape")]


@pytest.mark.parametrize(
    "statement",
    [
        "import tornado.util; here = tornado.util",
        "import tornado.util as here",
        "from tornado import util as here",
        "import tornado; here = tornado.util",
        "import importlib; here = importlib.import_module('tornado.util')",
        "import importlib; here = importlib.import_module('.util', 'tornado')",
        "here = __import__('tornado.util').util",
        "here = __import__('tornado', fromlist=['util']).util",
        "import pkgutil; here = pkgutil.resolve_name('tornado.util')",
        "import pkgutil; here = pkgutil.resolve_name('tornado:util')",
        "import zonda.ioloop.util; import tornado.util as here",
        "import tornado.util as here; import zonda.ioloop.util",
    ],
)
def test_every_way_of_importing_gives_the_zonda_module(script: Script, statement: str) -> None:
    script(
        f"""
        import sys
        {statement}
        import zonda.ioloop.util
        assert here is zonda.ioloop.util is sys.modules["tornado.util"]
        assert here is sys.modules["zonda.ioloop.util"]
        import tornado
        assert tornado.util is here
        """
    )


def test_every_module_of_the_table_is_its_zonda_module_or_says_why_not(script: Script) -> None:
    out = script(
        """
        import importlib, sys
        from zonda.tornado.names import MODULES

        def attempt(name):
            try:
                return importlib.import_module(name)
            except ImportError as error:
                return error

        for name, target in MODULES.items():
            direct, module = attempt(target), attempt(name)
            if not isinstance(module, ImportError):
                assert module is direct is sys.modules[name], name
            elif isinstance(module, zonda.tornado.ModuleUnavailableError):
                assert name in str(module) and target in str(module), module
                assert "this version of Zonda does not have it" in str(module)
                assert direct.name is not None and f"{target}.".startswith(f"{direct.name}.")
            else:
                # An optional library is missing: Zonda's own error comes through.
                assert (type(module), str(module)) == (type(direct), str(direct)), name
            print(name)
        """
    )
    assert out.split() == list(MODULES)


@pytest.mark.parametrize(("name", "target"), PAIRS)
def test_the_module_keeps_its_own_identity(script: Script, name: str, target: str) -> None:
    script(
        f"""
        import importlib, inspect
        from importlib.machinery import SourceFileLoader
        module = importlib.import_module({name!r})
        assert module.__name__ == {target!r} == module.__spec__.name
        assert isinstance(module.__loader__, SourceFileLoader)
        assert module.__spec__.loader is module.__loader__
        assert "tornado" not in module.__spec__.origin.rpartition("zonda")[2]
        assert inspect.getmodule(inspect.getmembers(module, inspect.isfunction)[0][1])
        assert importlib.reload(module) is module
        assert importlib.import_module({name!r}) is module
        assert importlib.util.find_spec({name!r}) is module.__spec__
        """
    )


def test_patching_one_patches_the_other(script: Script) -> None:
    script(
        """
        from unittest import mock
        import tornado.escape, zonda.httputil.escape
        with mock.patch("tornado.escape.utf8") as double:
            assert zonda.httputil.escape.utf8 is double
        assert tornado.escape.utf8("x") == b"x"
        """
    )


def test_pickles_go_both_ways(script: Script) -> None:
    script(
        """
        import pickle
        import tornado.util
        made = pickle.dumps(tornado.util.ObjectDict(a=1))
        assert b"zonda.ioloop.util" in made
        assert pickle.loads(made) == {"a": 1}
        # What the original pickled names its own modules.
        import zonda.httputil.escape as escape
        assert pickle.loads(b"ctornado.escape\\nutf8\\n.") is escape.utf8
        """
    )


def test_the_package_tells_version_and_submodules(script: Script) -> None:
    script(
        """
        import os, tornado
        assert tornado.version == "6.6.1"
        assert tornado.version_info == (6, 6, 1, 0)
        assert tornado.__name__ == "tornado" and tornado.__package__ == "tornado"
        assert os.path.isfile(tornado.__file__)
        assert {"web", "ioloop", "platform", "version"} <= set(dir(tornado))
        try:
            tornado.nosuch
        except AttributeError as error:
            assert str(error) == "module 'tornado' has no attribute 'nosuch'"
        else:
            raise AssertionError
        """
    )


def test_reloading_the_package_keeps_its_submodules(script: Script) -> None:
    script(
        """
        import importlib, tornado.util
        before = tornado.util
        assert importlib.reload(tornado) is tornado
        assert tornado.util is before
        """
    )


def test_pkgutil_lists_what_there_is(script: Script) -> None:
    script(
        """
        import pkgutil, tornado, tornado.platform
        names = {one.name: one.ispkg for one in pkgutil.iter_modules(tornado.__path__, "tornado.")}
        assert names["tornado.web"] is False and names["tornado.platform"] is True
        assert "tornado.only_there" not in names
        names = [one.name for one in pkgutil.iter_modules(tornado.platform.__path__)]
        assert names == ["asyncio", "caresresolver"]
        """
    )


def test_find_spec_without_importing(script: Script) -> None:
    script(
        """
        import importlib.util, sys
        spec = importlib.util.find_spec("tornado.escape")
        assert spec.name == "tornado.escape" and spec.origin == "zonda.httputil.escape"
        assert spec.submodule_search_locations is None
        assert "tornado.escape" not in sys.modules
        assert "zonda.httputil.escape" not in sys.modules
        assert importlib.util.find_spec("tornado.only_there") is None
        assert "def utf8" in spec.loader.get_source("tornado.escape")
        """
    )


@pytest.mark.parametrize(
    "name", ["tornado.only_there", "tornado.nosuch", "tornado.platform.twisted"]
)
def test_a_name_that_zonda_does_not_know_is_not_found(script: Script, name: str) -> None:
    script(
        f"""
        try:
            import {name}
        except ModuleNotFoundError as error:
            assert str(error) == "No module named {name!r}" and error.name == {name!r}
        else:
            raise AssertionError
        package, _, last = {name!r}.rpartition(".")
        try:
            exec(f"from {{package}} import {{last}}")
        except ImportError as error:
            assert str(error).startswith(f"cannot import name {{last!r}} from {{package!r}}"), error
        else:
            raise AssertionError
        """
    )


def test_a_zonda_package_has_no_submodules_under_its_tornado_name(script: Script) -> None:
    """Else they would be loaded twice, as tornado.util.x and as zonda.ioloop.util.x."""
    script(
        """
        import tornado.httputil, zonda.httputil
        assert zonda.httputil.__path__
        try:
            import tornado.httputil.escape
        except ModuleNotFoundError as error:
            assert "'tornado.httputil' is not a package" in str(error)
        else:
            raise AssertionError
        """
    )


UNAVAILABLE = """
import zonda.tornado.names as names
names.MODULES["tornado.later"] = "zonda.ioloop.later"
names.MODULES["tornado.much_later"] = "zonda.nowhere.later"
"""


@pytest.mark.parametrize("name", ["later", "much_later"])
@pytest.mark.parametrize(
    "statement",
    ["import tornado.{name}", "from tornado import {name}", "import tornado; tornado.{name}"],
)
def test_a_module_that_zonda_lacks_says_so(script: Script, name: str, statement: str) -> None:
    script(
        UNAVAILABLE
        + f"""
try:
    {statement.format(name=name)}
except (ImportError, AttributeError) as error:
    assert "tornado.{name}" in str(error)
    assert "this version of Zonda does not have it" in str(error)
else:
    raise AssertionError
import tornado
assert not hasattr(tornado, {name!r})
"""
    )


def test_a_missing_optional_dependency_is_its_own_error(script: Script) -> None:
    script(
        """
        import sys, types
        import zonda.tornado.names as names
        from pathlib import Path
        Path("needs_more.py").write_text("import a_library_nobody_has")
        names.MODULES["tornado.more"] = "needs_more"
        sys.path.insert(0, ".")
        for statement in ("import tornado.more", "from tornado import more", "tornado.more"):
            import tornado
            try:
                exec(statement)
            except ModuleNotFoundError as error:
                assert str(error) == "No module named 'a_library_nobody_has'"
                assert error.name == "a_library_nobody_has"
            else:
                raise AssertionError(statement)
        assert "tornado.more" not in sys.modules
        """
    )


def test_threads_that_import_at_once_get_the_same_module(script: Script) -> None:
    script(
        """
        import importlib, threading
        found = []
        gate = threading.Barrier(8)
        def find(name):
            gate.wait()
            found.append(importlib.import_module(name))
        names = ["tornado.escape", "zonda.httputil.escape"] * 4
        threads = [threading.Thread(target=find, args=(name,)) for name in names]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(found) == 8 and len({id(one) for one in found}) == 1
        """
    )


def test_a_finder_put_ahead_of_ours_does_not_bring_the_original_back(script: Script) -> None:
    script(
        """
        import sys
        from importlib.machinery import PathFinder
        sys.meta_path.insert(0, PathFinder)
        import tornado.util, zonda.ioloop.util
        assert tornado.version == "6.6.1" and tornado.util is zonda.ioloop.util
        """
    )


def test_hooks_on_imports_patch_the_zonda_module(script: Script) -> None:
    # As newrelic, ddtrace and wrapt do it: a finder ahead of all wraps the loader, and hooks
    # registered by name get the module that it was given. They patched an empty one.
    script(
        """
        import importlib.util, sys

        seen = []

        class Loader:
            def __init__(self, loader):
                self.loader = loader

            def create_module(self, spec):
                return self.loader.create_module(spec)

            def exec_module(self, module):
                self.loader.exec_module(module)
                seen.append(module.__name__)
                assert "ObjectDict" in dir(module)
                module.ObjectDict.patched = True
                module.import_object = len
                module.new = 1
                module.gone = 2
                del module.gone

        class Finder:
            busy = False

            def find_spec(self, name, path=None, target=None):
                if name != "tornado.util" or self.busy:
                    return None
                self.busy = True
                spec = importlib.util.find_spec(name)
                self.busy = False
                spec.loader = Loader(spec.loader)
                return spec

        sys.meta_path.insert(0, Finder())
        import tornado.util
        import zonda.ioloop.util as util
        assert seen == ["tornado.util"]
        assert tornado.util is util
        assert util.ObjectDict.patched and util.import_object is len and util.new == 1
        assert not hasattr(util, "gone")
        """
    )
