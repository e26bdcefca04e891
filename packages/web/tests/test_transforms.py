"""Output transforms, through a real server."""

import asyncio
import gzip
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.httputil import HTTPHeaders
from zonda.httputil.compression import available_codings, decoder_for
from zonda.web import Application, GZipContentEncoding, OutputTransform, RequestHandler
from zonda.web.transforms import ContentEncoding, transforms_of


class Shout(OutputTransform):
    """Upper case, and says at which end of the response it was asked."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers["X-Finishing"] = str(finishing)
        if "Content-Length" in headers:
            del headers["Content-Length"]
        return status_code + 1, headers, chunk.upper() + b"!"

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk.upper() + (b"." if finishing else b",")


class Whole(RequestHandler):
    def get(self) -> None:
        self.write("whole")


class Pieces(RequestHandler):
    async def get(self) -> None:
        for piece in ("a", "b"):
            self.write(piece)
            await self.flush()
        self.write("c")


@pytest.mark.parametrize(
    ("path", "finishing", "body"), [("/whole", "True", b"WHOLE!"), ("/pieces", "False", b"A!B,C.")]
)
async def test_transform(path: str, finishing: str, body: bytes) -> None:
    application = Application([("/whole", Whole), ("/pieces", Pieces)])
    application.add_transform(Shout)
    async with serve(application) as port, RawClient(port) as client:
        response = await client(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert (response.status, response.body) == (201, body)
    assert response.headers["X-Finishing"] == finishing


def test_the_base_changes_nothing() -> None:
    transform = OutputTransform(None)  # type: ignore[arg-type]
    headers = HTTPHeaders()
    assert transform.transform_first_chunk(200, headers, b"x", True) == (200, headers, b"x")
    assert transform.transform_chunk(b"x", True) == b"x"


# -- compression ---------------------------------------------------------------------------------

LONG = b"0123456789" * 300
ENCODERS = {"gzip": GZipContentEncoding, "any": ContentEncoding}


def decode(coding: str, data: bytes) -> bytes:
    decoder = decoder_for(coding)
    assert decoder is not None
    decoded = decoder.feed(data, 1 << 20)
    decoder.finish()
    return decoded


class Reply(RequestHandler):
    """Answers as the test says."""

    def get(self) -> None:
        for name, value in self.application.settings["fields"].items():
            self.set_header(name, value)
        self.set_status(self.application.settings["code"])
        self.write(self.application.settings["body"])


async def reply(
    *fields: str,
    encoder: type[OutputTransform] = GZipContentEncoding,
    method: str = "GET",
    code: int = 200,
    body: bytes = LONG,
    path: str = "/",
    handler: type[RequestHandler] = Reply,
    **headers: str,
) -> RawResponse:
    application = Application(
        [("/", handler)],
        transforms=[encoder],
        code=code,
        body=body,
        fields={name.replace("_", "-"): value for name, value in headers.items()},
    )
    lines = [f"{method} {path} HTTP/1.1", "Host: h", *fields]
    async with serve(application) as port, RawClient(port) as client:
        return await client(("\r\n".join(lines) + "\r\n\r\n").encode(), method)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("notgzip", None),
        ("identity, gzip;q=0.5", None),
        ("br", None),
        ("", None),
        (None, None),
    ],
)
async def test_gzip_by_weight(accept: str | None, coding: str | None) -> None:
    response = await reply(*([] if accept is None else [f"Accept-Encoding: {accept}"]))
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Length"] == str(len(response.body))
    if coding:
        assert gzip.decompress(response.body) == LONG
        assert len(response.body) < 100
        assert response.headers["Etag"].startswith('W/"')
    else:
        assert response.body == LONG
        assert response.headers["Etag"].startswith('"')


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("size", [1500, 300_000])
async def test_each_coding(coding: str, size: int) -> None:
    if coding not in available_codings():
        pytest.skip(f"nothing installed for {coding}")
    body = LONG * (size // len(LONG) + 1)
    response = await reply(f"Accept-Encoding: {coding}", encoder=ContentEncoding, body=body)
    assert response.headers["Content-Encoding"] == coding
    assert decode(coding, response.body) == body


async def test_the_servers_preference() -> None:
    response = await reply("Accept-Encoding: gzip, deflate, br, zstd", encoder=ContentEncoding)
    best = next(each for each in ContentEncoding.CODINGS if each in available_codings())
    assert response.headers["Content-Encoding"] == best
    response = await reply("Accept-Encoding: gzip, br;q=0.9, zstd;q=0.9", encoder=ContentEncoding)
    assert response.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("content_type", "compressed"),
    [
        ("text/html; charset=UTF-8", True),
        ("text/plain", True),
        ("TEXT/CSS", True),
        ("application/json; charset=UTF-8", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/javascript", True),
        ("application/xhtml+xml", True),
        ("text/event-stream", False),
        ("image/png", False),
        ("application/octet-stream", False),
        ("application/zip", False),
        ("application/gzip", False),
        ("nottext/html", False),
    ],
)
async def test_what_shrinks(content_type: str, compressed: bool) -> None:
    response = await reply("Accept-Encoding: gzip", Content_Type=content_type)
    assert ("Content-Encoding" in response.headers) is compressed
    assert (response.body == LONG) is not compressed


@pytest.mark.parametrize(
    ("code", "headers", "compressed"),
    [
        (200, {}, True),
        (404, {}, True),
        (206, {}, False),
        (200, {"Content_Range": "bytes 0-2999/5000"}, False),
        (200, {"Content_Encoding": "br"}, False),
        (200, {"Cache_Control": "public, no-transform"}, False),
        (200, {"Cache_Control": "public"}, True),
    ],
)
async def test_what_is_left_as_it_is(
    code: int, headers: Any, compressed: bool, expect_log: Any
) -> None:
    with expect_log("zonda.access", count=None):
        response = await reply("Accept-Encoding: gzip", code=code, **headers)
    assert (response.body == LONG) is not compressed


@pytest.mark.parametrize(("size", "compressed"), [(0, False), (1023, False), (1024, True)])
async def test_short_bodies(size: int, compressed: bool) -> None:
    response = await reply("Accept-Encoding: gzip", body=b"x" * size)
    assert ("Content-Encoding" in response.headers) is compressed


async def test_programs_may_change_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GZipContentEncoding, "MIN_LENGTH", 5)
    monkeypatch.setattr(GZipContentEncoding, "GZIP_LEVEL", 0)
    types = GZipContentEncoding.CONTENT_TYPES | {"font/own"}
    monkeypatch.setattr(GZipContentEncoding, "CONTENT_TYPES", types)
    for encoder in ENCODERS.values():
        response = await reply(
            "Accept-Encoding: gzip", body=b"x" * 50, Content_Type="font/own", encoder=encoder
        )
        assert response.headers["Content-Encoding"] == "gzip"
        assert len(response.body) > 50, "level 0 stores"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Origin", "Origin, Accept-Encoding"),
        ("accept-encoding", "accept-encoding"),
        ("Origin, Accept-Encoding", "Origin, Accept-Encoding"),
        ("*", "*"),
    ],
)
async def test_vary(before: str, after: str) -> None:
    assert (await reply("Accept-Encoding: gzip", Vary=before)).headers["Vary"] == after


async def test_a_compressed_response_has_not_changed() -> None:
    etag = (await reply("Accept-Encoding: gzip")).headers["Etag"]
    response = await reply("Accept-Encoding: gzip", f"If-None-Match: {etag}")
    assert (response.status, response.body) == (304, b"")
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"


class Streaming(RequestHandler):
    async def get(self) -> None:
        for piece in (b"first " * 100, b"second " * 100):
            self.write(piece)
            await self.flush()
        self.write(b"third")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_each_flush_arrives(coding: str) -> None:
    if coding not in available_codings():
        pytest.skip(f"nothing installed for {coding}")
    go_on = asyncio.Event()

    class Waiting(RequestHandler):
        async def get(self) -> None:
            self.write(b"first")
            await self.flush()
            await go_on.wait()
            self.write(b"second")

    application = Application([("/", Waiting)], compress_response=True)
    async with serve(application) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {coding}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"Content-Encoding: {coding}".encode() in head
        decoder = decoder_for(coding)
        assert decoder is not None
        decoded = b""
        while decoded != b"first":  # before the second piece is made
            size = int(await reader.readline(), 16)
            decoded += decoder.feed((await reader.readexactly(size + 2))[:-2])
        go_on.set()
        while size := int(await reader.readline(), 16):
            decoded += decoder.feed((await reader.readexactly(size + 2))[:-2])
        assert decoded == b"firstsecond"
        writer.close()
        await writer.wait_closed()


async def test_streams_are_compressed() -> None:
    response = await reply("Accept-Encoding: gzip", handler=Streaming)
    assert gzip.decompress(response.body) == b"first " * 100 + b"second " * 100 + b"third"
    assert "Content-Length" not in response.headers


async def test_an_announced_length_does_not_survive() -> None:
    class Announced(RequestHandler):
        async def get(self) -> None:
            self.set_header("Content-Length", 3000)
            self.write(LONG[:1000])
            await self.flush()
            self.write(LONG[1000:])

    response = await reply("Accept-Encoding: gzip", handler=Announced)
    assert gzip.decompress(response.body) == LONG


def test_the_settings() -> None:
    assert transforms_of({}) == transforms_of({"compress_response": False}) == []
    assert transforms_of({"compress_response": True}) == [ContentEncoding]
    assert transforms_of({"gzip": True}) == [ContentEncoding]
