"""Voilà, which makes a page of a notebook."""

import json

from tests.programs.harness import PATIENCE, Run, free_port
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("voila", "jupyter_server", "nbclient")
DRIVEN = (
    "a folder of notebooks; a notebook executed while its page is sent; its static files; its "
    "kernel's WebSocket; a notebook that is not there"
)

_NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": "import time; time.sleep(0.2); print('the answer:', 6 * 7)",
        }
    ],
    "metadata": {"kernelspec": {"display_name": "P", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    files = run.folder / "files"
    files.mkdir()
    (files / "one.ipynb").write_text(json.dumps(_NOTEBOOK))
    port = free_port()
    with run.start(
        port,
        *("-W", "ignore", "-m", "voila", "files", f"--port={port}", "--no-browser"),
        *("--Voila.ip=127.0.0.1",),
    ) as server:
        server.wait_for("/")
        assert server.get("/").status == 200
        page = server.get("/voila/render/one.ipynb")
        assert page.status == 200
        assert "the answer: 42" in page.text
        kernel = page.text.partition('"kernelId": "')[2].partition('"')[0]
        assert kernel, page.text[:2000]
        path = next(part for part in page.text.split('"') if part.endswith("voila.js"))
        assert server.get(path if path.startswith("/") else f"/{path}").status == 200
        with WebSocket(port, f"/api/kernels/{kernel}/channels", seconds=PATIENCE) as socket:
            header = {"msg_id": "m", "username": "", "session": "s", "version": "5.3"}
            message = {
                "header": {**header, "msg_type": "kernel_info_request"},
                "parent_header": {},
                "metadata": {},
                "content": {},
                "channel": "shell",
                "buffers": [],
            }
            socket.send(json.dumps(message))
            while json.loads(socket.text())["msg_type"] != "kernel_info_reply":
                pass
        assert server.get("/voila/render/none.ipynb").status == 404
