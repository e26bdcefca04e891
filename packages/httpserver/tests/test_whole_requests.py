"""Requests that are taken in one step: what the application is told, and in which order.

From the second POST on a connection, fields and body are taken at once, too, so each case is run
on the first request of a connection and on the third.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from zonda.httpserver.connection import HTTP1ServerConnection
from zonda.httpserver.testing import RawClient, serve
from zonda.httpserver.timedconnection import FORGET_AFTER
from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"


class Plain:
    """A delegate that does not inherit from the interface. Answers with what it was told."""

    def __init__(self, app: "App", connection: Any) -> None:
        self.app = app
        self.connection = connection
        self.calls: list[str] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.calls.append("headers")
        if self.app.body_limit is not None:
            self.connection.set_max_body_size(self.app.body_limit)
        return self.app.wait()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.calls.append(chunk.decode())
        return self.app.wait()

    def finish(self) -> None:
        self.calls.append("finish")
        self.answer()

    def answer(self) -> None:
        text = " ".join(self.calls).encode()
        self.connection.respond(200, "OK", HTTPHeaders({"A": "b"}), text)

    def on_connection_close(self) -> None:
        self.app.gone.set()


class Asked(Plain, HTTPMessageDelegate):
    """One that lets itself be told in the usual way."""


class Whole(Asked):
    """One that takes whole messages."""

    def whole_message(self, start_line: object, headers: HTTPHeaders, body: bytes) -> bool:
        self.calls.append("whole")
        headers["X-Leak"] = "1"
        if self.app.answers:
            self.answer()
        return True


class App(HTTPServerConnectionDelegate):
    """Makes delegates of one kind.

    Attributes:
        waits: Whether each of its steps has to be waited for.
        body_limit: Set for each request.
        answers: Whether whole messages are answered.
    """

    def __init__(self, kind: type[Plain], *, waits: bool = False) -> None:
        self.kind = kind
        self.waits = waits
        self.body_limit: int | None = None
        self.answers = True
        self.connection: Any = None
        self.gone = asyncio.Event()

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        self.connection = server_conn
        delegate: Any = self.kind(self, request_conn)
        return delegate  # type: ignore[no-any-return]

    def wait(self) -> Awaitable[None] | None:
        return asyncio.sleep(0) if self.waits else None


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("kind", [Plain, Asked, Whole])
async def test_what_a_delegate_is_told(kind: type[Plain], bytewise: bool, waits: bool) -> None:
    async with serve(App(kind, waits=waits)) as port, RawClient(port) as client:
        for _ in range(3):
            await client.send(GET, bytewise=bytewise)
            taken_whole = kind is Whole and not bytewise  # whatever there is of a body
            expected = b"whole" if taken_whole else b"headers finish"
            assert (await client.response()).body == expected
            await client.send(POST, bytewise=bytewise)
            body = (await client.response()).body
            if bytewise:  # may come in any pieces
                body = body.replace(b"a b c", b"abc").replace(b"ab c", b"abc")
                body = body.replace(b"a bc", b"abc")
            assert body == (b"whole" if taken_whole else b"headers abc finish")


@pytest.mark.parametrize("waits", [False, True])
async def test_a_body_comes_in_pieces_of_chunk_size(waits: bool) -> None:
    app = App(Asked, waits=waits)
    async with serve(app, chunk_size=2) as port, RawClient(port) as client:
        for _ in range(3):
            assert (await client(POST)).body == b"headers ab c finish"


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("before", [0, 2])
async def test_a_request_may_lower_its_body_limit(
    before: int, waits: bool, expect_log: Any
) -> None:
    app = App(Asked, waits=waits)
    async with serve(app) as port, RawClient(port) as client:
        for _ in range(before):
            assert (await client(POST)).status == 200
        app.body_limit = 2
        response = await client(POST)
        assert (response.status, response.headers["Connection"]) == (413, "close")


@pytest.mark.parametrize("before", [0, 2])
async def test_pipelined_requests_are_answered_in_order(before: int) -> None:
    async with serve(App(Whole)) as port, RawClient(port) as client:
        for _ in range(before):
            await client(POST)
            await client(GET)
        await client.send(GET + POST + GET)
        assert [(await client.response()).body for _ in range(3)] == [
            b"headers finish",
            b"headers abc finish",
            b"headers finish",
        ]


async def test_a_failure_costs_a_500_and_the_connection(expect_log: Any) -> None:
    class Failing(Asked):
        def whole_message(self, start_line: object, headers: HTTPHeaders, body: bytes) -> bool:
            raise ZeroDivisionError

    async with serve(App(Failing)) as port, RawClient(port) as client:
        with expect_log("zonda.application", "Uncaught exception"):
            response = await client(GET)
        assert (response.status, response.headers["Connection"]) == (500, "close")


async def test_the_delegate_learns_that_its_client_has_left() -> None:
    app = App(Whole)
    app.answers = False
    async with serve(app) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            async with asyncio.timeout(10):
                while app.connection is None:
                    await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await app.gone.wait()


async def test_a_change_of_headers_stays_with_its_request() -> None:
    seen: list[str | None] = []

    class Changing(Asked):
        def whole_message(self, start_line: object, headers: HTTPHeaders, body: bytes) -> bool:
            seen.append(headers.get("X-Leak"))
            headers["X-Leak"] = "1"
            self.answer()
            return True

    async with serve(App(Changing)) as port, RawClient(port) as client:
        for _ in range(4):
            assert (await client(GET)).status == 200
    assert seen == [None] * 4


async def test_an_idle_connection_keeps_nothing_of_its_requests() -> None:
    app = App(Asked)
    async with serve(app) as port, RawClient(port) as client:
        for _ in range(2):  # what comes once is not kept
            assert (await client(POST)).status == 200
        connection = app.connection
        assert isinstance(connection, HTTP1ServerConnection)
        now = connection._timer.now
        connection.check_deadlines(now + FORGET_AFTER / 2)
        kept = [connection.protocol._known]
        connection.check_deadlines(now + FORGET_AFTER)
        kept.append(connection.protocol._known)
        assert [known is None for known in kept] == [False, True]
        assert (await client(POST)).body == b"headers abc finish"


async def test_no_keep_alive_takes_nothing_whole() -> None:
    app = App(Whole)
    async with serve(app, no_keep_alive=True) as port, RawClient(port) as client:
        response = await client(GET)
        assert response.headers["Connection"] == "close"
        assert response.body == b"headers finish"
