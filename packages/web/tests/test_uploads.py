"""Streamed uploads: parts as they come, kept in memory or on disk, and what may end them."""

import asyncio
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import ParseBodyConfig, ParseMultipartConfig
from zonda.iostream import StreamClosedError
from zonda.web import Application, HTTPError
from zonda.web.uploads import Part, UploadHandler

BOUNDARY = "XX"
TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, filename: str | None = None, kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    if kind:
        head += f"\r\nContent-Type: {kind}"
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(body: bytes, *fields: str, path: str = "/") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: a",
        f"Content-Length: {len(body)}",
        *(fields or [TYPE]),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def send(handler: Any, data: bytes, bytewise: bool = False, **settings: Any) -> Any:
    async with serve(Application([("/", handler)], **settings)) as port:
        async with RawClient(port) as client:
            await client.send(data, bytewise=bytewise)
            return await client.response("POST")


class Keep(UploadHandler):
    MEMORY_LIMIT = 1000

    def get(self) -> None:
        self.write("got")

    def post(self) -> None:
        files = {
            name: [
                {
                    "filename": each.filename,
                    "type": each["content_type"],
                    "size": each.size,
                    "start": each.body[:5].decode(),
                    "whole": len(each["body"]),
                    "disk": each.file._rolled,
                    "read": len(each.file.read()),
                }
                for each in uploads
            ]
            for name, uploads in self.request.files.items()
        }
        assert self.get_arguments("a") == self.get_body_arguments("a")
        self.write({"fields": self.get_body_arguments("a"), "b": self.get_argument("b", None)})
        self.write({"files": files})


BODY = form(
    part("a", b"1"),
    part("f", b"small", "s.txt", "text/plain"),
    part("a", b"2"),
    part("f", b"large" * 1000, "l.bin"),
    part("b", "\u00e9".encode()),
    part("e", b"", ""),
)
ANSWER = (
    b'{"fields": ["1", "2"], "b": "\\u00e9"}'
    b'{"files": {"f": [{"filename": "s.txt", "type": "text/plain", "size": 5, "start": "small", '
    b'"whole": 5, "disk": false, "read": 5}, {"filename": "l.bin", "type": "application/unknown", '
    b'"size": 5000, "start": "large", "whole": 5000, "disk": true, "read": 5000}]}}'
)


@pytest.mark.parametrize("bytewise", [False, True])
async def test_keeping(bytewise: bool) -> None:
    response = await send(Keep, post(BODY), bytewise)
    assert (response.status, response.body) == (200, ANSWER)


async def test_files_are_closed_in_the_end() -> None:
    kept: list[Any] = []

    class Remember(Keep):
        def post(self) -> None:
            kept.extend(self.request.files["f"])
            super().post()

    await send(Remember, post(BODY))
    assert [upload.file.closed for upload in kept] == [True, True]


