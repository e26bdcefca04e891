"""What the tests of static files share: a folder, applications that serve it, and requests."""

import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.web import Application, StaticFileHandler

TEXT = b"0123456789" * 10
MODIFIED = 1_700_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "index.html").write_bytes(b"index")
    (root / "a.txt").write_bytes(TEXT)
    os.utime(root / "a.txt", (MODIFIED, MODIFIED))
    (root / "empty.txt").touch()
    (root / "a b.txt").write_bytes(b"space")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "root_beside").write_bytes(b"beside")
    (root / "link_out").symlink_to(tmp_path / "outside" / "secret")
    (root / "dir_out").symlink_to(tmp_path / "outside")
    (root / "link_in.txt").symlink_to("a.txt")
    (root / "dangling").symlink_to("nowhere")
    (root / "device").symlink_to("/dev/null")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "socket"))
    StaticFileHandler.reset()
    return root


def make_app(
    root: Path, handler: type[StaticFileHandler] = StaticFileHandler, **kwargs: Any
) -> Application:
    """Serve ``root`` under ``/s/``."""
    return Application([(r"/s/(.*)", handler, {"path": str(root), **kwargs})])


async def make_request(
    application: Application, path: str, *fields: str, method: str = "GET"
) -> RawResponse:
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *fields]
    async with serve(application) as port, RawClient(port) as client:
        return await client(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), method)


@pytest.fixture
def refusals(expect_log: Any) -> Iterator[None]:
    """Access log and reasons of 4xx, which tests of statuses do not look at."""
    with expect_log("zonda.access", count=None), expect_log("zonda.general", count=None):
        yield


@pytest.fixture
def app() -> Callable[..., Application]:
    return make_app


@pytest.fixture
def fetch() -> Callable[..., Awaitable[RawResponse]]:
    return make_request
