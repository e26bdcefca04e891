"""`StaticFileHandler` through a real server: what it answers to which request."""

import datetime
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zonda.httpserver.testing import RawResponse
from zonda.web import Application, StaticFileHandler

TEXT = b"0123456789" * 10
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER = "Tue, 14 Nov 2023 22:13:19 GMT"
LATER = "Tue, 14 Nov 2023 22:13:21 GMT"
ETAG = f'"{hashlib.sha512(TEXT).hexdigest()}"'

App = Callable[..., Application]
Fetch = Callable[..., Awaitable[RawResponse]]


# -- the head --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_file(root: Path, method: str, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), "/s/a.txt", method=method)
    assert (response.status, response.body) == (200, TEXT if method == "GET" else b"")
    fields = dict(response.headers)
    del fields["Server"], fields["Date"]
    assert fields == {
        "Content-Type": "text/plain",
        "Accept-Ranges": "bytes",
        "Etag": ETAG,
        "Last-Modified": DATE,
        "Content-Length": "100",
    }


@pytest.mark.parametrize("query", ["?v=abc", "?v=", "?x=1&v=2"])
async def test_a_url_with_a_version_may_be_kept(
    root: Path, query: str, app: App, fetch: Fetch
) -> None:
    response = await fetch(app(root), f"/s/a.txt{query}")
    assert response.headers["Cache-Control"] == "max-age=315360000"
    expires = datetime.datetime.strptime(response.headers["Expires"], "%a, %d %b %Y %H:%M:%S GMT")
    assert expires.year == datetime.datetime.now(datetime.UTC).year + 10


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.html", "text/html"),
        ("a.js", "text/javascript"),
        ("a.css", "text/css"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.wasm", "application/wasm"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.js.gz", "application/gzip"),
        ("a.tar.bz2", "application/octet-stream"),
        ("a.xz", "application/octet-stream"),
        ("a.br", "application/octet-stream"),
        ("a.unheard", "application/octet-stream"),
        ("noext", "application/octet-stream"),
    ],
)
async def test_media_types(
    root: Path, name: str, content_type: str, app: App, fetch: Fetch
) -> None:
    (root / name).write_bytes(b"data")
    response = await fetch(app(root), f"/s/{name}", "Accept-Encoding: gzip")
    assert response.headers["Content-Type"] == content_type
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/s/a%20b.txt", b"space"),
        ("/s/empty.txt", b""),
        ("/s/./a.txt", TEXT),
        ("/s/sub/../a.txt", TEXT),
        ("/s/link_in.txt", TEXT),
        ("/s/sub/index.html", b"index"),
    ],
)
async def test_paths(root: Path, path: str, body: bytes, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), path)
    assert (response.status, response.body) == (200, body)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/s/nope", 404),
        ("/s/a.txt/nope", 404),
        ("/s/", 403),
        ("/s/sub", 403),
        ("/s/sub/", 403),
        ("/s/../root_beside", 403),
        ("/s/%2e%2e/root_beside", 403),
        ("/s/..%2froot_beside", 403),
        ("/s/..%2f..%2fetc%2fpasswd", 403),
        ("/s/../root/a.txt", 200),
        ("/s//etc/passwd", 403),
        ("/s//a.txt", 403),
        ("/s/%2fetc/passwd", 403),
        ("/s/..%5croot_beside", 404),
        ("/s/sub%5cindex.html", 404),
        ("/s/%00", 400),
        ("/s/a.txt%00.html", 400),
        ("/s/%ff", 400),
        ("/s/link_out", 403),
        ("/s/dir_out/secret", 403),
        ("/s/dangling", 404),
        ("/s/fifo", 403),
        ("/s/socket", 403),
        ("/s/device", 403),
        ("/s/a.txt::$DATA", 404),
        ("/s/" + "x" * 5000, 403),
        ("/s_beside", 404),
        ("/s../root_beside", 404),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.usefixtures("refusals")
async def test_statuses(
    root: Path, path: str, status: int, method: str, app: App, fetch: Fetch
) -> None:
    response = await fetch(app(root), path, method=method)
    assert response.status == status
    assert b"secret" not in response.body
    assert b"beside" not in response.body


async def test_the_reason_is_logged_once(
    root: Path, expect_log: Any, app: App, fetch: Fetch
) -> None:
    with expect_log("zonda.access"), expect_log("zonda.general", "link_out is not in root static"):
        await fetch(app(root), "/s/link_out")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.usefixtures("refusals")
async def test_other_methods(root: Path, method: str, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), "/s/a.txt", "Content-Length: 0", method=method)
    assert response.status == 405


@pytest.mark.parametrize(
    ("allowed", "status"),
    [("outside", 200), (["outside"], 200), (["elsewhere", "outside"], 200), (["elsewhere"], 403)],
)
@pytest.mark.parametrize("path", ["/s/link_out", "/s/dir_out/secret"])
@pytest.mark.usefixtures("refusals")
async def test_links_out_of_the_root(
    root: Path, path: str, allowed: str | list[str], status: int, app: App, fetch: Fetch
) -> None:
    folder = str(root.parent)
    folders = (
        f"{folder}/{allowed}" if isinstance(allowed, str) else [f"{folder}/{x}" for x in allowed]
    )
    response = await fetch(app(root, allowed_symlink_directory=folders), path)
    assert response.status == status


@pytest.mark.parametrize("form", ["{root}", "{root}/", "{root}/sub/..", "link"])
async def test_roots(root: Path, form: str, app: App, fetch: Fetch) -> None:
    link = root.parent / "link"
    link.symlink_to("root")
    path = str(link) if form == "link" else form.format(root=root)
    assert (await fetch(app(Path(path)), "/s/a.txt")).body == TEXT


async def test_a_file_that_may_not_be_read(
    root: Path, expect_log: Any, monkeypatch: Any, app: App, fetch: Fetch
) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with expect_log("zonda.access"), expect_log("zonda.general", "a.txt cannot be opened: Perm"):
        assert (await fetch(app(root), "/s/a.txt")).status == 403


# -- folders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/s/sub/", 200, None),
        ("/s/sub", 301, "/s/sub/"),
        ("/s/", 404, None),
        ("/s/sub/..", 301, "/s/sub/../"),
        ("/s/dir_out", 403, None),
        ("/s/nope/", 404, None),
    ],
)
@pytest.mark.usefixtures("refusals")
async def test_default_filename(
    root: Path, path: str, status: int, location: str | None, app: App, fetch: Fetch
) -> None:
    response = await fetch(app(root, default_filename="index.html"), path)
    assert (response.status, response.headers.get("Location")) == (status, location)
    if status == 200:
        assert (response.body, response.headers["Content-Type"]) == (b"index", "text/html")


@pytest.mark.parametrize("path", ["//evil.example", "///evil.example", "//evil.example/x"])
@pytest.mark.usefixtures("refusals")
async def test_no_redirect_to_another_host(root: Path, path: str, fetch: Fetch) -> None:
    (root / "evil.example" / "x").mkdir(parents=True)
    application = Application(
        [(r"/+(.*)", StaticFileHandler, {"path": str(root), "default_filename": "index.html"})]
    )
    response = await fetch(application, path)
    assert response.status == 301
    assert response.headers["Location"] == "/" + path.lstrip("/") + "/"


@pytest.mark.usefixtures("refusals")
async def test_a_default_file_that_is_a_link_out(root: Path, app: App, fetch: Fetch) -> None:
    (root / "sub" / "out").symlink_to(root.parent / "outside" / "secret")
    response = await fetch(app(root, default_filename="out"), "/s/sub/")
    assert response.status == 403


