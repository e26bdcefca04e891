"""What a fetch does, whatever is behind it: each test runs with every implementation."""

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import (
    Cookies,
    HTTPClientError,
    HTTPConnectionRefusedError,
    HTTPDecodeError,
    HTTPProtocolError,
    HTTPProxyError,
    HTTPRedirectError,
    HTTPRequest,
    HTTPResolveError,
    HTTPResponse,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTooLargeError,
    Retry,
)
from zonda.httputil import HTTPHeaders
from zonda.ioloop.testing import bind_unused_port

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import MakeClient, Peer, Serve


async def echo(peer: "Peer") -> None:
    """Answers each request with its body, its method and target in fields."""
    while True:
        request = await peer.request()
        body = b"" if request.method == "HEAD" else request.body
        await peer.answer(body, 200, f"X-Request: {request.method} {request.target}")


# -- requests


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("GET", None),
        ("HEAD", None),
        ("DELETE", None),
        ("OPTIONS", None),
        ("POST", "text"),
        ("POST", b""),
        ("PUT", b"\x00\xff"),
        ("PATCH", b"x" * 300_000),
    ],
)
async def test_methods_and_bodies(
    make_client: "MakeClient", serve: "Serve", method: str, body: bytes | str | None
) -> None:
    async with serve(echo) as server, make_client() as client:
        response = await client.fetch(server.url("/p?q"), method=method, body=body)
    [request] = server.requests
    sent = body.encode() if isinstance(body, str) else body
    assert (request.method, request.target) == (method, "/p?q")
    assert request.body == (sent or b"")
    assert response.code == 200
    assert response.headers["X-Request"] == f"{method} /p?q"
    assert response.body == (sent or b"")
    assert response.effective_url == server.url("/p?q")
    length = request.headers.get("Content-Length")
    assert length == (None if body is None else str(len(sent or b"")))


@pytest.mark.parametrize(("method", "body"), [("FOO", None), ("DELETE", b"x"), ("GET", b"x")])
async def test_other_methods_and_bodies_only_when_allowed(
    make_client: "MakeClient", serve: "Serve", method: str, body: bytes | None
) -> None:
    async with serve(echo) as server, make_client() as client:
        with pytest.raises((ValueError, KeyError)):
            await client.fetch(server.url(), method=method, body=body)
        response = await client.fetch(
            server.url(), method=method, body=body, allow_nonstandard_methods=True
        )
    assert response.body == (body or b"")
    assert server.requests[-1].method == method
    assert len(server.requests) == 1


async def test_what_goes_without_saying(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        await client.fetch(server.url())
    names = sorted(server.requests[0].headers)
    assert names == ["Accept-Encoding", "Host", "User-Agent"]
    assert server.requests[0].headers["Host"] == f"127.0.0.1:{server.port}"
    assert server.requests[0].headers["User-Agent"].startswith("Zonda")


async def test_fields_of_the_request(make_client: "MakeClient", serve: "Serve") -> None:
    headers = HTTPHeaders({"X-One": "1", "Accept": "text/plain", "X-Empty": ""})
    headers.add("X-Many", "a")
    headers.add("X-Many", "b")
    async with serve(echo) as server, make_client() as client:
        await client.fetch(
            server.url(),
            headers=headers,
            user_agent="me",
            if_modified_since=0,
            decompress_response=False,
        )
    found = server.requests[0].headers
    assert found["X-One"] == "1"
    assert found["X-Empty"] == ""
    assert found.get_list("X-Many") == ["a", "b"]
    assert found["Accept"] == "text/plain"
    assert found["User-Agent"] == "me"
    assert found["If-Modified-Since"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert "Accept-Encoding" not in found


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "GET\r\nX: y"},
        {"method": "GE T"},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"X\r\nY": "a"}},
        {"user_agent": "a\r\nY: b"},
    ],
    ids=str,
)
async def test_no_line_ends_get_into_a_request(
    make_client: "MakeClient", serve: "Serve", arguments: dict[str, Any]
) -> None:
    async with serve(echo) as server, make_client() as client:
        with pytest.raises(ValueError):
            await client.fetch(server.url(), allow_nonstandard_methods=True, **arguments)
        with pytest.raises(ValueError):
            await client.fetch(server.url("/\r\nX: y"))
    assert not server.requests


