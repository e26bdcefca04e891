"""A base handler that overrides every hook, and says when each is called."""

import asyncio
import hashlib

import wire

from tornado import httputil, web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

calls = []


class Base(web.RequestHandler):
    def initialize(self, **kwargs):
        calls.append(f"initialize {sorted(kwargs.items())}")
        self.kwargs = kwargs

    def set_default_headers(self):
        calls.append("set_default_headers")
        self.set_header("X-Default", "1")
        self.set_header("Server", "mine")

    def prepare(self):
        calls.append(f"prepare {self.path_args} {sorted(self.path_kwargs.items())}")

    def on_finish(self):
        calls.append(f"on_finish {self.get_status()} {self._reason}")

    def log_exception(self, typ, value, tb):
        calls.append(f"log_exception {typ.__name__}: {value}")
        super().log_exception(typ, value, tb)

    def write_error(self, status_code, **kwargs):
        kind = kwargs["exc_info"][0].__name__ if "exc_info" in kwargs else None
        calls.append(f"write_error {status_code} {kind} {sorted(set(kwargs) - {'exc_info'})}")
        self.finish({"error": status_code, "reason": self._reason})

    def compute_etag(self):
        calls.append("compute_etag")
        return super().compute_etag()

    def check_etag_header(self):
        calls.append("check_etag_header")
        return super().check_etag_header()

    def set_etag_header(self):
        calls.append("set_etag_header")
        super().set_etag_header()

    def get_template_namespace(self):
        calls.append("get_template_namespace")
        space = super().get_template_namespace()
        print("namespace", sorted(space))
        space["extra"] = 5
        return space

    def get_current_user(self):
        calls.append("get_current_user")
        return None

    def get_user_locale(self):
        calls.append("get_user_locale")
        return None

    def get_browser_locale(self, default="en_US"):
        calls.append("get_browser_locale")
        return super().get_browser_locale(default)

    def get_login_url(self):
        calls.append("get_login_url")
        return "/login"

    def check_xsrf_cookie(self):
        calls.append("check_xsrf_cookie")

    def decode_argument(self, value, name=None):
        calls.append(f"decode_argument {value!r} {name}")
        return super().decode_argument(value, name)

    def data_received(self, chunk):
        calls.append(f"data_received {chunk!r}")

    def on_connection_close(self):
        calls.append("on_connection_close")

    def flush(self, include_footers=False, callback=None):
        calls.append(f"flush {include_footers}")
        return super().flush(include_footers)

    def finish(self, chunk=None):
        calls.append(f"finish {chunk if chunk is None else type(chunk).__name__}")
        return super().finish(chunk)

    def send_error(self, status_code=500, **kwargs):
        calls.append(f"send_error {status_code} {sorted(kwargs)}")
        return super().send_error(status_code, **kwargs)

    def clear(self):
        calls.append("clear")
        return super().clear()


class Plain(Base):
    def get(self, *args, **kwargs):
        calls.append(f"get {args} {sorted(kwargs.items())}")
        self.write(str(self.get_argument("q", "none")))

    def head(self, *args, **kwargs):
        self.set_header("Content-Length", "77")

    def post(self, *args, **kwargs):
        self.write(repr(self.get_body_arguments("q")))


class Raises(Base):
    def get(self, what):
        if what == "http":
            raise web.HTTPError(418, "log %s", "me", reason="Tea Pot")
        if what == "missing":
            self.get_argument("needed")
        if what == "key":
            raise KeyError("k")
        if what == "finish":
            raise web.Finish("bye")
        if what == "finishes":
            self.set_status(202)
            self.write("partly")
            raise web.Finish
        if what == "after":
            self.write("x")
            self.flush()
            raise ValueError("too late")
        if what == "unknown":
            raise web.HTTPError(799)


class Template(Base):
    def get(self):
        self.write(self.render_string("page.html", own=1))


class User(Base):
    @web.authenticated
    def get(self):
        self.write("never")

    @web.authenticated
    def post(self):
        self.write("never")


