"""A WebSocket echo with Sanic.

Usage: ws_sanic.py PORT
"""

import sys

from sanic import Request, Sanic, Websocket

app = Sanic("echo")


@app.websocket("/echo")
async def echo(request: Request, socket: Websocket) -> None:
    async for message in socket:
        await socket.send(message)


if __name__ == "__main__":
    app.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        single_process=True,
        access_log=False,
        motd=False,
    )
