"""sockjs-tornado, WebSockets with fall-backs for browsers that have none."""

import json
from socket import create_connection

from tests.programs.harness import Run, free_port
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("sockjs-tornado",)
DRIVEN = (
    "greeting, info, iframe; messages over xhr polling, xhr streaming, jsonp, EventSource, "
    "htmlfile, WebSocket and raw WebSocket; sessions that end"
)

_PROGRAM = """
import sys
from sockjs.tornado import SockJSConnection, SockJSRouter
from tornado import ioloop, web

class Echo(SockJSConnection):
    def on_open(self, info):
        self.send("welcome")
    def on_message(self, message):
        if message == "bye":
            self.close()
        else:
            self.send(message)

web.Application(SockJSRouter(Echo, "/echo").urls).listen(int(sys.argv[1]), "127.0.0.1")
ioloop.IOLoop.current().start()
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "echo.py").write_text(_PROGRAM)
    port = free_port()
    with run.start(port, "echo.py", str(port)) as server:
        server.wait_for("/echo")
        assert server.get("/echo").text == "Welcome to SockJS!\n"
        info = server.get("/echo/info")
        assert info.json["websocket"] is True
        assert "no-store" in info.headers["Cache-Control"]
        page = server.get("/echo/iframe.html")
        assert "SockJS" in page.text
        same = server.get("/echo/iframe.html", {"If-None-Match": page.headers["ETag"]})
        assert same.status == 304

        def xhr(session: str, kind: str = "xhr") -> str:
            return server.ask("POST", f"/echo/000/{session}/{kind}", b"").text

        def send(session: str, *messages: str) -> int:
            body = json.dumps(messages)
            return server.ask("POST", f"/echo/000/{session}/xhr_send", body).status

        assert xhr("a") == "o\n"
        assert xhr("a") == 'a["welcome"]\n'
        assert send("a", "one", "två") == 204
        assert json.loads(xhr("a")[1:]) == ["one", "två"]
        assert send("a", "bye") == 204
        assert xhr("a").startswith("c[3000")
        assert send("nobody", "x") == 404
        bad = server.ask("POST", "/echo/000/a/xhr_send", "not json")
        assert bad.status in (404, 500)

        # Streams: what waits for the session is sent, and the response goes on to its limit.
        for kind in ("xhr_streaming", "eventsource", "htmlfile?c=f", "jsonp?c=f"):
            session = kind.partition("?")[0]
            method = "POST" if kind == "xhr_streaming" else "GET"
            first = _beginning(port, method, f"/echo/000/s{session}/{kind}")
            assert first, kind
            assert b"o" in first, kind

        options = server.ask("OPTIONS", "/echo/000/b/xhr", None, {"Origin": "http://a.example"})
        assert options.status == 204
        assert options.headers["Access-Control-Allow-Origin"]

        with WebSocket(port, "/echo/000/w/websocket", f"Origin: http://127.0.0.1:{port}") as socket:
            assert socket.text() == "o"
            assert socket.text() == 'a["welcome"]'
            socket.send(json.dumps(["x" * 100_000]))
            assert json.loads(socket.text()[1:]) == ["x" * 100_000]
            socket.send('["bye"]')
            assert socket.text().startswith("c[3000")
        with WebSocket(port, "/echo/websocket") as socket:
            assert socket.text() == "welcome"
            socket.send("raw")
            assert socket.text() == "raw"
            socket.close()


def _beginning(port: int, method: str, path: str) -> bytes:
    with create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head.encode())
        data = b""
        while not data.partition(b"\r\n\r\n")[2].strip(b"0123456789abcdef\r\nh"):
            chunk = connection.recv(65536)
            if not chunk:
                break
            data += chunk
        assert data.startswith(b"HTTP/1.1 200 "), data[:80]
        return data.partition(b"\r\n\r\n")[2]
