"""WebSocket programs of Tornado's earlier days: callbacks, closed connections, refusals, errors."""

import asyncio

import wire

from tornado import gen, ioloop, web, websocket
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets

seen = []


class Edge(websocket.WebSocketHandler):
    def open(self):
        seen.append(f"open {self.ws_connection is None} {self.close_code} {self.close_reason}")

    def on_message(self, message):
        if message == "close and write":
            self.close()
            seen.append(f"closed here {self.ws_connection is None}")
            try:
                self.write_message("late")
            except websocket.WebSocketClosedError as error:
                seen.append(f"raised {type(error).__name__} {error.args}")
            try:
                self.ping(b"late")
            except websocket.WebSocketClosedError:
                seen.append("ping raised")
            self.close(1001, "again")
        elif message == "not awaited":
            for number in range(3):
                self.write_message(str(number))
        elif message == "bytes as text":
            self.write_message(b"caf\xc3\xa9")
        elif message == "text as bytes":
            self.write_message("caf\xe9", binary=True)
        elif message == "not utf-8":
            self.write_message(b"\xff")
        elif message == "returns":
            return self.write_message("returned")
        elif message == "reason only":
            self.close(reason="because")
        elif message == "code only":
            self.close(3999)
        elif message == "stream closed":
            raise StreamClosedError()
        elif message == "web error":
            raise web.HTTPError(403)
        elif message == "finish":
            raise web.Finish()
        elif message == "closed error":
            raise websocket.WebSocketClosedError()
        elif message == "nodelay":
            self.set_nodelay(True)
            self.write_message(str(self.ws_connection.stream is not None))
        elif message == "state":
            self.write_message(
                f"{self.get_status()} {self.request.method} {self.request.path}"
                f" {self.get_argument('a', 'none')} {self.ping_interval} {self.ping_timeout}"
                f" {self.max_message_size} {self.selected_subprotocol}"
                f" {self.ws_connection.is_closing()} {type(self.ws_connection).__name__}"
            )
        return None

    def on_close(self):
        seen.append(f"on_close {self.close_code} {self.close_reason} {self.ws_connection is None}")
        try:
            self.write_message("after the end")
        except websocket.WebSocketClosedError:
            seen.append("write raised")


class Yields(websocket.WebSocketHandler):
    @gen.coroutine
    def open(self):
        yield gen.sleep(0.001)
        yield self.write_message("opened")

    @gen.coroutine
    def on_message(self, message):
        yield gen.moment
        yield self.write_message(message)


class SyncOpenFails(Edge):
    def open(self):
        raise RuntimeError("in open")


class CloseFails(Edge):
    def on_close(self):
        raise RuntimeError("in on_close")


class ClosesInOpen(Edge):
    def open(self):
        self.close(4000, "full")


class Prepared(Edge):
    def prepare(self):
        way = self.get_argument("way")
        if way == "redirect":
            self.redirect("/elsewhere")
        elif way == "finish":
            self.set_status(401)
            self.finish("log in")
        elif way == "error":
            raise web.HTTPError(503, "busy")
        elif way == "fault":
            raise ZeroDivisionError("in prepare")
        elif way == "cookie":
            self.set_cookie("seen", "1")
            self.set_header("X-Prepared", "yes")


class Page(Edge):
    async def get(self, *args, **kwargs):
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)
        else:
            self.write("a page")


class Version8(Edge):
    def get_websocket_protocol(self):
        version = self.request.headers.get("Sec-WebSocket-Version")
        seen.append(f"get_websocket_protocol {version}")
        return super().get_websocket_protocol()


class Origins(Edge):
    def check_origin(self, origin):
        seen.append(f"check_origin {origin}")
        return origin.endswith(".example")


class Chooses(Edge):
    def select_subprotocol(self, subprotocols):
        seen.append(f"select_subprotocol {subprotocols}")
        return "never offered" if "bad" in subprotocols else None

    def open(self):
        seen.append(f"subprotocol {self.selected_subprotocol}")


class NoHandler(websocket.WebSocketHandler):
    pass


async def settle():
    await asyncio.sleep(0.03)
    print("   ", seen)
    seen.clear()


async def says(url, message, answers=0):
    connection = await websocket.websocket_connect(url)
    await connection.write_message(message)
    got = [await connection.read_message() for _ in range(answers)]
    if not got or got[-1] is not None:
        connection.close()
        got.append(await connection.read_message())
    print(message, got, connection.close_code, connection.close_reason)
    await settle()