async def test_other_bodies_are_as_usual() -> None:
    kind = "Content-Type: application/x-www-form-urlencoded"
    response = await send(Keep, post(b"a=1&a=2&b=3", kind))
    assert response.body == b'{"fields": ["1", "2"], "b": "3"}{"files": {}}'
    response = await send(Keep, post(b"", "X: y"))
    assert response.body.startswith(b'{"fields": [], "b": null}')
    response = await send(Keep, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert response.body == b"got"


class Stream(UploadHandler):
    def initialize(self, log: list[Any]) -> None:
        self.log = log

    async def part_received(self, part: Part) -> None:
        self.log.append((part.name, part.filename, part.content_type))
        size = 0
        async for chunk in part:
            size += len(chunk)
            await asyncio.sleep(0)
        self.log.append(size)

    def post(self) -> None:
        self.write("done")


async def serve_stream(data: bytes, handler: type[Stream] = Stream, **settings: Any) -> Any:
    log: list[Any] = []
    async with serve(Application([("/", handler, {"log": log})], **settings)) as port:
        async with RawClient(port) as client:
            await client.send(data)
            return await client.response("POST"), log


async def test_parts_as_they_come() -> None:
    body = form(part("a", b"1"), part("f", b"x" * 3_000_000, "f", "text/plain"), part("b", b""))
    response, log = await serve_stream(post(body))
    assert response.body == b"done"
    assert log == [("a", None, None), 1, ("f", "f", "text/plain"), 3_000_000, ("b", None, None), 0]


async def test_what_is_not_read_is_dropped() -> None:
    class Lazy(Stream):
        async def part_received(self, part: Part) -> None:
            self.log.append(part.name)
            if part.name == "f":
                async for _ in part:
                    break

    body = form(part("a", b"1" * 10), part("f", b"x" * 500_000, "f"), part("b", b"2"))
    response, log = await serve_stream(post(body), Lazy)
    assert (response.body, log) == (b"done", ["a", "f", "b"])


async def test_a_slow_reader_holds_the_client_back() -> None:
    proceed = asyncio.Event()
    begun = asyncio.Event()

    class Slow(Stream):
        async def part_received(self, part: Part) -> None:
            begun.set()
            await proceed.wait()
            await super().part_received(part)

    body = form(part("f", b"x" * 30_000_000, "f"))
    log: list[Any] = []
    async with serve(Application([("/", Slow, {"log": log})])) as port:
        async with RawClient(port) as client:
            sending = asyncio.ensure_future(client.send(post(body)))
            await begun.wait()
            done, _ = await asyncio.wait([sending], timeout=0.2)
            assert not done
            proceed.set()
            assert (await client.response("POST")).body == b"done"
            await sending
    assert log == [("f", "f", None), 30_000_000]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (part("a", b"1"), 400),  # no end
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--\r\n", 400),
        (b"nothing", 400),
        (form(*[part("a", b"")] * 101), 400),
        (form(part("a", b"x" * 1_100_000)), 413),
    ],
)
async def test_malformed(expect_log: Any, body: bytes, status: int) -> None:
    with expect_log("zonda", f"^{status} "):
        response = await send(Keep, post(body))
    assert response.status == status


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=\u00e9"])
async def test_boundaries(expect_log: Any, kind: str) -> None:
    with expect_log("zonda", "^400 "):
        assert (await send(Keep, post(BODY, f"Content-Type: {kind}"))).status == 400


async def test_limits_of_the_application(expect_log: Any) -> None:
    config = ParseBodyConfig(multipart=ParseMultipartConfig(max_parts=2))
    with expect_log("zonda", "^400 "):
        assert (await send(Keep, post(BODY), parse_body_config=config)).status == 400


async def test_a_refusal_from_a_reader(expect_log: Any) -> None:
    class Refuse(Stream):
        async def part_received(self, part: Part) -> None:
            if part.filename == "virus.exe":
                raise HTTPError(422, "no programs")
            await super().part_received(part)

    body = form(part("f", b"x", "virus.exe"), part("g", b"y" * 100_000, "g"))
    with expect_log("zonda.general", "422"), expect_log("zonda.access"):
        response, log = await serve_stream(post(body), Refuse)
    assert (response.status, log) == (422, [])


async def test_read_has_a_limit(expect_log: Any) -> None:
    class Read(Stream):
        async def part_received(self, part: Part) -> None:
            self.log.append(await part.read(10))

    body = form(part("a", b"0123456789"), part("b", b"01234567890"))
    with expect_log("zonda", "^413 "):
        response, log = await serve_stream(post(body), Read)
    assert (response.status, log) == (413, [b"0123456789"])


async def test_a_client_that_goes() -> None:
    ended = asyncio.Event()
    errors: list[BaseException] = []

    class Gone(Stream):
        async def part_received(self, part: Part) -> None:
            try:
                async for _ in part:
                    self.log.append("chunk")
            except StreamClosedError as error:
                errors.append(error)
                raise
            finally:
                ended.set()

    log: list[Any] = []
    async with serve(Application([("/", Gone, {"log": log})])) as port:
        async with RawClient(port) as client:
            await client.send(post(form(part("f", b"x" * 100_000, "f")))[:-50_000])
            while not log:
                await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await ended.wait()
    assert len(errors) == 1


async def test_xsrf_is_checked_before_the_body(expect_log: Any) -> None:
    with expect_log("zonda.general", "XSRF"), expect_log("zonda.access"):
        assert (await send(Keep, post(BODY), xsrf_cookies=True)).status == 403
    fields = [TYPE, "Cookie: _xsrf=61626364", "X-Xsrftoken: 61626364"]
    assert (await send(Keep, post(BODY, *fields), xsrf_cookies=True)).status == 200
