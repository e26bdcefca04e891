"""An application with a database: lifespan, middleware, CORS, and handlers with typed arguments.

curl -X PUT 'http://localhost:8888/stock/tea?count=3'
curl -H 'Origin: https://shop.example' -i http://localhost:8888/stock/tea
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from zonda import web
from zonda.web.middleware import Proceed


class Stock:
    """How many there are of each thing."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("create table stock (name text primary key, count integer)")

    def count(self, name: str) -> int | None:
        row = self.connection.execute("select count from stock where name = ?", [name]).fetchone()
        return None if row is None else int(row[0])

    def set(self, name: str, count: int) -> None:
        self.connection.execute("replace into stock values (?, ?)", [name, count])


@asynccontextmanager
async def with_stock(application: web.Application) -> AsyncIterator[None]:
    stock = application.settings["stock"] = Stock()
    try:
        yield
    finally:
        stock.connection.close()


async def timing(handler: web.RequestHandler, proceed: Proceed) -> None:
    started = time.perf_counter()
    await proceed()
    handler.set_header("Server-Timing", f"app;dur={1000 * (time.perf_counter() - started):.2f}")


class StockHandler(web.RequestHandler):
    def initialize(self, unit: str) -> None:
        self.unit = unit
        self.stock: Stock = self.settings["stock"]

    def get(self, name: str) -> None:
        count = self.stock.count(name)
        if count is None:
            raise web.HTTPError(404)
        self.write({"name": name, "count": count, "unit": self.unit})

    def put(self, name: str) -> None:
        self.stock.set(name, int(self.get_query_argument("count")))
        self.set_status(204)


def make_app() -> web.Application:
    return web.Application(
        [(r"/stock/(\w+)", StockHandler, {"unit": "boxes"})],
        lifespan=with_stock,
        middleware=[timing],
        cors=web.CORS(origins=["https://shop.example"], expose=["Server-Timing"]),
    )


async def main() -> None:
    make_app().listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
