"""A TCP server without HTTP: whatever line comes in goes out again.

Try it with `nc localhost 8888`.
"""

import asyncio

from zonda.iostream import IOStream, StreamClosedError
from zonda.iostream.tcpserver import TCPServer


class EchoServer(TCPServer):
    async def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
        try:
            while True:
                line = await stream.read_until(b"\n", max_bytes=64 * 1024)
                await stream.write(line)
        except StreamClosedError:
            pass


async def main() -> None:
    server = EchoServer()
    server.listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