# -- conditions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([f"If-None-Match: {ETAG}"], 304),
        ([f"If-None-Match: W/{ETAG}"], 304),
        ([f'If-None-Match: "x", {ETAG}'], 304),
        (["If-None-Match: *"], 304),
        (['If-None-Match: "x"'], 200),
        (['If-None-Match: "x"', f"If-Modified-Since: {DATE}"], 200),
        ([f"If-Modified-Since: {DATE}"], 304),
        ([f"If-Modified-Since: {LATER}"], 304),
        ([f"If-Modified-Since: {EARLIER}"], 200),
        (["If-Modified-Since: yesterday"], 200),
        ([f"If-None-Match: {ETAG}", "Range: bytes=0-1"], 304),
        ([f"If-Match: {ETAG}"], 200),
        (["If-Match: *"], 200),
        (['If-Match: "x"'], 412),
        ([f"If-Match: W/{ETAG}"], 412),
        ([f"If-Unmodified-Since: {DATE}"], 200),
        ([f"If-Unmodified-Since: {EARLIER}"], 412),
        ([f"If-Match: {ETAG}", f"If-None-Match: {ETAG}"], 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.usefixtures("refusals")
async def test_conditions(
    root: Path, fields: list[str], status: int, method: str, app: App, fetch: Fetch
) -> None:
    response = await fetch(app(root), "/s/a.txt", *fields, method=method)
    assert response.status == status
    if status == 304:
        assert response.body == b""
        assert response.headers["Etag"] == ETAG
        assert response.headers["Last-Modified"] == DATE
        assert "Content-Type" not in response.headers
        assert "Content-Length" not in response.headers


# -- ranges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "content_range", "body"),
    [
        ("bytes=0-4", 206, "bytes 0-4/100", TEXT[:5]),
        ("bytes=95-200", 206, "bytes 95-99/100", TEXT[95:]),
        ("bytes=50-", 206, "bytes 50-99/100", TEXT[50:]),
        ("bytes=-5", 206, "bytes 95-99/100", TEXT[-5:]),
        ("bytes=0-", 200, None, TEXT),
        ("bytes=-500", 200, None, TEXT),
        ("bytes=100-", 416, "bytes */100", b""),
        ("bytes=-0", 416, "bytes */100", b""),
        ("bytes=5-2", 416, "bytes */100", b""),
        ("lines=1-2", 200, None, TEXT),
        ("bytes=5", 200, None, TEXT),
    ],
)
@pytest.mark.usefixtures("refusals")
async def test_one_range(
    root: Path,
    value: str,
    status: int,
    content_range: str | None,
    body: bytes,
    app: App,
    fetch: Fetch,
) -> None:
    response = await fetch(app(root), "/s/a.txt", f"Range: {value}")
    assert (response.status, response.headers.get("Content-Range")) == (status, content_range)
    assert response.body == body
    assert response.headers["Content-Length"] == str(len(body))
    assert (response.headers["Etag"], response.headers["Accept-Ranges"]) == (ETAG, "bytes")


async def test_several_ranges(root: Path, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), "/s/a.txt", "Range: bytes=0-1,5-6,-1")
    assert response.status == 206
    assert "Content-Range" not in response.headers
    kind, _, boundary = response.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = response.body.split(f"--{boundary}".encode())
    assert [part.strip(b"\r\n") for part in parts] == [
        b"",
        b"Content-Type: text/plain\r\nContent-Range: bytes 0-1/100\r\n\r\n01",
        b"Content-Type: text/plain\r\nContent-Range: bytes 5-6/100\r\n\r\n56",
        b"Content-Type: text/plain\r\nContent-Range: bytes 99-99/100\r\n\r\n9",
        b"--",
    ]


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (ETAG, 206),
        (f"W/{ETAG}", 200),
        ('"x"', 200),
        (DATE, 206),
        (LATER, 200),
        (EARLIER, 200),
        ("nonsense", 200),
    ],
)
async def test_if_range(root: Path, value: str, status: int, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), "/s/a.txt", "Range: bytes=0-1", f"If-Range: {value}")
    assert (response.status, len(response.body)) == (status, 2 if status == 206 else 100)


async def test_head_has_no_ranges(root: Path, app: App, fetch: Fetch) -> None:
    response = await fetch(app(root), "/s/a.txt", "Range: bytes=0-1", method="HEAD")
    assert (response.status, response.headers["Content-Length"]) == (200, "100")
