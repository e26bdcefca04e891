"""Routers and delegates below tornado.web, and the request they see."""

import asyncio
import re

import wire

from tornado import httputil, routing, web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import (
    AnyMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)


class Show(httputil.HTTPMessageDelegate):
    def __init__(self, connection, name):
        self.connection = connection
        self.name = name
        self.seen = []
        self.body = b""

    def headers_received(self, start_line, headers):
        self.seen.append(repr(start_line))
        self.seen.append(str(sorted(headers.get_all())))

    def data_received(self, chunk):
        self.body += chunk

    def finish(self):
        body = "\n".join([self.name, *self.seen, repr(self.body)]).encode()
        self.connection.write_headers(
            httputil.ResponseStartLine("HTTP/1.1", 200, "Fine"),
            httputil.HTTPHeaders({"Content-Length": str(len(body))}),
            body,
        )
        self.connection.finish()

    def on_connection_close(self):
        print("closed", self.name)


class Own(Router):
    def find_handler(self, request, **kwargs):
        print("find_handler", request.method, request.path, sorted(kwargs))
        if request.path == "/nothing":
            return None
        return Show(request.connection, "Own")


class MethodIs(Matcher):
    def __init__(self, method):
        self.method = method

    def match(self, request):
        if request.method == self.method:
            return {"path_args": [b"from", b"matcher"]}
        return None


def plain(request):
    text = (
        f"{request.method} {request.uri} {request.path} {request.query} {request.version}".encode()
    )
    request.connection.write_headers(
        httputil.ResponseStartLine("", 203, "Callback"),
        httputil.HTTPHeaders({"Content-Length": str(len(text))}),
    )
    request.connection.write(text)
    request.connection.finish()


class Handler(web.RequestHandler):
    def initialize(self, **kwargs):
        self.kwargs = kwargs

    def get(self, *args, **kwargs):
        try:
            url = self.reverse_url("named", "a b", 5)
        except KeyError as error:
            url = f"KeyError {str(error) != ''}"
        self.write(f"{args} {sorted(kwargs.items())} {self.kwargs} {url}")

    delete = get


class Connections(httputil.HTTPServerConnectionDelegate):
    def start_request(self, server_conn, request_conn):
        return Show(request_conn, "Connections")

    def on_close(self, server_conn):
        print("server connection closed")


async def served(what, rows, **options):
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(what, **options)
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    for row in rows:
        await wire.show(port, row.split(b"\r\n")[0].decode(), row)
        await asyncio.sleep(0.01)
    server.stop()


def reversals():
    router = ReversibleRuleRouter(
        [
            Rule(PathMatches(r"/a/(\d+)/(\w+)"), Handler, name="two"),
            Rule(PathMatches("/exact"), Handler, name="exact"),
            (r"/tuple/(.*)", Handler),
            Rule(
                PathMatches(r"/inner/.*"),
                ReversibleRuleRouter([URLSpec(r"/deep/(\w+)", Handler, name="deep")]),
            ),
            Rule(PathMatches(r"/opt(?:ional)?/x"), Handler, name="opt"),
        ]
    )
    for name, args in (
        ("two", (1, "é /")),
        ("exact", ()),
        ("deep", ("x",)),
        ("none", ()),
        ("two", (1,)),
        ("opt", ()),
    ):
        try:
            print(name, router.reverse_url(name, *args))
        except (AssertionError, ValueError):
            print(name, "refused")
    spec = URLSpec(r"/x/(?P<id>\d+)$", Handler, {"a": 1}, "spec")
    print(
        spec.name, spec.kwargs, spec.regex.pattern, spec.handler_class.__name__, spec.reverse("5")
    )
    print(re.sub(r"zonda\.httpserver\.routing\.[a-z]+|tornado\.[a-z]+", "M", repr(spec)))
    print(
        re.sub(
            r"zonda\.httpserver\.routing\.[a-z]+|tornado\.[a-z]+|0x\w+", "M", repr(router.rules[0])
        )
    )
    path = PathMatches(r"/q/([^/]*)")
    request = httputil.HTTPServerRequest("GET", "/q/a%20b%ff?x=1", host="h.example")
    print(path.match(request), path.reverse("a/b c"))
    print(
        HostMatches(r"h\..*").match(request),
        HostMatches("x").match(request),
        AnyMatches().match(request),
    )
    for wrong in (r"/(a", r"/(?P<a>x)(y)"):
        try:
            print(PathMatches(wrong).match(request))
        except (re.error, AssertionError, ValueError):
            print("refused")
    for wrong in (Rule, 5, ()):
        try:
            RuleRouter([wrong])
        except Exception:
            print("RuleRouter refuses")
    print(
        issubclass(web.Application, routing.ReversibleRouter),
        issubclass(web.Application, routing.Router),
    )
    print(issubclass(URLSpec, Rule), web.url is URLSpec, web.URLSpec is URLSpec)


async def main():
    wire.show_records()
    reversals()
    app = web.Application(
        [
            web.url(r"/named/(.*)/(\d+)", Handler, {"k": "v"}, name="named"),
            (r"/group/(?P<one>[^/]+)/?(?P<two>.*)", Handler),
            (r"/mixed/(a)?/(b)?", Handler),
            Rule(MethodIs("DELETE"), Handler, {"by": "method"}),
        ]
    )
    app.add_handlers(r".*\.example", [(r"/host", Handler, {"host": "example"})])
    app.add_handlers("other", [(r"/host", Handler, {"host": "other"})])
    await served(
        app,
        [
            wire.request("/named/a%2Fb%20c/5"),
            wire.request("/group/x%C3%A9/rest/of/it?q=1"),
            wire.request("/group/x%ff/"),
            wire.request("/mixed//"),
            wire.request("/mixed/a/"),
            wire.request("/x", method="DELETE"),
            wire.request("/host"),
            wire.request("/host").replace(b"a.example", b"other:80"),
            wire.request("/host").replace(b"a.example", b"unknown"),
            wire.request("//host"),
            wire.request("/host/"),
        ],
    )
    default = web.Application([(r"/d", Handler)], default_host="a.example")
    default.add_handlers("a.example", [(r"/d", Handler, {"default": 1})])
    await served(default, [wire.request("/d").replace(b"a.example", b"127.0.0.1")])
    inner = web.Application([(r"/inner/(.*)", Handler)])
    router = RuleRouter(
        [
            Rule(PathMatches("/inner/.*"), inner),
            Rule(PathMatches("/callable"), plain),
            Rule(HostMatches("b.example"), Own()),
            (r"/list/.*", [(r"/list/x", plain), Rule(AnyMatches(), Connections())]),
        ]
    )
    await served(
        router,
        [
            wire.request("/inner/x"),
            wire.request("/callable?a=b"),
            wire.request("/own").replace(b"a.example", b"b.example"),
            wire.request("/nothing").replace(b"a.example", b"b.example"),
            wire.request("/list/x"),
            wire.request("/list/y", method="PUT", body=b"body"),
            wire.request("/missing"),
        ],
    )
    await served(
        Own(),
        [wire.request("/any", method="POST", body=b"0123456789"), wire.request("/nothing")],
        chunk_size=4,
    )
    await served(
        plain,
        [
            wire.request("*", method="OPTIONS"),
            wire.request("/p?"),
            wire.request("/p", version="HTTP/1.0"),
        ],
    )
    await served(Connections(), [wire.request("/c", "X-A: 1", "X-A: 2", "x-b:  v  ")])


asyncio.run(main())
