"""WSGI applications over real connections, in threads and in the loop's thread."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from zonda.httpserver.errors import ApplicationProtocolError
from zonda.httpserver.routing import PathMatches, Rule, RuleRouter
from zonda.httpserver.testing import RawClient, serve
from zonda.httpserver.wsgi import WSGIContainer, dummy_executor, to_wsgi_str
from zonda.httpserver.wsgi.environ import make_environ
from zonda.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine, ResponseStartLine

if TYPE_CHECKING:
    from conftest import ExpectLog

TIMEOUT = 10.0
GET = b"GET /a%20b HTTP/1.1\r\nHost: example.com\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\n"
PLAIN = [("Content-Type", "text/plain")]

both = pytest.mark.parametrize("threads", [True, False], ids=["threads", "in place"])


@asynccontextmanager
async def container_of(app: Any, threads: bool, **options: Any) -> AsyncIterator[WSGIContainer]:
    """A container whose threads end with the block."""
    if not threads:
        yield WSGIContainer(app, **options)
        return
    container = WSGIContainer(app, threads=2, **options)
    yield container
    await container.shutdown()
    assert container._own_pool is not None
    container._own_pool.shutdown(wait=True)


@asynccontextmanager
async def serving(app: Any, threads: bool, **options: Any) -> AsyncIterator[RawClient]:
    async with container_of(app, threads, **options) as container:
        async with serve(container) as port, RawClient(port) as client:
            yield client


# -- the environment -------------------------------------------------------------------------------


def request_of(target: str, host: str = "example.com", **fields: str) -> HTTPServerRequest:
    headers = HTTPHeaders({"Host": host})
    for name, value in fields.items():
        headers.add(name.replace("__", "-"), value)
    return HTTPServerRequest(
        start_line=RequestStartLine("GET", target, "HTTP/1.1"), headers=headers
    )


ENVIRONS: dict[str, tuple[HTTPServerRequest, str, dict[str, object]]] = {
    "paths": (
        request_of("/a%20b%C3%A9%2F?x=%20"),
        "",
        {"PATH_INFO": "/a bÃ©/", "QUERY_STRING": "x=%20", "SCRIPT_NAME": ""},
    ),
    "mounted": (
        request_of("/app/x"),
        "/app",
        {"PATH_INFO": "/x", "SCRIPT_NAME": "/app", "REQUEST_URI": "/app/x"},
    ),
    "the mount itself": (request_of("/app"), "/app", {"PATH_INFO": "", "SCRIPT_NAME": "/app"}),
    "port": (request_of("/", "h:81"), "", {"SERVER_NAME": "h", "SERVER_PORT": "81"}),
    "no port": (request_of("/"), "", {"SERVER_NAME": "example.com", "SERVER_PORT": "80"}),
    "IPv6": (request_of("/", "[::1]:82"), "", {"SERVER_NAME": "[::1]", "SERVER_PORT": "82"}),
    "fields": (
        request_of("/", Content__Type="a/b", Content__Length="0", X__One="1"),
        "",
        {"CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "0", "HTTP_X_ONE": "1"},
    ),
    "cookies": (request_of("/", Cookie="a=1"), "", {"HTTP_COOKIE": "a=1"}),
    "absolute": (request_of("http://other/x?y"), "", {"PATH_INFO": "/x", "SERVER_NAME": "other"}),
}


@pytest.mark.parametrize("case", ENVIRONS)
def test_environ(case: str) -> None:
    request, script_name, expected = ENVIRONS[case]
    environ = make_environ(request, script_name, multithread=True)
    assert {name: environ.get(name) for name in expected} == expected
    assert environ["wsgi.version"] == (1, 0)
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)


def test_names_with_underscores_cannot_shadow_others() -> None:
    request = request_of("/", X_Real_Ip="6.6.6.6", X__Real__Ip="192.0.2.1")
    assert make_environ(request, "", multithread=True)["HTTP_X_REAL_IP"] == "192.0.2.1"
    request = request_of("/", X_Real_Ip="6.6.6.6")
    assert "HTTP_X_REAL_IP" not in make_environ(request, "", multithread=True)


def test_no_field_sets_a_proxy_for_the_application() -> None:
    assert "HTTP_PROXY" not in make_environ(request_of("/", Proxy="http://evil"), "", True)


def test_native_strings() -> None:
    assert to_wsgi_str("é".encode()) == "Ã©"


def test_the_container_makes_environs() -> None:
    container = WSGIContainer(lambda environ, start_response: [], script_name="/app/")
    assert container.environ(request_of("/app/x"))["SCRIPT_NAME"] == "/app"
    assert container.environ(request_of("/apple"))["SCRIPT_NAME"] == ""
    assert container.environ(request_of("/"))["wsgi.multithread"] is False


def test_an_executor_or_threads() -> None:
    with pytest.raises(ValueError, match="either"):
        WSGIContainer(lambda environ, start_response: [], dummy_executor, threads=1)


# -- responses -------------------------------------------------------------------------------------


class Closing:
    """An iterable with a close that is counted."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed += 1