async def main():
    wire.show_records()
    sockets = bind_sockets(0, "127.0.0.1")
    routes = [
        ("/edge", Edge),
        ("/yields", Yields),
        ("/open", SyncOpenFails),
        ("/close", CloseFails),
        ("/full", ClosesInOpen),
        ("/prepared", Prepared),
        ("/page", Page),
        ("/version", Version8),
        ("/origins", Origins),
        ("/chooses", Chooses),
        ("/none", NoHandler),
    ]
    server = HTTPServer(web.Application(routes, websocket_ping_interval=30))
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    base = f"ws://127.0.0.1:{port}"
    print("# one message each")
    await says(base + "/edge", "close and write", 1)
    await says(base + "/edge", "not awaited", 3)
    await says(base + "/edge", "bytes as text", 1)
    await says(base + "/edge", "text as bytes", 1)
    await says(base + "/edge", "returns", 1)
    await says(base + "/edge", "reason only", 1)
    await says(base + "/edge", "code only", 1)
    await says(base + "/edge", "nodelay", 1)
    await says(base + "/edge?a=b", "state", 1)
    for message in ("not utf-8", "stream closed", "web error", "finish", "closed error"):
        await says(base + "/edge", message, 1)
    await says(base + "/none", "x", 1)
    await says(base + "/yields", "y", 2)
    await says(base + "/close", "x")
    print("# open")
    for path in ("/open", "/full"):
        connection = await websocket.websocket_connect(base + path)
        print(await connection.read_message(), connection.close_code, connection.close_reason)
        await settle()
    print("# callbacks")
    futures = []
    websocket.websocket_connect(base + "/edge", callback=futures.append)
    websocket.websocket_connect(base + "/nothing", callback=futures.append)
    await asyncio.sleep(0.03)
    for future in sorted(futures, key=lambda future: future.exception() is not None):
        error = future.exception()
        print(type(error).__name__, getattr(error, "code", None))
    connection = futures[0].result() if not futures[0].exception() else futures[1].result()
    answers = []
    connection.read_message(callback=lambda future: answers.append(future.result()))
    connection.write_message("not awaited")
    await asyncio.sleep(0.03)
    print(answers, await connection.read_message(), await connection.read_message())
    connection.close(1000, "bye")
    await settle()
    connection.close()
    for call in (connection.write_message, connection.ping):
        try:
            await gen.maybe_future(call(b""))
        except Exception as error:
            print(type(error).__name__, isinstance(error, websocket.WebSocketError))
    print(await connection.read_message())
    got = []
    connection = await websocket.websocket_connect(base + "/edge", on_message_callback=got.append)
    ioloop.IOLoop.current().add_callback(connection.write_message, "code only")
    await settle()
    print(got, connection.close_code)
    print("# before the handshake")
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }

    async def shake(title, path, tail=b"", **changes):
        changed = {**fields, **{k.replace("_", "-"): v for k, v in changes.items()}}
        head = f"GET {path} HTTP/1.1\r\nHost: a.example\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in changed.items() if value is not None
        )
        print("##", title)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + b"\r\n" + tail)
        answer = b""
        try:
            while data := await asyncio.wait_for(reader.read(65536), 0.3):
                answer += data
            answer += b"<closed>"
        except asyncio.TimeoutError:
            answer += b"<still open>"
        writer.close()
        for pattern, replacement in wire._VARYING:
            answer = pattern.sub(replacement, answer)
        print(answer.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
        await settle()

    bye = b"\x88\x82\0\0\0\0\x03\xe8"
    for way in ("redirect", "finish", "error", "fault"):
        await shake(way, f"/prepared?way={way}")
    await shake("cookie", "/prepared?way=cookie", bye)
    await shake("a page", "/page", Upgrade=None, Connection="close")
    await shake("page opened", "/page", bye)
    await shake("no upgrade", "/edge", Upgrade=None, Connection="close")
    await shake("other upgrade", "/edge", Upgrade="h2c")
    await shake("connection", "/edge", Connection="keep-alive")
    await shake("version 8", "/version", Sec_WebSocket_Version="8")
    await shake("no version", "/version", Sec_WebSocket_Version=None)
    await shake("version 13", "/version", bye)
    await shake("no key", "/edge", Sec_WebSocket_Key=None)
    await shake("origin allowed", "/origins", bye, Origin="http://x.example")
    await shake("origin refused", "/origins", Origin="http://x.invalid")
    await shake("own origin", "/edge", bye, Origin="http://a.example")
    await shake("other origin", "/edge", Origin="http://b.example")
    await shake("null origin", "/edge", Origin="null")
    await shake("old origin", "/edge", Sec_WebSocket_Origin="http://b.example")
    await shake("subprotocols", "/chooses", bye, Sec_WebSocket_Protocol="a, b")
    await shake("bad subprotocol", "/chooses", Sec_WebSocket_Protocol="bad")
    await shake("deflate not wanted", "/edge", bye, Sec_WebSocket_Extensions="permessage-deflate")
    print("# frames")
    hello = b"\x81\x8b\0\0\0\0not awaited"
    await shake("answers", "/edge", hello + bye)
    await shake("close with a reason", "/edge", b"\x88\x84\0\0\0\0\x03\xe8ok")
    await shake("close without a code", "/edge", b"\x88\x80\0\0\0\0")
    await shake("ping", "/edge", b"\x89\x82\0\0\0\0hi" + bye)
    await shake("reserved bits", "/edge", b"\xf1\x80\0\0\0\0")
    server.stop()


asyncio.run(main())
