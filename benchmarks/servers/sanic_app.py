"""Sanic with its own server, on uvloop, in one process.

Usage: sanic_app.py PORT
"""

import asyncio
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from sanic import Request, Sanic
from sanic.response import HTTPResponse, html, json, text
from winds import JINJA_TEMPLATES, TITLE, USER, WINDS

TEMPLATES = Environment(loader=FileSystemLoader(JINJA_TEMPLATES), autoescape=True)

app = Sanic("benchmark")
app.static("/static", Path(__file__).parents[1] / ".cache" / "static")


@app.get("/")
async def hello(request: Request) -> HTTPResponse:
    return text("Hello, world")


@app.get("/async")
async def hello_async(request: Request) -> HTTPResponse:
    return text("Hello, world")


@app.get("/suspend")
async def suspend(request: Request) -> HTTPResponse:
    await asyncio.sleep(0)
    return text("Hello, world")


@app.get("/json")
async def hello_json(request: Request) -> HTTPResponse:
    return json({"message": "Hello, world", "n": [1, 2, 3]})


@app.get("/users/<user:int>/posts/<post:str>")
async def users_post(request: Request, user: int, post: str) -> HTTPResponse:
    query = request.args
    return text(f"user={user} post={post} q={query.get('q')} page={query.get('page')}")


@app.post("/orders")
async def orders(request: Request) -> HTTPResponse:
    items = request.json["items"]
    return json({"count": len(items), "total": sum(item["price"] for item in items)})


@app.get("/page")
async def page(request: Request) -> HTTPResponse:
    template = TEMPLATES.get_template("winds.html")
    return html(template.render(title=TITLE, winds=WINDS, user=USER))


if __name__ == "__main__":
    app.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        single_process=True,
        access_log=False,
        motd=False,
    )
