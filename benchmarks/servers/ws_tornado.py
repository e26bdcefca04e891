"""WebSockets with Tornado, or through the drop-in with Zonda.

Usage: ws_tornado.py PORT

`/echo` sends back what it gets. `/room` keeps its connections and takes orders: "memory" answers
the process's resident bytes, "broadcast" sends 100 bytes to all and answers the CPU seconds that
took until the last byte was with the kernel.
"""

import asyncio
import gc
import os
import sys
import time

import tornado.web
import tornado.websocket

room: set[tornado.websocket.WebSocketHandler] = set()


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, isinstance(message, bytes))


class Room(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        room.add(self)

    def on_close(self) -> None:
        room.discard(self)

    async def on_message(self, message: str | bytes) -> None:
        if message == "memory":
            gc.collect()
            await self.write_message(str(resident()))
            return
        before = time.process_time()
        text = "x" * 100
        if hasattr(tornado.web, "broadcast"):
            tornado.web.broadcast(room, text)
        else:
            await asyncio.gather(*[handler.write_message(text) for handler in room])
        await self.write_message(f"{time.process_time() - before:.6f}")


async def main() -> None:
    application = tornado.web.Application([("/echo", Echo), ("/room", Room)])
    application.listen(int(sys.argv[1]), "127.0.0.1", backlog=1000)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if os.environ.get("ZONDA_LOOP") == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
