"""What only the client over libcurl has; test_fetch.py has what it shares."""

import asyncio
import pickle
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import (
    AsyncHTTPClient,
    Cookies,
    HTTPClient,
    HTTPClientError,
    HTTPConnectionRefusedError,
    HTTPRequest,
    HTTPRequestError,
    HTTPStreamClosedError,
    errors,
)
from zonda.ioloop.testing import bind_unused_port

if TYPE_CHECKING:
    from conftest import ExpectLog
    from packages.httpclient.tests.conftest import Peer, Serve

pycurl = pytest.importorskip("pycurl")

from zonda.httpclient.curl import CurlAsyncHTTPClient, CurlError  # noqa: E402 - needs pycurl


def make_client(**settings: Any) -> CurlAsyncHTTPClient:
    return CurlAsyncHTTPClient(force_instance=True, **settings)


async def echo(peer: "Peer") -> None:
    while True:
        request = await peer.request()
        await peer.answer(request.body)


# -- choosing it


def test_without_pycurl_the_import_says_what_is_missing() -> None:
    program = "import sys; sys.modules['pycurl'] = None\nimport zonda.httpclient.curl"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode
    assert "ModuleNotFoundError: the curl client needs pycurl: pip install" in result.stderr


async def test_it_can_be_configured(serve: "Serve") -> None:
    AsyncHTTPClient.configure("zonda.httpclient.curl.CurlAsyncHTTPClient", max_clients=7)
    try:
        async with AsyncHTTPClient(force_instance=True) as client:
            assert isinstance(client, CurlAsyncHTTPClient)
            assert client.max_clients == 7
            async with serve(echo) as server:
                assert (await client.fetch(server.url(), method="POST", body="x")).body == b"x"
    finally:
        AsyncHTTPClient.configure(None)


async def test_it_can_be_read_piece_by_piece(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x" * 300_000, 201, "X-One: 1")

    async with serve(script) as server, make_client() as client:
        async with client.stream(server.url()) as response:
            assert (response.code, response.headers["X-One"]) == (201, "1")
            sizes = [len(chunk) async for chunk in response]
    assert sum(sizes) == 300_000
    assert len(sizes) > 1


async def test_the_blocking_client_can_use_it(serve: "Serve") -> None:
    def fetch(url: str) -> bytes:
        with HTTPClient(CurlAsyncHTTPClient) as client:
            return client.fetch(url, method="POST", body="hello").body

    async with serve(echo) as server:
        assert await asyncio.to_thread(fetch, server.url()) == b"hello"


# -- errors


async def test_errors_have_curls_number_and_the_usual_type() -> None:
    sock, port = bind_unused_port()
    sock.close()
    async with make_client() as client:
        with pytest.raises(CurlError) as caught:
            await client.fetch(f"http://127.0.0.1:{port}/")
    error = caught.value
    assert (error.code, error.errno) == (599, pycurl.E_COULDNT_CONNECT)
    assert isinstance(error, HTTPConnectionRefusedError)
    assert isinstance(error, HTTPClientError)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.errno) == (type(error), 599, error.errno)
    assert str(again) == str(error)


def test_the_error_as_tornados_users_make_it() -> None:
    error = CurlError(28, "Timeout")
    assert (error.errno, error.code, error.message, error.response) == (28, 599, "Timeout", None)
    assert str(error) == "HTTP 599: Timeout"


@pytest.mark.parametrize(
    "name", [name for name in dir(errors) if name.startswith("Curl") and name.endswith("Error")]
)
def test_all_kinds_can_be_made_and_pickled(name: str) -> None:
    kind = getattr(errors, name)
    error = kind(7, "text")
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        assert (each.errno, each.code, each.message) == (7, 599, "text")
        assert isinstance(each, CurlError)
        assert "text" in str(each)


# -- nothing stays behind


