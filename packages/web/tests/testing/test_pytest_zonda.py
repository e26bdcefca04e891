"""The fixtures, in a pytest of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("zonda.httpclient")

PROGRAM = """
import pytest

from zonda.web import Application, RequestHandler
from zonda.web.websocket import WebSocketHandler


class Hello(RequestHandler):
    def get(self):
        self.write("Hello")


class Echo(WebSocketHandler):
    async def on_message(self, message):
        await self.write_message(message)


@pytest.fixture
def app():
    return Application([("/", Hello), ("/echo", Echo)])


def test_server(live_server):
    from urllib.request import urlopen

    with urlopen(live_server.url + "/") as response:
        assert response.read() == b"Hello"


def test_client(http_client, live_server):
    assert http_client.fetch("/").body == b"Hello"
    assert http_client.fetch(live_server.url + "/").code == 200


def test_client_in_a_loop(http_client):
    import asyncio

    async def test():
        return await http_client.fetch("/")

    assert asyncio.run(test()).body == b"Hello"


def test_socket(ws_connect):
    with ws_connect("/echo") as socket:
        socket.write_message("hello")
        assert socket.read_message() == "hello"
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(PROGRAM)
    done = run_pytest(tmp_path, "-W", "error", "-p", "pytest_zonda")
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_without_an_app(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text("def test_it(http_client): ...")
    done = run_pytest(tmp_path, "-p", "pytest_zonda")
    assert 'Define a fixture "app" in this file' in done.stdout
    assert "zonda_app = package.module:make_app" in done.stdout
    assert "1 error" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("setting", ["program:make_app", "program:Made.app"])
def test_an_app_that_is_named(tmp_path: Path, setting: str) -> None:
    (tmp_path / "program.py").write_text(
        "from zonda.web import Application, RequestHandler\n"
        "class Hello(RequestHandler):\n"
        "    def get(self):\n"
        "        self.write('Hello')\n"
        "def make_app():\n"
        "    return Application([('/', Hello)])\n"
        "class Made:\n"
        "    app = make_app()\n"
    )
    (tmp_path / "test_program.py").write_text(
        "def test_it(http_client):\n    assert http_client.fetch('/').body == b'Hello'\n"
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nzonda_app = {setting}\npythonpath = .\n")
    done = run_pytest(tmp_path, "-W", "error", "-p", "pytest_zonda")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_an_app_that_is_named_wrongly(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text("def test_it(app): ...")
    done = run_pytest(tmp_path, "-p", "pytest_zonda", "-o", "zonda_app=program")
    assert "zonda_app = program: module:name is what it takes" in done.stdout


def test_it_imports_nothing_until_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    assert 'pytest_zonda' in sys.modules\n"
        "    assert not [name for name in sys.modules if name.startswith('zonda.')]\n"
    )
    done = run_pytest(tmp_path, "-p", "pytest_zonda")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
