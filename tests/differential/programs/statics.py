"""Static files in many ways: subclasses that override each hook, and the handlers that come along."""

import asyncio
import datetime
import hashlib
import os
import tempfile

import wire

from tornado import httputil, web, wsgi
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

CONTENT = {
    "memory.txt": b"kept in memory",
    "big.bin": bytes(range(256)) * 3,
    "page": b"<p>page</p>",
}


class Memory(web.StaticFileHandler):
    """Files that are not on the disk."""

    @classmethod
    def get_absolute_path(cls, root, path):
        return path

    def validate_absolute_path(self, root, absolute_path):
        print("validate", root, absolute_path)
        if absolute_path not in CONTENT:
            raise web.HTTPError(404, "no %s in memory", absolute_path)
        return absolute_path

    @classmethod
    def get_content(cls, abspath, start=None, end=None):
        return CONTENT[abspath][start:end]

    def get_content_size(self):
        return len(CONTENT[self.absolute_path])

    def get_modified_time(self):
        return datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=datetime.timezone.utc)

    @classmethod
    def get_content_version(cls, abspath):
        return hashlib.md5(CONTENT[abspath]).hexdigest()

    def get_content_type(self):
        if self.absolute_path == "page":
            return "text/html"
        return super().get_content_type()

    def set_extra_headers(self, path):
        self.set_header("X-Path", path)

    def get_cache_time(self, path, modified, mime_type):
        print("cache time", path, modified, mime_type)
        return 60 if path == "page" else 0


class Pieces(web.StaticFileHandler):
    @classmethod
    def get_content(cls, abspath, start=None, end=None):
        yield b"one "
        yield b"two"

    def get_content_size(self):
        return 7

    def compute_etag(self):
        return '"own"'

    def should_return_304(self):
        return self.get_argument("fresh", None) == "1"


class Untagged(web.StaticFileHandler):
    def compute_etag(self):
        return None

    def get_modified_time(self):
        return None

    def write_error(self, status_code, **kwargs):
        self.finish("own page: %d" % status_code)


class Old(web.StaticFileHandler):
    """In the style of Tornado 3: everything in get()."""

    def get(self, path, include_body=True):
        path = self.parse_url_path(path)
        self.path = path
        absolute_path = os.path.abspath(os.path.join(self.root, path))
        print("under the root:", (absolute_path + "/").startswith(self.root))
        self.write(path)

    @classmethod
    def make_static_url(cls, settings, path, include_version=True):
        return "/cdn/" + path + ("?v=" + cls.get_version(settings, path) if include_version else "")

    @classmethod
    def get_version(cls, settings, path):
        return "v7"


class Versioned(web.StaticFileHandler):
    """The version is a part of the path."""

    @classmethod
    def make_static_url(cls, settings, path, include_version=True):
        url = super().make_static_url(settings, path, False)
        return url.replace("/static/", "/static/1234/")

    def parse_url_path(self, url_path):
        return super().parse_url_path(url_path.replace("1234/", ""))


class Urls(web.RequestHandler):
    def get(self):
        self.write(self.static_url("a.txt") + " ")
        self.write(self.static_url("a.txt", include_host=True) + " ")
        self.write(self.static_url("a.txt", include_version=False) + " ")
        self.include_host = True
        self.write(self.static_url("missing.txt") + "\n")


class Default(web.RequestHandler):
    def initialize(self, word):
        self.word = word

    def get(self):
        self.set_status(404)
        self.write(self.word + " " + self.request.path)


class Own(web.ErrorHandler):
    def write_error(self, status_code, **kwargs):
        self.write("%d in own words" % status_code)