async def test_a_prepare_callback_sees_the_handle_and_leaves_nothing(serve: "Serve") -> None:
    seen: list[Any] = []

    def prepare(curl: Any) -> None:
        seen.append(curl)
        curl.setopt(pycurl.USERAGENT, "curl itself")
        curl.setopt(pycurl.HTTPHEADER, [b"X-Prepared: yes"])
        curl.setopt(pycurl.COOKIELIST, "Set-Cookie: leak=1; domain=127.0.0.1; path=/")

    async with serve(echo) as server, make_client(max_clients=1) as client:
        await client.fetch(server.url(), prepare_curl_callback=prepare)
        await client.fetch(server.url())
    first, second = (request.headers for request in server.requests)
    assert isinstance(seen[0], pycurl.Curl)
    assert first["X-Prepared"] == "yes"
    assert first["User-Agent"] == "curl itself"
    assert first["Cookie"] == "leak=1"
    assert not {"X-Prepared", "Cookie"} & set(second)
    assert second["User-Agent"].startswith("Zonda")


async def test_what_a_prepare_callback_raises_is_the_fetchs_error(serve: "Serve") -> None:
    def prepare(curl: Any) -> None:
        raise ZeroDivisionError

    async with serve(echo) as server, make_client() as client:
        with pytest.raises(ZeroDivisionError):
            await client.fetch(server.url(), prepare_curl_callback=prepare)
        assert (await client.fetch(server.url())).code == 200


async def test_a_handle_that_is_used_again_knows_nothing_of_before(serve: "Serve") -> None:
    # GHSA of Tornado 6.5.7: proxy credentials and client certificates stayed in the handle.
    async with serve(echo) as proxy, serve(echo) as server, make_client(max_clients=1) as client:
        await client.fetch(
            server.url(),
            method="PUT",
            body="secret",
            headers={"Cookie": "secret", "X-Secret": "1"},
            auth_username="secret",
            auth_password="secret",
            proxy_host="127.0.0.1",
            proxy_port=proxy.port,
            proxy_username="secret",
            proxy_password="secret",
            user_agent="secret",
            network_interface="127.0.0.1",
            allow_ipv6=False,
        )
        await client.fetch(server.url())
        await client.fetch(server.url(), method="POST", body="")
    assert len(proxy.requests) == 1
    assert [request.method for request in server.requests] == ["GET", "POST"]
    for request in server.requests:
        assert "secret" not in str(request.headers)
        assert request.body == b""


# -- what curl can and cannot do


async def test_a_connection_that_spoke_without_being_asked(serve: "Serve") -> None:
    go = asyncio.Event()
    spoken = asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x")
        await go.wait()
        if peer.number == 1:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            spoken.set()
        await peer.closed()

    async with serve(script) as server, make_client() as client:
        await client.fetch(server.url())
        go.set()
        await spoken.wait()
        assert (await client.fetch(server.url())).body == b"x"
        assert server.connections == 2


