"""livereload, which tells browsers that a file has changed."""

import json

from tests.programs.harness import PATIENCE, Run, eventually, free_port
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("livereload",)
DRIVEN = (
    "a folder served with its script added to pages; the WebSocket's handshake; a changed file "
    "that is announced"
)

_PROGRAM = """
import sys
from livereload import Server
server = Server()
server.watch("page.html")
server.serve(port=int(sys.argv[1]), host="127.0.0.1", root=".")
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    page = run.folder / "page.html"
    page.write_text("<html><head></head><body>one</body></html>")
    (run.folder / "serve.py").write_text(_PROGRAM)
    port = free_port()
    with run.start(port, "serve.py", str(port)) as server:
        server.wait_for("/page.html")
        html = server.get("/page.html").text
        assert "one" in html
        assert "livereload.js" in html
        assert len(server.get("/livereload.js").body) > 1000
        assert server.get("/nope").status == 404
        with WebSocket(port, "/livereload", seconds=PATIENCE) as socket:
            socket.send(json.dumps({"command": "hello", "protocols": []}))
            assert json.loads(socket.text())["command"] == "hello"
            socket.send(json.dumps({"command": "info", "url": f"http://127.0.0.1:{port}/"}))
            page.write_text("<html><head></head><body>changed</body></html>")
            said = json.loads(socket.text())
            assert said["command"] == "reload", said
        eventually(lambda: "changed" in server.get("/page.html").text)
