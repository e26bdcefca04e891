"""One ASGI application on one of two servers, both on uvloop.

Usage: asgi_on.py PORT (zonda|uvicorn) (asgi_bare|starlette_app|fastapi_app)
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

import uvicorn
import uvloop

from zonda.httpserver import HTTPServer
from zonda.httpserver.asgi import ASGIContainer


async def on_zonda(app: Any, port: int) -> None:
    server = HTTPServer(ASGIContainer(app))
    server.listen(port, "127.0.0.1")
    await asyncio.Event().wait()


def main(port: int, server: str, module: str) -> None:
    app = import_module(module).app
    if server == "zonda":
        uvloop.run(on_zonda(app, port))
    else:
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=port,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:4])
