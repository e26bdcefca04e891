"""Starlette on uvicorn with httptools and uvloop.

Usage: starlette_app.py PORT
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from winds import JINJA_TEMPLATES, TITLE, USER, WINDS

STATIC = Path(__file__).parents[1] / ".cache" / "static"
TEMPLATES = Jinja2Templates(JINJA_TEMPLATES)


async def hello(request: Request) -> Response:
    return PlainTextResponse("Hello, world")


async def suspend(request: Request) -> Response:
    await asyncio.sleep(0)
    return PlainTextResponse("Hello, world")


async def json(request: Request) -> Response:
    return JSONResponse({"message": "Hello, world", "n": [1, 2, 3]})


async def post(request: Request) -> Response:
    user, name = request.path_params["user"], request.path_params["post"]
    query = request.query_params
    return PlainTextResponse(f"user={user} post={name} q={query['q']} page={query['page']}")


async def orders(request: Request) -> Response:
    items = (await request.json())["items"]
    return JSONResponse({"count": len(items), "total": sum(item["price"] for item in items)})


async def page(request: Request) -> Response:
    names = {"title": TITLE, "winds": WINDS, "user": USER}
    return TEMPLATES.TemplateResponse(request, "winds.html", names)


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/json", json),
        Route("/users/{user:int}/posts/{post}", post),
        Route("/orders", orders, methods=["POST"]),
        Route("/page", page),
        Route("/async", hello),
        Route("/suspend", suspend),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
