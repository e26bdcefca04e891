"""FastAPI and Tornado handlers on one port: the old service moves over route by route.

Needs `pip install fastapi`.
"""

from fastapi import FastAPI

from zonda import ioloop, web
from zonda.httpserver.asgi import ASGIContainer

api = FastAPI()


@api.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    return {"number": number}


class HelloHandler(web.RequestHandler):
    def get(self) -> None:
        self.write("Hello from a handler")


def make_app() -> web.Application:
    return web.Application(
        [
            (r"/", HelloHandler),
            (r"/api/.*", ASGIContainer(api, root_path="/api")),
        ]
    )


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
