"""TLS, tunnels and SOCKS, with every implementation."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import (
    HTTPCertificateError,
    HTTPProxyError,
    HTTPResolveError,
    HTTPTLSError,
)

if TYPE_CHECKING:
    from conftest import ExpectLog
    from packages.httpclient.tests.conftest import MakeClient, Peer, Serve

trustme = pytest.importorskip("trustme")


class Authority:
    """A certificate authority of the tests' own, with its files."""

    def __init__(self, path: Path) -> None:
        self.authority = trustme.CA()
        self.file = str(path / "ca.pem")
        self.authority.cert_pem.write_to_path(self.file)
        certificate = self.authority.issue_cert("127.0.0.1", "localhost")
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.server)
        self.server.load_verify_locations(self.file)
        self.server.verify_mode = ssl.CERT_OPTIONAL
        client = self.authority.issue_cert("client@example.com")
        self.cert, self.key = str(path / "client.pem"), str(path / "client.key")
        client.cert_chain_pems[0].write_to_path(self.cert)
        client.private_key_pem.write_to_path(self.key)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def refused(implementation: str, expect_log: "ExpectLog") -> Callable[[], Any]:
    """The context in which a TLS connection fails: the stream says so in the log."""
    if implementation == "simple":
        return lambda: expect_log("zonda.general", "SSL Error")
    return contextlib.nullcontext


async def who(peer: "Peer") -> None:
    """Answers with the name in the client's certificate."""
    certificate = peer.writer.get_extra_info("peercert") or {}
    names = [value for _, value in certificate.get("subjectAltName", ())]
    while True:
        await peer.request()
        await peer.answer(",".join(names).encode() or b"nobody")


# -- verification


async def test_a_server_that_is_trusted(
    make_client: "MakeClient", serve: "Serve", authority: Authority
) -> None:
    async with serve(who, tls=authority.server) as server, make_client() as client:
        response = await client.fetch(server.url(), ca_certs=authority.file)
    assert response.body == b"nobody"
    assert "appconnect" in response.time_info


async def test_an_unknown_authority(
    make_client: "MakeClient", serve: "Serve", authority: Authority, refused: Callable[[], Any]
) -> None:
    async with serve(who, tls=authority.server) as server, make_client() as client:
        with refused(), pytest.raises(HTTPCertificateError) as caught:
            await client.fetch(server.url())
        assert isinstance(caught.value, ssl.SSLCertVerificationError)
        assert caught.value.code == 599
    assert not server.requests


