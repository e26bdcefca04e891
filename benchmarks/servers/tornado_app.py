"""The program for Tornado. Zonda runs this same file through its drop-in.

Usage: tornado_app.py PORT [uvloop]
"""

import asyncio
import json
import sys
from pathlib import Path

import tornado.ioloop
import tornado.web
from winds import TEMPLATES, TITLE, USER, WINDS

STATIC = Path(__file__).parents[1] / ".cache" / "static"


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world")


class Json(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"message": "Hello, world", "n": [1, 2, 3]})


class Post(tornado.web.RequestHandler):
    def get(self, user: str, post: str) -> None:
        query = self.get_argument("q")
        page = self.get_argument("page")
        self.write(f"user={user} post={post} q={query} page={page}")


class Orders(tornado.web.RequestHandler):
    def post(self) -> None:
        items = json.loads(self.request.body)["items"]
        self.write({"count": len(items), "total": sum(item["price"] for item in items)})


class Page(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("winds.html", title=TITLE, winds=WINDS, user=USER)


class Async(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write("Hello, world")


class Suspend(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0)
        self.write("Hello, world")


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [
            (r"/", Hello),
            (r"/json", Json),
            (r"/users/([0-9]+)/posts/([a-z-]+)", Post),
            (r"/orders", Orders),
            (r"/page", Page),
            (r"/async", Async),
            (r"/suspend", Suspend),
            (r"/static/(.*)", tornado.web.StaticFileHandler, {"path": str(STATIC)}),
        ],
        template_path=str(TEMPLATES),
    )


if __name__ == "__main__":
    if sys.argv[2:] == ["uvloop"]:
        import uvloop

        asyncio.set_event_loop(uvloop.new_event_loop())
    make_app().listen(int(sys.argv[1]), "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()
