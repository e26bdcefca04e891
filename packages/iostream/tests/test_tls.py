"""TLS: verification, ALPN, client certificates, truncation, strangers on the port, options."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zonda.iostream import IOStream, SSLIOStream, StreamClosedError, tlsoptions
from zonda.iostream.netutil import bind_sockets, ssl_options_to_context, ssl_wrap_socket
from zonda.iostream.testing import Recorder

trustme = pytest.importorskip("trustme")

ExpectLog = Callable[..., Any]

authority = trustme.CA()
certificate = authority.issue_cert("localhost", "127.0.0.1")


def server_context(**attributes: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def client_context(**attributes: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def plain_pair() -> tuple[socket.socket, socket.socket]:
    (listener,) = bind_sockets(0, "127.0.0.1")
    client = socket.create_connection(listener.getsockname())
    listener.setblocking(True)
    server, _ = listener.accept()
    listener.close()
    return client, server


async def tls_pair(
    client_options: ssl.SSLContext | None = None, server_options: ssl.SSLContext | None = None
) -> tuple[SSLIOStream, SSLIOStream]:
    near, far = plain_pair()
    client = SSLIOStream(
        near, ssl_options=client_options or client_context(), server_hostname="localhost"
    )
    server = SSLIOStream(far, ssl_options=server_options or server_context(), server_side=True)
    await asyncio.gather(client.wait_for_handshake(), server.wait_for_handshake())
    return client, server


async def test_certificates_alpn_and_version() -> None:
    ours, theirs = client_context(), server_context()
    for context in (ours, theirs):
        context.set_alpn_protocols(["h2", "http/1.1"])
    client_certificate = authority.issue_cert("me@example.com")
    client_certificate.configure_cert(ours)
    theirs.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(theirs)
    client, server = await tls_pair(ours, theirs)
    for stream in (client, server):
        assert isinstance(stream.socket, ssl.SSLSocket)
        assert stream.socket.selected_alpn_protocol() == "h2"
        assert stream.socket.version() == "TLSv1.3"
        assert stream.socket.getpeercert()
        stream.close()


@pytest.mark.parametrize(
    "options", [None, {}, {"cert_reqs": ssl.CERT_REQUIRED}], ids=["none", "empty", "required"]
)
async def test_an_unknown_authority_is_refused(options: Any, expect_log: ExpectLog) -> None:
    near, far = plain_pair()
    with expect_log("zonda.general", "SSL Error", count=None):
        client = SSLIOStream(near, ssl_options=options, server_hostname="localhost")
        server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
        with pytest.raises(StreamClosedError) as caught:
            await client.wait_for_handshake()
        assert isinstance(caught.value.real_error, ssl.SSLCertVerificationError)
        with pytest.raises(StreamClosedError):
            await server.wait_for_handshake()


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com"])
async def test_another_name_is_refused(name: str, expect_log: ExpectLog) -> None:
    near, far = plain_pair()
    with expect_log("zonda.general", "SSL Error", count=None):
        server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
        client = IOStream(near)
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.start_tls(False, client_context(), server_hostname=name)
        with pytest.raises(StreamClosedError):
            await server.read_bytes(1)


async def test_no_name_to_verify_is_an_error(expect_log: ExpectLog) -> None:
    """A client that verifies names must be given one."""
    near, far = plain_pair()
    with expect_log("zonda.general", "SSL Error"):
        client = SSLIOStream(near, ssl_options=client_context())
    assert client.closed()
    assert isinstance(client.error, ValueError)
    far.close()


async def test_verification_can_be_switched_off() -> None:
    near, far = plain_pair()
    client = SSLIOStream(near, ssl_options={"cert_reqs": ssl.CERT_NONE})
    server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
    await server.write(b"hello")
    assert await client.read_bytes(5) == b"hello"
    client.close()
    server.close()


async def test_a_wrapped_socket() -> None:
    near, far = plain_pair()
    wrapped = ssl_wrap_socket(
        near, client_context(), server_hostname="localhost", do_handshake_on_connect=False
    )
    client = SSLIOStream(wrapped)
    server = SSLIOStream(
        ssl_wrap_socket(far, server_context(), server_side=True, do_handshake_on_connect=False)
    )
    await client.write(b"hello")
    assert await server.read_bytes(5) == b"hello"
    client.close()
    server.close()


async def test_waiting_twice_is_an_error() -> None:
    near, far = plain_pair()
    client = SSLIOStream(near, ssl_options=client_context(), server_hostname="localhost")
    waiting = client.wait_for_handshake()
    with pytest.raises(RuntimeError):
        client.wait_for_handshake()
    client.close()
    with pytest.raises(StreamClosedError):
        await waiting
    with pytest.raises(StreamClosedError):
        await client.wait_for_handshake()
    far.close()


@pytest.mark.parametrize(
    "greeting", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x00" * 100]
)
async def test_a_stranger_on_the_port_costs_one_line(
    greeting: bytes, expect_log: ExpectLog
) -> None:
    near, far = plain_pair()
    server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
    with expect_log("zonda.general", "SSL Error on .*127.0.0.1", count=1):
        near.sendall(greeting)
        with pytest.raises(StreamClosedError) as caught:
            await server.read_bytes(1)
    assert isinstance(caught.value.real_error, ssl.SSLError)
    near.close()


@pytest.mark.parametrize("how", ["close", "reset", "hello and close"])
async def test_a_peer_that_leaves_in_the_handshake_costs_none(how: str) -> None:
    near, far = plain_pair()
    server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
    waiting = server.wait_for_handshake()
    if how == "hello and close":
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            hello.do_handshake()
        near.sendall(outgoing.read())
    if how == "reset":
        IOStream(near).abort()
    else:
        near.close()
    with pytest.raises(StreamClosedError):
        await waiting
    assert server.closed()


async def test_closing_during_the_handshake() -> None:
    near, far = plain_pair()
    server = SSLIOStream(far, ssl_options=server_context(), server_side=True)
    written = server.write(b"never sent")
    await asyncio.sleep(0)
    server.close()
    with pytest.raises(StreamClosedError):
        await written
    near.settimeout(5)
    assert near.recv(1) == b""
    near.close()


async def test_cancelled_start_tls_closes() -> None:
    near, far = plain_pair()
    client = IOStream(near)
    task = asyncio.ensure_future(
        asyncio.wait_for(client.start_tls(False, client_context(), "localhost"), 0.02)
    )
    with pytest.raises(TimeoutError):
        await task
    await asyncio.sleep(0)
    far.settimeout(5)
    while far.recv(65536):
        pass
    far.close()
    assert client.closed()


@pytest.mark.parametrize("busy", ["read", "write", "buffer"])
async def test_start_tls_wants_an_idle_stream(busy: str) -> None:
    near, far = plain_pair()
    client, peer = IOStream(near), IOStream(far)
    if busy == "read":
        client.read_bytes(1)
    elif busy == "write":
        client.write(b"x" * 10_000_000)
    else:
        await peer.write(b"a\nb")
        await client.read_until(b"\n")
    with pytest.raises(ValueError, match="not idle"):
        client.start_tls(False, client_context(), "localhost")
    client.close()
    peer.close()


async def test_start_tls_after_a_dialogue() -> None:
    """As in SMTP: the first bytes of TLS come while nobody reads."""
    near, far = plain_pair()
    client, server = IOStream(near), IOStream(far)
    closed = asyncio.Event()

    async def serve() -> SSLIOStream:
        assert await server.read_until(b"\r\n") == b"STARTTLS\r\n"
        await server.write(b"220 go\r\n")
        await asyncio.sleep(0.02)  # the ClientHello arrives meanwhile
        return await server.start_tls(True, server_context())

    task = asyncio.ensure_future(serve())
    await client.write(b"STARTTLS\r\n")
    assert await client.read_until(b"\r\n") == b"220 go\r\n"
    client.set_close_callback(closed.set)
    secured = await client.start_tls(False, client_context(), "localhost")
    answer = await task
    await secured.write(b"secret")
    assert await answer.read_bytes(6) == b"secret"
    answer.close()
    await asyncio.wait_for(closed.wait(), 5)
    assert secured.closed()
    with pytest.raises(StreamClosedError):
        client.write(b"x")


async def test_truncation_is_told_apart_from_the_end() -> None:
    client, server = await tls_pair()
    await server.write(b"all of it")
    server.close()
    assert await client.read_until_close() == b"all of it"
    assert not client.truncated
    client, server = await tls_pair()
    await server.write(b"part of i")
    raw = socket.socket(fileno=server.socket.detach())
    raw.close()  # FIN without close_notify
    assert await client.read_until_close() == b"part of i"
    assert client.truncated
    server._stop_reader = server._stop_writer = lambda: None  # type: ignore[method-assign]
    server.close()


async def test_truncation_in_a_sink() -> None:
    client, server = await tls_pair()
    sink = Recorder()
    client.set_sink(sink)
    socket.socket(fileno=server.socket.detach()).close()
    await sink.until(lambda: sink.saw("eof"))
    assert client.truncated
    client.close()
    server._stop_reader = server._stop_writer = lambda: None  # type: ignore[method-assign]
    server.close()


async def test_records_of_any_size_arrive() -> None:
    client, server = await tls_pair()
    for size in (1, 100, 16383, 16384, 16385, 65536, 1_000_000):
        written = client.write(b"r" * size)
        assert await server.read_bytes(size) == b"r" * size
        await written
    client.close()
    server.close()


async def test_many_small_queued_writes() -> None:
    """Joined into records, in order, though the socket's buffer fills in between."""
    client, server = await tls_pair()
    message = b"".join(b"%07d" % number for number in range(200_000))
    for start in range(0, len(message), 997):
        client.send(message[start : start + 997])
    client.close_when_flushed()
    assert await server.read_until_close() == message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_half_close_each_version(version: ssl.TLSVersion) -> None:
    client, server = await tls_pair(client_context(maximum_version=version))
    sink, other = Recorder(), Recorder()
    server.set_sink(sink)
    client.set_sink(other)
    client.send(b"question")
    client.write_eof()
    await sink.until(lambda: sink.saw("eof"))
    server.send(b"answer" * 100_000)
    server.close_when_flushed()
    await other.until(lambda: other.saw("eof"))
    assert other.data == b"answer" * 100_000
    assert not client.truncated
    client.close()


