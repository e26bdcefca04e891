"""A bare ASGI application, no framework, on uvicorn with httptools and uvloop.

Usage: asgi_bare.py PORT
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"
STATIC = Path(__file__).parents[1] / ".cache" / "static"
POST = re.compile(r"/users/([0-9]+)/posts/([a-z-]+)")


async def respond(send: Send, body: bytes, content_type: bytes = TEXT, status: int = 200) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", content_type), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Receive) -> bytes:
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def app(scope: Message, receive: Receive, send: Send) -> None:
    path = scope["path"]
    if path in ("/", "/async"):
        await respond(send, b"Hello, world")
    elif path == "/suspend":
        await asyncio.sleep(0)
        await respond(send, b"Hello, world")
    elif path == "/json":
        body = json.dumps({"message": "Hello, world", "n": [1, 2, 3]})
        await respond(send, body.encode(), JSON)
    elif path.startswith("/static/"):
        # The floor: no checks, no validators, nothing but the bytes.
        await respond(send, (STATIC / path[8:]).read_bytes())
    elif path == "/orders":
        items = json.loads(await read(receive))["items"]
        answer = {"count": len(items), "total": sum(item["price"] for item in items)}
        await respond(send, json.dumps(answer).encode(), JSON)
    elif match := POST.fullmatch(path):
        user, post = match.groups()
        query = parse_qs(scope["query_string"].decode())
        text = f"user={user} post={post} q={query['q'][-1]} page={query['page'][-1]}"
        await respond(send, text.encode())
    else:
        await respond(send, b"not found", status=404)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
