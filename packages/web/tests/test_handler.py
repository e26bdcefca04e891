"""`RequestHandler` and `Application` through a real server."""

import asyncio
import contextvars
import logging
from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.httputil.http1 import RemoteProtocolError
from zonda.ioloop import gen
from zonda.web import Application, Finish, HTTPError, RequestHandler, URLSpec, stream_request_body


def get(path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *fields]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


async def fetch(
    handler: type[RequestHandler], data: bytes, pattern: str = r"/.*", **settings: Any
) -> RawResponse:
    method = data.split(b" ", 1)[0].decode()
    async with serve(Application([(pattern, handler)], **settings)) as port:
        async with RawClient(port) as client:
            return await client(data, method)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello, world")


class AsyncHello(RequestHandler):
    async def get(self) -> None:
        self.write("Hello, ")
        await asyncio.sleep(0)
        self.write("world")


@pytest.mark.parametrize("handler", [Hello, AsyncHello])
async def test_hello(handler: type[RequestHandler]) -> None:
    response = await fetch(handler, get("/"))
    assert (response.status, response.reason, response.body) == (200, "OK", b"Hello, world")
    headers = response.headers
    assert list(headers) == ["Server", "Content-Type", "Date", "Etag", "Content-Length"]
    assert headers["Content-Type"] == "text/html; charset=UTF-8"
    assert headers["Content-Length"] == "12"
    assert headers["Etag"] == '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"'


@pytest.mark.parametrize("name", ["If-None-Match"])
@pytest.mark.parametrize(
    "value",
    [
        '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"',
        'W/"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"',
        "*",
    ],
)
async def test_not_modified(name: str, value: str) -> None:
    response = await fetch(Hello, get("/", f"{name}: {value}"))
    assert (response.status, response.body) == (304, b"")
    assert "Content-Length" not in response.headers
    assert "Content-Type" not in response.headers


async def test_modified() -> None:
    assert (await fetch(Hello, get("/", 'If-None-Match: "other"'))).status == 200


async def test_head() -> None:
    class Both(Hello):
        head = Hello.get

    response = await fetch(Both, get("/", method="HEAD"))
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Length"] == "12"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"])
async def test_other_methods_get_405(method: str, expect_log: Any) -> None:
    with expect_log("zonda.access", f"405 {method} /"):
        response = await fetch(Hello, get("/", method=method))
    assert (response.status, response.reason) == (405, "Method Not Allowed")
    if method != "HEAD":
        assert b"405: Method Not Allowed" in response.body


async def test_unknown_paths_get_404(expect_log: Any) -> None:
    with expect_log("zonda.access", r"404 GET /nope\?a=b \(127.0.0.1\) [0-9.]+ms"):
        response = await fetch(Hello, get("/nope?a=b"), pattern="/")
    assert response.status == 404
    assert response.body == (
        b"<html><title>404: Not Found</title><body>404: Not Found</body></html>"
    )


async def test_uncaught_exceptions_get_500(expect_log: Any) -> None:
    class Broken(RequestHandler):
        async def get(self) -> None:
            self.set_header("X-Made", "before the fault")
            self.write("half")
            raise ZeroDivisionError

    with expect_log("zonda.application", "Uncaught exception GET /"), expect_log("zonda.access"):
        response = await fetch(Broken, get("/"))
    assert response.status == 500
    assert b"half" not in response.body
    assert "X-Made" not in response.headers


async def test_serve_traceback(expect_log: Any) -> None:
    class Broken(RequestHandler):
        def get(self) -> None:
            raise ZeroDivisionError("of a kind")

    with expect_log("zonda.application"), expect_log("zonda.access"):
        response = await fetch(Broken, get("/"), serve_traceback=True)
    assert b"ZeroDivisionError: of a kind" in response.body
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_http_error(expect_log: Any) -> None:
    class Gone(RequestHandler):
        def get(self) -> None:
            raise HTTPError(410, "100%% of %s", "it", reason='Went "away"')

    with (
        expect_log("zonda.general", r"410 GET / \(127.0.0.1\): 100% of it"),
        expect_log("zonda.access"),
    ):
        response = await fetch(Gone, get("/"))
    assert (response.status, response.reason) == (410, 'Went "away"')
    assert b"410: Went &quot;away&quot;" in response.body