LENGTH_2 = [("Content-Length", "2"), *PLAIN]
RESPONSES: dict[str, tuple[str, Any, list[tuple[str, str]], dict[str, str | None], bytes]] = {
    "list": ("GET", [b"hel", b"lo"], PLAIN, {"Content-Length": "5"}, b"hello"),
    "empty list": ("GET", [], PLAIN, {"Content-Length": "0"}, b""),
    "pieces": ("GET", ("hel", "lo"), PLAIN, {}, b"hello"),
    "empty pieces": ("GET", ("", "hi", ""), PLAIN, {}, b"hi"),
    "no pieces": ("GET", (), PLAIN, {"Content-Length": "0"}, b""),
    "announced": ("GET", ("h", "i"), LENGTH_2, {"Content-Length": "2"}, b"hi"),
    "head": ("HEAD", [b"hi"], PLAIN, {"Content-Length": "2"}, b""),
    "head of pieces": ("HEAD", ("h", "i"), LENGTH_2, {"Content-Length": "2"}, b""),
    "default type": ("GET", [b"a"], [], {"Content-Type": "text/html; charset=UTF-8"}, b"a"),
    "repeated": (
        "GET",
        [b"a"],
        [*PLAIN, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        {"Set-Cookie": "a=1,b=2"},
        b"a",
    ),
}


@both
@pytest.mark.parametrize("case", RESPONSES)
async def test_responses(case: str, threads: bool) -> None:
    method, content, fields, expected, body = RESPONSES[case]
    iterables: list[Closing] = []

    @validator
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 Fine", fields or [("Content-Type", "text/html; charset=UTF-8")])
        if isinstance(content, list):
            return content
        iterables.append(Closing(*[piece.encode() for piece in content]))
        return iterables[-1]

    # The validator hides lists: as they are, too.
    async with serving(app, threads) as client:
        await client.send(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        response = await client.response(method)
        assert (response.status, response.reason, response.body) == (200, "Fine", body)
    assert [iterable.closed for iterable in iterables] == [1] * len(iterables)

    def bare(environ: Any, start_response: Any) -> Any:
        start_response("200 Fine", list(fields))
        if isinstance(content, list):
            return content
        return Closing(*[piece.encode() for piece in content])

    async with serving(bare, threads) as client:
        for _ in range(2):  # the connection persists
            await client.send(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            response = await client.response(method)
            assert (response.status, response.reason, response.body) == (200, "Fine", body)
            assert {name: response.headers.get(name) for name in expected} == expected
            assert "Date" in response.headers


@both
@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_content(status: int, threads: bool) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response(f"{status} x", [])
        return iter([b"", b"dropped", b"dropped"])

    async with serving(app, threads) as client:
        for _ in range(2):
            response = await client(GET)
            assert (response.status, response.body) == (status, b"")


@both
async def test_write(threads: bool) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", PLAIN)
        write(b"one ")
        write(b"")
        write(b"two ")
        return [b"three"]

    async with serving(app, threads) as client:
        assert (await client(GET)).body == b"one two three"


@both
async def test_an_error_page_replaces_what_is_not_out_yet(
    threads: bool, expect_log: "ExpectLog"
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        try:
            raise ValueError
        except ValueError:
            start_response("503 Sorry", PLAIN, sys.exc_info())
        return [b"sorry"]

    with expect_log("zonda.access", "^503"):
        async with serving(app, threads) as client:
            response = await client(GET)
            assert (response.status, response.reason, response.body) == (503, "Sorry", b"sorry")


@both
async def test_an_error_after_the_head_is_raised_again(
    threads: bool, expect_log: "ExpectLog"
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        yield b"a"
        try:
            raise KeyError("first")
        except KeyError:
            start_response("500 Sorry", PLAIN, sys.exc_info())
        yield b"never"

    with expect_log("zonda.application", "Uncaught exception in WSGI") as records:
        async with serving(app, threads) as client:
            await client.send(GET)
            assert b"never" not in await client.closed()
    assert records[0].exc_info is not None
    assert records[0].exc_info[0] is KeyError


FAULTS: dict[str, tuple[Any, str]] = {
    "no start": (lambda s: [b"a"], "did not call start_response"),
    "no start, nothing": (lambda s: [], "did not call start_response"),
    "twice": (lambda s: (s("200 OK", []), s("200 OK", [])), "a second time"),
    "status": (lambda s: s("OK", []), "as status"),
    "status bytes": (lambda s: s(b"200 OK", []), "as status"),
    "status split": (lambda s: s("200 O\r\nK: v", []), "as status"),
    "status NUL": (lambda s: s("200 O\0K", []), "as status"),
    "status beyond latin-1": (lambda s: s("200 \u010d\u010a", []), "as status"),
    "length": (lambda s: s("200 OK", [("Content-Length", "+1")]) and [b"a"], "ength"),
    "length in other digits": (
        lambda s: s("200 OK", [("Content-Length", "\xb2")]) and [b"ab"],
        "ength",
    ),
    "two lengths": (
        lambda s: s("200 OK", [("Content-Length", "1"), ("Content-Length", "2")]) and [b"a"],
        "ength",
    ),
    "status 1xx": (lambda s: s("101 Switching Protocols", []), "as status"),
    "headers tuple": (lambda s: s("200 OK", ()), "not as a list"),
    "header bytes": (lambda s: s("200 OK", [(b"a", b"b")]), "both have to be str"),
    "header split": (lambda s: s("200 OK", [("a", "b\r\nc: d")]), "invalid header"),
    "header name": (lambda s: s("200 OK", [("a b", "c")]), "invalid header"),
    "hop by hop": (lambda s: s("200 OK", [("Connection", "close")]), "Connection"),
    "hop by hop coding": (lambda s: s("200 OK", [("Transfer-Encoding", "x")]), "between"),
    "text": (lambda s: s("200 OK", []) and ["text"], "str instead of bytes"),
    "text pieces": (lambda s: s("200 OK", []) and iter(["text"]), "str instead of bytes"),
    "raises": (lambda s: 1 // 0, "ZeroDivisionError"),
    "not iterable": (lambda s: s("200 OK", []) and 5, "TypeError"),
}


@both
@pytest.mark.parametrize("case", FAULTS)
async def test_faults_of_the_application(case: str, threads: bool, expect_log: "ExpectLog") -> None:
    app, complaint = FAULTS[case]
    with (
        expect_log("zonda.application", "Uncaught exception in WSGI application") as records,
        expect_log("zonda.access", "^500 GET"),
    ):
        async with serving(lambda environ, start_response: app(start_response), threads) as client:
            response = await client(GET)
            assert (response.status, response.body) == (500, b"Internal Server Error")
    assert records[0].exc_info is not None
    assert complaint in f"{type(records[0].exc_info[1]).__name__}: {records[0].exc_info[1]}"


@both
@pytest.mark.parametrize("content", [["too", "much"], [["too", "much"]], ["x"]])
async def test_a_wrong_length(content: list[Any], threads: bool, expect_log: "ExpectLog") -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        if isinstance(content[0], list):
            return [piece.encode() for piece in content[0]]
        return iter([piece.encode() for piece in content])

    with expect_log("zonda.application", "Uncaught exception in WSGI"):
        async with serving(app, threads) as client:
            if content == ["x"]:
                await client.send(GET)
                await client.closed()  # not a response that looks complete
            else:
                assert (await client(GET)).body == b"toomu"  # what was announced, and no more


@both
async def test_close_is_called_whatever_happens(threads: bool, expect_log: "ExpectLog") -> None:
    iterables: list[Closing] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        iterables.append(Closing(b"a", ValueError("on purpose")))
        return iterables[-1]

    with expect_log("zonda.application", "Uncaught exception in WSGI"):
        async with serving(app, threads) as client:
            await client.send(GET)
            assert not (await client.closed()).endswith(b"0\r\n\r\n")
    assert iterables[0].closed == 1


# -- requests --------------------------------------------------------------------------------------


def read_everything(environ: Any, start_response: Any) -> Any:
    body = environ["wsgi.input"].read()
    start_response("200 OK", PLAIN)
    return [b"%d %s" % (len(body), body[:5])]


def read_lines(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", PLAIN)
    stream = environ["wsgi.input"]
    return [b"|".join([stream.read(1), stream.readline(), *stream, *stream.readlines()])]


BODIES: dict[str, tuple[Any, bytes, bytes]] = {
    "length": (read_everything, POST + b"Content-Length: 5\r\n\r\nhello", b"5 hello"),
    "none": (read_everything, POST + b"\r\n", b"0 "),
    "chunked": (
        read_everything,
        POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"5 hello",
    ),
    "large": (
        read_everything,
        POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3000000,
        b"3000000 xxxxx",
    ),
    "lines": (read_lines, POST + b"Content-Length: 8\r\n\r\nab\ncd\nef", b"a|b\n|cd\n|ef"),
}


@both
@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("case", BODIES)
async def test_bodies(case: str, bytewise: bool, threads: bool) -> None:
    app, request, expected = BODIES[case]
    if bytewise and len(request) > 1000:
        pytest.skip("not byte by byte")
    async with serving(app, threads) as client:
        for _ in range(2):
            await client.send(request, bytewise=bytewise)
            assert (await client.response()).body == expected


async def test_bodies_are_validated() -> None:
    @validator
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return [environ["wsgi.input"].read(5)]

    async with serving(app, True) as client:
        assert (await client(POST + b"Content-Length: 5\r\n\r\nhello")).body == b"hello"


async def test_streams_both_ways_at_once() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return iter(lambda: environ["wsgi.input"].read(2), b"")

    async with serving(app, True) as client:
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        async with asyncio.timeout(TIMEOUT):
            await client.send(b"2\r\nab\r\n")
            assert (await client.reader.readuntil(b"2\r\nab\r\n")).startswith(b"HTTP/1.1 200 OK")
            await client.send(b"2\r\ncd\r\n")
            assert await client.reader.readuntil(b"cd\r\n") == b"2\r\ncd\r\n"
            await client.send(b"0\r\n\r\n")
            assert await client.reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"


async def test_an_application_that_does_not_read_holds_the_body_back() -> None:
    started, go_on = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        started.set()
        go_on.wait(TIMEOUT)
        size = 0
        while data := environ["wsgi.input"].read(100_000):
            size += len(data)
        start_response("200 OK", PLAIN)
        return [str(size).encode()]

    size = 16 * 1024 * 1024
    async with serving(app, True) as client:
        client.writer.write(POST + b"Content-Length: %d\r\n\r\n" % size + bytes(size))
        drained = asyncio.ensure_future(client.writer.drain())
        done, _ = await asyncio.wait([drained], timeout=0.2)
        assert started.is_set()
        assert not done
        go_on.set()
        async with asyncio.timeout(TIMEOUT):
            await drained
        assert (await client.response()).body == str(size).encode()


@both
async def test_a_slow_reader_holds_the_application_back(threads: bool) -> None:
    sent = 0

    def app(environ: Any, start_response: Any) -> Any:
        nonlocal sent
        start_response("200 OK", PLAIN)
        for _ in range(512):
            yield bytes(65536)
            sent += 65536

    async with serving(app, threads) as client:
        await client.send(GET)
        async with asyncio.timeout(TIMEOUT):
            await client.reader.readexactly(1)
            before = -1
            while before != sent:  # until nothing moves any more
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 24 * 1024 * 1024
            client._rest = b"H"
            assert len((await client.response()).body) == 512 * 65536


@both
async def test_a_client_that_leaves_ends_the_iteration(threads: bool) -> None:
    closed = threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield bytes(65536)

        def close(self) -> None:
            closed.set()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return Endless()

    async with container_of(app, threads) as container, serve(container) as port:
        async with RawClient(port) as client:
            await client.send(GET)
            await client.reader.readexactly(1_000_000)
        async with asyncio.timeout(TIMEOUT):
            while not closed.is_set():
                await asyncio.sleep(0.001)


async def test_a_client_that_leaves_inside_its_body() -> None:
    errors: list[BaseException] = []
    reading, ended = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        reading.set()
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            errors.append(error)
            raise
        finally:
            ended.set()

    async with container_of(app, True) as container, serve(container) as port:
        async with RawClient(port) as client:
            await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            async with asyncio.timeout(TIMEOUT):
                while not reading.is_set():
                    await asyncio.sleep(0.001)
        async with asyncio.timeout(TIMEOUT):
            while not ended.is_set():
                await asyncio.sleep(0.001)
    assert len(errors) == 1


@both
async def test_a_half_closed_client_gets_the_whole_answer(threads: bool) -> None:
    go_on = threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        if threads:
            go_on.wait(TIMEOUT)
        for _ in range(10):
            yield bytes(1000)

    async with serving(app, threads) as client:
        await client.send(GET)
        client.writer.write_eof()
        await asyncio.sleep(0.01)
        go_on.set()
        assert len((await client.response()).body) == 10_000


@both
async def test_continue(threads: bool) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        if environ["PATH_INFO"] == "/refuse":
            return [b"no"]
        return [environ["wsgi.input"].read()]

    expecting = b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with serving(app, threads) as client:
        await client.send(POST + expecting)
        async with asyncio.timeout(TIMEOUT):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client(b"hi")).body == b"hi"
        if threads:  # in place everything is read first
            await client.send(POST.replace(b"/ ", b"/refuse ", 1) + expecting)
            response = await client.response()
            assert (response.body, response.informational) == (b"no", [])


# -- where it runs ---------------------------------------------------------------------------------


async def test_threads_leave_the_loop_alone() -> None:
    barrier = threading.Barrier(2, timeout=TIMEOUT)

    def app(environ: Any, start_response: Any) -> Any:
        barrier.wait()  # both requests are here at once
        assert environ["wsgi.multithread"] is True
        start_response("200 OK", PLAIN)
        return [threading.current_thread().name.encode()]

    async with container_of(app, True) as container, serve(container) as port:
        async with RawClient(port) as one, RawClient(port) as two:
            answers = await asyncio.gather(one(GET), two(GET))
    assert len({answer.body for answer in answers}) == 2


async def test_the_whole_request_in_one_thread() -> None:
    names: list[str] = []

    class Body(Closing):
        def close(self) -> None:
            names.append(threading.current_thread().name)

    def app(environ: Any, start_response: Any) -> Any:
        names.append(threading.current_thread().name)
        start_response("200 OK", PLAIN)
        return Body(*[b"x"] * 20)

    async with serving(app, True) as client:
        await client(GET)
    assert names[0] == names[1]


@pytest.mark.parametrize("executor", [None, dummy_executor])
async def test_in_the_loops_thread(executor: Executor | None) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return [threading.current_thread().name.encode()]

    async with serve(WSGIContainer(app, executor)) as port, RawClient(port) as client:
        assert (await client(GET)).body == b"MainThread"


async def test_an_executor_that_is_shut_down(expect_log: "ExpectLog") -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with (
        expect_log("zonda.application", "Uncaught exception in WSGI"),
        expect_log("zonda.access", "^500"),
    ):
        async with serve(WSGIContainer(read_everything, executor)) as port:
            async with RawClient(port) as client:
                assert (await client(GET)).status == 500


# -- mounted, overridden, called -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content"),
    [("/app", b"/app|"), ("/app/x", b"/app|/x"), ("/apple", b"|/apple"), ("/%61pp/", b"/app|/")],
)
async def test_mounted_under_a_prefix(path: str, content: bytes) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    router = RuleRouter(
        [
            Rule(PathMatches("/.*"), WSGIContainer(app, script_name="/app")),
            Rule(PathMatches("/.*"), WSGIContainer(app)),
        ]
    )
    async with serve(router) as port, RawClient(port) as client:
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        assert (await client(request)).body == content


@both
async def test_as_a_function_of_a_request(threads: bool) -> None:
    async with container_of(read_everything, threads) as container:
        async with serve(container.__call__) as port, RawClient(port) as client:
            assert (await client(POST + b"Content-Length: 2\r\n\r\nhi")).body == b"2 hi"
            assert (await client(GET)).body == b"0 "


async def test_subclasses() -> None:
    seen: list[Any] = []

    class Own(WSGIContainer):
        def environ(self, request: HTTPServerRequest) -> dict[str, Any]:
            seen.append(request.body)
            return {**super().environ(request), "mine": "1"}

        def __call__(self, request: HTTPServerRequest) -> None:
            seen.append(request.uri)
            super().__call__(request)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return [environ["mine"].encode(), environ["wsgi.input"].read()]

    async with serve(Own(app)) as port, RawClient(port) as client:
        assert (await client(POST + b"Content-Length: 2\r\n\r\nhi")).body == b"1hi"
    assert seen == ["/", b"hi"]


async def test_beside_others() -> None:
    def plain(request: Any) -> None:
        fields = HTTPHeaders({"Content-Length": "5"})
        request.connection.write_headers(ResponseStartLine("", 200, "OK"), fields, b"plain")
        request.connection.finish()

    rules = [
        Rule(PathMatches("/plain"), plain),
        Rule(PathMatches("/.*"), WSGIContainer(read_everything)),
    ]
    async with serve(RuleRouter(rules)) as port, RawClient(port) as client:
        assert (await client(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")).body == b"plain"
        assert (await client(GET)).body == b"0 "


def test_faults_are_facts() -> None:
    error = ApplicationProtocolError("WSGI", "did x")
    assert (error.interface, error.fault, str(error)) == (
        "WSGI",
        "did x",
        "WSGI application: did x",
    )


async def test_released_frameworks() -> None:
    werkzeug = pytest.importorskip("werkzeug")

    @werkzeug.Request.application  # type: ignore[untyped-decorator]
    def app(request: Any) -> Any:
        data = request.get_data()
        return werkzeug.Response(f"{request.path} {request.args['x']} {len(data)}")

    async with serving(app, True) as client:
        chunked = POST.replace(b"/ ", b"/a?x=1 ", 1) + b"Transfer-Encoding: chunked\r\n\r\n"
        assert (await client(chunked + b"2\r\nhi\r\n0\r\n\r\n")).body == b"/a 1 2"


@pytest.mark.parametrize("pieces", [[], [b"hi"], (b"h", b"i")])
@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
async def test_a_head_says_what_a_get_does(status: str, pieces: Any) -> None:
    pieces = list(pieces) if status == "200 OK" else []

    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, [])
        return pieces

    async with serve(WSGIContainer(app)) as port, RawClient(port) as client:
        found = []
        for method in ("GET", "HEAD"):
            request = f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            response = await client(request, method)
            found.append({k: v for k, v in response.headers.get_all() if k != "Date"})
    assert found[0] == found[1]
