"""Files on their way to the client, by each of the ways there are."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.web import Application, StaticFileHandler
from zonda.web.staticfiles import openfile

TEXT = b"0123456789" * 10
# More than a socket takes at once.
LARGE = bytes(range(256)) * 4096 * 10

App = Callable[..., Application]
Fetch = Callable[..., Awaitable[RawResponse]]


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@pytest.mark.parametrize("way", ["sendfile", "read", "tls"])
@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", []),
        ("Range: bytes=5-", [(5, len(LARGE))]),
        ("Range: bytes=100-300000,400000-9000000", [(100, 300_001), (400_000, 9_000_001)]),
    ],
)
async def test_large_files(
    root: Path,
    way: str,
    value: str,
    parts: list[tuple[int, int]],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    app: App,
) -> None:
    (root / "large").write_bytes(LARGE)
    read: list[int] = []
    original = openfile.OpenFile.read

    def reading(self: openfile.OpenFile, offset: int, count: int) -> bytes:
        read.append(count)
        return original(self, offset, count)

    monkeypatch.setattr(openfile.OpenFile, "read", reading)
    monkeypatch.setattr(StaticFileHandler, "MAX_VERSION_CONTENT_SIZE", 1)
    context = client_context = None
    if way == "tls":
        context, client_context = request.getfixturevalue("tls")
    elif way == "read":
        monkeypatch.setattr("zonda.iostream.IOStream.can_send_files", False)
    elif not hasattr(os, "sendfile"):
        pytest.skip("needs os.sendfile")
    data = f"GET /s/large HTTP/1.1\r\nHost: h\r\n{value}\r\n".encode() + b"\r\n" * bool(value)
    async with serve(app(root), ssl_options=context) as port:
        async with RawClient(port, tls=client_context) as client:
            # Twice on one connection: each response ends where it should.
            for _ in "ab":
                response = await client(data)
                if len(parts) < 2:
                    start, end = parts[0] if parts else (0, len(LARGE))
                    assert response.body == LARGE[start:end]
                else:
                    pieces = response.body.split(b"\r\n\r\n", 1)[1], response.body
                    assert pieces[0].startswith(LARGE[100:200])
                    assert all(LARGE[start:end] in response.body for start, end in parts)
                assert response.headers["Content-Length"] == str(len(response.body))
    assert bool(read) == (way != "sendfile")


async def test_a_client_that_leaves_closes_the_file(root: Path, caplog: Any, app: App) -> None:
    (root / "large").write_bytes(LARGE)
    ended = asyncio.Event()

    class Handler(StaticFileHandler):
        def on_finish(self) -> None:
            ended.set()

    async with serve(app(root, Handler)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /s/large HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readexactly(1000)
        assert not ended.is_set(), "the handler waits for the client"
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 10)
    # The descriptors are counted by the root conftest.


async def test_a_file_that_becomes_shorter_ends_the_connection(
    root: Path, caplog: Any, app: App
) -> None:
    file = root / "large"
    file.write_bytes(LARGE)
    async with serve(app(root)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /s/large HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readexactly(1000)
        os.truncate(file, 1000)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(len(LARGE))
        writer.close()


async def test_others_get_their_turn(root: Path, app: App) -> None:
    (root / "large").write_bytes(LARGE)
    async with serve(app(root)) as port, RawClient(port) as other:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /s/large HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readexactly(1000)
        response = await other(b"GET /s/a.txt HTTP/1.1\r\nHost: h\r\n\r\n")
        assert response.body == TEXT
        writer.close()


def open_descriptors() -> int:
    folder = "/proc/self/fd"
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0


async def test_pipelined_requests_hold_one_file(root: Path, app: App) -> None:
    (root / "large").write_bytes(LARGE)
    async with serve(app(root)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        before = open_descriptors()
        writer.write(b"GET /s/large HTTP/1.1\r\nHost: h\r\n\r\n" * 100)
        await reader.readexactly(1000)
        assert open_descriptors() < before + 5
        writer.transport.abort()
