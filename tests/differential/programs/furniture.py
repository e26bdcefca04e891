"""What pages of older programs rest on: loaders, UI methods and modules, keys, transforms, errors."""

import asyncio
import logging
import os
import tempfile
import types

import wire

from tornado import escape, template, web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import URLSpec as U

FILES = {
    "layout.html": (
        "<html><head><title>{% block title %}{{ escape(handler.settings['blog_title']) }}{% end %}"
        '</title></head><body>{% if current_user %}<a href="/logout?next={{ '
        'url_escape(request.uri) }}">{{ current_user["name"] }}</a>{% else %}'
        "{{ _('Sign in') }}{% end %}{% block body %}{% end %}{% block bottom %}{% end %}</body></html>"
    ),
    "home.html": (
        '{% extends "layout.html" %}{% block body %}{% for entry in entries %}'
        "{% module Entry(entry) %}{% end %}{{ date(3) }}{% raw linkify('see http://a.example/') %}"
        "{% module Template('part.html', n=1) %}{% module Template('part.html', n=2) %}{% end %}"
    ),
    "part.html": (
        "{{ set_resources(embedded_css='.p{}', css_files='p.css', javascript_files=['p.js', 'q.js'],"
        " embedded_javascript='p()', html_head='<meta>', html_body='<i></i>') }}part {{ n }}\n"
    ),
    "entry.html": "<h2>{{ entry['title'] }}</h2>{% raw entry['html'] %}{% if show %} c{% end %}",
    "functions.html": (
        "{% from os.path import basename as base %}{% import math as m %}{{ base('/a/b') }}"
        "{{ m.floor(2.7) }}{% set a, b = 1, [2] %}{{ a }}{{ b }}{% set c = {'k': 'v<'} %}{{ c['k'] }}"
        "{% apply linkify %}www.a.example <x>{% end %}{% autoescape None %}{{ '<raw>' }}"
        "{% whitespace oneline %}\n  one\n   line {% for i in range(4) %}{% if i == 1 %}{% continue %}"
        "{% elif i == 3 %}{% break %}{% end %}{{ i }}{% else %}never{% end %}"
        "{{! not }}{%! nor %}{#! nor #}{% comment %}{% raw None %}{{ b'bytes' }}{{ 1.5 }}{{ None }}"
    ),
    "loops.html": (
        "{% set n = 3 %}{% while n %}{{ n }}{% set n -= 1 %}{% end %}{% try %}{{ missing }}"
        "{% except NameError as e %}{{ type(e).__name__ }}{% else %}no{% finally %}.{% end %}"
        "{% comment a word %}{# two #}{% if n == 0 %}zero{% end %}"
    ),
    "nested/child.html": '{% extends "../layout.html" %}{% block body %}{% include "grand.html" %}{% end %}',
    "nested/grand.html": "grand {{ handler.__class__.__name__ }} {{ super_name if False else 'x' }}",
    "super.html": "{% block a %}1{% block b %}2{% end %}3{% end %}",
    "super2.html": '{% extends "super.html" %}{% block b %}two{% end %}',
}


class Base(web.RequestHandler):
    def get_current_user(self):
        user = self.get_secure_cookie("blogdemo_user")
        return {"name": user.decode()} if user else None

    def get_template_path(self):
        return self.settings["folder"]

    def create_template_loader(self, template_path):
        print("loader made for", os.path.basename(template_path) and "the folder")
        return template.Loader(template_path, whitespace="single", autoescape="xhtml_escape")


class Entry(web.UIModule):
    def render(self, entry, show=False):
        return self.render_string("entry.html", entry=entry, show=show)

    def css_files(self):
        return ["/absolute.css", "relative.css"]

    def embedded_css(self):
        return ".e{}"

    def html_body(self):
        return "<script>e()</script>"


class Home(Base):
    def get(self):
        entries = [{"title": "A & B", "html": "<p>text</p>"}, {"title": "C", "html": ""}]
        self.render("home.html", entries=entries)


class Any(Base):
    def get(self, name):
        self.render(name + ".html")


class Login(Base):
    def get(self):
        self.set_secure_cookie("blogdemo_user", "ann", expires_days=None)
        self.redirect(self.get_argument("next", "/"))


class Echo(Base):
    def get(self):
        values = [self.get_secure_cookie(n) for n in ("blogdemo_user", "none")]
        keys = [self.get_secure_cookie_key_version(n) for n in ("blogdemo_user", "none")]
        old = self.get_secure_cookie("blogdemo_user", max_age_days=-1)
        self.write(repr((values, keys, old)))


class Files(Base):
    def post(self):
        for name, files in sorted(self.request.files.items()):
            for each in files:
                self.write(f"{name} {each.filename} {each['content_type']} {len(each.body)}\n")
        self.write(
            repr({k: self.get_body_arguments(k) for k in sorted(self.request.body_arguments)})
        )


class Named(Base):
    def initialize(self, database=None):
        self.database = database

    def get(self, year, slug=None):
        self.write(
            f"{self.database} {year!r} {slug!r} {self.reverse_url('entry', '2013', 'a b/ü')} "
        )
        try:
            self.reverse_url("nothing")
        except KeyError as error:
            self.write(repr(error))


