"""A chat: over a WebSocket where that works, by long polling where it does not.

Open http://localhost:8888/ in two windows; `/?poll` shows the fall-back.
"""

import asyncio
from pathlib import Path

from zonda.web import Application, RequestHandler, broadcast
from zonda.web.websocket import WebSocketHandler

Line = dict[str, object]
HERE = Path(__file__).parent
KEPT = 200


class Room:
    """What was said, who listens over a WebSocket, and who waits for the next line."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.count = 0
        self.listeners: set[WebSocketHandler] = set()
        self.something_new = asyncio.Event()

    def say(self, text: str) -> None:
        self.count += 1
        line: Line = {"id": self.count, "text": text}
        self.lines = [*self.lines[1 - KEPT :], line]
        broadcast(self.listeners, line)
        self.something_new.set()
        self.something_new = asyncio.Event()

    def since(self, last: int) -> list[Line]:
        return self.lines[max(0, len(self.lines) - (self.count - last)) :]


class Page(RequestHandler):
    def get(self) -> None:
        self.write((HERE / "chat.html").read_bytes())


class Socket(WebSocketHandler):
    def initialize(self, room: Room) -> None:
        self.room = room

    def get_compression_options(self) -> dict[str, int]:
        return {"compression_level": 1}

    def open(self, *args: str, **kwargs: str) -> None:
        for line in self.room.since(int(self.get_query_argument("last", "0"))):
            self.write_message(line)
        self.room.listeners.add(self)

    def on_message(self, message: str | bytes) -> None:
        self.room.say(str(message)[:1000])

    def on_close(self) -> None:
        self.room.listeners.discard(self)


class Poll(RequestHandler):
    def initialize(self, room: Room) -> None:
        self.room = room

    async def get(self) -> None:
        last = int(self.get_query_argument("last", "0"))
        if not self.room.since(last):
            try:
                await asyncio.wait_for(self.room.something_new.wait(), 25)
            except TimeoutError:
                pass  # an empty answer; the page asks again
        self.write({"lines": self.room.since(last)})

    def post(self) -> None:
        self.room.say(self.get_body_argument("text")[:1000])


async def main() -> None:
    room = {"room": Room()}
    application = Application(
        [("/", Page), ("/socket", Socket, room), ("/poll", Poll, room)],
        cross_origin_protection=True,
    )
    application.listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
