"""The chat example, used by two pages in a real browser, and by raw clients where there is none."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "chat"
PATIENCE = 60.0

# chromium and chromium-driver of Debian, or what others call them.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")


def found(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def until(what: Callable[[], Any], why: str) -> Any:
    """Ask again until the answer is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            answer = what()
        except OSError:
            answer = None
        if answer:
            return answer
        time.sleep(0.05)
    pytest.fail(f"in vain: {why}")


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """A program, from when it listens on ``port`` until the end of the block."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as it:
        try:

            def listens() -> bool:
                if it.poll() is not None:
                    pytest.fail(f"{command[0]} ended: {log.read_text(errors='replace')[-2000:]}")
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return True

            until(listens, f"{command[0]} listens")
            yield
        finally:
            it.terminate()
            try:
                it.wait(10)
            except subprocess.TimeoutExpired:
                it.kill()


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[int]:
    """The example on a port of its own."""
    port = free_port()
    text = (EXAMPLE / "chat.py").read_text(encoding="utf-8")
    assert text.count("listen(8888)") == 1
    program = tmp_path / "chat.py"
    program.write_text(text.replace("listen(8888)", f'listen({port}, "127.0.0.1")'), "utf-8")
    shutil.copy(EXAMPLE / "chat.html", tmp_path)
    log = tmp_path / "chat.log"
    with running([sys.executable, "-W", "error", str(program)], port, log):
        yield port
    assert "Traceback" not in log.read_text(errors="replace")


def ask(port: int, method: str, path: str, body: Any = None, form: bool = False) -> Any:
    """One HTTP request; its answer as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        data = None if body is None else urlencode(body) if form else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": kind} if data else {})
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, (response.status, content)
        return json.loads(content or b"null")


class Page:
    """A page in a browser of its own, driven as WebDriver has it (W3C)."""

    def __init__(self, driver: int, browser: str, profile: Path, url: str) -> None:
        self.driver = driver
        arguments = [
            "--headless=new",
            "--no-sandbox",  # tests often run as root, where the sandbox does not
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
        ]
        options = {"binary": browser, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        answer = ask(driver, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['value']['sessionId']}"
        ask(driver, "POST", f"{self.session}/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        body = {"script": script, "args": list(arguments)}
        return ask(self.driver, "POST", f"{self.session}/execute/sync", body)["value"]

    def say(self, text: str) -> None:
        self.run(
            "document.getElementById('text').value = arguments[0];"
            "document.getElementById('form').requestSubmit();",
            text,
        )

    def lines(self) -> list[str]:
        script = "return [...document.querySelectorAll('#lines li')].map(e => e.textContent)"
        lines: list[str] = self.run(script)
        return lines

    def has(self, lines: list[str]) -> None:
        """Wait until these are its lines."""
        until(lambda: self.lines() == lines, f"{lines}, got {self.lines()}")

    def is_connected_by(self, way: str) -> None:
        """Wait until it is."""
        script = "return document.getElementById('way').textContent"
        until(lambda: self.run(script) == way, way)

    def quit(self) -> None:
        ask(self.driver, "DELETE", self.session)


@pytest.fixture
def open_page(chat: int, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """``open_page(query)`` opens the chat in a browser."""
    browser, driver = found(BROWSERS), found(DRIVERS)
    if browser is None or driver is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    port = free_port()
    pages: list[Page] = []

    def open_one(query: str) -> Page:
        profile = tmp_path / f"profile{len(pages)}"
        page = Page(port, browser, profile, f"http://127.0.0.1:{chat}/{query}")
        pages.append(page)
        return page

    with running([driver, f"--port={port}"], port, tmp_path / "driver.log"):
        try:
            yield open_one
        finally:
            for page in pages:
                page.quit()


WAYS = {"": "WebSocket", "?poll": "long polling"}


@pytest.mark.parametrize(
    "queries", [("", ""), ("", "?poll"), ("?poll", "?poll")], ids=["both", "one", "none"]
)
def test_two_pages(open_page: Callable[[str], Page], queries: tuple[str, str]) -> None:
    pages = [open_page(query) for query in queries]
    for page, query in zip(pages, queries, strict=True):
        page.is_connected_by(WAYS[query])
    expected: list[str] = []
    for round_number in range(2):
        for number, page in enumerate(pages):
            expected.append(f"<b>{round_number}</b> from {number}: é😀")
            page.say(expected[-1])
            for reader in pages:
                reader.has(expected)
    # Who comes later sees what was said, however it connects.
    late = open_page("?poll" if queries[1] == "" else "")
    late.has(expected)


def test_without_a_browser(chat: int) -> None:
    ask(chat, "POST", "/poll", {"text": "first"}, form=True)
    ask(chat, "POST", "/poll", {"text": "second"}, form=True)
    lines = ask(chat, "GET", "/poll?last=0")["lines"]
    assert [line["text"] for line in lines] == ["first", "second"]
    assert ask(chat, "GET", "/poll?last=1")["lines"] == lines[1:]
