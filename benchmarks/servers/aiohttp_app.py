"""aiohttp on uvloop.

Usage: aiohttp_app.py PORT
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from winds import JINJA_TEMPLATES, TITLE, USER, WINDS

STATIC = Path(__file__).parents[1] / ".cache" / "static"
TEMPLATES = Environment(loader=FileSystemLoader(JINJA_TEMPLATES), autoescape=True)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, world")


async def suspend(request: web.Request) -> web.Response:
    await asyncio.sleep(0)
    return web.Response(text="Hello, world")


async def json(request: web.Request) -> web.Response:
    return web.json_response({"message": "Hello, world", "n": [1, 2, 3]})


async def post(request: web.Request) -> web.Response:
    user, name = request.match_info["user"], request.match_info["post"]
    query = request.query
    return web.Response(text=f"user={user} post={name} q={query['q']} page={query['page']}")


async def orders(request: web.Request) -> web.Response:
    items = (await request.json())["items"]
    total = sum(item["price"] for item in items)
    return web.json_response({"count": len(items), "total": total})


async def page(request: web.Request) -> web.Response:
    template = TEMPLATES.get_template("winds.html")
    text = template.render(title=TITLE, winds=WINDS, user=USER)
    return web.Response(text=text, content_type="text/html")


def make_app() -> web.Application:
    app = web.Application()
    app.add_routes(
        [
            web.get("/", hello),
            web.get("/json", json),
            web.get(r"/users/{user:[0-9]+}/posts/{post:[a-z-]+}", post),
            web.post("/orders", orders),
            web.get("/page", page),
            web.get("/async", hello),
            web.get("/suspend", suspend),
            web.static("/static", STATIC),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(
        make_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )
