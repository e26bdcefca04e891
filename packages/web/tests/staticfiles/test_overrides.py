"""`StaticFileHandler` with its hooks overridden, as programs do."""

import asyncio
import datetime
import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.web import Application, HTTPError, StaticFileHandler
from zonda.web.staticfiles import sending

TEXT = b"0123456789" * 10
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
# More than a socket takes at once.
LARGE = bytes(range(256)) * 4096 * 10

App = Callable[..., Application]
Fetch = Callable[..., Awaitable[RawResponse]]


STORE = {"a.bin": b"in memory, " * 10}


class InMemory(StaticFileHandler):
    """As programs do that serve from elsewhere than files."""

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if absolute_path not in STORE:
            raise HTTPError(404)
        return absolute_path

    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        return STORE[abspath][start:end]

    def get_content_size(self) -> int:
        assert self.absolute_path is not None
        return len(STORE[self.absolute_path])

    def get_modified_time(self) -> datetime.datetime | None:
        return datetime.datetime(2023, 11, 14, 22, 13, 20)


class Pieces(InMemory):
    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        content = STORE[abspath][start:end]
        return (content[n : n + 7] for n in range(0, len(content), 7))


class Coroutine(InMemory):
    @classmethod
    async def get_content(  # type: ignore[override]
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes:
        await asyncio.sleep(0)
        return STORE[abspath][start:end]

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        return "one"


class AsyncPieces(Coroutine):
    @classmethod
    async def get_content(  # type: ignore[override]
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> AsyncIterator[bytes]:
        for piece in (STORE[abspath][start:end],):
            await asyncio.sleep(0)
            yield piece


@pytest.mark.parametrize("handler", [InMemory, Pieces, Coroutine, AsyncPieces])
@pytest.mark.parametrize(
    ("fields", "status", "body"),
    [
        ([], 200, STORE["a.bin"]),
        (["Range: bytes=3-8"], 206, STORE["a.bin"][3:9]),
        (["If-None-Match: *"], 304, b""),
        ([f"If-Modified-Since: {DATE}"], 304, b""),
        ([f"If-Unmodified-Since: {DATE}"], 200, STORE["a.bin"]),
    ],
)
async def test_content_from_elsewhere(
    root: Path,
    handler: type[StaticFileHandler],
    fields: list[str],
    status: int,
    body: bytes,
    app: App,
    fetch: Fetch,
) -> None:
    response = await fetch(app(root, handler), "/s/a.bin", *fields)
    assert (response.status, response.body) == (status, body)
    assert response.headers["Last-Modified"] == DATE
    tag = "one" if issubclass(handler, Coroutine) else hashlib.sha512(STORE["a.bin"]).hexdigest()
    assert response.headers["Etag"] == f'"{tag}"'


async def test_several_ranges_from_elsewhere(root: Path, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root, Pieces), "/s/a.bin", "Range: bytes=0-1,5-6")
    assert response.status == 206
    assert response.headers["Content-Length"] == str(len(response.body))
    assert b"bytes 5-6/110\r\n\r\n" + STORE["a.bin"][5:7] in response.body


async def test_head_from_elsewhere_reads_nothing(root: Path, app: App, fetch: Fetch) -> None:
    class Unread(Coroutine):
        @classmethod
        async def get_content(cls, *args: Any) -> bytes:  # type: ignore[override]
            raise AssertionError("it is not wanted")

    response = await fetch(app(root, Unread), "/s/a.bin", method="HEAD")
    assert (response.status, response.headers["Content-Length"]) == (200, "110")


async def test_an_asynchronous_override_needs_a_version(
    root: Path, expect_log: Any, app: App, fetch: Fetch
) -> None:
    class Versionless(InMemory):
        @classmethod
        async def get_content(cls, *args: Any) -> bytes:  # type: ignore[override]
            raise AssertionError

    with expect_log("zonda.application", "Uncaught") as records, expect_log("zonda.access"):
        assert (await fetch(app(root, Versionless), "/s/a.bin")).status == 500
    assert "override get_content_version, too" in str(records[0].exc_info)


async def test_hooks(root: Path, app: App, fetch: Fetch) -> None:
    class Hooks(StaticFileHandler):
        def set_extra_headers(self, path: str) -> None:
            self.set_header("X-Path", path)

        def get_cache_time(
            self, path: str, modified: datetime.datetime | None, mime_type: str
        ) -> int:
            assert modified is not None
            return 60 if mime_type == "text/x-own" else 0

        def get_content_type(self) -> str:
            return "text/x-own"

        def compute_etag(self) -> str | None:
            return None

        def should_return_304(self) -> bool:
            return False

        def parse_url_path(self, url_path: str) -> str:
            return url_path.removeprefix("alias/")

    response = await fetch(app(root, Hooks), "/s/alias/a.txt", f"If-Modified-Since: {DATE}")
    assert (response.status, response.body) == (200, TEXT)
    assert response.headers["X-Path"] == "a.txt"
    assert response.headers["Cache-Control"] == "max-age=60"
    assert "Etag" not in response.headers


async def test_a_fallback_in_validation(root: Path, app: App, fetch: Fetch) -> None:
    """One page for every path, as single-page applications want it."""

    class Fallback(StaticFileHandler):
        def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
            try:
                return super().validate_absolute_path(root, absolute_path)
            except HTTPError:
                self.path = "sub/index.html"
                return super().validate_absolute_path(root, f"{root}/{self.path}")

    response = await fetch(app(root, Fallback), "/s/some/page")
    assert (response.status, response.body) == (200, b"index")


async def test_several_roots(root: Path, fetch: Fetch) -> None:
    """As Jupyter does: a tuple of folders, and a look-up of its own."""

    class Roots(StaticFileHandler):
        def initialize(self, path: Any) -> None:  # type: ignore[override]
            self.root = tuple(path)  # type: ignore[assignment]
            self.default_filename = None

        @classmethod
        def get_absolute_path(cls, root: Any, path: str) -> str:
            with cls._lock:
                return next((f"{r}/{path}" for r in root if os.path.exists(f"{r}/{path}")), "")

        def validate_absolute_path(self, root: Any, absolute_path: str) -> str | None:
            for each in self.root:
                if absolute_path.startswith(each + "/"):
                    return super().validate_absolute_path(each, absolute_path)
            raise HTTPError(404)

    packed = gzip.compress(TEXT)
    (root / "a.txt.gz").write_bytes(packed)
    roots = [str(root.parent / "outside"), str(root)]
    application = Application([(r"/s/(.*)", Roots, {"path": roots})])
    assert (await fetch(application, "/s/a.txt")).body == TEXT
    assert (await fetch(application, "/s/a.txt", "Accept-Encoding: gzip")).body == packed
    assert (await fetch(application, "/s/secret")).body == b"secret"


async def test_validation_of_its_own(root: Path, app: App, fetch: Fetch) -> None:
    class Own(StaticFileHandler):
        def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
            return absolute_path

    packed = gzip.compress(TEXT)
    (root / "a.txt.gz").write_bytes(packed)
    (root / "sub" / "index.html.gz").symlink_to(root.parent / "outside" / "secret")
    application = app(root, Own)
    assert (await fetch(application, "/s/link_out")).body == b"secret", "it has allowed that"
    assert (await fetch(application, "/s/a.txt", "Accept-Encoding: gzip")).body == packed
    response = await fetch(application, "/s/sub/index.html", "Accept-Encoding: gzip")
    assert response.body == b"index", "it has not allowed the variant"


async def test_wrapping_the_content(root: Path, app: App, fetch: Fetch) -> None:
    class Loud(StaticFileHandler):
        @classmethod
        def get_content(
            cls, abspath: str, start: int | None = None, end: int | None = None
        ) -> Iterator[bytes]:
            for chunk in super().get_content(abspath, start, end):
                assert isinstance(chunk, bytes)
                yield chunk.upper()

    (root / "word").write_bytes(b"word")
    response = await fetch(app(root, Loud), "/s/word")
    assert response.body == b"WORD"
    assert response.headers["Etag"] == f'"{hashlib.sha512(b"WORD").hexdigest()}"'
    response = await fetch(app(root), "/s/word")
    assert response.headers["Etag"] == f'"{hashlib.sha512(b"word").hexdigest()}"'


def test_get_content_reads_files(root: Path) -> None:
    path = str(root / "a.txt")
    for start, end in ((None, None), (3, None), (None, 5), (3, 5), (99, 200), (200, None)):
        content = StaticFileHandler.get_content(path, start, end)
        assert b"".join(content) == TEXT[start:end]  # type: ignore[arg-type]


async def test_the_prefix_of_the_setting(root: Path, expect_log: Any, fetch: Fetch) -> None:
    application = Application(static_path=str(root))
    assert (await fetch(application, "/static/a.txt")).body == TEXT
    with expect_log("zonda.access", "404", count=2):
        assert (await fetch(application, "/static_foo")).status == 404
        assert (await fetch(application, "/static../root_beside")).status == 404


async def test_sizes_around_the_limit_of_reading_at_once(
    root: Path, app: App, fetch: Fetch
) -> None:
    for size in (sending.AT_ONCE - 1, sending.AT_ONCE, sending.AT_ONCE + 1):
        (root / "file").write_bytes(LARGE[:size])
        assert (await fetch(app(root), "/s/file")).body == LARGE[:size]


async def test_an_overridden_get_may_have_its_content_from_elsewhere(tmp_path: Path) -> None:
    # As jupyter_server's gateway does with the pictures of kernels: no file of that name exists.
    class Elsewhere(StaticFileHandler):
        async def get(self, path: str, include_body: bool = True) -> None:
            self.path = self.absolute_path = path
            self.finish(b"content")

    application = Application([("/(.*)", Elsewhere, {"path": str(tmp_path)})])
    async with serve(application) as port, RawClient(port) as client:
        response = await client(b"GET /nowhere.png HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (response.status, response.body) == (200, b"content")
    assert "Etag" not in response.headers
