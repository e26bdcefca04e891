"""Names that Tornado's modules have from each other."""

from collections.abc import Callable

import pytest

pytest.importorskip("zonda.web")

Script = Callable[[str], str]


def test_every_borrowed_name_is_the_one_of_its_home(script: Script) -> None:
    script(
        """
        import importlib
        from zonda.tornado.borrowed import BORROWED, HOMES
        homes = {name: home for home, names in HOMES.items() for name in names.split()}
        for module, names in BORROWED.items():
            if module == "curl_httpclient":
                continue  # needs pycurl
            module = importlib.import_module(f"tornado.{module}")
            for name in names.split():
                found, home = getattr(module, name), homes[name]
                if home:
                    assert found is getattr(importlib.import_module(f"tornado.{home}"), name)
                else:
                    expected = "tornado" if name == "tornado" else f"tornado.{name}"
                    assert found is importlib.import_module(expected), (module, name)
        """
    )


def test_what_programs_write(script: Script) -> None:
    script(
        """
        from tornado.web import utf8, HTTPServer
        from tornado.gen import IOLoop
        from tornado.escape import unicode_type
        from tornado.websocket import StreamClosedError, websocket_connect
        import tornado.web, tornado.escape
        assert tornado.web.utf8 is tornado.escape.utf8
        assert unicode_type is str
        try:
            from tornado.web import nothing_like_this
        except ImportError as error:
            assert "nothing_like_this" in str(error)
        else:
            raise AssertionError
        """
    )


def test_nothing_is_left_behind(script: Script) -> None:
    script(
        """
        import zonda.tornado
        import tornado.web as web, tornado.websocket as websocket
        assert web.utf8
        zonda.tornado.uninstall()
        assert not hasattr(web, "utf8")
        assert websocket.websocket_connect
        zonda.tornado.install()
        import tornado.web
        assert tornado.web.utf8
        """
    )


def test_the_standard_library_and_what_is_elsewhere(script: Script) -> None:
    script(
        """
        import importlib
        from zonda.tornado.older import ELSEWHERE, STANDARD
        for module, names in STANDARD.items():
            if module == "curl_httpclient":
                continue  # needs pycurl
            module = importlib.import_module(f"tornado.{module}")
            for name in names.split():
                assert getattr(module, name).__name__ in (name, f"{name}path"), (module, name)
        for module, names in ELSEWHERE.items():
            for name in names:
                getattr(importlib.import_module(f"tornado.{module}"), name)
        """
    )


def test_what_older_programs_write(script: Script) -> None:
    script(
        """
        import time
        from unittest import mock
        import tornado.web
        from tornado.web import RequestHandler, _time_independent_equals
        from tornado.util import PY3, b, u
        from tornado.testing import get_unused_port
        from tornado.netutil import TCPServer
        from tornado.options import enable_pretty_logging
        assert PY3 and b("a") == b"a" and u("a") == "a"
        assert _time_independent_equals("a", "a")
        assert 0 < get_unused_port() < 65536
        with mock.patch("tornado.web.time.time", return_value=7):
            assert time.time() == 7
        assert RequestHandler._ARG_DEFAULT is tornado.web._ARG_DEFAULT
        """
    )