async def test_a_certificate_for_somebody_else(
    make_client: "MakeClient", serve: "Serve", authority: Authority, refused: Callable[[], Any]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.authority.issue_cert("other.example").configure_cert(context)
    async with serve(who, tls=context) as server, make_client() as client:
        with refused(), pytest.raises(HTTPCertificateError):
            await client.fetch(server.url(), ca_certs=authority.file)
        # Only for whoever insists.
        response = await client.fetch(server.url(), validate_cert=False)
        assert response.body == b"nobody"
        # And for nobody after them.
        with refused(), pytest.raises(HTTPCertificateError):
            await client.fetch(server.url(), ca_certs=authority.file)
    assert len(server.requests) == 1


async def test_a_server_without_tls(
    make_client: "MakeClient", serve: "Serve", refused: Callable[[], Any]
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.send(b"HTTP/1.1 400 No\r\n\r\n")

    async with serve(script) as server, make_client() as client:
        with refused(), pytest.raises(HTTPTLSError):
            await client.fetch(server.url().replace("http:", "https:"), validate_cert=False)


async def test_a_certificate_is_shown_for_its_own_request_only(
    make_client: "MakeClient", serve: "Serve", authority: Authority
) -> None:
    own: dict[str, Any] = {"client_cert": authority.cert, "client_key": authority.key}
    async with serve(who, tls=authority.server) as server, make_client(max_clients=1) as client:
        seen = [
            (await client.fetch(server.url(), ca_certs=authority.file, **settings)).body
            for settings in (own, {}, own, {}, {})
        ]
    assert seen == [b"client@example.com", b"nobody"] * 2 + [b"nobody"]


async def test_settings_as_a_dict(
    make_client: "MakeClient", serve: "Serve", authority: Authority
) -> None:
    options = {
        "ca_certs": authority.file,
        "certfile": authority.cert,
        "keyfile": authority.key,
        "cert_reqs": ssl.CERT_REQUIRED,
    }
    async with serve(who, tls=authority.server) as server, make_client() as client:
        response = await client.fetch(server.url(), ssl_options=options)
    assert response.body == b"client@example.com"


async def test_a_client_certificate_does_not_follow_to_another_origin(
    make_client: "MakeClient", serve: "Serve", authority: Authority
) -> None:
    async with serve(who, tls=authority.server) as other:

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"", 307, f"Location: {other.url()}")

        async with serve(script, tls=authority.server) as server, make_client() as client:
            response = await client.fetch(
                server.url(),
                ca_certs=authority.file,
                client_cert=authority.cert,
                client_key=authority.key,
            )
    assert response.body == b"nobody"


# -- tunnels


async def relay(peer: "Peer", host: str, port: int) -> None:
    """Carry bytes both ways until one side ends."""
    reader, writer = await asyncio.open_connection(host, port)

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()

    tasks = [
        asyncio.ensure_future(copy(peer.reader, writer)),
        asyncio.ensure_future(copy(reader, peer.writer)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()  # before anything that waits: that may be cancelled
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def tunnelling(peer: "Peer") -> None:
    """A proxy that opens tunnels."""
    request = await peer.request()
    assert request.method == "CONNECT"
    host, _, port = request.target.rpartition(":")
    await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await relay(peer, host.strip("[]"), int(port))


@pytest.mark.parametrize("with_user", [False, True])
async def test_a_tunnel_to_a_secure_server(
    make_client: "MakeClient", serve: "Serve", authority: Authority, with_user: bool
) -> None:
    user: dict[str, Any] = {"proxy_username": "u", "proxy_password": "p"} if with_user else {}
    async with (
        serve(who, tls=authority.server) as server,
        serve(tunnelling) as proxy,
        make_client() as client,
    ):
        for _ in range(2):
            response = await client.fetch(
                server.url("/secret"),
                ca_certs=authority.file,
                proxy_host="127.0.0.1",
                proxy_port=proxy.port,
                headers={"Cookie": "a=1"},
                **user,
            )
        assert response.body == b"nobody"
        # Another request without the proxy has a connection of its own.
        await client.fetch(server.url("/direct"), ca_certs=authority.file)
    [request] = proxy.requests  # the tunnel is used again
    assert request.target == f"127.0.0.1:{server.port}"
    assert "Cookie" not in request.headers
    assert request.headers.get("Proxy-Authorization") == ("Basic dTpw" if with_user else None)
    assert server.targets() == ["GET /secret", "GET /secret", "GET /direct"]
    assert server.connections == 2
    assert not any("Proxy-Authorization" in request.headers for request in server.requests)


async def test_the_server_is_verified_through_a_tunnel(
    make_client: "MakeClient", serve: "Serve", authority: Authority, refused: Callable[[], Any]
) -> None:
    async with (
        serve(who, tls=authority.server) as server,
        serve(tunnelling) as proxy,
        make_client() as client,
    ):
        with refused(), pytest.raises(HTTPCertificateError):
            await client.fetch(server.url(), proxy_host="127.0.0.1", proxy_port=proxy.port)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000,
        b"HTTP/1.1 102 Wait\r\n\r\n" * 50,
    ],
    ids=lambda wire: repr(wire[:20]),
)
async def test_proxies_that_break_off(
    make_client: "MakeClient", serve: "Serve", wire: bytes
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.send(wire)

    async with serve(script) as proxy, make_client() as client:
        with pytest.raises(OSError) as caught:
            await client.fetch(
                "https://server.invalid/", proxy_host="127.0.0.1", proxy_port=proxy.port
            )
    assert getattr(caught.value, "code", None) == 599


@pytest.mark.parametrize("secure", [False, True])
async def test_a_secure_proxy(
    make_client: "MakeClient",
    serve: "Serve",
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    implementation: str,
    secure: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)  # whom to trust as a proxy
    size = 3_000_000

    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            await peer.answer(b"x" * size + request.body)

    tls = authority.server if secure else None
    proxy_script = tunnelling if secure else script
    async with (
        serve(script, tls=tls) as server,
        serve(proxy_script, tls=authority.server) as proxy,
        make_client(proxies=f"https://127.0.0.1:{proxy.port}") as client,
    ):
        url = server.url()
        for _ in range(2):
            response = await client.fetch(
                url, method="POST", body=b"y" * size, ca_certs=authority.file
            )
            assert response.body == b"x" * size + b"y" * size
        if secure or implementation == "simple":  # libcurl has a reason of its own
            assert proxy.connections == 1
        if secure:
            assert proxy.targets() == [f"CONNECT 127.0.0.1:{server.port}"]
            assert server.targets() == ["POST /"] * 2
        else:
            assert proxy.targets() == [f"POST {url}"] * 2


@pytest.mark.parametrize("whom", ["proxy", "server"])
async def test_both_ends_of_a_secure_tunnel_are_verified(
    make_client: "MakeClient",
    serve: "Serve",
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[[], Any],
    whom: str,
) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(stranger)
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    contexts = {"proxy": authority.server, "server": authority.server, whom: stranger}
    async with (
        serve(who, tls=contexts["server"]) as server,
        serve(tunnelling, tls=contexts["proxy"]) as proxy,
        make_client(proxies=f"https://127.0.0.1:{proxy.port}") as client,
    ):
        with refused(), pytest.raises(HTTPTLSError):  # of which libcurl 8.11 knows no more
            await client.fetch(server.url(), ca_certs=authority.file)
    assert not server.requests
    assert len(proxy.requests) == (whom == "server")


# -- SOCKS


class Socks:
    """A SOCKS5 proxy (RFC 1928, RFC 1929).

    Args:
        user: User name and password, if it wants any.
        reply: What it answers; 0 is success.
    """

    def __init__(self, user: tuple[str, str] | None = None, reply: int = 0) -> None:
        self.user = user
        self.reply = reply
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, peer: "Peer") -> None:
        read = peer.reader.readexactly
        version, count = await read(2)
        assert version == 5
        methods = await read(count)
        if self.user is None:
            await peer.send(b"\x05\x00")
        elif 2 not in methods:
            await peer.send(b"\x05\xff")
            return
        else:
            await peer.send(b"\x05\x02")
            assert await read(1) == b"\x01"
            name = await read((await read(1))[0])
            password = await read((await read(1))[0])
            right = (name.decode(), password.decode()) == self.user
            await peer.send(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return
        version, command, _, kind = await read(4)
        assert (version, command) == (5, 1)
        if kind == 1:
            host = socket.inet_ntoa(await read(4))
        elif kind == 3:
            host = (await read((await read(1))[0])).decode()
        else:
            host = socket.inet_ntop(socket.AF_INET6, await read(16))
        [port] = struct.unpack(">H", await read(2))
        self.asked.append((host, port))
        await peer.send(bytes([5, self.reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if not self.reply:
            await relay(peer, "127.0.0.1", port)


@pytest.fixture
def _socks(implementation: str) -> None:
    if implementation == "simple":
        pytest.importorskip("python_socks")


@pytest.mark.usefixtures("_socks")
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("scheme", "host", "asked"),
    [
        ("socks5", "127.0.0.1", "127.0.0.1"),
        ("socks5h", "localhost", "localhost"),
        ("socks5", "localhost", None),  # one of its addresses, looked up here
    ],
)
async def test_socks(
    make_client: "MakeClient",
    serve: "Serve",
    authority: Authority,
    scheme: str,
    host: str,
    asked: str | None,
    secure: bool,
) -> None:
    socks = Socks()
    tls = authority.server if secure else None
    async with serve(socks) as proxy, serve(who, tls=tls) as server:
        async with make_client(proxies=f"{scheme}://127.0.0.1:{proxy.port}") as client:
            for _ in range(2):
                response = await client.fetch(server.url(host=host), ca_certs=authority.file)
            assert response.body == b"nobody"
    [(found, port)] = socks.asked
    assert port == server.port
    assert found == asked if asked else found in ("127.0.0.1", "::1")
    assert server.targets() == ["GET /", "GET /"]


@pytest.mark.usefixtures("_socks")
async def test_socks_with_a_user(make_client: "MakeClient", serve: "Serve") -> None:
    socks = Socks(("user", "secret"))
    async with serve(socks) as proxy, serve(who) as server, make_client() as client:
        through: dict[str, Any] = {
            "proxy_host": "socks5h://127.0.0.1",
            "proxy_port": proxy.port,
            "proxy_username": "user",
        }
        assert (await client.fetch(server.url(), proxy_password="secret", **through)).code == 200
        for password in ("wrong", None):
            with pytest.raises(HTTPProxyError):
                await client.fetch(server.url("/x"), proxy_password=password, **through)
        with pytest.raises(HTTPProxyError):
            del through["proxy_username"]
            await client.fetch(server.url("/x"), **through)
    assert server.targets() == ["GET /"]


@pytest.mark.usefixtures("_socks")
@pytest.mark.parametrize("reply", [1, 2, 4, 5, 9, 255])
async def test_socks_that_refuses(make_client: "MakeClient", serve: "Serve", reply: int) -> None:
    async with serve(Socks(reply=reply)) as proxy:
        async with make_client(proxies=f"socks5h://127.0.0.1:{proxy.port}") as client:
            with pytest.raises(HTTPProxyError) as caught:
                await client.fetch("http://server.invalid/")
    assert caught.value.code == 599


@pytest.mark.usefixtures("_socks")
@pytest.mark.parametrize("wire", [b"", b"\x05", b"HTTP/1.1 400 No\r\n\r\n", b"\x04\x5a"])
async def test_what_does_not_speak_socks(
    make_client: "MakeClient", serve: "Serve", wire: bytes
) -> None:
    async def script(peer: "Peer") -> None:
        await peer.reader.read(1)
        await peer.send(wire)

    async with serve(script) as proxy:
        async with make_client(proxies=f"socks5h://127.0.0.1:{proxy.port}") as client:
            with pytest.raises(HTTPProxyError):
                await client.fetch("http://server.invalid/")


@pytest.mark.usefixtures("_socks")
async def test_a_name_that_socks5_cannot_look_up_here(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(Socks()) as proxy:
        async with make_client(proxies=f"socks5://127.0.0.1:{proxy.port}") as client:
            with pytest.raises((HTTPResolveError, HTTPProxyError)):
                await client.fetch("http://server.invalid/")


@pytest.mark.usefixtures("_socks")
async def test_a_fetch_cancelled_within_the_handshake(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: "Peer") -> None:
        await peer.reader.read(1)
        arrived.set()
        await peer.closed()
        gone.set()

    async with serve(script) as proxy:
        async with make_client(proxies=f"socks5h://127.0.0.1:{proxy.port}") as client:
            task = asyncio.ensure_future(client.fetch("http://server.invalid/"))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await gone.wait()