class Prepared(Base):
    async def prepare(self):
        super().prepare()
        await asyncio.sleep(0)
        if self.get_argument("stop", None):
            self.set_status(403)
            self.finish("stopped")

    async def get(self):
        calls.append("get")
        await asyncio.sleep(0)
        return None


class Returns(Base):
    def get(self):
        return "not allowed"


class Etag(Base):
    def compute_etag(self):
        return '"' + hashlib.md5(b"".join(self._write_buffer)).hexdigest()[:6] + '"'

    def get(self):
        self.write("etag body")


class Status(Base):
    def get(self, code):
        self.set_status(int(code))
        if self.get_argument("body", ""):
            self.write("b")


@web.stream_request_body
class Streams(Base):
    def post(self):
        self.write("streamed")


class App(web.Application):
    def __init__(self, database):
        self.database = database
        handlers = [
            web.url(r"/plain/(\w+)/(\w+)?", Plain, {"db": database}, name="plain"),
            (r"/named/(?P<one>\w+)", Plain, {"db": None}),
            (r"/raises/(\w+)", Raises),
            (r"/template", Template),
            (r"/user", User),
            (r"/prepared", Prepared),
            (r"/returns", Returns),
            (r"/etag", Etag),
            (r"/status/(\d+)", Status),
            (r"/streams", Streams),
        ]
        from tornado.template import DictLoader

        loader = DictLoader({"page.html": "{{ own }}{{ extra }}{{ _('x') }}{{ locale.code }}"})
        settings = {"template_loader": loader, "compress_response": False, "xsrf_cookies": True}
        super().__init__(handlers, **settings)

    def log_request(self, handler):
        calls.append(f"log_request {handler.get_status()} {handler._request_summary()[:12]}")
        super().log_request(handler)


async def main():
    wire.show_records()
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(App("db"))
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    rows = [
        wire.request("/plain/a/b?q=1&q=%20two%20"),
        wire.request("/plain/a/"),
        wire.request("/plain/a/", method="HEAD"),
        wire.request("/plain/a/", method="PUT", body=b""),
        wire.request("/plain/a/", method="BREW"),
        wire.request("/plain/a/?q=%ff"),
        wire.request(
            "/plain/a/",
            "Content-Type: application/x-www-form-urlencoded",
            method="POST",
            body=b"q=1&q=+2+",
        ),
        wire.request("/named/n"),
        wire.request("/raises/http"),
        wire.request("/raises/missing"),
        wire.request("/raises/key"),
        wire.request("/raises/finish"),
        wire.request("/raises/finishes"),
        wire.request("/raises/after"),
        wire.request("/raises/unknown"),
        wire.request("/template"),
        wire.request("/user?next=1"),
        wire.request("/user", method="POST", body=b""),
        wire.request("/prepared"),
        wire.request("/prepared?stop=1"),
        wire.request("/returns"),
        wire.request("/etag"),
        wire.request("/etag", 'If-None-Match: W/"x", "1a6ca2"'),
        wire.request("/etag", "If-None-Match: *"),
        wire.request("/status/204"),
        wire.request("/status/304"),
        wire.request("/status/204?body=1"),
        wire.request("/status/299"),
        wire.request("/streams", method="POST", body=b"some bytes"),
        wire.request("/none"),
        wire.request(
            "/plain/a/", "Content-Type: multipart/form-data; boundary=B", method="POST", body=b"--B"
        ),
        wire.request("/plain/a/", "Content-Type: multipart/form-data", method="PUT", body=b"--B"),
        wire.request("/plain/a/", "Expect: 100-continue", method="POST", body=b"q=1"),
    ]
    for row in rows:
        calls.clear()
        await wire.show(port, row.split(b"\r\n")[0].decode(), row)
        await asyncio.sleep(0.01)
        print("\n".join(calls))
    print(httputil.responses[418])
    server.stop()


asyncio.run(main())
