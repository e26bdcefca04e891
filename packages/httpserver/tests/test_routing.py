"""Matchers, rules and routers."""

import re
from typing import Any

import pytest

from zonda.httpserver.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)
from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
)


def request(path: str, **fields: str) -> HTTPServerRequest:
    return HTTPServerRequest(
        start_line=RequestStartLine("GET", path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "One.example:80", **fields}),
        connection=HTTPConnection(),
    )


class Named(HTTPMessageDelegate):
    """A delegate with a name, and what it was made with."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        self.name = name
        self.params = params


class Targets(RuleRouter):
    """A router whose targets are names; the one called "none" declines."""

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        if isinstance(target, Router):
            return super().get_target_delegate(target, request, **target_params)
        return None if target.name == "none" else Named(target.name, target_params)


class Target:
    def __init__(self, name: str) -> None:
        self.name = name


MATCHES = [
    ("/a", "/a", {}),
    ("/a", "/a/", None),
    ("/a", "/ab", None),
    ("/a$", "/a", {}),
    ("^/a", "/a", {}),
    (r"/(.)/(.*)", "/x/%20", {"path_args": [b"x", b" "], "path_kwargs": {}}),
    (r"/(.)(y)?", "/x", {"path_args": [b"x", None], "path_kwargs": {}}),
    (r"/(?P<a>[^/]*)", "/%C3%A9+", {"path_args": [], "path_kwargs": {"a": "é+".encode()}}),
    (re.compile("/pre"), "/prefix", {}),
    (r"/a.b", "/axb", {}),
]


@pytest.mark.parametrize(("pattern", "path", "found"), MATCHES)
def test_path_matches(pattern: Any, path: str, found: dict[str, Any] | None) -> None:
    assert PathMatches(pattern).match(request(path)) == found


def test_mixed_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="all named or all positional"):
        PathMatches(r"/(a)/(?P<b>b)")


REVERSED = [
    ("/", (), "/"),
    ("/a/(.*)", ("x",), "/a/x"),
    ("/a/(.*)/b/([0-9]+)", ("x y/z", 3), "/a/x%20y/z/b/3"),
    (r"/a\.b/(\))", (b"c",), "/a.b/c"),
    (r"^/(?P<name>[)\]]+)$", ("n",), "/n"),
    (r"/100%/(.)", ("x",), "/100%/x"),
    (r"/100%", (), "/100%"),
]


@pytest.mark.parametrize(("pattern", "args", "url"), REVERSED)
def test_reverse(pattern: str, args: tuple[Any, ...], url: str) -> None:
    assert PathMatches(pattern).reverse(*args) == url


@pytest.mark.parametrize(
    ("pattern", "args", "why"),
    [
        ("/(a)", (), "1 groups"),
        ("/a", ("x",), "0 groups"),
        (r"/\d", (), "cannot be reversed"),
        ("/(?:a)", (), "cannot be reversed"),
        ("/((a)b)", ("x",), "cannot be reversed"),
    ],
)
def test_reverse_says_what_is_wrong(pattern: str, args: tuple[Any, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PathMatches(pattern).reverse(*args)


def test_hosts() -> None:
    assert HostMatches(r"one\.example").match(request("/")) == {}
    assert HostMatches(re.compile(r"one\.")).match(request("/")) == {}
    assert HostMatches(r"one\.").match(request("/")) is None
    assert AnyMatches().match(request("/")) == {}
    assert AnyMatches().reverse() is None

    class Application:
        default_host = "default.example"

    matcher = DefaultHostMatches(Application(), re.compile("default"))
    assert matcher.match(request("/")) == {}
    assert matcher.match(request("/", **{"X-Real-Ip": "1.2.3.4"})) is None
    assert DefaultHostMatches(Application(), re.compile("x")).match(request("/")) is None


def find(router: Router, path: str) -> Any:
    delegate = router.find_handler(request(path))
    return delegate and delegate.name  # type: ignore[attr-defined]


def test_rules_are_tried_in_order_whether_literal_or_not() -> None:
    router = Targets(
        [
            ("/a", Target("literal")),
            ("/.", Target("pattern")),
            ("/b", Target("hidden by the pattern")),
            ("/a", Target("hidden by the literal")),
            Rule(AnyMatches(), Target("any")),
            ("/ccc", Target("hidden by any")),
        ]
    )
    found = {path: find(router, path) for path in ("/a", "/b", "/ccc")}
    assert found == {"/a": "literal", "/b": "pattern", "/ccc": "any"}


def test_a_target_that_declines_is_passed_over() -> None:
    router = Targets([("/a", Target("none")), ("/.", Target("none")), ("/a", Target("third"))])
    assert find(router, "/a") == "third"
    assert find(router, "/b") is None


def test_rules_added_later_are_found() -> None:
    router = Targets()
    assert find(router, "/a") is None
    router.add_rules([("/a", Target("a"))])
    assert find(router, "/a") == "a"
    router.rules.insert(0, Rule(PathMatches("/a"), Target("first")))
    assert find(router, "/a") == "first"


def test_a_subclassed_matcher_is_asked() -> None:
    class Never(PathMatches):
        def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
            return None

    assert find(Targets([Rule(Never("/a"), Target("a"))]), "/a") is None


def test_nested_routers_and_arguments() -> None:
    inner = Targets([("/(.)", Target("inner"), {"k": 1})])
    outer = Targets([Rule(HostMatches("one.example"), inner)])
    delegate = outer.find_handler(request("/x"))
    assert isinstance(delegate, Named)
    assert delegate.params == {
        "path_args": [b"x"],
        "path_kwargs": {},
        "target_kwargs": {"k": 1},
    }


def test_malformed_rules() -> None:
    with pytest.raises(ValueError, match="2 to 4 items"):
        RuleRouter([("/a",)])


def test_abstract_methods_say_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match="Router must override find_handler"):
        Router().find_handler(request("/"))
    with pytest.raises(NotImplementedError, match="Matcher must override match"):
        Matcher().match(request("/"))


def test_named_rules(expect_log: Any) -> None:
    inner = ReversibleRuleRouter([URLSpec("/in/(.)", object, name="inner")])
    outer = ReversibleRuleRouter([("/out", inner, None, "outer"), Rule(AnyMatches(), inner)])
    assert outer.reverse_url("outer") == "/out"
    assert outer.reverse_url("inner", "x") == "/in/x"
    assert outer.reverse_url("other") is None
    with expect_log("zonda.application", "Multiple handlers named outer"):
        outer.add_rules([URLSpec("/new", object, name="outer")])
    assert outer.reverse_url("outer") == "/new"


def test_a_target_may_be_a_dotted_name() -> None:
    spec = URLSpec("/a", "zonda.httpserver.routing.Router", {"k": 1}, name="n")
    assert spec.handler_class is Router
    assert "'/a$'" in repr(spec)
    assert "name='n'" in repr(Rule(AnyMatches(), Router, name="n"))


async def test_callables_and_404(expect_log: Any) -> None:
    def hello(request: HTTPServerRequest) -> None:
        connection: Any = request.connection
        connection.respond(200, "OK", HTTPHeaders(), b"hello " + request.body)

    async with serve(RuleRouter([("/hello", hello)])) as port, RawClient(port) as client:
        response = await client(b"POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nyo")
        assert response.body == b"hello yo"
        missing = await client(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (missing.status, missing.body) == (404, b"")
