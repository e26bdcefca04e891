"""Pages: templates, UI modules, translations, static files, signed cookies, sessions and forms."""

import asyncio
import os
import re
import tempfile
import urllib.parse

import wire

from tornado import escape, locale, template, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

FILES = {
    "base.html": """<!doctype html><html><head><title>{% block title %}Base{% end %}</title></head>
<body>{% block body %}{% end %}{% include "footer.html" %}</body></html>""",
    "footer.html": "<p>{{ _('Footer') }} {{ locale.name }}</p>",
    "index.html": """{% extends "base.html" %}
{% block title %}{{ title }}{% end %}
{% block body %}
{% comment nothing %}{# nor this #}
{% set total = 0 %}{% for index, item in enumerate(items) %}
{% module Row(item, index=index) %}{% set total += len(item) %}
{% end %}
{% if total > 5 %}many{% elif total %}few{% else %}none{% end %}
{% while total > 8 %}{% set total -= 1 %}{% if total == 9 %}{% break %}{% end %}{% end %}{{ total }}
{% try %}{{ 1 / 0 }}{% except ZeroDivisionError %}caught{% else %}not{% finally %}!{% end %}
{% apply upper %}applied {{ "<x>" }}{% end %}{% raw "<b>" %}{{ "<b>" }}{{! raw }}
{% import math %}{% from datetime import date %}{{ math.floor(2.5) }} {{ date(2013, 1, 27) }} {{ squeeze(" a  b ") }} {{ escape("<") }}
{{ json_encode({"a": 1}) }} {{ url_escape("a b") }} {{ static_url("site.css") }} {{ handler.path_args }}
{{ request.method }} {{ current_user }} {{ xsrf_form_html()[:26] }} {{ reverse_url("index") }}
{% end %}""",
    "bad.html": "{% if x %}never closed",
    "raises.html": "line one\n{{ 1 / 0 }}",
    "row.html": "<li>{{ index }}: {{ item }}</li>",
}


class Row(web.UIModule):
    def render(self, item, index=0):
        return self.render_string("row.html", item=item, index=index)

    def embedded_css(self):
        return ".row { color: red }"

    def css_files(self):
        return "site.css"

    def embedded_javascript(self):
        return "rows();"

    def javascript_files(self):
        return ["a.js", "http://cdn.example/b.js"]


class Base(web.RequestHandler):
    def get_current_user(self):
        value = self.get_signed_cookie("user")
        return value and escape.json_decode(value)

    def get_user_locale(self):
        code = self.get_argument("lang", None)
        return locale.get(code) if code else None

    def write_error(self, status_code, **kwargs):
        self.set_header("Content-Type", "text/plain")
        self.finish(
            f"{status_code} {self._reason} {type(kwargs.get('exc_info', [0, None])[1]).__name__}"
        )


class Index(Base):
    def get(self):
        self.render("index.html", title="T & T", items=["one", "<two>", "three"], upper=bytes.upper)


class Login(Base):
    def get(self):
        self.write(self.xsrf_form_html() + self.get_argument("next", "/"))

    def post(self):
        name = self.get_body_argument("name")
        self.set_signed_cookie("user", escape.json_encode(name), expires_days=None, httponly=True)
        self.redirect(self.get_argument("next", "/"))


class Logout(Base):
    def post(self):
        self.clear_cookie("user")
        self.clear_all_cookies()
        self.redirect("/", status=303)


class Private(Base):
    @web.authenticated
    def get(self):
        self.write(
            {
                "user": self.current_user,
                "lang": self.locale.code,
                "text": self.locale.translate("one", "many", 2),
                "date": str(self.locale.format_day(__import__("datetime").datetime(2013, 1, 27))),
            }
        )


class Bad(Base):
    def get(self, name):
        self.render(name + ".html", x=1)


class Cookies(Base):
    def get(self):
        self.set_cookie(
            "a",
            "1",
            expires_days=None,
            path="/p",
            domain="x.example",
            secure=True,
            httponly=True,
            samesite="Lax",
        )
        self.set_cookie("b", "two words; ü")
        self.set_cookie("a", "again")
        self.set_cookie("c", "1", max_age=5, HttpOnly=True)
        self.set_cookie("e", "1", expires=1359312200)
        self.clear_cookie("d", domain="y.example")
        self.write(
            repr((self.get_cookie("x"), self.get_cookie("none", "default"), sorted(self.cookies)))
        )


