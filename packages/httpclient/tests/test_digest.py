"""Digest authentication against a server that computes for itself and believes nothing."""

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import HTTPClientError

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import MakeClient, Peer, Serve

PASSWORDS = {"user": "secret", "J\u00e4s\u00f8n": "p\u00e4ss"}


class Verifier:
    """The server's side of RFC 7616 for one realm.

    Args:
        algorithm: As in the challenge.
        qop: Likewise; None for the form of RFC 2069.
        uses: How many requests a nonce is good for.
        says_stale: Whether it says so when a nonce is not.
    """

    def __init__(
        self,
        algorithm: str = "SHA-256",
        qop: str | None = "auth",
        uses: int = 1000,
        says_stale: bool = True,
    ) -> None:
        self.algorithm = algorithm
        self.qop = qop
        self.uses = uses
        self.says_stale = says_stale
        self.nonces: dict[str, int] = {}

    @property
    def hash_name(self) -> str:
        return {"MD5": "md5", "SHA-256": "sha256"}[self.algorithm.removesuffix("-sess")]

    def digest(self, *parts: str) -> str:
        return hashlib.new(self.hash_name, ":".join(parts).encode()).hexdigest()

    def challenge(self, stale: bool = False) -> str:
        nonce = secrets.token_hex(8)
        self.nonces[nonce] = 0
        text = f'Digest realm="the \\"realm\\"", nonce="{nonce}", algorithm={self.algorithm}'
        text += ', opaque="o,p"' + ("" if self.qop is None else f', qop="{self.qop}"')
        return text + (", stale=true" if stale and self.says_stale else "")

    def check(self, method: str, target: str, body: bytes, value: str | None) -> str | None:
        """None if the credentials are right, else the challenge to answer with."""
        if value is None or not value.startswith("Digest "):
            return self.challenge()
        fields = {
            name: quoted.replace('\\"', '"') or token
            for name, quoted, token in re.findall(
                r'([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))', value
            )
        }
        assert fields["uri"] == target
        assert fields["realm"] == 'the "realm"'
        assert fields["opaque"] == "o,p"
        nonce = fields["nonce"]
        username = fields.get("username") or "J\u00e4s\u00f8n"
        if "username*" in fields:
            assert fields["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
        secret = self.digest(username, 'the "realm"', PASSWORDS.get(username, "?"))
        if self.algorithm.endswith("-sess"):
            secret = self.digest(secret, nonce, fields["cnonce"])
        action = self.digest(method, fields["uri"])
        if self.qop == "auth-int":
            content = hashlib.new(self.hash_name, body).hexdigest()
            action = self.digest(method, fields["uri"], content)
        if self.qop is None:
            expected = self.digest(secret, nonce, action)
        else:
            quality = fields["qop"]
            assert quality == ("auth-int" if self.qop == "auth-int" else "auth")
            expected = self.digest(secret, nonce, fields["nc"], fields["cnonce"], quality, action)
        if expected != fields["response"]:
            return self.challenge()
        if nonce not in self.nonces or self.nonces[nonce] >= self.uses:
            return self.challenge(stale=True)
        self.nonces[nonce] += 1
        if self.qop is not None:
            assert int(fields["nc"], 16) == self.nonces[nonce]  # counted without a gap
        return None

    async def __call__(self, peer: "Peer") -> None:
        while True:
            request = await peer.request()
            value = request.headers.get("Authorization")
            refusal = self.check(request.method, request.target, request.body, value)
            if refusal is None:
                await peer.answer(b"welcome " + request.body)
            else:
                await peer.answer(b"who?", 401, f"WWW-Authenticate: {refusal}")


DIGEST: dict[str, Any] = {
    "auth_username": "user",
    "auth_password": "secret",
    "auth_mode": "digest",
}


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int,auth", "auth-int", None])
async def test_every_kind(
    make_client: "MakeClient", serve: "Serve", algorithm: str, qop: str | None
) -> None:
    async with serve(Verifier(algorithm, qop)) as server, make_client() as client:
        first = await client.fetch(server.url("/a?b=c"), **DIGEST)
        second = await client.fetch(server.url("/d"), method="POST", body="x" * 10_000, **DIGEST)
    assert first.body == b"welcome "
    assert second.body == b"welcome " + b"x" * 10_000
    # The nonce is used again without being asked.
    assert server.targets() == ["GET /a?b=c", "GET /a?b=c", "POST /d"]


async def test_names_beyond_ascii(make_client: "MakeClient", serve: "Serve") -> None:
    settings = {**DIGEST, "auth_username": "J\u00e4s\u00f8n", "auth_password": "p\u00e4ss"}
    async with serve(Verifier()) as server, make_client() as client:
        assert (await client.fetch(server.url(), **settings)).code == 200


@pytest.mark.parametrize("says_stale", [True, False])
async def test_nonces_that_are_used_up(
    make_client: "MakeClient", serve: "Serve", says_stale: bool
) -> None:
    async with serve(Verifier(uses=2, says_stale=says_stale)) as server, make_client() as client:
        for _ in range(5):
            assert (await client.fetch(server.url(), **DIGEST)).code == 200
    assert len(server.requests) == 5 + 3


async def test_a_wrong_password_is_sent_once(make_client: "MakeClient", serve: "Serve") -> None:
    settings = {**DIGEST, "auth_password": "guess"}
    streamed: list[bytes] = []
    async with serve(Verifier()) as server, make_client() as client:
        with pytest.raises(HTTPClientError, match="401"):
            await client.fetch(server.url(), streaming_callback=streamed.append, **settings)
    assert len(server.requests) == 2
    assert streamed == [b"who?"]


async def test_a_server_that_is_never_content(make_client: "MakeClient", serve: "Serve") -> None:
    verifier = Verifier()

    async def script(peer: "Peer") -> None:
        while True:
            await peer.request()
            fields = [f"WWW-Authenticate: {verifier.challenge(stale=True)}"]
            await peer.answer(b"", 401, *fields)

    async with serve(script) as server, make_client() as client:
        with pytest.raises(HTTPClientError, match="401"):
            await client.fetch(server.url(), **DIGEST)
    assert len(server.requests) == 3


async def test_a_produced_body_is_produced_again(make_client: "MakeClient", serve: "Serve") -> None:
    async def produce(write: Any) -> None:
        await write(b"again")

    async with serve(Verifier()) as server, make_client() as client:
        response = await client.fetch(server.url(), method="POST", body_producer=produce, **DIGEST)
    assert response.body == b"welcome again"


async def test_one_that_cannot_be_is_not(make_client: "MakeClient", serve: "Serve") -> None:
    class Once:
        repeatable = False

        async def __call__(self, write: Any) -> None:
            await write(b"once")

    async with serve(Verifier()) as server, make_client() as client:
        with pytest.raises(HTTPClientError, match="401"):
            await client.fetch(server.url(), method="POST", body_producer=Once(), **DIGEST)
    assert [request.body for request in server.requests] == [b"once"]


async def test_nonces_stay_with_their_origin_and_user(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async with serve(Verifier()) as one, serve(Verifier()) as two, make_client() as client:
        await client.fetch(one.url(), **DIGEST)
        await client.fetch(two.url(), **DIGEST)
        other = {**DIGEST, "auth_username": "J\u00e4s\u00f8n", "auth_password": "p\u00e4ss"}
        await client.fetch(one.url(), **other)
    for request in (one.requests[0], two.requests[0], one.requests[2]):
        assert "Authorization" not in request.headers


async def test_a_redirect_within_the_origin_is_answered_anew(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    verifier = Verifier()

    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            value = request.headers.get("Authorization")
            refusal = verifier.check(request.method, request.target, request.body, value)
            if refusal is not None:
                await peer.answer(b"", 401, f"WWW-Authenticate: {refusal}")
            elif request.target == "/from":
                await peer.answer(b"", 302, "Location: /to")
            else:
                await peer.answer(b"there")

    async with serve(script) as server, make_client() as client:
        assert (await client.fetch(server.url("/from"), **DIGEST)).body == b"there"
    assert server.targets() == ["GET /from", "GET /from", "GET /to"]


# -- proxies


class DigestProxy(Verifier):
    """A proxy that wants to know who asks; it forwards nothing, and answers itself."""

    def __init__(self, keeps_open: bool = True) -> None:
        super().__init__()
        self.keeps_open = keeps_open

    async def __call__(self, peer: "Peer") -> None:
        while True:
            request = await peer.request()
            value = request.headers.get("Proxy-Authorization")
            refusal = self.check(request.method, request.target, request.body, value)
            if refusal is not None:
                fields = [f"Proxy-Authenticate: {refusal}"]
                if not self.keeps_open:
                    fields.append("Connection: close")
                await peer.answer(b"who?" * 100, 407, *fields)
                if not self.keeps_open:
                    return
            elif request.method == "CONNECT":
                await peer.answer(b"no such place", 502)
            else:
                await peer.answer(b"proxied " + request.target.encode())


@pytest.mark.parametrize("keeps_open", [True, False])
async def test_digest_for_a_proxy_that_forwards(
    make_client: "MakeClient", serve: "Serve", keeps_open: bool, implementation: str
) -> None:
    # libcurl names the path only in "uri", whatever the request line says.
    if implementation == "curl":
        pytest.skip("libcurl answers for itself")
    async with serve(DigestProxy(keeps_open)) as proxy, make_client() as client:
        through: dict[str, Any] = {
            "proxy_host": "127.0.0.1",
            "proxy_port": proxy.port,
            "proxy_username": "user",
            "proxy_password": "secret",
            "proxy_auth_mode": "digest",
        }
        response = await client.fetch("http://server.invalid/a", **through)
        assert response.body == b"proxied http://server.invalid/a"
        assert (await client.fetch("http://server.invalid/b", **through)).code == 200
        with pytest.raises(OSError, match="502"):
            await client.fetch("https://server.invalid/c", **through)
    assert len(proxy.requests) == 4  # only the very first was asked for credentials


@pytest.mark.parametrize("keeps_open", [True, False])
async def test_digest_for_a_tunnel(
    make_client: "MakeClient", serve: "Serve", keeps_open: bool
) -> None:
    async with serve(DigestProxy(keeps_open)) as proxy, make_client() as client:
        with pytest.raises(OSError, match="502"):
            await client.fetch(
                "https://server.invalid/c",
                proxy_host="127.0.0.1",
                proxy_port=proxy.port,
                proxy_username="user",
                proxy_password="secret",
                proxy_auth_mode="digest",
            )
    assert proxy.targets() == ["CONNECT server.invalid:443"] * 2


async def test_user_and_password_say_more_than_a_field(
    make_client: "MakeClient", serve: "Serve"
) -> None:
    async def script(peer: "Peer") -> None:
        while True:
            request = await peer.request()
            await peer.answer(request.headers.get("Authorization", "").encode())

    own: dict[str, Any] = {"headers": {"Authorization": "Mine x"}}
    async with serve(script) as server, make_client() as client:
        url = server.url()
        assert (await client.fetch(url, **own)).body == b"Mine x"
        assert (await client.fetch(url, **own, auth_username="u")).body == b"Basic dTo="
        assert (await client.fetch(url.replace("//", "//u:@"), **own)).body == b"Basic dTo="
        # Digest has nothing to say until it is asked.
        assert (await client.fetch(url, **own, **DIGEST)).body == b"Mine x"