async def test_key_update_and_session_tickets_do_not_disturb() -> None:
    client, server = await tls_pair()
    sink = Recorder()
    client.set_sink(sink)  # tickets arrive with nothing behind them
    await asyncio.sleep(0.01)
    assert sink.events == []
    client.close()
    server.close()


# -- options -------------------------------------------------------------------------------------


def test_options_to_context(tmp_path: Path) -> None:
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    key.write_bytes(certificate.private_key_pem.bytes())
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authority.cert_pem.bytes())
    options = {"certfile": str(chain), "keyfile": str(key)}
    server = ssl_options_to_context(options, server_side=True)
    assert server.verify_mode == ssl.CERT_NONE
    assert server.minimum_version == ssl.TLSVersion.TLSv1_2
    assert server.options & ssl.OP_NO_COMPRESSION
    client = ssl_options_to_context({"ca_certs": str(roots)}, server_side=False)
    assert client.verify_mode == ssl.CERT_REQUIRED
    assert client.check_hostname
    assert client.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(client.get_ca_certs()) == 1
    mutual = ssl_options_to_context(
        {**options, "ca_certs": str(roots), "cert_reqs": ssl.CERT_REQUIRED}, server_side=True
    )
    assert mutual.verify_mode == ssl.CERT_REQUIRED
    ciphers = ssl_options_to_context({"ciphers": "ECDHE-RSA-AES128-GCM-SHA256"}, server_side=False)
    assert "ECDHE-RSA-AES128-GCM-SHA256" in [entry["name"] for entry in ciphers.get_ciphers()]
    assert ssl_options_to_context(server) is server
    with pytest.raises(ValueError, match="unknown keys"):
        ssl_options_to_context({"certificate": "x"})


@pytest.mark.parametrize("server_side", [True, False])
def test_default_contexts_are_made_once_and_late(server_side: bool) -> None:
    tlsoptions._defaults.clear()
    context = tlsoptions.default_context(server_side)
    assert tlsoptions.default_context(server_side) is context
    assert context.check_hostname is not server_side
    assert (context.verify_mode == ssl.CERT_REQUIRED) is not server_side


async def test_timeouts_leave_nothing_behind() -> None:
    from zonda.iostream.tcpclient import TCPClient  # noqa: PLC0415 - the only user here

    (listener,) = bind_sockets(0, "127.0.0.1")
    with pytest.raises(TimeoutError):
        await TCPClient().connect(
            "127.0.0.1",
            listener.getsockname()[1],
            ssl_options=client_context(),
            timeout=datetime.timedelta(milliseconds=20),
        )
    listener.close()
    await asyncio.sleep(0)
