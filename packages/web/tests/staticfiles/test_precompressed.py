"""Compressed siblings in place of files."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from zonda.httpserver.testing import RawResponse
from zonda.web import Application, StaticFileHandler

TEXT = b"0123456789" * 10
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"

App = Callable[..., Application]
Fetch = Callable[..., Awaitable[RawResponse]]


@pytest.mark.parametrize(
    ("accept", "coding"), [("gzip", "gzip"), ("gzip;q=0", None), ("", None), ("br, gzip", "gzip")]
)
async def test_compressed_variants(
    root: Path, accept: str, coding: str | None, app: App, fetch: Fetch
) -> None:
    packed = gzip.compress(TEXT)
    (root / "a.txt.gz").write_bytes(packed)
    response = await fetch(app(root), "/s/a.txt", f"Accept-Encoding: {accept}")
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["Last-Modified"] == DATE
    assert response.body == (packed if coding else TEXT)
    expected = f'"{hashlib.sha512(response.body).hexdigest()}"'
    assert response.headers["Etag"] == expected, "each form has a tag of its own"
    again = await fetch(
        app(root), "/s/a.txt", f"Accept-Encoding: {accept}", f"If-None-Match: {expected}"
    )
    assert (again.status, again.headers["Vary"]) == (304, "Accept-Encoding")


async def test_a_variant_that_is_a_link_out(root: Path, app: App, fetch: Fetch) -> None:
    (root / "a.txt.gz").symlink_to(root.parent / "outside" / "secret")
    response = await fetch(app(root), "/s/a.txt", "Accept-Encoding: gzip")
    assert (response.status, response.body) == (200, TEXT)
    allowed = app(root, allowed_symlink_directory=str(root.parent / "outside"))
    response = await fetch(allowed, "/s/a.txt", "Accept-Encoding: gzip")
    assert response.body == b"secret"


async def test_variants_can_be_switched_off(root: Path, app: App, fetch: Fetch) -> None:
    class Plain(StaticFileHandler):
        precompressed = False

    (root / "a.txt.gz").write_bytes(b"packed")
    response = await fetch(app(root, Plain), "/s/a.txt", "Accept-Encoding: gzip")
    assert response.body == TEXT
    assert "Vary" not in response.headers


async def test_a_range_of_a_variant(root: Path, app: App, fetch: Fetch) -> None:
    (root / "a.txt.gz").write_bytes(b"packed")
    response = await fetch(app(root), "/s/a.txt", "Accept-Encoding: gzip", "Range: bytes=1-2")
    assert (response.status, response.body) == (206, b"ac")
    assert response.headers["Content-Range"] == "bytes 1-2/6"
