"""Long polling: an ``async def`` handler that waits until there is something to say.

curl 'http://localhost:8888/news?after=0'     # waits
curl -d 'text=It rains' http://localhost:8888/news
"""

from zonda import ioloop, web
from zonda.ioloop.locks import Condition


class Board:
    """The news, and who waits for more."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.changed = Condition()

    def publish(self, text: str) -> None:
        self.news.append(text)
        self.changed.notify_all()

    async def after(self, count: int) -> list[str]:
        while len(self.news) <= count:
            await self.changed.wait()
        return self.news[count:]


class NewsHandler(web.RequestHandler):
    def initialize(self, board: Board) -> None:
        self.board = board

    async def get(self) -> None:
        after = int(self.get_query_argument("after", "0"))
        self.write({"news": await self.board.after(after)})

    def post(self) -> None:
        self.board.publish(self.get_body_argument("text"))
        self.set_status(204)


def make_app() -> web.Application:
    return web.Application([(r"/news", NewsHandler, {"board": Board()})])


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
