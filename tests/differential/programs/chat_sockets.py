"""A chat over WebSockets: callbacks, selected protocols, close codes, pings, errors."""

import asyncio

import wire

from tornado import httpclient, web, websocket
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

seen = []


class Chat(websocket.WebSocketHandler):
    rooms = set()

    def initialize(self, **kwargs):
        seen.append("initialize")

    def prepare(self):
        seen.append("prepare")

    def select_subprotocol(self, subprotocols):
        seen.append(f"select {subprotocols}")
        return subprotocols[-1] if subprotocols else None

    def open(self, *args, **kwargs):
        seen.append(f"open {args} {kwargs} {self.selected_subprotocol}")
        self.rooms.add(self)

    async def on_message(self, message):
        seen.append(f"message {message[:20]!r}")
        if message == "close":
            self.close(4001, "asked to")
        elif message == "fail":
            raise ValueError("in on_message")
        elif message == "dict":
            await self.write_message({"a": 1})
        elif message == "wrong":
            try:
                await self.write_message(5)
            except TypeError as error:
                await self.write_message(type(error).__name__)
        elif message == "ping":
            self.ping(b"data")
        elif message == "status":
            try:
                self.set_status(200)
                self.write("x")
            except RuntimeError as error:
                await self.write_message(type(error).__name__)
        elif message == "big":
            await self.write_message(b"\x00" * 70000, binary=True)
        else:
            for other in list(self.rooms):
                await other.write_message(message, binary=isinstance(message, bytes))

    def on_ping(self, data):
        seen.append(f"on_ping {data!r}")

    def on_pong(self, data):
        seen.append(f"on_pong {data!r}")

    def on_close(self):
        seen.append(f"on_close {self.close_code} {bool(self.close_reason)}")
        self.rooms.discard(self)

    def on_finish(self):
        seen.append("on_finish")

    def on_ws_connection_close(self, close_code=None, close_reason=None):
        seen.append(f"on_ws_connection_close {close_code} {bool(close_reason)}")
        super().on_ws_connection_close(close_code, close_reason)


class Refuses(websocket.WebSocketHandler):
    def check_origin(self, origin):
        seen.append(f"check_origin {origin}")
        return False


class Denies(websocket.WebSocketHandler):
    def prepare(self):
        raise web.HTTPError(401, reason="Who Are You")


class FailsOpen(websocket.WebSocketHandler):
    async def open(self):
        raise KeyError("open")

    def on_close(self):
        seen.append(f"on_close {self.close_code} {self.close_reason}")


class AsyncOpen(websocket.WebSocketHandler):
    async def open(self):
        await asyncio.sleep(0.01)
        await self.write_message("opened")

    def on_message(self, message):
        seen.append("message after open")


class Compresses(Chat):
    def get_compression_options(self):
        return {"compression_level": 1, "mem_level": 5}


async def drain():
    await asyncio.sleep(0.02)
    print("   ", seen)
    seen.clear()


async def failing(*args, **kwargs):
    try:
        await websocket.websocket_connect(*args, **kwargs)
    except Exception as error:
        code = getattr(error, "code", None)
        print(code, isinstance(error, OSError))


async def main():
    wire.show_records()
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(
        web.Application(
            [
                (r"/chat/(\w+)", Chat, {"x": 1}),
                (r"/refuses", Refuses),
                (r"/denies", Denies),
                (r"/fails", FailsOpen),
                (r"/async", AsyncOpen),
                (r"/compresses", Compresses),
            ],
            websocket_max_message_size=100000,
        )
    )
    server.add_sockets(sockets)
    base = "127.0.0.1:%d" % sockets[0].getsockname()[1]
    url = f"ws://{base}/chat/room"
    print("# chat")
    first = await websocket.websocket_connect(url, subprotocols=["a", "b"])
    second = await websocket.websocket_connect(httpclient.HTTPRequest(url), ping_interval=1)
    print(first.selected_subprotocol, second.selected_subprotocol)
    print(first.headers["Upgrade"], first.headers.get("Sec-WebSocket-Protocol"))
    await first.write_message("hello")
    print(await first.read_message(), await second.read_message())
    await second.write_message(b"bytes", binary=True)
    print(await first.read_message(), await second.read_message())
    await drain()
    print("# messages")
    for message in ("dict", "wrong", "status", "ping", "big"):
        await first.write_message(message)
        if message != "ping":
            answer = await first.read_message()
            print(message, answer if len(answer) < 100 else len(answer))
    first.ping(b"from client")
    await drain()
    print("# close")
    await first.write_message("close")
    print(await first.read_message(), first.close_code, first.close_reason)
    await drain()
    try:
        await first.write_message("late")
    except websocket.WebSocketClosedError as error:
        print(type(error).__mro__[1].__name__, isinstance(error, websocket.WebSocketError))
    second.close(1001, "leaving")
    print(await second.read_message(), second.close_code, second.close_reason)
    await drain()
    third = await websocket.websocket_connect(url)
    await third.write_message("fail")
    print(await third.read_message(), third.close_code)
    await drain()
    print("# callbacks")
    messages = []
    fourth = await websocket.websocket_connect(url, on_message_callback=messages.append)
    await fourth.write_message("one")
    await asyncio.sleep(0.02)
    fourth.close()
    await drain()
    print(messages)
    fifth = await websocket.websocket_connect(url, max_message_size=10)
    await fifth.write_message("x" * 11)
    print(await fifth.read_message(), fifth.close_code)
    await drain()
    print("# compression")
    for path in ("/compresses", "/chat/r"):
        zipped = await websocket.websocket_connect(
            f"ws://{base}{path}", compression_options={"compression_level": 3}
        )
        print(zipped.headers.get("Sec-WebSocket-Extensions"))
        await zipped.write_message("z" * 1000)
        print(len(await zipped.read_message()))
        zipped.close()
        await drain()
    print("# refused")
    await failing(
        httpclient.HTTPRequest(f"ws://{base}/refuses", headers={"Origin": "http://x.example"})
    )
    await failing(f"ws://{base}/denies")
    await failing(f"ws://{base}/none")
    await failing("ws://127.0.0.1:1/")
    await failing(url, connect_timeout=0.0000001)
    await drain()
    print("# fails")
    fails = await websocket.websocket_connect(f"ws://{base}/fails")
    print(await fails.read_message(), fails.close_code)
    await drain()
    opens = await websocket.websocket_connect(f"ws://{base}/async")
    await opens.write_message("early")
    print(await opens.read_message())
    opens.close()
    await drain()
    print("# plain http")
    port = sockets[0].getsockname()[1]
    await wire.show(port, "GET", wire.request("/chat/r"))
    await wire.show(port, "POST", wire.request("/chat/r", method="POST", body=b""))
    upgrade = b"GET /chat/r HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    for title, fields in (
        (
            "version 12",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 12\r\n",
        ),
        ("no key", b"Sec-WebSocket-Version: 13\r\n"),
        (
            "good",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: one, two\r\n",
        ),
        (
            "origin",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Origin: http://b.example\r\n",
        ),
    ):
        if title == "good":
            fields += b"\r\n\x88\x82\0\0\0\0\x03\xe8"  # and a close frame
        else:
            fields += b"Connection: close\r\n\r\n"
        await wire.show(port, title, upgrade + fields)
        await drain()
    server.stop()


asyncio.run(main())