class Raises(Base):
    def get(self, kind):
        if kind == "reason":
            raise web.HTTPError(402, reason="Pay & go")
        if kind == "log":
            raise web.HTTPError(403, "user %s may not %s", "ann", "read")
        if kind == "odd":
            raise web.HTTPError(499)
        if kind == "204":
            raise web.HTTPError(204)
        if kind == "finish":
            self.set_status(202)
            self.write("so far")
            raise web.Finish()
        if kind == "missing":
            self.get_argument("needed")
        if kind == "header":
            self.set_header("X-Bad", "a\r\nb")
        if kind == "type":
            self.write([1, 2])
        if kind == "none":
            self.write(None)
        if kind == "twice":
            self.finish("once")
            self.finish("twice")
        if kind == "flushed":
            self.write("some")
            self.flush()
            raise KeyError("too late")
        raise ZeroDivisionError("of a kind")

    def write_error(self, status_code, **kwargs):
        error = kwargs["exc_info"][0].__name__ if "exc_info" in kwargs else None
        self.finish({"code": status_code, "reason": self._reason, "error": error})


class Json(Base):
    def set_default_headers(self):
        self.set_header("Server", "Mine")
        self.clear_header("X-None")

    def prepare(self):
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            self.json = escape.json_decode(self.request.body)

    def put(self):
        self.add_header("X-Two", "1")
        self.add_header("X-Two", "2")
        self.set_header("X-Int", 3)
        self.write({"got": self.json, "text": "</script>ü"})

    def patch(self):
        self.set_header("Content-Type", "application/vnd.own+json")
        self.write({"a": 1})

    def delete(self):
        self.set_status(204, "Gone now")

    def options(self):
        self.set_header("Allow", "PUT")
        self.finish()


class Shout(web.OutputTransform):
    def __init__(self, request):
        self.shout = "shout" in request.arguments

    def transform_first_chunk(self, status_code, headers, chunk, finishing):
        if self.shout:
            headers["X-Shout"] = str(finishing)
            chunk = chunk.upper()
        return status_code, headers, chunk


class Partly(Base):
    def get(self):
        self.set_cookie("c", "1")
        self.write("a")
        self.flush()
        self.write("b")
        self.flush()
        self.set_header("X-Late", "1")
        self.finish("c")


KINDS = [
    "reason",
    "log",
    "odd",
    "204",
    "finish",
    "missing",
    "header",
    "type",
    "none",
    "twice",
    "flushed",
    "zero",
]


def date(handler, days):
    return "%d days by %s" % (days, type(handler).__name__)


methods = types.ModuleType("methods")
methods.date = date
methods.Shouted = 1
methods._hidden = date


def log_function(handler):
    print("LOGGED", handler.get_status(), handler.request.method, handler.request.uri)


async def main():
    wire.show_records(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        application = web.Application(
            [
                U(r"/", Home, name="home"),
                U(r"/any/(.*)", Any),
                U(r"/login", Login),
                U(r"/echo", Echo),
                U(r"/files", Files),
                U(r"/entry/(?P<year>[0-9]+)(?:/(?P<slug>[^/]+))?", Named, {"database": "db"}),
                U(r"/entries/([0-9]+)/(.*)", Named, {"database": "db2"}, name="entry"),
                U(r"/raises/(.*)", Raises),
                U(r"/json", Json),
                U(r"/partly", Partly),
            ],
            blog_title="Tornado <Blog>",
            folder=folder,
            static_path=folder,
            ui_modules={"Entry": Entry},
            ui_methods=methods,
            cookie_secret={0: "zero", 1: "one"},
            key_version=1,
            login_url="/login",
            log_function=log_function,
            static_url_prefix="/files/static/",
        )
        application.add_transform(Shout)
        [socket] = bind_sockets(0, "127.0.0.1")
        port = socket.getsockname()[1]
        server = HTTPServer(application)
        server.add_socket(socket)
        signed = (
            "Cookie: blogdemo_user="
            + web.create_signed_value({1: "one"}, "blogdemo_user", "ann", key_version=1).decode()
        )
        form = (
            b'--B\r\nContent-Disposition: form-data; name=f; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\nabc\r\n--B\r\n"
            b'Content-Disposition: form-data; name="t"\r\n\r\n v \r\n--B--\r\n'
        )
        for target, *fields in (
            ("/",),
            ("/", signed),
            ("/any/functions",),
            ("/any/loops",),
            ("/any/nested/child",),
            ("/any/super2",),
            ("/any/none",),
            ("/login?next=/echo",),
            ("/echo", signed),
            ("/echo", signed.replace("1:1|", "1:0|")),
            ("/entry/2013",),
            ("/entry/2013/slug%20",),
            ("/entries/2013/x",),
            *((f"/raises/{kind}",) for kind in KINDS),
            ("/partly",),
            ("/partly?shout=1",),
            ("/json?shout",),
        ):
            await wire.show(port, f"{target} {len(fields)}", wire.request(target, *fields))
        for method, target, body, *fields in (
            ("POST", "/files", form, "Content-Type: multipart/form-data; boundary=B"),
            (
                "POST",
                "/files",
                b"a=1&b=&a=%20x&c",
                "Content-Type: application/x-www-form-urlencoded",
            ),
            ("PUT", "/json", b'{"a": [1, null]}', "Content-Type: application/json"),
            ("PUT", "/json", b"{", "Content-Type: application/json"),
            ("PATCH", "/json", b""),
            ("DELETE", "/json", b""),
            ("OPTIONS", "/json", b""),
            ("GET", "/json", b""),
            ("HEAD", "/", b""),
            ("BREW", "/", b""),
        ):
            sent = wire.request(target, *fields, method=method, body=body)
            await wire.show(port, f"{method} {target}", sent)
        server.stop()
        await server.close_all_connections()


asyncio.run(main())