async def test_http_error_without_content() -> None:
    class NoContent(RequestHandler):
        def get(self) -> None:
            raise HTTPError(204)

    response = await fetch(NoContent, get("/"))
    assert (response.status, response.body) == (204, b"")
    assert "Content-Length" not in response.headers


async def test_write_error_is_a_hook(expect_log: Any) -> None:
    class Custom(RequestHandler):
        def get(self) -> None:
            raise HTTPError(418)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.write({"status": status_code, "error": type(kwargs["exc_info"][1]).__name__})

    with expect_log("zonda.access"):
        response = await fetch(Custom, get("/"))
    assert response.body == b'{"status": 418, "error": "HTTPError"}'


async def test_a_body_with_204_is_an_error(expect_log: Any) -> None:
    class Wrong(RequestHandler):
        def get(self) -> None:
            self.set_status(204)
            self.write("x")

    with expect_log("zonda.application", "Uncaught exception"), expect_log("zonda.access"):
        assert (await fetch(Wrong, get("/"))).status == 500


async def test_finish() -> None:
    class Finishing(RequestHandler):
        def prepare(self) -> None:
            self.write("a")
            raise Finish("b")

    assert (await fetch(Finishing, get("/"))).body == b"ab"


async def test_finish_in_prepare_ends_the_request() -> None:
    class Finishing(RequestHandler):
        async def prepare(self) -> None:
            await asyncio.sleep(0)
            self.finish("early")

        def get(self) -> None:
            raise AssertionError

    assert (await fetch(Finishing, get("/"))).body == b"early"


async def test_captured_groups() -> None:
    class Groups(RequestHandler):
        def get(self, *args: str, **kwargs: str) -> None:
            self.write({"args": args, "kwargs": kwargs})

    positional = await fetch(Groups, get("/a%20b/c+d/%C3%A9"), r"/([^/]+)/([^/]+)/(.*)")
    assert positional.body == b'{"args": ["a b", "c+d", "\\u00e9"], "kwargs": {}}'
    named = await fetch(Groups, get("/x/y"), r"/(?P<one>.)/(?P<two>.)")
    assert named.body == b'{"args": [], "kwargs": {"one": "x", "two": "y"}}'
    optional = await fetch(Groups, get("/x"), r"/x(y)?")
    assert optional.body == b'{"args": [null], "kwargs": {}}'


async def test_a_group_that_is_not_utf_8(expect_log: Any) -> None:
    class Groups(RequestHandler):
        def get(self, group: str) -> None:
            raise AssertionError

    with expect_log("zonda.general", "Invalid unicode"), expect_log("zonda.access"):
        assert (await fetch(Groups, get("/%ff"), r"/(.*)")).status == 400


class Arguments(RequestHandler):
    def get(self) -> None:
        self.write(
            {
                "one": self.get_argument("a"),
                "all": self.get_arguments("a"),
                "query": self.get_query_arguments("a"),
                "body": self.get_body_arguments("a"),
                "default": [
                    self.get_argument("none", "d"),
                    self.get_query_argument("none", None),
                    self.get_body_argument("none", []),
                ],
                "unstripped": self.get_argument("a", strip=False),
            }
        )

    post = get


async def test_arguments() -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    response = await fetch(
        Arguments, get("/?a=1&a=+x%01y+&b=", form, method="POST", body=b"a=3&a=%C3%A9+")
    )
    assert response.body.decode() == (
        '{"one": "\\u00e9", "all": ["1", "x y", "3", "\\u00e9"], "query": ["1", "x y"], '
        '"body": ["3", "\\u00e9"], "default": ["d", null, []], "unstripped": "\\u00e9 "}'
    )


async def test_a_missing_argument(expect_log: Any) -> None:
    with (
        expect_log("zonda.general", "400 GET / .*Missing argument a"),
        expect_log("zonda.access"),
    ):
        assert (await fetch(Arguments, get("/"))).status == 400


async def test_too_many_arguments(expect_log: Any) -> None:
    query = "&".join(["a=1"] * 1001)
    with expect_log("zonda.general", count=None), expect_log("zonda.access", count=None):
        assert (await fetch(Arguments, get("/?" + query))).status == 400


