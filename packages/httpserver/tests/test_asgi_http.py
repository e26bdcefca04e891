"""ASGI applications and HTTP, over real connections."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpserver.asgi import ASGIContainer, Message, Receive, Scope, Send
from zonda.httpserver.asgi.fields import asgi_fields, response_fields
from zonda.httpserver.asgi.http import READ_AHEAD
from zonda.httpserver.connection import LARGE_READ
from zonda.httpserver.errors import ApplicationProtocolError
from zonda.httpserver.routing import PathMatches, Rule, RuleRouter
from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders, HTTPInputError, ResponseStartLine

if TYPE_CHECKING:
    from conftest import ExpectLog

GET = b"GET /a%20b/%C3%A9?x=%20 HTTP/1.1\r\nHost: example.com\r\nX-One: 1\r\nx-one: 2\r\n\r\n"
TIMEOUT = 10.0


def contain(app: Any, **options: Any) -> ASGIContainer:
    return ASGIContainer(app, lifespan="off", **options)


def start(status: int = 200, *fields: tuple[bytes, bytes], **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(fields), **more}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_the_scope_says_it_all() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(start())
        await send(body())

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client(GET)
        own = client.writer.get_extra_info("sockname")
        [scope] = scopes
        assert scope == {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.5"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/a b/é",
            "raw_path": b"/a%20b/%C3%A9",
            "query_string": b"x=%20",
            "root_path": "",
            "headers": [(b"host", b"example.com"), (b"x-one", b"1"), (b"x-one", b"2")],
            "client": own,
            "server": ("127.0.0.1", port),
            "state": {},
            "extensions": scope["extensions"],
        }
        assert {"http.response.trailers", "http.response.early_hint"} <= set(scope["extensions"])


@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        ("/", "/", b"/", b""),
        ("http://example.com/x?y", "/x", b"/x", b"y"),
        ("/%ff", "/\ufffd", b"/%ff", b""),
        ("/a?b?c", "/a", b"/a", b"b?c"),
        ("/%2f%3f", "//?", b"/%2f%3f", b""),
    ],
)
async def test_targets(target: str, path: str, raw_path: bytes, query: bytes) -> None:
    found: list[tuple[str, bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append((scope["path"], scope["raw_path"], scope["query_string"]))
        await send(start())
        await send(body())

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client(f"GET {target} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
    assert found == [(path, raw_path, query)]


async def test_behind_a_proxy_the_scope_is_the_clients() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(start())
        await send(body())

    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Real-Ip: 192.0.2.7\r\nX-Scheme: https\r\n\r\n"
    async with serve(contain(app), xheaders=True) as port, RawClient(port) as client:
        await client(request)
        await client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        own = client.writer.get_extra_info("sockname")
    assert [(scope["client"], scope["scheme"]) for scope in scopes] == [
        (("192.0.2.7", 0), "https"),
        (own, "http"),
    ]


# -- responses -------------------------------------------------------------------------------------

RESPONSES: dict[str, tuple[list[Message], str, int, dict[str, str | None], bytes]] = {
    "whole": ([start(), body(b"hello")], "GET", 200, {"Content-Length": "5"}, b"hello"),
    "head": ([start(), body(b"hello")], "HEAD", 200, {"Content-Length": "5"}, b""),
    "status": ([start(418), body()], "GET", 418, {"Content-Length": "0"}, b""),
    "no content": ([start(204), body()], "GET", 204, {"Content-Length": None}, b""),
    "unregistered": ([start(299), body()], "GET", 299, {}, b""),
    "no body key": ([start(), {"type": "http.response.body"}], "GET", 200, {}, b""),
    "pieces": (
        [start(), body(b"a", more=True), body(b"b", more=True), body()],
        "GET",
        200,
        {"Transfer-Encoding": "chunked"},
        b"ab",
    ),
    "announced pieces": (
        [start(200, (b"content-length", b"2")), body(b"a", more=True), body(b"b")],
        "GET",
        200,
        {"Content-Length": "2", "Transfer-Encoding": None},
        b"ab",
    ),
    "own coding is ignored": (
        [start(200, (b"transfer-encoding", b"gzip")), body(b"a")],
        "GET",
        200,
        {"Transfer-Encoding": None, "Content-Length": "1"},
        b"a",
    ),
    "repeated": (
        [start(200, (b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2")), body()],
        "GET",
        200,
        {"Set-Cookie": "a=1,b=2"},
        b"",
    ),
    "own date": ([start(200, (b"date", b"today")), body()], "GET", 200, {"Date": "today"}, b""),
}


@pytest.mark.parametrize("case", RESPONSES)
async def test_responses(case: str) -> None:
    messages, method, status, fields, content = RESPONSES[case]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with serve(contain(app)) as port, RawClient(port) as client:
        for _ in range(2):  # the connection persists
            await client.send(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            response = await client.response(method)
            assert response.status == status
            assert response.body == content
            assert "Date" in response.headers
            assert {name: response.headers.get(name) for name in fields} == fields


async def test_extensions_of_the_response() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
        await send(start(200, (b"trailer", b"x-sum"), trailers=True))
        await send(body(b"data"))
        more = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]}
        await send({**more, "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": []})

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = await client.closed()
    early, final, rest = data.split(b"\r\n\r\n", 2)
    assert early == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload"
    assert final.startswith(b"HTTP/1.1 200 OK")
    assert rest == b"4\r\ndata\r\n0\r\nX-Sum: 1\r\n\r\n"


FAULTS: dict[str, tuple[list[Message], bool, str]] = {
    "nothing": ([], False, "without completing its response"),
    "head only": ([start()], False, "without completing its response"),
    "half": ([start(), body(b"a", more=True)], True, "without completing its response"),
    "body first": ([body()], False, "'http.response.body' out of order"),
    "two heads": ([start(), start()], False, "'http.response.start' out of order"),
    "unknown": ([{"type": "http.response.nonsense"}], False, "nonsense"),
    "splitting": (
        [start(200, (b"x", b"a\r\nSet-Cookie: b")), body()],
        False,
        "LocalProtocolError|invalid",
    ),
    "bad name": ([start(200, (b"x y", b"a")), body()], False, "x y"),
    "too short": (
        [start(200, (b"content-length", b"5")), body(b"a", more=True), body()],
        True,
        "less content",
    ),
    "too long": ([start(200, (b"content-length", b"1")), body(b"ab")], False, "Content-Length"),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_faults_of_the_application(case: str, expect_log: "ExpectLog") -> None:
    messages, started, complaint = FAULTS[case]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with expect_log("zonda.application", "Uncaught exception in ASGI application") as records:
        async with serve(contain(app)) as port, RawClient(port) as client:
            if started:
                await client.send(GET)
                assert b"\r\n0\r\n" not in await client.closed()
            else:
                response = await client(GET)
                assert (response.status, response.body) == (500, b"Internal Server Error")
                assert "Set-Cookie" not in response.headers
    info = records[0].exc_info
    assert info is not None
    import re  # noqa: PLC0415

    assert re.search(complaint, f"{type(info[1]).__name__} {info[1]}")


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    "error", [ValueError("x"), asyncio.CancelledError()], ids=["error", "cancelled"]
)
async def test_an_exception_is_a_500(
    error: BaseException, waits: bool, expect_log: "ExpectLog"
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if waits:
            await asyncio.sleep(0)
        raise error

    count = 1 if isinstance(error, ValueError) else 0
    with expect_log("zonda.application", "Uncaught exception in ASGI", count=count):
        async with serve(contain(app)) as port, RawClient(port) as client:
            assert (await client(GET)).status == 500


async def test_a_path_cannot_forge_a_log_line(expect_log: "ExpectLog") -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError

    with expect_log("zonda.application", "Uncaught exception") as records:
        async with serve(contain(app)) as port, RawClient(port) as client:
            await client("GET /\x9b31m HTTP/1.1\r\nHost: a\r\n\r\n".encode("latin-1"))
    assert "\x9b" not in records[0].getMessage()


# -- requests --------------------------------------------------------------------------------------


async def read_all(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
BODIES: dict[str, tuple[bytes, bytes]] = {
    "length": (POST + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "empty": (POST + b"Content-Length: 0\r\n\r\n", b""),
    "chunked": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"hello",
    ),
    "chunked GET": (
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"x",
    ),
    "large": (
        POST + b"Content-Length: 300000\r\n\r\n" + b"x" * 300000,
        b"x" * 300000,
    ),
}


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("case", BODIES)
async def test_bodies(case: str, bytewise: bool) -> None:
    request, expected = BODIES[case]
    if bytewise and len(request) > 1000:
        pytest.skip("not byte by byte")
    lasts: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages = await read_all(receive)
        assert {message["type"] for message in messages} == {"http.request"}
        assert all(len(message["body"]) <= READ_AHEAD + LARGE_READ for message in messages)
        content = b"".join([message["body"] for message in messages])
        await send(start())
        await send(body(str(len(content)).encode() + content[:5]))
        lasts.append(await receive())

    async with serve(contain(app)) as port, RawClient(port) as client:
        for _ in range(2):
            await client.send(request, bytewise=bytewise)
            response = await client.response()
            assert response.body == str(len(expected)).encode() + expected[:5]
    assert lasts == [{"type": "http.disconnect"}] * 2


async def test_continue_is_sent_when_the_body_is_asked_for() -> None:
    asked = asyncio.Event()
    may_ask = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await may_ask.wait()
        [message] = await read_all(receive)
        await send(start())
        await send(body(message["body"]))

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client.send(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        async with asyncio.timeout(TIMEOUT):
            await asked.wait()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.reader.read(1)
            may_ask.set()
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        response = await client(b"hi")
        assert (response.status, response.body) == (200, b"hi")


async def test_no_continue_for_who_is_refused() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(403))
        await send(body())

    async with serve(contain(app)) as port, RawClient(port) as client:
        response = await client(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (response.status, response.informational) == (403, [])


async def test_an_application_that_does_not_read_holds_the_body_back() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        await go_on.wait()
        seen.extend(len(message["body"]) for message in await read_all(receive))
        await send(start())
        await send(body())

    size = 16 * 1024 * 1024
    async with serve(contain(app)) as port, RawClient(port) as client:
        client.writer.write(POST + b"Content-Length: %d\r\n\r\n" % size + bytes(size))
        drained = asyncio.ensure_future(client.writer.drain())
        async with asyncio.timeout(TIMEOUT):
            await started.wait()
            done, _ = await asyncio.wait([drained], timeout=0.2)
            assert not done  # all buffers between the two are full
            go_on.set()
            await drained
            assert (await client.response()).status == 200
    assert sum(seen) == size
    assert max(seen) <= 4 * READ_AHEAD


async def test_a_slow_reader_holds_the_application_back() -> None:
    sent = 0
    finished = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(1024):
            await send(body(bytes(65536), more=True))
            sent += 65536
        await send(body())
        finished.set()

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client.send(GET)
        async with asyncio.timeout(TIMEOUT):
            await client.reader.readexactly(1)
            before = -1
            while before != sent:  # until nothing moves any more
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 32 * 1024 * 1024
            client._rest = b"H"
            assert len((await client.response()).body) == 1024 * 65536
            await finished.wait()


async def test_both_directions_at_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(message["body"], more=more))

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        async with asyncio.timeout(TIMEOUT):
            await client.send(b"2\r\nab\r\n")
            assert (await client.reader.readuntil(b"2\r\nab\r\n")).startswith(b"HTTP/1.1 200 OK")
            await client.send(b"1\r\nc\r\n")
            assert await client.reader.readuntil(b"c\r\n") == b"1\r\nc\r\n"
            await client.send(b"0\r\n\r\n")
            assert await client.reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"


# -- disconnects -----------------------------------------------------------------------------------


async def test_a_client_that_leaves() -> None:
    waiting, left = asyncio.Event(), asyncio.Event()
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await send(body(b"a", more=True))
        waiting.set()
        assert await receive() == {"type": "http.disconnect"}
        assert await receive() == {"type": "http.disconnect"}
        try:
            while True:
                await send(body(b"a" * 65536, more=True))
        except OSError as error:
            errors.append(error)
            left.set()
            raise

    async with serve(contain(app)) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await waiting.wait()
        async with asyncio.timeout(TIMEOUT):
            await left.wait()
    assert len(errors) == 1


async def test_a_half_closed_client_gets_the_whole_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        assert await receive() == {"type": "http.disconnect"}
        for _ in range(10):
            await send(body(b"a" * 1000, more=True))
        await send(body())

    async with serve(contain(app)) as port, RawClient(port) as client:
        await client.send(GET)
        client.writer.write_eof()
        assert (await client.response()).body == b"a" * 10000


async def test_a_waiting_receive_can_be_cancelled() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        first, second = asyncio.ensure_future(receive()), asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        await send(start())
        await send(body(b"ok"))
        assert await second == {"type": "http.disconnect"}

    async with serve(contain(app)) as port, RawClient(port) as client:
        assert (await client(GET)).body == b"ok"


async def test_applications_that_are_no_coroutine_functions() -> None:
    class Inner:
        def __await__(self) -> Any:
            return self.run().__await__()

        def __init__(self, send: Send) -> None:
            self.send = send

        async def run(self) -> None:
            await self.send(start())
            await self.send(body(b"ok"))

    def app(scope: Scope, receive: Receive, send: Send) -> Inner:
        return Inner(send)

    async with serve(contain(app)) as port, RawClient(port) as client:
        assert (await client(GET)).body == b"ok"


# -- mounted ---------------------------------------------------------------------------------------


async def answer_paths(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    await send(body(f"{scope['root_path']}|{scope['path']}".encode()))


@pytest.mark.parametrize(
    ("path", "status", "content"),
    [
        ("/api", 200, b"/api|/api"),
        ("/api/x", 200, b"/api|/api/x"),
        ("/apix", 200, b"|/apix"),
        ("/", 200, b"|/"),
        ("/plain", 200, b"plain"),
    ],
)
async def test_mounted_under_a_prefix(path: str, status: int, content: bytes) -> None:
    def plain(request: Any) -> None:
        fields = HTTPHeaders({"Content-Length": "5"})
        request.connection.write_headers(ResponseStartLine("", 200, "OK"), fields, b"plain")
        request.connection.finish()

    router = RuleRouter(
        [
            Rule(PathMatches("/plain"), plain),
            Rule(PathMatches("/api.*"), contain(answer_paths, root_path="/api/")),
            Rule(PathMatches("/.*"), contain(answer_paths)),
        ]
    )
    async with serve(router) as port, RawClient(port) as client:
        response = await client(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (response.status, response.body) == (status, content)


async def test_alone_but_under_a_prefix() -> None:
    async with serve(contain(answer_paths, root_path="/api")) as port, RawClient(port) as client:
        assert (await client(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")).status == 404


# -- fields ----------------------------------------------------------------------------------------

FIELDS: list[tuple[str, list[tuple[bytes, bytes]]]] = [
    ("Host: a\r\nAccept:*/*", [(b"host", b"a"), (b"accept", b"*/*")]),
    ("X:  b \t\r\nx: c\r\n", [(b"x", b"b"), (b"x", b"c")]),
    ("A: \xe9:1", [(b"a", b"\xe9:1")]),
    ("", []),
]


@pytest.mark.parametrize("asked_before", [lambda h: None, lambda h: h.get("q"), len])
@pytest.mark.parametrize(("block", "pairs"), FIELDS)
def test_fields_of_a_request(
    block: str, pairs: list[tuple[bytes, bytes]], asked_before: Callable[[HTTPHeaders], object]
) -> None:
    headers = HTTPHeaders.from_block(block)
    asked_before(headers)
    assert sorted(asgi_fields(headers)) == sorted(pairs)


def test_secrets_are_not_kept() -> None:
    from zonda.httpserver.asgi import fields  # noqa: PLC0415

    asgi_fields(HTTPHeaders.from_block("Cookie: secret=1\r\nAuthorization: Basic abc"))
    assert not [line for line in fields._lines if "secret" in line or "Basic" in line]


def test_tables_are_bounded() -> None:
    from zonda.httpserver.asgi import fields  # noqa: PLC0415

    for number in range(3000):
        asgi_fields(HTTPHeaders.from_block(f"X-{number}: 1"))
        response_fields([(f"x-{number}".encode(), b"1")])
    assert len(fields._lines) <= 1024
    assert len(fields._names) <= 1024


def test_names_are_tokens() -> None:
    with pytest.raises(HTTPInputError):
        response_fields([(b"a b", b"c")])


def test_errors_say_whose_fault() -> None:
    assert str(ApplicationProtocolError("ASGI", "did x")) == "ASGI application: did x"