@pytest.mark.parametrize("length", [None, 6])
async def test_a_body_in_pieces(
    make_client: "MakeClient", serve: "Serve", length: int | None
) -> None:
    async def produce(write: Any) -> None:
        for piece in (b"ab", b"", b"cdef"):
            await write(piece)
            await asyncio.sleep(0)

    headers = {} if length is None else {"Content-Length": str(length)}
    async with serve(echo) as server, make_client() as client:
        response = await client.fetch(
            server.url(), method="PUT", body_producer=produce, headers=headers
        )
    assert response.body == b"abcdef"
    coding = server.requests[0].headers.get("Transfer-Encoding")
    assert coding == ("chunked" if length is None else None)


async def test_a_producer_that_fails_is_the_fetchs_error(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def produce(write: Any) -> None:
        await write(b"abc")
        raise ZeroDivisionError

    async with serve(echo) as server, make_client() as client:
        with pytest.raises(ZeroDivisionError):
            await client.fetch(server.url(), method="PUT", body_producer=produce)
        assert (await client.fetch(server.url())).code == 200


@pytest.mark.parametrize("agrees", [True, False])
async def test_expect_100_continue(make_client: "MakeClient", serve: "Serve", agrees: bool) -> None:
    async def script(peer: "Peer") -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert b"\r\nExpect: 100-continue\r\n" in head
        if agrees:
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await peer.reader.readexactly(4) == b"body"
            await peer.answer(b"thanks")
        else:
            await peer.answer(b"no", 417, "Connection: close")

    async with serve(script) as server, make_client() as client:
        response = await client.fetch(
            server.url(), False, method="POST", body="body", expect_100_continue=True
        )
    assert (response.code, response.body) == ((200, b"thanks") if agrees else (417, b"no"))


# -- responses


@pytest.mark.parametrize("code", [201, 204, 304, 400, 404, 500, 599])
async def test_codes(make_client: "MakeClient", serve: "Serve", code: int) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"" if code in (204, 304) else b"body", code, reason="Some Reason")

    async with serve(script) as server, make_client() as client:
        response = await client.fetch(server.url(), raise_error=False)
    assert (response.code, response.reason) == (code, "Some Reason")
    assert (response.error is None) == (code < 300)
    if response.error is not None:
        assert isinstance(response.error, HTTPClientError)
        assert (response.error.code, response.error.response) == (code, response)
    assert response.body == (b"" if code in (204, 304) else b"body")