async def test_headers_and_status() -> None:
    class Headers(RequestHandler):
        def set_default_headers(self) -> None:
            self.set_header("X-Default", "d")

        def get(self) -> None:
            self.set_status(201, "Made")
            self.set_header("X-Int", 7)
            self.set_header("X-Bytes", b"b")
            self.set_header("X-Gone", "x")
            self.clear_header("x-gone")
            self.clear_header("x-never")
            self.add_header("X-Many", "1")
            self.add_header("X-Many", "2")
            assert self.get_status() == 201

    response = await fetch(Headers, get("/"))
    headers = response.headers
    assert (response.status, response.reason) == (201, "Made")
    assert (headers["X-Int"], headers["X-Bytes"], headers["X-Default"]) == ("7", "b", "d")
    assert headers.get_list("X-Many") == ["1", "2"]
    assert "X-Gone" not in headers


SPLITTING = ["x\r\nX-Evil: 1", "x\nX-Evil: 1", "x\rX-Evil: 1", "x\0y", "x\x7f"]


@pytest.mark.parametrize("value", SPLITTING)
@pytest.mark.parametrize(
    "how", ["set_header", "add_header", "name", "redirect", "cookie", "direct"]
)
async def test_response_splitting_is_refused(how: str, value: str, expect_log: Any) -> None:
    class Splitting(RequestHandler):
        def get(self) -> None:
            if how == "set_header":
                self.set_header("X-Header", value)
            elif how == "add_header":
                self.add_header("X-Header", value)
            elif how == "name":
                self.set_header(value, "x")
            elif how == "redirect":
                self.redirect(value)
            elif how == "cookie":
                self.set_cookie("name", "value", path=value)
            else:
                self._headers._fields["X-Header"] = value

    with expect_log("zonda.application", "Uncaught"), expect_log("zonda.access", "500"):
        response = await fetch(Splitting, get("/"))
    assert response.status == 500
    assert "X-Evil" not in response.headers
    assert "X-Header" not in response.headers


@pytest.mark.parametrize("reason", ["OK\r\nX-Evil: 1", "caf\u20ac", "<script>"])
async def test_a_bad_reason_becomes_unknown(reason: str) -> None:
    class Reason(RequestHandler):
        def get(self) -> None:
            self.set_status(200, reason)

    response = await fetch(Reason, get("/"))
    assert response.reason == "Unknown"
    assert "X-Evil" not in response.headers


async def test_flush_streams() -> None:
    class Streaming(RequestHandler):
        async def get(self) -> None:
            for piece in ("a", "b", ""):
                self.write(piece)
                await self.flush()
            self.write("c")

    response = await fetch(Streaming, get("/"))
    assert response.body == b"abc"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert "Etag" not in response.headers


async def test_flush_with_a_callback() -> None:
    class Legacy(RequestHandler):
        async def get(self) -> None:
            called = asyncio.Event()
            self.write("a")
            self.flush(callback=called.set)
            await called.wait()
            self.write("b")

    assert (await fetch(Legacy, get("/"))).body == b"ab"


async def test_an_error_after_the_head_cuts_the_response(expect_log: Any) -> None:
    class Broken(RequestHandler):
        async def get(self) -> None:
            self.write("a")
            await self.flush()
            raise ZeroDivisionError

    with (
        expect_log("zonda.application", "Uncaught"),
        expect_log("zonda.general", "Cannot send error response after headers written"),
        expect_log("zonda.access", count=None),
    ):
        with pytest.raises((RemoteProtocolError, ConnectionError)):
            await fetch(Broken, get("/"))


async def test_redirect() -> None:
    class Redirecting(RequestHandler):
        def get(self) -> None:
            self.redirect("/é?x=1", permanent=True)

    response = await fetch(Redirecting, get("/"))
    assert response.status == 301
    assert response.headers["Location"].encode("latin-1").decode() == "/é?x=1"


@pytest.mark.parametrize("chunk", [1, None, ["x"]])
async def test_write_takes_text_bytes_and_dicts_only(chunk: Any) -> None:
    class Writing(RequestHandler):
        def get(self) -> None:
            with pytest.raises(TypeError, match="bytes, str or dict"):
                self.write(chunk)
            self.write(b"ok")

    assert (await fetch(Writing, get("/"))).body == b"ok"


async def test_cookies() -> None:
    class Cookies(RequestHandler):
        def get(self) -> None:
            self.set_cookie("a", "1", httponly=True, samesite="Lax", max_age=60)
            self.clear_cookie("b")
            self.write(self.get_cookie("c", "none") + str(self.get_cookie("d")))

    response = await fetch(Cookies, get("/", "Cookie: c=3; b=2"))
    assert response.body == b"3None"
    first, second = response.headers.get_list("Set-Cookie")
    assert first.startswith("a=1; ")
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=60"} <= set(first.split("; "))
    assert second.startswith('b=""; expires=')