async def test_a_connection_that_is_quiet_is_used_again(serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        for _ in range(3):
            await client.fetch(server.url())
        assert server.connections == 1


@pytest.mark.parametrize(
    "options", [ssl.create_default_context(), {"certfile": "x", "ssl_version": 2}]
)
async def test_tls_settings_that_curl_does_not_know(options: Any) -> None:
    async with make_client() as client:
        with pytest.raises(HTTPRequestError, match="ssl_options"):
            await client.fetch("https://127.0.0.1:1/", ssl_options=options)


@pytest.mark.parametrize("name", ["lo\r\n", "x y", "http://x", "lo;"])
async def test_what_is_no_interface(name: str) -> None:
    async with make_client() as client:
        with pytest.raises(HTTPRequestError, match="network_interface"):
            await client.fetch("http://127.0.0.1:1/", network_interface=name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of interfaces differ")
async def test_an_interface_by_name(serve: "Serve") -> None:
    async with serve(echo) as server, make_client() as client:
        assert (await client.fetch(server.url(), network_interface="lo")).code == 200
        with pytest.raises(CurlError):
            await client.fetch(server.url("/x"), network_interface="nope0")


async def test_a_body_with_head_is_refused() -> None:
    async with make_client() as client:
        with pytest.raises(HTTPRequestError, match="HEAD"):
            await client.fetch(
                "http://127.0.0.1:1/", method="HEAD", body="x", allow_nonstandard_methods=True
            )


@pytest.mark.parametrize("length", ["2", "4"])
async def test_a_produced_body_of_another_length_than_announced(
    serve: "Serve", length: str
) -> None:
    async def produce(write: Any) -> None:
        await write(b"abc")

    async with serve(echo) as server, make_client() as client:
        with pytest.raises(Exception, match="announced"):
            await client.fetch(
                server.url(),
                method="PUT",
                body_producer=produce,
                headers={"Content-Length": length},
            )


async def test_one_large_piece_is_sent_in_linear_time(serve: "Serve") -> None:
    async def produce(write: Any) -> None:
        await write(b"x" * 50_000_000)

    async with serve(echo) as server, make_client() as client:
        start = time.process_time()
        response = await client.fetch(
            server.url(),
            method="PUT",
            body_producer=produce,
            headers={"Content-Length": "50000000"},
        )
        assert time.process_time() - start < 5
    assert len(response.body) == 50_000_000


@pytest.mark.parametrize("length", ["-3", "1_0", "+3", "x", "\u0663"])
async def test_a_length_that_is_none(serve: "Serve", length: str) -> None:
    async def produce(write: Any) -> None:
        await write(b"abc")

    async with serve(echo) as server, make_client() as client:
        with pytest.raises(ValueError):
            await client.fetch(
                server.url(),
                method="PUT",
                body_producer=produce,
                headers={"Content-Length": length},
            )
    assert not server.requests


async def test_a_producer_waits_for_a_slow_server(serve: "Serve") -> None:
    written = 0
    go_on = asyncio.Event()

    async def produce(write: Any) -> None:
        nonlocal written
        for _ in range(200):
            await write(b"x" * 100_000)
            written += 100_000

    async def script(peer: "Peer") -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        got = 0
        while got < 20_000_000:
            got += len(await peer.reader.read(1 << 20))
        await peer.answer(b"all")

    async with serve(script) as server, make_client() as client:
        future = client.fetch(
            server.url(),
            method="PUT",
            body_producer=produce,
            headers={"Content-Length": "20000000"},
        )
        before = -1
        while before != written or not written:  # until nothing moves any more
            before = written
            await asyncio.sleep(0.05)
        assert written < 20_000_000
        go_on.set()
        assert (await future).body == b"all"


async def test_a_reader_that_takes_its_time_holds_the_server_back(serve: "Serve") -> None:
    size = 50_000_000
    sent = 0

    async def script(peer: "Peer") -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            await peer.send(b"x" * 100_000)
            sent += 100_000

    got = 0
    go_on = asyncio.Event()

    async def slow(chunk: bytes) -> None:
        nonlocal got
        got += len(chunk)
        await go_on.wait()

    async with serve(script) as server, make_client() as client:
        future = client.fetch(server.url(), streaming_callback=slow)
        before = -1
        while before != sent or not sent:
            before = sent
            await asyncio.sleep(0.05)
        assert sent < size
        assert got < 200_000
        go_on.set()
        await future
    assert got == size


async def test_http2(serve: "Serve", tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    connection = pytest.importorskip("h2.connection")
    config = pytest.importorskip("h2.config")
    h2_events = pytest.importorskip("h2.events")
    if not pycurl.version_info()[4] & pycurl.VERSION_HTTP2:
        pytest.skip("this libcurl has no HTTP/2")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    tls.set_alpn_protocols(["h2"])
    seen: list[dict[bytes, bytes]] = []

    async def script(peer: "Peer") -> None:
        h2 = connection.H2Connection(
            config.H2Configuration(client_side=False, header_encoding=None)
        )
        h2.initiate_connection()
        await peer.send(h2.data_to_send())
        while data := await peer.reader.read(65536):
            for event in h2.receive_data(data):
                if isinstance(event, h2_events.RequestReceived):
                    seen.append(dict(event.headers))
                elif isinstance(event, h2_events.StreamEnded):
                    fields = [(":status", "200"), ("x-one", "1"), ("set-cookie", "a=1")]
                    h2.send_headers(event.stream_id, fields)
                    h2.send_data(event.stream_id, b"hello", end_stream=True)
            await peer.send(h2.data_to_send())

    lines: list[str] = []
    async with serve(script, tls=tls) as server, make_client(cookies=Cookies()) as client:
        url = server.url("/path?query")
        responses = [
            await client.fetch(
                HTTPRequest(
                    url,
                    "POST",
                    body="body",
                    ca_certs=str(tmp_path / "ca.pem"),
                    header_callback=lines.append,
                )
            )
            for _ in range(2)
        ]
    for response in responses:
        assert (response.code, response.reason, response.body) == (200, "OK", b"hello")
        assert response.headers["X-One"] == "1"
    assert lines[0] == "HTTP/2 200 \r\n"
    assert server.connections == 1
    assert seen[0][b":path"] == b"/path?query"
    assert seen[0][b":authority"] == f"127.0.0.1:{server.port}".encode()
    assert b"cookie" not in seen[0]
    assert seen[1][b"cookie"] == b"a=1"


# -- many, and at the wrong moment


async def test_hundreds_of_fetches_that_end_in_every_way(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            kind = request.target[1:]
            if kind == "reset":
                peer.reset()
            elif kind == "cut":
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
                return
            elif kind == "silent":
                await peer.closed()
            else:
                await peer.answer(b"ok")

    async def one(client: AsyncHTTPClient, number: int) -> str:
        kind = ("ok", "reset", "cut", "silent", "cancel")[number % 5]
        path = "/silent" if kind == "cancel" else f"/{kind}"
        future = client.fetch(server.url(path), request_timeout=0.05 if kind == "silent" else 10)
        if kind == "cancel":
            await asyncio.sleep(0)
            future.cancel()
        try:
            return (await future).body.decode()
        except (HTTPClientError, asyncio.CancelledError) as error:
            return type(error).__name__

    async with serve(script) as server, make_client(max_clients=20) as client:
        results = await asyncio.gather(*[one(client, number) for number in range(500)])
        assert results.count("ok") == 100
        assert results.count("HTTPTimeoutError") == 100
        assert results.count("CancelledError") == 100
        assert results.count("CurlStreamClosedError") == 200
        assert not len(client._transport.multi)


async def test_closing_within_a_callback(serve: "Serve") -> None:
    client = make_client()

    def close(_: object) -> None:
        client.close()

    async with serve(echo) as server:
        with pytest.raises(HTTPStreamClosedError):
            await client.fetch(server.url(), header_callback=close)


async def test_fetching_within_a_callback(serve: "Serve") -> None:
    futures: list[asyncio.Future[Any]] = []

    async with serve(echo) as server, make_client() as client:

        def fetch(line: str) -> None:
            if line == "\r\n":
                futures.append(client.fetch(server.url("/inner"), method="POST", body="inner"))

        await client.fetch(server.url(), header_callback=fetch)
        assert (await futures[0]).body == b"inner"


async def test_cancelling_within_a_callback(serve: "Serve") -> None:
    def cancel(_: str) -> None:
        future.cancel()

    async with serve(echo) as server, make_client() as client:
        future = client.fetch(HTTPRequest(server.url(), header_callback=cancel))
        with pytest.raises(asyncio.CancelledError):
            await future
        assert (await client.fetch(server.url())).code == 200


async def test_the_hook_for_exceptions_of_callbacks(expect_log: "ExpectLog") -> None:
    async with make_client() as client:
        with expect_log("zonda.application", "Exception in callback"):
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                client.handle_callback_exception(print)


async def test_curl_is_told_of_no_socket_that_is_closed(serve: "Serve") -> None:
    # A descriptor that libcurl has closed may be somebody else's a moment later.
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"ok", 200, "Connection: close")

    async with serve(script) as server, make_client() as client:
        for _ in range(20):
            await client.fetch(server.url())
            one, two = socket.socketpair()
            one.setblocking(False)
            reader = asyncio.get_running_loop().sock_recv(one, 1)
            two.send(b"x")
            assert await reader == b"x"
            one.close()
            two.close()


async def test_time_info_has_every_phase(serve: "Serve") -> None:
    """Programs that use curl look them up without asking whether they are there."""

    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            if request.target == "/":
                await peer.answer(b"", 302, "Location: /there")
            else:
                await peer.answer(b"x")

    names = {
        "queue", "namelookup", "connect", "appconnect", "redirect", "pretransfer",
        "starttransfer", "total",
    }  # fmt: skip
    async with serve(script) as server, make_client() as client:
        for path, redirected in (("/", True), ("/there", False)):
            info = (await client.fetch(server.url(path))).time_info
            assert set(info) == names
            assert info["redirect"] == 0 or redirected  # a fast one may be, by uvloop's clock
            assert info["appconnect"] == info["queue"] == 0
            assert all(0 <= value <= info["total"] for value in info.values())