async def test_an_error_is_raised_or_passed_to_the_callback(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"", 404)

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPClientError, match="404"):
            await client.fetch(server.url())
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await client.fetch(server.url(), future.set_result)
        assert (await future).code == 404


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil closed", b"until closed"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
            b"abc",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"ok",
        ),
    ],
)
async def test_ways_to_frame_a_body(
    make_client: "MakeClient", serve: "Serve", wire: bytes, body: bytes
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(wire)

    async with serve(script) as server, make_client() as client:
        assert (await client.fetch(server.url())).body == body


async def test_trailers(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.send(b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n")

    async with serve(script) as server, make_client() as client:
        response = await client.fetch(server.url())
    assert response.body == b"a"
    assert response.trailers is not None
    assert response.trailers["X-Sum"] == "1"
    assert "X-Sum" not in response.headers


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_compressed_bodies(make_client: "MakeClient", serve: "Serve", coding: str) -> None:
    plain = b"hello " * 1000
    packed = gzip.compress(plain) if coding == "gzip" else zlib.compress(plain)

    async def script(peer: "Peer") -> None:
        while True:
            await peer.request()
            await peer.answer(packed, 200, f"Content-Encoding: {coding}")

    async with serve(script) as server, make_client() as client:
        response = await client.fetch(server.url())
        assert response.body == plain
        assert "Content-Encoding" not in response.headers
        assert response.headers["X-Consumed-Content-Encoding"] == coding
        raw = await client.fetch(server.url(), decompress_response=False)
        assert raw.body == packed
        assert raw.headers["Content-Encoding"] == coding


async def test_a_body_that_is_not_what_its_coding_says(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"plain", 200, "Content-Encoding: gzip")

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPDecodeError):
            await client.fetch(server.url())


@pytest.mark.parametrize("kind", ["length", "close", "chunked", "bomb"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_bodies_beyond_the_limit(
    make_client: "MakeClient", serve: "Serve", kind: str, streamed: bool
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        body = b"x" * 200_000
        if kind == "length":
            await peer.answer(body)
        elif kind == "close":
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        elif kind == "chunked":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            await peer.send(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            await peer.answer(gzip.compress(body), 200, "Content-Encoding: gzip")
        await peer.closed()

    got: list[bytes] = []
    callback = got.append if streamed else None
    async with serve(script) as server, make_client(max_body_size=100_000) as client:
        with pytest.raises(HTTPTooLargeError):
            await client.fetch(server.url(), streaming_callback=callback)
    assert sum(map(len, got)) <= 100_000


async def test_a_head_beyond_the_limit(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"", 200, "X: " + "y" * 5000)
        await peer.closed()

    async with serve(script) as server, make_client(max_header_size=4000) as client:
        with pytest.raises(HTTPTooLargeError):
            await client.fetch(server.url())


async def test_no_endless_informational_responses(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 102 Wait\r\nX: y\r\n\r\n")

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPProtocolError, match="informational"):
            await client.fetch(server.url())


# -- callbacks


@pytest.mark.parametrize("coroutine", [False, True])
async def test_streaming(make_client: "MakeClient", serve: "Serve", coroutine: bool) -> None:
    events: list[object] = []
    size = 1_000_000

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x" * size, 200, "X-One: 1", reason="OK")

    running = 0

    async def later(chunk: bytes) -> None:
        nonlocal running
        running += 1
        assert running == 1  # the next piece waits
        await asyncio.sleep(0)
        events.append(len(chunk))
        running -= 1

    async with serve(script) as server, make_client() as client:
        response = await client.fetch(
            server.url(),
            header_callback=events.append,
            streaming_callback=later if coroutine else lambda chunk: events.append(len(chunk)),
        )
    assert response.body == b""
    head = events[:4]
    assert head == [
        "HTTP/1.1 200 OK\r\n",
        "X-One: 1\r\n",
        f"Content-Length: {size}\r\n",
        "\r\n",
    ]
    sizes = events[4:]
    assert sum(s for s in sizes if isinstance(s, int)) == size
    assert len(sizes) > 3


@pytest.mark.parametrize("which", ["header_callback", "streaming_callback"])
async def test_what_a_callback_raises_is_the_fetchs_error(
    make_client: "MakeClient", serve: "Serve", which: str
) -> None:
    def callback(_: object) -> None:
        raise ZeroDivisionError

    callbacks: dict[str, Any] = {which: callback}

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"hello")

    async with serve(script) as server, make_client() as client:
        with pytest.raises(ZeroDivisionError):
            await client.fetch(server.url(), **callbacks)
        assert (await client.fetch(server.url())).body == b"hello"


async def test_what_a_coroutine_callback_raises_too(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def callback(_: bytes) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"hello" * 100_000)

    async with serve(script) as server, make_client() as client:
        with pytest.raises(ZeroDivisionError):
            await client.fetch(server.url(), streaming_callback=callback)


# -- redirects, cookies, authentication, retries


async def redirecting(peer: "Peer") -> None:
    """``/301/next``: a redirect to ``/next``; anything else: itself."""
    while True:
        request = await peer.request()
        code, _, location = request.target[1:].partition("/")
        if code.isdecimal():
            await peer.answer(b"not this body", int(code), f"Location: /{location}")
        else:
            await peer.answer(request.method.encode() + b" " + request.body)


@pytest.mark.parametrize(
    ("method", "body", "path", "result"),
    [
        ("GET", None, "/302/x", b"GET "),
        ("GET", None, "/301/302/303/307/308/x", b"GET "),
        ("POST", b"data", "/302/x", b"GET "),
        ("POST", b"data", "/303/x", b"GET "),
        ("POST", b"data", "/307/x", b"POST data"),
        ("PUT", b"data", "/301/308/x", b"PUT data"),
    ],
)
async def test_redirects(
    make_client: "MakeClient",
    serve: "Serve",
    method: str,
    body: bytes | None,
    path: str,
    result: bytes,
) -> None:
    streamed: list[bytes] = []
    async with serve(redirecting) as server, make_client() as client:
        request = HTTPRequest(server.url(path), method, body=body)
        response = await client.fetch(request)
        await client.fetch(
            server.url(path), method=method, body=body, streaming_callback=streamed.append
        )
    assert response.body == result
    assert response.effective_url == server.url("/x")
    assert response.request is request
    assert b"".join(streamed) == result  # of the last response only


async def test_a_produced_body_is_produced_again(make_client: "MakeClient", serve: "Serve") -> None:
    async def produce(write: Any) -> None:
        await write(b"again")

    async with serve(redirecting) as server, make_client() as client:
        response = await client.fetch(server.url("/307/x"), method="POST", body_producer=produce)
    assert response.body == b"POST again"
    assert [request.body for request in server.requests] == [b"again", b"again"]


async def test_how_many_redirects(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(redirecting) as server, make_client() as client:
        for settings in ({"max_redirects": 1}, {"follow_redirects": False}):
            response = await client.fetch(server.url("/302/302/x"), False, **settings)
            assert response.code == 302
            assert response.body == b"not this body"
        assert (await client.fetch(server.url("/302/302/x"), max_redirects=2)).code == 200


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "http://[::1/", "file:///etc/passwd"])
async def test_redirects_to_nowhere(
    make_client: "MakeClient", serve: "Serve", location: str
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"", 302, f"Location: {location}")

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPRedirectError):
            await client.fetch(server.url())


async def test_credentials_do_not_reach_another_origin(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(echo) as other:

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"", 302, f"Location: {other.url('/a b')}")

        async with serve(script) as server, make_client() as client:
            await client.fetch(
                server.url(),
                headers={"Cookie": "a=1", "Authorization": "secret", "X-Other": "1"},
                auth_username="user",
                auth_password="password",
            )
    first, second = server.requests[0].headers, other.requests[0].headers
    assert "Authorization" in first
    assert first["Cookie"] == "a=1"
    assert not {"Authorization", "Cookie"} & set(second)
    assert second["X-Other"] == "1"
    assert second["Host"] == f"127.0.0.1:{other.port}"
    assert other.requests[0].target == "/a%20b"


async def test_nor_do_those_that_the_client_has_for_all_requests(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(echo) as other:

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"", 302, f"Location: {other.url()}")

        defaults = {"auth_username": "user", "auth_password": "password"}
        async with serve(script) as server, make_client(defaults=defaults) as client:
            await client.fetch(server.url())
            await client.fetch(other.url())
    assert server.requests[0].headers["Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
    assert "Authorization" not in other.requests[0].headers
    assert "Authorization" in other.requests[1].headers  # asked for by the program itself


async def test_cookies(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            fields = [f"X-Cookie: {request.headers.get('Cookie', '')}"]
            if request.target == "/set":
                fields += ["Set-Cookie: a=1; Path=/", "Location: /get"]
            await peer.answer(b"", 302 if request.target == "/set" else 200, *fields)

    async with serve(script) as server, make_client(cookies=Cookies()) as client:
        assert (await client.fetch(server.url("/get"))).headers["X-Cookie"] == ""
        assert (await client.fetch(server.url("/set"))).headers["X-Cookie"] == "a=1"
        assert (await client.fetch(server.url("/get"))).headers["X-Cookie"] == "a=1"
        own = await client.fetch(server.url("/get"), headers={"Cookie": "b=2"})
        assert own.headers["X-Cookie"] == "b=2; a=1"
        other = await client.fetch(server.url("/get", host="localhost"))
        assert other.headers["X-Cookie"] == ""


async def test_basic_authentication(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        await client.fetch(server.url(), auth_username="Aladdin", auth_password="open sesame")
        await client.fetch(server.url().replace("//", "//Aladdin:open%20sesame@"))
        await client.fetch(server.url())
    values = [request.headers.get("Authorization") for request in server.requests]
    assert values == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="] * 2 + [None]


async def test_unknown_kinds_of_authentication(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        with pytest.raises(ValueError, match="ntlm"):
            await client.fetch(server.url(), auth_username="u", auth_mode="ntlm")
    assert not server.requests


async def test_retries(make_client: "MakeClient", serve: "Serve") -> None:
    codes = iter([503, 429, 200])

    async def script(peer: "Peer") -> None:
        while True:
            await peer.request()
            await peer.answer(b"body", next(codes), "Retry-After: 0")

    policy = Retry(attempts=3, backoff=0.001)
    got: list[bytes] = []
    async with serve(script) as server, make_client() as client:
        response = await client.fetch(
            HTTPRequest(server.url(), retry=policy, streaming_callback=got.append)
        )
    assert response.code == 200
    assert len(server.requests) == 3
    assert got == [b"body"]


async def test_retries_for_all_requests_of_a_client(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    codes = iter([503, 200])

    async def script(peer: "Peer") -> None:
        while True:
            await peer.request()
            await peer.answer(b"", next(codes))

    defaults = {"retry": Retry(backoff=0.001)}
    async with serve(script) as server, make_client(defaults=defaults) as client:
        assert (await client.fetch(server.url())).code == 200


async def test_no_retries_by_default(make_client: "MakeClient", serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"", 503)

    async with serve(script) as server, make_client() as client:
        assert (await client.fetch(server.url(), False)).code == 503
    assert len(server.requests) == 1


async def test_a_lost_connection_is_an_error_to_retry(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        if peer.number < 3:
            peer.reset()
        else:
            await peer.answer(b"at last")

    policy = Retry(attempts=3, backoff=0.001)
    async with serve(script) as server, make_client() as client:
        assert (await client.fetch(HTTPRequest(server.url(), retry=policy))).body == b"at last"


# -- errors


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
async def test_responses_that_break_off(
    make_client: "MakeClient", serve: "Serve", wire: bytes
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(wire)

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPStreamClosedError) as caught:
            await client.fetch(server.url(), raise_error=False)  # there is no response to return
    assert caught.value.code == 599


async def test_nobody_listens(make_client: "MakeClient") -> None:
    sock, port = bind_unused_port()
    sock.close()
    async with make_client() as client:
        with pytest.raises(HTTPConnectionRefusedError) as caught:
            await client.fetch(f"http://127.0.0.1:{port}/")
    assert isinstance(caught.value, ConnectionRefusedError)
    assert caught.value.code == 599


async def test_an_unknown_host(make_client: "MakeClient") -> None:
    async with make_client() as client:
        with pytest.raises(HTTPResolveError):
            await client.fetch("http://nowhere.invalid/")


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com/", "http:///x", "http://[x"])
async def test_what_is_no_url(make_client: "MakeClient", url: str) -> None:
    async with make_client() as client:
        with pytest.raises(ValueError):
            await client.fetch(url)


async def test_a_server_that_does_not_answer_in_time(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPTimeoutError) as caught:
            await client.fetch(server.url(), request_timeout=0.05)
    assert caught.value.code == 599
    assert isinstance(caught.value, TimeoutError)


async def test_time_in_the_queue_counts(make_client: "MakeClient", serve: "Serve") -> None:
    release = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await release.wait()
        await peer.answer(b"first")

    async with serve(script) as server, make_client(max_clients=1) as client:
        first = client.fetch(server.url())
        with pytest.raises(HTTPTimeoutError) as caught:
            await client.fetch(server.url(), request_timeout=0.05)
        assert caught.value.phase == "queue"
        release.set()
        assert (await first).body == b"first"


async def test_max_clients(make_client: "MakeClient", serve: "Serve") -> None:
    running = most = 0

    async def script(peer: "Peer") -> None:
        nonlocal running, most
        while True:
            await peer.request()
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            await peer.answer(b"ok")

    async with serve(script) as server, make_client(max_clients=3) as client:
        responses = await asyncio.gather(*[client.fetch(server.url()) for _ in range(20)])
    assert [response.body for response in responses] == [b"ok"] * 20
    assert most == 3


async def test_cancelling_closes_the_connection(make_client: "MakeClient", serve: "Serve") -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        if peer.number == 1:
            arrived.set()
            await peer.closed()
            gone.set()
        else:
            await peer.answer(b"ok")

    async with serve(script) as server, make_client(max_clients=1) as client:
        task = asyncio.ensure_future(client.fetch(server.url()))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await gone.wait()
        assert (await client.fetch(server.url())).body == b"ok"


async def test_closing_the_client_ends_its_fetches(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    arrived = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        arrived.set()
        await peer.closed()

    async with serve(script) as server:
        client = make_client()
        future = client.fetch(server.url())
        await arrived.wait()
        client.close()
        with pytest.raises(HTTPStreamClosedError):
            await future
        with pytest.raises(RuntimeError):
            await client.fetch(server.url())


async def test_connections_are_used_again(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        for _ in range(5):
            await client.fetch(server.url())
    assert server.connections == 1
    assert len(server.requests) == 5


async def test_a_fetch_within_a_tick_of_the_clock_took_some_time() -> None:
    # uvloop's clock ticks in milliseconds; thumbor divides the body's size by the time it took.
    response = HTTPResponse(HTTPRequest("http://localhost/"), 200)
    response._marks = {"queue": 5.0, "total": 5.0}, 5.0
    assert response.time_info["queue"] == 0
    assert 0 < response.time_info["total"] < 0.001


async def test_time_info(make_client: "MakeClient", serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        response = await client.fetch(server.url())
    info = response.time_info
    assert 0 <= info["connect"] <= info["pretransfer"] <= info["starttransfer"] <= info["total"]
    assert response.request_time is not None
    assert info["total"] <= response.request_time + 0.001  # a tick of uvloop


# -- proxies


async def forwarding(peer: "Peer") -> None:
    """A proxy that says what it was asked for."""
    while True:
        request = await peer.request()
        await peer.answer(f"proxied {request.target}".encode())


async def test_a_proxy_gets_the_whole_url_and_its_own_credentials(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(forwarding) as proxy, make_client() as client:
        response = await client.fetch(
            "http://user:pass@server.invalid/a?b#c",
            proxy_host="127.0.0.1",
            proxy_port=proxy.port,
            proxy_username="proxyuser",
            proxy_password="secret",
        )
    assert response.body == b"proxied http://server.invalid/a?b"
    request = proxy.requests[0]
    assert request.headers["Host"] == "server.invalid"
    assert request.headers["Proxy-Authorization"] == "Basic cHJveHl1c2VyOnNlY3JldA=="
    assert request.headers["Authorization"] == "Basic dXNlcjpwYXNz"


async def test_credentials_for_a_proxy_do_not_stay(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(forwarding) as proxy, serve(echo) as server, make_client() as client:
        through: dict[str, Any] = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port}
        await client.fetch("http://a.invalid/", proxy_username="u", proxy_password="p", **through)
        await client.fetch("http://b.invalid/", **through)
        await client.fetch(server.url())
    assert "Proxy-Authorization" in proxy.requests[0].headers
    assert "Proxy-Authorization" not in proxy.requests[1].headers
    assert "Proxy-Authorization" not in server.requests[0].headers


async def test_a_setting_of_the_client_names_the_proxy(
    make_client: "MakeClient", serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(forwarding) as proxy, serve(echo) as server:
        url = f"http://127.0.0.1:{proxy.port}"
        async with make_client(proxies={"http": url}) as client:
            assert (await client.fetch("http://a.invalid/")).body == b"proxied http://a.invalid/"
            await client.fetch(server.url(), proxy_host="")
        assert len(server.requests) == 1
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        async with make_client(proxies="environment") as client:
            assert (await client.fetch("http://b.invalid/")).body == b"proxied http://b.invalid/"
            await client.fetch(server.url())
        # And the environment says nothing to clients that were not told to listen.
        monkeypatch.setenv("no_proxy", "")
        async with make_client() as client:
            await client.fetch(server.url())
        assert len(server.requests) == 3
    assert proxy.targets() == ["GET http://a.invalid/", "GET http://b.invalid/"]


@pytest.mark.parametrize("code", [403, 407, 502])
async def test_a_proxy_that_refuses_a_tunnel(
    make_client: "MakeClient", serve: "Serve", code: int
) -> None:
    async def script(peer: "Peer") -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT secure.invalid:443 HTTP/1.1\r\n")
        await peer.answer(b"go away", code, "Proxy-Authenticate: Basic realm=x")

    async with serve(script) as proxy, make_client() as client:
        with pytest.raises(HTTPProxyError) as caught:
            await client.fetch(
                "https://secure.invalid/", proxy_host="127.0.0.1", proxy_port=proxy.port
            )
    assert caught.value.proxy_code == code
