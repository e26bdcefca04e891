"""Clients of Tornado, or through the drop-in of Zonda, that say something and wait for the echo.

Usage: ws_client.py PORT CLIENTS SIZE SECONDS

Prints the messages exchanged and the CPU seconds they took.
"""

import asyncio
import os
import sys
import time

import tornado.websocket


async def converse(url: str, size: int, until: float) -> int:
    connection = await tornado.websocket.websocket_connect(url)
    message = "x" * size
    count = 0
    while time.monotonic() < until:
        await connection.write_message(message)
        assert await connection.read_message() == message
        count += 1
    connection.close()
    return count


async def main() -> None:
    port, clients, size, seconds = sys.argv[1:]
    url = f"ws://127.0.0.1:{port}/echo"
    await converse(url, int(size), time.monotonic() + 0.2)
    used, until = time.process_time(), time.monotonic() + float(seconds)
    counts = await asyncio.gather(*[converse(url, int(size), until) for _ in range(int(clients))])
    print(sum(counts), time.process_time() - used)


if __name__ == "__main__":
    if os.environ.get("ZONDA_LOOP") == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
