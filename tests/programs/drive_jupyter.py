"""jupyter_server: contents, kernels, terminals."""

import json

from tests.programs.harness import PATIENCE, Run, eventually, free_port
from tests.programs.kernels import run_code
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("jupyter_server", "ipykernel", "terminado")
DRIVEN = (
    "tokens; contents written, read, renamed, downloaded by range, deleted; a kernel started, code "
    "executed over its WebSocket with a megabyte of output, the kernel interrupted, restarted and "
    "deleted; a shell in a terminal over its WebSocket; metrics; shutdown through the API"
)
_TOKEN = {"Authorization": "token secret"}


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    port = free_port()
    (run.folder / "files").mkdir()
    with run.start(
        port,
        *("-W", "ignore", "-m", "jupyter_server", f"--port={port}", "--ip=127.0.0.1"),
        *("--no-browser", "--allow-root", "--IdentityProvider.token=secret"),
        *("--ServerApp.root_dir=files",),
    ) as server:
        server.wait_for("/api")
        assert server.get("/api/contents").status == 403
        assert server.get("/api/contents", _TOKEN).status == 200
        model = {"type": "file", "format": "text", "content": "hello"}
        put = server.ask("PUT", "/api/contents/x.txt", json.dumps(model), _TOKEN)
        assert put.status == 201
        assert server.get("/api/contents/x.txt", _TOKEN).json["content"] == "hello"
        moved = server.ask("PATCH", "/api/contents/x.txt", '{"path": "y.txt"}', _TOKEN)
        assert moved.json["path"] == "y.txt"
        assert server.get("/files/y.txt", _TOKEN).text == "hello"
        part = server.get("/files/y.txt", {**_TOKEN, "Range": "bytes=1-2"})
        assert (part.status, part.text) == (206, "el")
        assert server.ask("DELETE", "/api/contents/y.txt", None, _TOKEN).status == 204
        assert server.get("/api/contents/y.txt", _TOKEN).status == 404

        kernel = server.post("/api/kernels", {"name": "python3"}, _TOKEN).json["id"]
        channels = f"/api/kernels/{kernel}/channels?token=secret"
        with WebSocket(port, channels, seconds=PATIENCE) as socket:
            printed, reply = run_code(socket, "print(6 * 7)")
            assert (printed, reply["status"]) == ("42\n", "ok")
            assert len(run_code(socket, "print('x' * 1_000_000)")[0]) == 1_000_001
            assert run_code(socket, "1 / 0")[1]["ename"] == "ZeroDivisionError"
            assert server.post(f"/api/kernels/{kernel}/interrupt", None, _TOKEN).status == 204
            assert server.post(f"/api/kernels/{kernel}/restart", None, _TOKEN).status == 200
        with WebSocket(port, channels, seconds=PATIENCE) as socket:
            assert run_code(socket, "print(1)")[0] == "1\n"
        deleted = server.ask("DELETE", f"/api/kernels/{kernel}", None, _TOKEN)
        assert deleted.status == 204
        assert server.get("/api/kernels", _TOKEN).json == []

        terminal = server.post("/api/terminals", {}, _TOKEN).json["name"]
        path = f"/terminals/websocket/{terminal}?token=secret"
        with WebSocket(port, path, seconds=PATIENCE) as socket:
            said = ""
            socket.send(json.dumps(["stdin", "echo $((6 * 7))!\r"]))
            while "42!" not in said:
                kind, *rest = json.loads(socket.text())
                said += rest[0] if kind == "stdout" else ""
        ended = server.ask("DELETE", f"/api/terminals/{terminal}", None, _TOKEN)
        assert ended.status == 204
        assert "http_request_duration_seconds" in server.get("/metrics", _TOKEN).text
        assert server.post("/api/shutdown", None, _TOKEN).status == 200
        eventually(lambda: server.process.poll() is not None)
        assert server.process.returncode == 0
