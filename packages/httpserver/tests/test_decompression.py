"""``decompress_request``, through a real server."""

import gzip
import zlib
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

OK = ResponseStartLine("HTTP/1.1", 200, "OK")
TEXT = b"to be decoded " * 1000


def echo(request: HTTPServerRequest) -> None:
    fields = {
        "Content-Length": str(len(request.body)),
        "X-Coding": request.headers.get("Content-Encoding", "none"),
        "X-Consumed": request.headers.get("X-Consumed-Content-Encoding", "none"),
    }
    connection = request.connection
    assert connection is not None
    connection.write_headers(OK, HTTPHeaders(fields), request.body)
    connection.finish()


def post(body: bytes, coding: str = "gzip") -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
        % (coding.encode(), len(body))
    ) + body


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:70]) + gzip.compress(TEXT[70:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
    ],
)
async def test_decodes(body: bytes, coding: str) -> None:
    async with serve(echo, decompress_request=True, chunk_size=100) as port:
        async with RawClient(port) as client:
            response = await client(post(body, coding))
            assert response.body == TEXT
            assert response.headers["X-Coding"] == "none"
            assert response.headers["X-Consumed"] == coding


@pytest.mark.parametrize(("coding", "decompress"), [("gzip", False), ("unknown", True)])
async def test_leaves_alone_what_it_is_not_to_decode(coding: str, decompress: bool) -> None:
    async with serve(echo, decompress_request=decompress) as port, RawClient(port) as client:
        response = await client(post(b"raw", coding))
        assert (response.body, response.headers["X-Coding"]) == (b"raw", coding)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"not gzip at all", 400, id="corrupt"),
        pytest.param(gzip.compress(TEXT)[:-5], 400, id="truncated"),
        pytest.param(gzip.compress(TEXT) + b"more", 400, id="trailing"),
        pytest.param(gzip.compress(bytes(10_000_000)), 413, id="bomb"),
    ],
)
async def test_refuses(body: bytes, status: int, expect_log: Any) -> None:
    async with serve(echo, decompress_request=True, max_body_size=100_000) as port:
        async with RawClient(port) as client:
            response = await client(post(body))
            assert response.status == status
            assert await client.closed() == b""
