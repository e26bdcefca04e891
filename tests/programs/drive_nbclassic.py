"""nbclassic, the notebook's pages as they were."""

import json

from tests.programs.harness import PATIENCE, Run, free_port
from tests.programs.kernels import run_code
from tests.programs.websocket import WebSocket

DISTRIBUTIONS = ("nbclassic", "jupyter_server", "notebook_shim")
DRIVEN = (
    "signing in with a password form and its XSRF cookie; the tree, a notebook's page, the editor, "
    "static files; a session with a kernel and code executed in it"
)

_NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    port = free_port()
    files = run.folder / "files"
    files.mkdir()
    (files / "one.ipynb").write_text(json.dumps(_NOTEBOOK))
    (files / "two.txt").write_text("two")
    with run.start(
        port,
        *("-W", "ignore", "-m", "nbclassic", f"--port={port}", "--ip=127.0.0.1", "--no-browser"),
        *("--allow-root", "--IdentityProvider.token=secret", "--ServerApp.root_dir=files"),
    ) as server:
        server.wait_for("/api")
        refused = server.get("/tree")
        assert refused.status == 302
        login = refused.headers["Location"]
        assert "/login" in login
        page = server.get(login)
        assert page.status == 200
        jar = dict(_cookie(line) for line in page.headers.get_all("Set-Cookie", []))
        xsrf = jar["_xsrf"]
        fields = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"_xsrf={xsrf}",
        }
        assert server.ask("POST", login, "password=secret", fields).status == 403
        wrong = server.ask("POST", login, f"password=no&_xsrf={xsrf}", fields)
        assert wrong.status == 401
        signed = server.ask("POST", login, f"password=secret&_xsrf={xsrf}", fields)
        assert signed.status == 302
        jar |= dict(_cookie(line) for line in signed.headers.get_all("Set-Cookie", []))
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}

        prefix = "/nbclassic" if server.get("/nbclassic/tree", cookie).status == 200 else ""
        tree = server.get(f"{prefix}/tree", cookie)
        assert tree.status == 200
        assert "notebook_list" in tree.text
        notebook = server.get(f"{prefix}/notebooks/one.ipynb", cookie)
        assert "one.ipynb" in notebook.text
        assert server.get(f"{prefix}/edit/two.txt", cookie).status == 200
        path = next(part for part in tree.text.split('"') if "style.min.css" in part)
        style = server.get(path, cookie)
        assert style.headers.get_content_type() == "text/css"
        again = server.get(path, {**cookie, "If-Modified-Since": style.headers["Last-Modified"]})
        assert again.status == 304

        session = server.post(
            "/api/sessions",
            {"path": "one.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}},
            {"Authorization": "token secret"},
        )
        assert session.status == 201
        kernel = session.json["kernel"]["id"]
        channels = f"/api/kernels/{kernel}/channels?token=secret"
        with WebSocket(port, channels, seconds=PATIENCE) as socket:
            assert run_code(socket, "print(6 * 7)")[0] == "42\n"


def _cookie(line: str) -> tuple[str, str]:
    name, _, value = line.partition(";")[0].partition("=")
    return name, value
