"""Logging in: signed cookies, XSRF tokens, pages for users only, a template with a UI module.

Open http://localhost:8888/ in a browser; the password is "tea".
"""

from zonda import ioloop, web
from zonda.web.template import DictLoader

PAGES = {
    "base.html": """<!DOCTYPE html>
<html><head><title>{% block title %}Accounts{% end %}</title></head>
<body>{% block body %}{% end %}</body></html>""",
    "home.html": """{% extends "base.html" %}
{% block body %}{% module Greeting(current_user) %}
<form action="/logout" method="post">{% raw xsrf_form_html() %}<button>Log out</button></form>
{% end %}""",
    "login.html": """{% extends "base.html" %}
{% block body %}<form method="post">{% raw xsrf_form_html() %}
<input name="name" placeholder="name"> <input name="password" type="password">
<button>Log in</button></form>{% end %}""",
}


class Greeting(web.UIModule):
    def render(self, name: str) -> bytes:
        return self.handler.render_string("greeting.html", name=name)

    def embedded_css(self) -> str:
        return "h1 { font-weight: normal }"


PAGES["greeting.html"] = "<h1>Good day, {{ name }}</h1>"


class BaseHandler(web.RequestHandler):
    def get_current_user(self) -> str | None:
        name = self.get_signed_cookie("name")
        return None if name is None else name.decode()


class HomeHandler(BaseHandler):
    @web.authenticated
    def get(self) -> None:
        self.render("home.html")


class LoginHandler(BaseHandler):
    def get(self) -> None:
        self.render("login.html")

    def post(self) -> None:
        if self.get_body_argument("password") != "tea":
            raise web.HTTPError(403, reason="Wrong password")
        self.set_signed_cookie("name", self.get_body_argument("name"), httponly=True)
        self.redirect("/")


class LogoutHandler(BaseHandler):
    @web.authenticated
    def post(self) -> None:
        self.clear_cookie("name")
        self.redirect("/login")


def make_app() -> web.Application:
    return web.Application(
        [(r"/", HomeHandler), (r"/login", LoginHandler), (r"/logout", LogoutHandler)],
        cookie_secret="not for production: take a random one, and keep it",
        login_url="/login",
        template_loader=DictLoader(PAGES),
        ui_modules={"Greeting": Greeting},
        xsrf_cookies=True,
    )


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
