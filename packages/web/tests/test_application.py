"""`Application`: which handler a request gets."""

from typing import Any

import pytest

from zonda.httpserver.routing import HostMatches, Rule
from zonda.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from zonda.web import Application, ErrorHandler, RequestHandler, URLSpec, url


class A(RequestHandler):
    pass


class B(RequestHandler):
    pass


def chosen(application: Application, path: str, host: str = "h") -> tuple[type, Any]:
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": host}),
        connection=HTTPConnection(),
    )
    delegate: Any = application.find_handler(request)
    return delegate.handler_class, delegate.handler_kwargs


def test_order_and_arguments() -> None:
    application = Application([("/a", A, {"k": 1}), ("/.", B), ("/b", A)])
    assert chosen(application, "/a") == (A, {"k": 1})
    assert chosen(application, "/b") == (B, {})


def test_rules_added_later_are_seen() -> None:
    application = Application([("/a", A)])
    assert chosen(application, "/a")[0] is A
    application.wildcard_router.add_rules([("/b", B)])
    assert chosen(application, "/b")[0] is B
    application.wildcard_router.rules.insert(0, URLSpec("/a", B))
    assert chosen(application, "/a")[0] is B


def test_nothing_matches() -> None:
    assert chosen(Application(), "/a") == (ErrorHandler, {"status_code": 404})
    custom = Application(default_handler_class=A, default_handler_args={"k": 2})
    assert chosen(custom, "/a") == (A, {"k": 2})


def test_nested_rules_and_dotted_names() -> None:
    inner = [("/in", "zonda.web.defaulthandlers.ErrorHandler", {"status_code": 410})]
    application = Application([(HostMatches("one"), inner), url("/in", A)])
    assert chosen(application, "/in", "one") == (ErrorHandler, {"status_code": 410})
    assert chosen(application, "/in", "two") == (A, {})


def test_hosts_and_the_default_host() -> None:
    application = Application([("/", A)], default_host="one")
    application.add_handlers("one", [("/", B), ("/only", B)])
    assert chosen(application, "/", "one")[0] is B
    assert chosen(application, "/", "ip")[0] is A
    # The rules of the default host serve others, too, behind the general ones.
    assert chosen(application, "/only", "ip")[0] is B


def test_an_overridden_find_handler_is_asked() -> None:
    class Own(Application):
        def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
            return self.get_handler_delegate(request, B, {"own": True})

    assert chosen(Own([("/", A)]), "/") == (B, {"own": True})


def test_rules_may_be_objects() -> None:
    application = Application([Rule(HostMatches("one"), A)])
    assert chosen(application, "/any", "one")[0] is A


def test_settings() -> None:
    debugging = Application(debug=True, autoreload=False)
    assert debugging.settings == {
        "debug": True,
        "autoreload": False,
        "serve_traceback": True,
        "compiled_template_cache": False,
        "static_hash_cache": False,
    }
    quiet = Application(debug=True, autoreload=False, serve_traceback=False)
    assert quiet.settings["serve_traceback"] is False
    assert not Application().settings


def test_reverse_url() -> None:
    application = Application([url("/a/(.)", A, name="a")])
    assert application.reverse_url("a", "x") == "/a/x"
    with pytest.raises(KeyError):
        application.reverse_url("b")
