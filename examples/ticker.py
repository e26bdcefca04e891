"""Server-sent events: a ticker that goes on where a client has left it.

curl -N http://localhost:8888/ticks
"""

import asyncio

from zonda import web


class TicksHandler(web.RequestHandler):
    async def get(self) -> None:
        async with self.sse(retry=1) as events:
            number = int(events.last_event_id or 0)
            while True:
                number += 1
                await events.send({"tick": number}, id=number)
                await asyncio.sleep(0.1)


async def main() -> None:
    web.Application([(r"/ticks", TicksHandler)]).listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
