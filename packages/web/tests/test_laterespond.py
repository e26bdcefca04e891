"""Large bodies: compressed in another thread, and sent in their turn."""

import asyncio
import gzip
import threading
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders
from zonda.web import Application, GZipContentEncoding, OutputTransform, RequestHandler
from zonda.web.laterespond import LARGE

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
