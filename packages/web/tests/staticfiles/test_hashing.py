"""Versions of files: when they are computed, and where."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.web import Application, HTTPError, StaticFileHandler
from zonda.web.staticfiles import hashing

TEXT = b"0123456789" * 10
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
ETAG = f'"{hashlib.sha512(TEXT).hexdigest()}"'
# More than a socket takes at once.
LARGE = bytes(range(256)) * 4096 * 10

App = Callable[..., Application]
Fetch = Callable[..., Awaitable[RawResponse]]


async def test_a_changed_file_has_another_tag(root: Path, app: App, fetch: Fetch) -> None:
    application = app(root)
    one = await fetch(application, "/s/a.txt")
    (root / "a.txt").write_bytes(b"changed")
    two = await fetch(application, "/s/a.txt")
    assert one.headers["Etag"] == ETAG
    assert two.headers["Etag"] == f'"{hashlib.sha512(b"changed").hexdigest()}"'


async def test_a_version_is_computed_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, app: App, fetch: Fetch
) -> None:
    threads: list[bool] = []
    original = StaticFileHandler.get_content_version

    def counting(cls: type[StaticFileHandler], abspath: str) -> str:
        threads.append(_on_the_loop())
        return original(abspath)

    (root / "large").write_bytes(LARGE)
    monkeypatch.setattr(StaticFileHandler, "get_content_version", classmethod(counting))
    monkeypatch.setattr("zonda.web.staticfiles.handler._get_content_version", counting)
    application = app(root)
    for _ in "abc":
        await fetch(application, "/s/a.txt", method="HEAD")
    assert threads == [True], "a small file is read on the spot"
    for _ in "abc":
        await fetch(application, "/s/large", method="HEAD")
    assert threads == [True, False], "a large one is not"


def _on_the_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def test_too_large_for_a_version(
    root: Path, monkeypatch: pytest.MonkeyPatch, app: App, fetch: Fetch
) -> None:
    monkeypatch.setattr(StaticFileHandler, "MAX_VERSION_CONTENT_SIZE", 99)
    response = await fetch(app(root), "/s/a.txt")
    assert "Etag" not in response.headers
    assert response.headers["Last-Modified"] == DATE
    assert (await fetch(app(root), "/s/a.txt", f"If-Modified-Since: {DATE}")).status == 304


def test_static_urls(root: Path, expect_log: Any) -> None:
    settings = {"static_path": str(root)}
    url = StaticFileHandler.make_static_url
    version = ETAG.strip('"')
    assert url(settings, "a.txt") == f"/static/a.txt?v={version}"
    assert url(settings, "a.txt", include_version=False) == "/static/a.txt"
    assert url({**settings, "static_url_prefix": "/x/"}, "a.txt") == f"/x/a.txt?v={version}"
    with expect_log("zonda.general", "Could not open static file '.*nope'"):
        assert url(settings, "nope") == url(settings, "nope") == "/static/nope"
    (root / "nope").write_bytes(b"there now")
    assert url(settings, "nope").startswith("/static/nope?v=")
    for path in ("../outside/secret", "/etc/passwd"):
        with pytest.raises(HTTPError, match="403"):
            url(settings, path)


async def test_a_large_file_gets_its_url_version_later(root: Path) -> None:
    (root / "large").write_bytes(LARGE)
    settings = {"static_path": str(root)}
    assert StaticFileHandler.make_static_url(settings, "large") == "/static/large"
    await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    async with asyncio.timeout(10):
        while "?v=" not in (url := StaticFileHandler.make_static_url(settings, "large")):
            await asyncio.sleep(0)
    assert url == f"/static/large?v={hashlib.sha512(LARGE).hexdigest()}"


def test_a_large_file_outside_a_loop(root: Path) -> None:
    (root / "large").write_bytes(LARGE)
    assert "?v=" in StaticFileHandler.make_static_url({"static_path": str(root)}, "large")


@pytest.mark.usefixtures("refusals")
async def test_what_is_not_there_is_not_remembered(root: Path, app: App) -> None:
    async with serve(app(root)) as port, RawClient(port) as client:
        for number in range(50):
            response = await client(f"GET /s/{number} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert response.status == 404
    assert StaticFileHandler._static_hashes == {}
    assert StaticFileHandler._fingerprints == {}


async def test_many_clients_wait_for_one_computation(
    root: Path, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    (root / "large").write_bytes(LARGE)
    computed: list[str] = []
    everybody_waits = threading.Event()
    original = StaticFileHandler.get_content_version

    def counting(cls: type[StaticFileHandler], abspath: str) -> str:
        computed.append(abspath)
        assert everybody_waits.wait(20)
        return original(abspath)

    monkeypatch.setattr(StaticFileHandler, "get_content_version", classmethod(counting))
    monkeypatch.setattr("zonda.web.staticfiles.handler._get_content_version", counting)
    arrived = 0

    class Counted(StaticFileHandler):
        def prepare(self) -> None:
            nonlocal arrived
            arrived += 1
            if arrived == 10:
                everybody_waits.set()

    async with serve(app(root, Counted)) as port, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(RawClient(port)) for _ in range(10)]
        data = b"HEAD /s/large HTTP/1.1\r\nHost: h\r\n\r\n"
        responses = await asyncio.gather(*(client(data, "HEAD") for client in clients))
    assert len({response.headers["Etag"] for response in responses}) == 1
    assert len(computed) == 1
    assert hashing._running == {}
