"""Bokeh's server: plots that Python changes while somebody looks at them."""

import json
import re

from tests.programs.harness import Run, eventually, free_port
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("bokeh",)
DRIVEN = (
    "an application's page and scripts; a session over its WebSocket with its token as the "
    "subprotocol; the document pulled; `pull_session` of bokeh.client and a property that is "
    "changed from there; a periodic callback"
)

_PROGRAM = """
import sys
from bokeh.models import Div
from bokeh.server.server import Server

def application(doc):
    div = Div(text="hello")
    def changed(attribute, old, new):
        print("changed from", old, "to", new)
    div.on_change("text", changed)
    doc.add_root(div)
    doc.add_periodic_callback(lambda: None, 20)

server = Server({"/": application}, port=int(sys.argv[1]), address="127.0.0.1")
server.start()
server.io_loop.start()
"""

_CLIENT = """
import sys
from bokeh.client import pull_session
with pull_session(url=f"http://127.0.0.1:{sys.argv[1]}/") as session:
    [div] = session.document.roots
    assert div.text == "hello"
    div.text = "goodbye"
    session.force_roundtrip()
print("done")
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "plots.py").write_text(_PROGRAM)
    (run.folder / "client.py").write_text(_CLIENT)
    port = free_port()
    with run.start(port, "-W", "ignore", "plots.py", str(port)) as server:
        server.wait_for("/")
        page = server.get("/").text
        assert "bokeh" in page
        script = server.get("/static/js/bokeh.min.js")
        assert len(script.body) > 100_000
        loader = server.get("/autoload.js?bokeh-autoload-element=here")
        assert loader.status == 200
        found = re.search(r'"token":"([^"]+)"', page)
        assert found
        fields = f"Sec-WebSocket-Protocol: bokeh, {found[1]}"
        with WebSocket(port, "/ws", fields) as socket:
            assert socket.fields["sec-websocket-protocol"] == "bokeh"
            header = json.loads(socket.text())
            assert header["msgtype"] == "ACK"
            assert [socket.text(), socket.text()]  # its metadata and content
            for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
                socket.send(json.dumps(part))
            header, _, content = (json.loads(socket.text()) for _ in range(3))
            assert header["msgtype"] == "PULL-DOC-REPLY"
            assert "hello" in json.dumps(content["doc"])
        said = run.python("-W", "ignore", "client.py", str(port))
        assert said.splitlines()[-1] == "done", said
        eventually(lambda: "changed from hello to goodbye" in server.output())
