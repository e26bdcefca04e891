"""Large bodies: compressed in another thread, and sent in their turn."""

import asyncio
import gzip
import threading
from functools import partial
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders
from zonda.web import CORS, Application, GZipContentEncoding, OutputTransform, RequestHandler
from zonda.web.cors import CORSTransform
from zonda.web.later import LARGE

BODY = b"0123456789abcdef" * (LARGE // 16)
REQUEST = b"GET %s HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"


class Large(RequestHandler):
    def get(self) -> None:
        self.set_cookie("name", "value")
        self.write(BODY)


class Small(RequestHandler):
    def get(self) -> None:
        self.write("small")


class Slow(GZipContentEncoding):
    """Compresses when it may."""

    go_on = threading.Event()
    thread: threading.Thread | None = None

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if len(chunk) >= LARGE:
            Slow.thread = threading.current_thread()
            assert Slow.go_on.wait(20)
        return super().transform_first_chunk(status_code, headers, chunk, finishing)


@pytest.fixture(autouse=True)
def _closed() -> None:
    Slow.go_on.clear()
    Slow.thread = None


def app(*transforms: type[OutputTransform]) -> Application:
    return Application([("/large", Large), ("/small", Small)], transforms=list(transforms))


async def test_others_do_not_wait_and_the_order_stays() -> None:
    async with serve(app(Slow)) as port:
        async with RawClient(port) as one, RawClient(port) as two:
            await one.send(REQUEST % b"/large" + REQUEST % b"/small")
            assert (await two(REQUEST % b"/small")).body == b"small"
            Slow.go_on.set()
            response = await one.response()
            assert gzip.decompress(response.body) == BODY
            assert response.headers["Set-Cookie"] == "name=value; Path=/"
            assert (await one.response()).body == b"small"
    assert Slow.thread not in (None, threading.main_thread())


async def test_a_client_that_leaves_meanwhile() -> None:
    async with serve(app(Slow)) as port:
        async with RawClient(port) as client:
            await client.send(REQUEST % b"/large")
            async with asyncio.timeout(20):
                while Slow.thread is None:
                    await asyncio.sleep(0)
        Slow.go_on.set()
        async with RawClient(port) as client:
            assert (await client(REQUEST % b"/small")).body == b"small"


async def test_a_transform_that_raises_closes_the_connection(expect_log: Any) -> None:
    class Broken(GZipContentEncoding):
        def transform_first_chunk(self, *args: Any) -> Any:
            raise ZeroDivisionError

    with expect_log("zonda.application", "Uncaught exception in a transform"):
        async with serve(app(Broken)) as port, RawClient(port) as client:
            await client.send(REQUEST % b"/large")
            assert await client.closed() == b""


async def test_other_transforms_stay_on_the_loop() -> None:
    threads: list[threading.Thread] = []

    class Own(OutputTransform):
        def transform_first_chunk(self, *args: Any) -> Any:
            threads.append(threading.current_thread())
            return args[:3]

    async with serve(app(Own)) as port, RawClient(port) as client:
        assert (await client(REQUEST % b"/large")).body == BODY
    assert threads == [threading.current_thread()]


class Stream(RequestHandler):
    """Pieces of which the second is large, or the first is."""

    flushed: list[int]

    async def get(self, first: str) -> None:
        self.set_cookie("name", "value")
        pieces = [BODY, b"b" * 10, b"c" * 10] if first == "large" else [b"a" * 10, BODY, b"c" * 10]
        futures = []
        for piece in pieces:
            self.write(piece)
            futures.append(self.flush())
            self.set_header("X-Late", "1")
            self.set_cookie("late", "1")
        self.write(b"d" * 10)
        if first == "waits":
            for number, future in enumerate(futures):
                await future
                self.flushed.append(number)


class Slower(Slow):
    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if len(chunk) >= LARGE:
            Slow.thread = threading.current_thread()
            assert Slow.go_on.wait(20)
        return super().transform_chunk(chunk, finishing)


@pytest.mark.parametrize("first", ["small", "large", "waits"])
async def test_a_large_piece_of_a_stream(first: str) -> None:
    Stream.flushed = []
    application = Application([("/stream/(.*)", Stream), ("/small", Small)], transforms=[Slower])
    async with serve(application) as port:
        async with RawClient(port) as one, RawClient(port) as two:
            await one.send(REQUEST % f"/stream/{first}".encode() + REQUEST % b"/small")
            assert (await two(REQUEST % b"/small")).body == b"small"
            assert not [number for number in Stream.flushed if number > 0]
            Slow.go_on.set()
            response = await one.response()
            small = (b"b" if first == "large" else b"a") * 10
            pieces = [BODY, small] if first == "large" else [small, BODY]
            assert gzip.decompress(response.body) == b"".join(pieces) + b"c" * 10 + b"d" * 10
            assert response.headers.get_list("Set-Cookie") == ["name=value; Path=/"]
            assert "X-Late" not in response.headers
            assert (await one.response()).body == b"small"
    assert Slow.thread not in (None, threading.main_thread())
    assert Stream.flushed == ([0, 1, 2] if first == "waits" else [])


async def test_with_cors_too() -> None:
    class Noted(CORSTransform):
        def transform_first_chunk(self, *args: Any) -> Any:
            threads.append(threading.current_thread())
            return super().transform_first_chunk(*args)

    threads: list[threading.Thread] = []
    application = app(GZipContentEncoding)
    application.transforms.append(partial(Noted, CORS(origins="*")))
    async with serve(application) as port, RawClient(port) as client:
        response = await client(REQUEST % b"/large")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Content-Encoding"] == "gzip"
    assert threads[0] is not threading.current_thread()


async def test_a_stream_whose_transform_raises(expect_log: Any) -> None:
    class Broken(GZipContentEncoding):
        def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
            if len(chunk) >= LARGE:
                raise ZeroDivisionError
            return super().transform_chunk(chunk, finishing)

    application = Application([("/stream/(.*)", Stream)], transforms=[Broken])
    with expect_log("zonda.application", "Uncaught exception in a transform"):
        async with serve(application) as port, RawClient(port) as client:
            await client.send(REQUEST % b"/stream/small")
            assert not (await client.closed()).endswith(b"0\r\n\r\n")


async def test_a_client_that_leaves_a_stream() -> None:
    Stream.flushed = []
    application = Application([("/stream/(.*)", Stream), ("/small", Small)], transforms=[Slower])
    async with serve(application) as port:
        async with RawClient(port) as client:
            await client.send(REQUEST % b"/stream/large")
            async with asyncio.timeout(20):
                while Slow.thread is None:
                    await asyncio.sleep(0)
        Slow.go_on.set()
        async with RawClient(port) as client:
            assert (await client(REQUEST % b"/small")).body == b"small"


async def test_head_of_a_large_stream() -> None:
    class Head(RequestHandler):
        def head(self) -> None:
            self.write(BODY)
            self.flush()
            self.write(BODY)

    async with serve(Application([("/", Head)], transforms=[Slow])) as port:
        Slow.go_on.set()
        async with RawClient(port) as client:
            await client.send(REQUEST.replace(b"GET", b"HEAD") % b"/")
            assert (await client.response("HEAD")).body == b""
