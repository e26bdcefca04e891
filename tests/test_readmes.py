"""What READMEs and docs/ show is what happens: their Python blocks run, each in its own process.

A block is a server if the text up to the next one says what to ask it: ``curl
'http://localhost:8888/path'`` answers ``body``. It is asked that. Any other block runs to its end;
the ``text`` block that follows it at once is what it prints. One that defines tests is given to
pytest. Port 8888 stands for a free one.

In an environment made for one package (ZONDA_ALONE) only that package's README is run.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALONE = os.environ.get("ZONDA_ALONE")
READMES = (
    [ROOT / "packages" / ALONE / "README.md"]
    if ALONE
    else [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]
)
PAGES = [] if ALONE else sorted((ROOT / "docs").rglob("*.md"))
PORT = 8888
PATIENCE = 30.0

BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?P<after>.*?)(?=^```python\n|\Z)", re.M | re.S)
TEST = re.compile(r"^(async )?def test_", re.M)
OUTPUT = re.compile(r"\A\s*```text\n(.*?)^```$", re.M | re.S)
CURL = re.compile(rf"`curl '(http://localhost:{PORT}[^']*)'`\s+answers\s+`([^`]*)`")


@dataclass(frozen=True)
class Block:
    file: Path
    line: int
    code: str
    after: str

    @property
    def output(self) -> str | None:
        match = OUTPUT.match(self.after)
        return match[1] if match else None

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for file in [*READMES, *PAGES]:
        text = file.read_text()
        for match in BLOCK.finditer(text):
            yield Block(file, text.count("\n", 0, match.start()) + 1, match["code"], match["after"])


BLOCKS = list(blocks())
SERVERS = [block for block in BLOCKS if CURL.search(block.after)]
TESTS = [block for block in BLOCKS if TEST.search(block.code)]
PROGRAMS = [block for block in BLOCKS if block not in SERVERS and block not in TESTS]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(port: int, server: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    server.kill()
    pytest.fail(f"nothing listens on port {port}: {server.communicate()[0]}")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        body: bytes = response.read()
        return body.decode()


@pytest.mark.parametrize("readme", READMES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_readme_has_an_example(readme: Path) -> None:
    assert any(block.file == readme for block in BLOCKS)


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_program(block: Block, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(block.code.replace(str(PORT), str(free_port())))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == (block.output or "")


@pytest.mark.parametrize("block", TESTS, ids=str)
def test_tests(block: Block, tmp_path: Path) -> None:
    (tmp_path / "test_block.py").write_text(block.code)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_zonda", "--rootdir", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", SERVERS, ids=str)
def test_server(block: Block, tmp_path: Path) -> None:
    port = free_port()
    program = tmp_path / "program.py"
    program.write_text(block.code.replace(str(PORT), str(port)))
    server = subprocess.Popen(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with server:
        wait_for(port, server)
        try:
            for url, answer in CURL.findall(block.after):
                assert get(url.replace(str(PORT), str(port))).strip() == answer
        finally:
            server.terminate()
            said, _ = server.communicate(timeout=PATIENCE)
    assert "Traceback" not in said
    assert "Warning" not in said