async def test_clear_all_cookies() -> None:
    class Clearing(RequestHandler):
        def get(self) -> None:
            self.clear_all_cookies(domain="test")

    response = await fetch(Clearing, get("/", "Cookie: a=1; b=2"))
    cookies = response.headers.get_list("Set-Cookie")
    assert [cookie[:5] for cookie in cookies] == ['a="";', 'b="";']
    assert all("Domain=test" in cookie for cookie in cookies)


async def test_streamed_body() -> None:
    @stream_request_body
    class Upload(RequestHandler):
        async def prepare(self) -> None:
            connection: Any = self.request.connection
            connection.set_max_body_size(1_000_000)
            await asyncio.sleep(0)
            self.size = 0

        async def data_received(self, chunk: bytes) -> None:
            await asyncio.sleep(0)
            self.size += len(chunk)

        def post(self) -> None:
            self.write(str(self.size))

    application = Application([("/", Upload)])
    async with serve(application, max_body_size=10) as port, RawClient(port) as client:
        for _ in range(2):
            response = await client(get("/", method="POST", body=bytes(900_000)))
            assert response.body == b"900000"


@pytest.mark.parametrize("streamed", [False, True])
async def test_on_connection_close(streamed: bool) -> None:
    events: list[str] = []
    happened = asyncio.Event()

    class Waiting(RequestHandler):
        async def get(self) -> None:
            events.append("get")
            happened.set()
            await released.wait()

        post = get

        def on_connection_close(self) -> None:
            super().on_connection_close()
            events.append("closed")
            happened.set()

        def data_received(self, chunk: bytes) -> None:
            events.append("data")
            happened.set()

    released = asyncio.Event()
    handler = stream_request_body(Waiting) if streamed else Waiting
    async with serve(Application([("/", handler)])) as port:
        async with RawClient(port) as client:
            await client.send(get("/", method="POST", body=b"ab")[:-1] if streamed else get("/"))
            await asyncio.wait_for(happened.wait(), 10)
            happened.clear()
        await asyncio.wait_for(happened.wait(), 10)
        released.set()
        for _ in range(5):
            await asyncio.sleep(0)
    assert events == ["data" if streamed else "get", "closed"]


async def test_access_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zonda.access")
    await fetch(Hello, get("/x?y=1"))
    (record,) = caplog.records
    assert record.getMessage().startswith("200 GET /x?y=1 (127.0.0.1) ")


async def test_log_function() -> None:
    logged: list[RequestHandler] = []
    await fetch(Hello, get("/"), log_function=logged.append)
    assert [handler.get_status() for handler in logged] == [200]


async def test_reverse_url() -> None:
    application = Application([URLSpec(r"/user/([^/]+)/(\d+)", Hello, name="user")])
    assert application.reverse_url("user", "a b", 3) == "/user/a%20b/3"
    with pytest.raises(KeyError, match="other"):
        application.reverse_url("other")


