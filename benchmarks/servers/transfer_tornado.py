"""Large bodies, for Tornado. Zonda runs this same file through its drop-in.

Usage: transfer_tornado.py PORT
"""

import asyncio
import sys

import tornado.ioloop
import tornado.web

PIECE = b"x" * 65536


class Download(tornado.web.RequestHandler):
    """So many bytes, piece by piece."""

    async def get(self) -> None:
        left = int(self.get_query_argument("size"))
        self.set_header("Content-Length", str(left))
        while left:
            piece = PIECE[:left]
            self.write(piece)
            await self.flush()
            left -= len(piece)


@tornado.web.stream_request_body
class Upload(tornado.web.RequestHandler):
    """Counts what arrives."""

    def prepare(self) -> None:
        self.size = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))


async def main() -> None:
    """Serve for ever."""
    app = tornado.web.Application([(r"/down", Download), (r"/up", Upload)])
    app.listen(int(sys.argv[1]), "127.0.0.1", max_buffer_size=1 << 30)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