async def main():
    wire.show_records()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        os.makedirs(os.path.join(folder, "static"))
        with open(os.path.join(folder, "static", "site.css"), "w") as file:
            file.write("body {}")
        with open(os.path.join(folder, "de.csv"), "w") as file:
            file.write(
                '"Footer","Fuß"\n"one","eins","singular"\n"many","viele %(count)d","plural"\n'
            )
        locale.load_translations(folder)
        print(sorted(locale.get_supported_locales()))
        app = web.Application(
            [
                web.url("/", Index, name="index"),
                ("/login", Login),
                ("/logout", Logout),
                ("/private", Private),
                (r"/bad/(\w+)", Bad),
                ("/cookies", Cookies),
            ],
            template_path=folder,
            static_path=os.path.join(folder, "static"),
            ui_modules={"Row": Row},
            cookie_secret="a secret of some length",
            login_url="/login",
            xsrf_cookies=True,
            autoescape="xhtml_escape",
        )
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(app)
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        client = AsyncHTTPClient()
        response = await client.fetch(base + "/?lang=de")
        print(re.sub(r'value="[^"]*"', "VALUE", response.body.decode()))
        response = await client.fetch(base + "/", headers={"Accept-Language": "de-AT;q=0.8, fr"})
        print(response.body.decode()[-60:])
        for row in (
            wire.request("/bad/bad"),
            wire.request("/bad/raises"),
            wire.request("/bad/none"),
            wire.request("/cookies", "Cookie: x=y; z=1"),
            wire.request("/private?a=b"),
            wire.request("/login", method="POST", body=b""),
            wire.request("/login", "Cookie: _xsrf=zz", method="POST", body=b"_xsrf=aa"),
            wire.request(
                "/login",
                "Content-Type: application/x-www-form-urlencoded",
                "Cookie: _xsrf=abcd",
                method="POST",
                body=b"_xsrf=abcd&name=me&next=/private",
            ),
            wire.request(
                "/login", "X-XSRFToken: abcd", "Cookie: _xsrf=abcd", method="POST", body=b""
            ),
            wire.request("/static/site.css"),
            wire.request("/static/site.css?v=abc"),
            wire.request("/static/site.css", "Range: bytes=2-3"),
            wire.request("/static/none.css"),
            wire.request("/static/../base.html"),
            wire.request("/static/"),
            wire.request("/favicon.ico"),
            wire.request("/static/site.css", method="HEAD"),
            wire.request("/static/site.css", "If-None-Match: *"),
        ):
            await wire.show(port, row[:40], re.sub(rb"nothing", b"", row))
        jar = {}

        async def browse(method, path, **fields):
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())}
            body = None
            if method == "POST":
                body = urllib.parse.urlencode({"_xsrf": jar.get("_xsrf", ""), **fields})
            response = await client.fetch(
                base + path,
                method=method,
                body=body,
                headers=headers,
                follow_redirects=False,
                raise_error=False,
            )
            for line in response.headers.get_list("Set-Cookie"):
                name, _, value = line.partition(";")[0].partition("=")
                jar[name] = value
            print(
                method,
                path,
                response.code,
                response.headers.get("Location"),
                sorted(k for k, v in jar.items() if v.strip('"')),
            )
            return response

        await browse("GET", "/private")
        await browse("GET", "/login")
        await browse("POST", "/login", name="Ann", next="/private?lang=de")
        print((await browse("GET", "/private?lang=de")).body)
        await browse("POST", "/logout")
        await browse("GET", "/private")
        server.stop()


def templates():
    for text in (
        "{{ x }",
        "{% end %}",
        "{% for x in y %}",
        "{% nosuch %}",
        "{% if %}x{% end %}",
        "{{}}",
        "{% block %}",
        "{% extends %}",
        "{% else %}",
        "{% break %}",
    ):
        try:
            template.Template(text).generate(x=1)
        except template.ParseError as error:
            print(text, "ParseError", error.lineno, error.filename)
        except SyntaxError:
            print(text, "ParseError 1 <string>")
    print(
        template.Template(
            "{{!x}} {%!raw%} {#!c#} {{ '<' }} {% raw '<' %}", autoescape=None
        ).generate()
    )
    print(
        template.Template("a\n\n  b\t c", whitespace="single").generate(),
        template.Template("a \n\n  b", whitespace="oneline").generate(),
    )
    print(
        template.Template("{% whitespace all %} a  \n b").generate(),
        template.Template("<a>  </a>", "x.html").generate(),
    )
    loader = template.DictLoader(
        {"a": "{% extends 'b' %}{% block x %}a{{ super }}{% end %}", "b": "{% block x %}b{% end %}"}
    )
    try:
        print(loader.load("a").generate(super=1))
    except Exception as error:
        print(type(error).__name__)
    print(template.filter_whitespace("single", " a \n b "), loader.resolve_path("x", "dir/y"))


templates()
asyncio.run(main())