async def test_hosts(expect_log: Any) -> None:
    class Named(RequestHandler):
        def initialize(self, name: str) -> None:
            self.name = name

        def get(self) -> None:
            self.write(self.name)

    application = Application([("/", Named, {"name": "any"})])
    application.add_handlers(r"one\.example", [("/", Named, {"name": "one"})])
    async with serve(application) as port, RawClient(port) as client:
        for host, name in [("one.example", b"one"), ("one.example:80", b"one"), ("x", b"any")]:
            response = await client(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert response.body == name


async def test_a_cancelled_handler_answers_503(expect_log: Any) -> None:
    tasks: list[asyncio.Task[Any]] = []

    class Cancelled(RequestHandler):
        async def get(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            asyncio.get_running_loop().call_soon(task.cancel)
            await asyncio.Event().wait()

    with expect_log("zonda.access", "503"):
        response = await fetch(Cancelled, get("/"))
    assert response.status == 503


async def test_a_handler_that_cancels_itself_answers_503(expect_log: Any) -> None:
    class Cancelled(RequestHandler):
        def get(self) -> None:
            raise asyncio.CancelledError

    with expect_log("zonda.access", "503"):
        assert (await fetch(Cancelled, get("/"))).status == 503


async def test_a_handler_that_cannot_be_made_costs_a_500(expect_log: Any) -> None:
    class Broken(RequestHandler):
        def initialize(self) -> None:
            raise ZeroDivisionError

    with expect_log("zonda.application", "Uncaught exception"):
        assert (await fetch(Broken, get("/"))).status == 500


async def test_gen_coroutines_and_awaitables() -> None:
    class Generator(RequestHandler):
        @gen.coroutine
        def prepare(self) -> Any:
            yield gen.moment
            self.write("prepared ")

        @gen.coroutine
        def get(self) -> Any:
            value = yield gen.multi([later("a"), later("b")])
            self.write("".join(value))

    async def later(value: str) -> str:
        await asyncio.sleep(0)
        return value

    assert (await fetch(Generator, get("/"))).body == b"prepared ab"


async def test_the_task_of_a_handler_is_one_throughout() -> None:
    class Tasks(RequestHandler):
        async def get(self) -> None:
            before = asyncio.current_task()
            async with asyncio.timeout(10):
                await asyncio.sleep(0)
            self.write(str(before is asyncio.current_task() is not None))

    assert (await fetch(Tasks, get("/"))).body == b"True"


async def test_contexts_of_requests_are_apart() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    class Contexts(RequestHandler):
        def prepare(self) -> None:
            self.before = variable.get()
            variable.set(self.request.path)

        async def get(self) -> None:
            await asyncio.sleep(0)
            self.write(f"{self.before} {variable.get()}")

    async with serve(Application([("/.*", Contexts)])) as port, RawClient(port) as client:
        for path in ("/a", "/b"):
            assert (await client(get(path))).body == f"unset {path}".encode()


@pytest.mark.parametrize("wait", [False, True])
async def test_an_execute_that_is_an_old_coroutine(wait: bool, expect_log: Any) -> None:
    class Handler(RequestHandler):  # sockjs-tornado does it like this
        @gen.coroutine
        def _execute(  # type: ignore[override]
            self, transforms: Any, *args: bytes, **kwargs: bytes
        ) -> Any:
            self._transforms = transforms
            if wait:
                yield gen.moment
            if args == (b"fail",):
                raise ValueError("by itself")
            self.finish("old")

    assert (await fetch(Handler, get("/x"), "/(.*)")).body == b"old"
    with expect_log("zonda.application", "Uncaught exception in _execute"):
        with pytest.raises(ConnectionError):
            await fetch(Handler, get("/fail"), "/(.*)")


async def test_an_overridden_execute_is_called() -> None:
    called: list[bytes] = []

    class Wrapped(RequestHandler):
        async def _execute(self, transforms: Any, *args: bytes, **kwargs: bytes) -> None:
            called.extend(args)
            await super()._execute(transforms, *args, **kwargs)

        def get(self, name: str) -> None:
            self.write(name)

    assert (await fetch(Wrapped, get("/x"), "/(.)")).body == b"x"
    assert called == [b"x"]


async def test_a_streamed_body_that_never_comes() -> None:
    gone = asyncio.Event()

    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            raise AssertionError

        def post(self) -> None:
            raise AssertionError

        def on_connection_close(self) -> None:
            super().on_connection_close()
            gone.set()

    async with serve(Application([("/", Upload)])) as port:
        async with RawClient(port) as client:
            await client.send(get("/", method="POST", body=b"x")[:-1])
        await asyncio.wait_for(gone.wait(), 10)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_on_finish_is_called_however_a_request_ends(expect_log: Any) -> None:
    ends: list[str] = []
    over = asyncio.Event()

    class Ends(RequestHandler):
        def on_finish(self) -> None:
            ends.append(self.request.path)
            over.set()

        async def get(self) -> None:
            path = self.request.path
            if path == "/error":
                raise ZeroDivisionError
            if path == "/half":
                self.write("half")
                await self.flush()
                raise ZeroDivisionError
            if path == "/gone":
                while True:  # until the client's reset is noticed
                    self.write(b"x" * 65536)
                    await self.flush()
            self.write("fine")

    async with serve(Application([("/.*", Ends)])) as port:
        with expect_log("zonda", count=None):
            for path in ("/fine", "/error", "/half", "/gone"):
                over.clear()
                async with RawClient(port) as client:
                    await client.send(get(path))
                    if path == "/gone":
                        await client.reader.readexactly(10)
                        client.writer.transport.abort()
                    await asyncio.wait_for(over.wait(), 10)
    assert ends == ["/fine", "/error", "/half", "/gone"]


async def test_a_client_that_leaves_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    over = asyncio.Event()

    class Endless(RequestHandler):
        def on_finish(self) -> None:
            over.set()

        async def get(self) -> None:
            while True:
                self.write(b"x" * 65536)
                await self.flush()

    async with serve(Application([("/", Endless)])) as port:
        async with RawClient(port) as client:
            await client.send(get("/"))
            await client.reader.readexactly(10)
            client.writer.transport.abort()
        await asyncio.wait_for(over.wait(), 10)
    levels = {record.levelname for record in caplog.records}
    assert levels == {"INFO"}
    assert "the client is gone" in caplog.text


async def test_no_control_character_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zonda.access")
    await fetch(Hello, "GET /\x9b31m\x85%1b[31m HTTP/1.1\r\nHost: h\r\n\r\n".encode("latin-1"))
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert "%1b[31m" in record.getMessage()


async def test_misuse() -> None:
    raised: list[str] = []

    def trying(call: Any, *args: Any) -> None:
        try:
            call(*args)
        except (RuntimeError, ValueError, TypeError) as error:
            raised.append(f"{type(error).__name__}: {error}")

    class Misuse(RequestHandler):
        def get(self) -> None:
            trying(self.redirect, "/", False, 200)
            self.write("once")
            self.flush()
            trying(self.redirect, "/")
            self.finish()
            trying(self.write, "more")
            trying(self.finish)
            trying(stream_request_body, dict)

    assert (await fetch(Misuse, get("/"))).body == b"once"
    assert [text.partition(":")[0] for text in raised] == [
        "ValueError",
        "RuntimeError",
        "RuntimeError",
        "RuntimeError",
        "TypeError",
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_streamed_head(method: str) -> None:
    class Streamed(RequestHandler):
        async def get(self) -> None:
            self.write("one ")
            await self.flush()
            self.write("two")
            await self.flush()

        head = get

    response = await fetch(Streamed, get("/", method=method))
    assert (response.status, response.body) == (200, b"one two" if method == "GET" else b"")


async def test_an_override_of_flush_sees_everything() -> None:
    seen: list[tuple[bytes, bool]] = []

    class Flush(RequestHandler):
        def get(self) -> None:
            self.write("a")
            self.write("b")

        def flush(
            self, include_footers: bool = False, callback: Any = None
        ) -> asyncio.Future[None]:
            seen.append((b"".join(self._write_buffer), include_footers))
            return super().flush(include_footers, callback)

    response = await fetch(Flush, get("/"))
    assert (response.body, response.headers["Content-Length"]) == (b"ab", "2")
    assert seen == [(b"ab", True)]


async def test_callbacks_of_flush() -> None:
    called: list[str] = []

    class Flush(RequestHandler):
        async def get(self) -> None:
            self.write("a")
            self.flush(callback=lambda: called.append("flushed"))
            await asyncio.sleep(0)
            assert called == ["flushed"]

    assert (await fetch(Flush, get("/"))).body == b"a"


async def test_detach() -> None:
    class Detach(RequestHandler):
        async def get(self) -> None:
            stream = self.detach()
            await stream.write(b"HTTP/1.1 200 Mine\r\nContent-Length: 4\r\n\r\nmine")
            stream.close()

    response = await fetch(Detach, get("/"))
    assert (response.reason, response.body) == ("Mine", b"mine")


async def test_a_write_error_that_fails(expect_log: Any) -> None:
    class Broken(RequestHandler):
        def get(self) -> None:
            raise HTTPError(404)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.write("half a page")
            raise ZeroDivisionError

    with expect_log("zonda.application", "write_error"), expect_log("zonda.access"):
        response = await fetch(Broken, get("/"))
    assert (response.status, response.body) == (404, b"half a page")


async def test_a_send_error_that_fails(expect_log: Any) -> None:
    class Broken(RequestHandler):
        def get(self) -> None:
            raise HTTPError(404)

        def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
            raise ZeroDivisionError

    application = Application([("/", Broken)])
    async with serve(application) as port, RawClient(port) as client:
        with expect_log("zonda.application", "exception handler"):
            await client.send(get("/"))
            assert await client.closed() == b""