def program(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Wsgi", "1")])
    return [environ["PATH_INFO"].encode(), b" by WSGI"]


def fallback(request):
    body = b"by a function: " + request.uri.encode()
    request.connection.write_headers(
        httputil.ResponseStartLine("HTTP/1.1", 200, "OK"),
        httputil.HTTPHeaders({"Content-Length": str(len(body)), "X-Fallback": "1"}),
        body,
    )
    request.connection.finish()


def say(title):
    print("#", title)


async def main():
    wire.show_records()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "sub"))
        for name in (
            "a.txt",
            "sub/index.html",
            "b.json.gz",
            "c.unknown",
            "d.png",
            "e.html",
            "f.js",
        ):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(name.encode() * 3)
        static = {"path": folder}
        application = web.Application(
            [
                (r"/memory/(.*)", Memory, {"path": "ROOT"}),
                (r"/pieces/(.*)", Pieces, static),
                (r"/untagged/(.*)", Untagged, {"path": folder, "default_filename": "index.html"}),
                (r"/old/(.*)", Old, static),
                (r"/plain/(.*)", web.StaticFileHandler, {"path": folder}),
                (
                    r"/index/(.*)",
                    web.StaticFileHandler,
                    {"path": folder, "default_filename": "index.html"},
                ),
                (r"/named/(?P<path>.*)", web.StaticFileHandler, static),
                (r"/one()", web.StaticFileHandler, {"path": os.path.join(folder, "a.txt")}),
                (r"/urls", Urls),
                (r"/gone", web.ErrorHandler, {"status_code": 410}),
                (r"/own", Own, {"status_code": 418}),
                (r"/from", web.RedirectHandler, {"url": "/to"}),
                (r"/temporary", web.RedirectHandler, {"url": "/to?a=1", "permanent": False}),
                (r"/groups/(.*)/(.*)", web.RedirectHandler, {"url": "/to/{1}/{0}"}),
                (r"/names/(?P<a>.*)", web.RedirectHandler, {"url": "http://b.example/{a}?x=1"}),
                (r"/wsgi/.*", web.FallbackHandler, {"fallback": wsgi.WSGIContainer(program)}),
                (r"/function/.*", web.FallbackHandler, {"fallback": fallback}),
            ],
            static_path=folder,
            static_handler_class=Versioned,
            default_handler_class=Default,
            default_handler_args={"word": "nothing at"},
        )
        [socket] = bind_sockets(0, "127.0.0.1")
        port = socket.getsockname()[1]
        server = HTTPServer(application)
        server.add_socket(socket)
        for target in (
            "/memory/memory.txt",
            "/memory/memory.txt?v=1",
            "/memory/page",
            "/memory/none",
            "/memory/../memory.txt",
            "/pieces/a.txt",
            "/pieces/a.txt?fresh=1",
            "/untagged/a.txt",
            "/untagged/sub",
            "/untagged/sub/",
            "/untagged/none",
            "/old/a.txt",
            "/plain/a.txt",
            "/plain/a.txt?v=abc",
            "/plain/b.json.gz",
            "/plain/c.unknown",
            "/plain/d.png",
            "/plain/f.js",
            "/plain/sub",
            "/plain/",
            "/plain/a.txt/",
            "/plain/none.txt",
            "/plain/..%2fa",
            "/plain/%61.txt",
            "/index/",
            "/index/sub",
            "/index/sub/?q=1",
            "/named/a.txt",
            "/one",
            "/static/a.txt",
            "/static/1234/sub/index.html",
            "/static/none",
            "/robots.txt",
            "/favicon.ico",
            "/urls",
            "/gone",
            "/own",
            "/from",
            "/from?b=2",
            "/temporary",
            "/temporary?b=2&c",
            "/groups/x/y?z=1",
            "/names/p/q?r",
            "/wsgi/x",
            "/function/x?y",
            "/elsewhere",
        ):
            await wire.show(port, target, wire.request(target))
        for method, target, *fields in (
            ("HEAD", "/memory/big.bin"),
            ("HEAD", "/plain/a.txt"),
            ("HEAD", "/gone"),
            ("POST", "/plain/a.txt"),
            ("POST", "/gone"),
            ("POST", "/from"),
            ("DELETE", "/elsewhere"),
            ("GET", "/memory/big.bin", "Range: bytes=0-3"),
            ("GET", "/memory/memory.txt", "Range: bytes=-6"),
            ("GET", "/memory/memory.txt", "Range: bytes=5-"),
            ("GET", "/memory/memory.txt", "Range: bytes=0-"),
            ("GET", "/memory/memory.txt", "Range: bytes=99-"),
            ("GET", "/memory/memory.txt", "Range: bytes=5-2"),
            ("GET", "/memory/memory.txt", "Range: nonsense"),
            ("HEAD", "/memory/memory.txt", "Range: bytes=0-3"),
            ("GET", "/plain/a.txt", "Range: bytes=1-2"),
            ("GET", "/plain/a.txt", 'If-None-Match: "nothing"'),
            ("GET", "/plain/a.txt", "If-None-Match: *"),
            ("GET", "/memory/memory.txt", "If-Modified-Since: Sun, 27 Jan 2013 18:43:20 GMT"),
            ("GET", "/memory/memory.txt", "If-Modified-Since: Sun, 27 Jan 2013 18:43:19 GMT"),
            ("GET", "/memory/memory.txt", "If-Modified-Since: yesterday"),
            ("GET", "/pieces/a.txt", 'If-None-Match: "own"'),
            ("GET", "/from", "X: y"),
        ):
            sent = wire.request(target, *fields, method=method)
            await wire.show(port, f"{method} {target} {fields}", sent)
        server.stop()
        await server.close_all_connections()


asyncio.run(main())
