"""Signing in: a browser, an application and an OpenID Connect provider, all on loopback.

The provider is a small Zonda application too. It is strict: a code works once, for the client that
it was given to, with the PKCE verifier whose challenge came with the user.
"""

import base64
import contextlib
import hashlib
import runpy
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import pytest

jwt = pytest.importorskip("jwt")
pytest.importorskip("cryptography")
pytest.importorskip("zonda.web")
httpclient = pytest.importorskip("zonda.httpclient")

from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

from zonda.httputil.cookies import parse_cookie  # noqa: E402
from zonda.web import Application, HTTPError, RequestHandler  # noqa: E402
from zonda.web.auth import AuthError, OpenIDConnectMixin, provider  # noqa: E402

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "signin.py"
CLIENT, SECRET = "my client", "my:secret"


class Provider:
    """Its state: keys, and codes that have been given out."""

    def __init__(self) -> None:
        self.issuer = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.rotate()

    def rotate(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.kid = secrets.token_hex(4)

    def jwks(self) -> dict[str, Any]:
        jwk = jwt.get_algorithm_by_name("RS256").to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}]}


class ProviderHandler(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider


class Description(ProviderHandler):
    def get(self) -> None:
        issuer = self.provider.issuer
        self.write(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )


class Keys(ProviderHandler):
    def get(self) -> None:
        self.write(self.provider.jwks())


class Authorize(ProviderHandler):
    def get(self) -> None:
        """The user agrees at once, unless asked to think."""
        back = {"state": self.get_argument("state"), "iss": self.provider.issuer}
        if self.get_argument("prompt", None) == "none":
            back["error"] = "login_required"
        else:
            assert self.get_argument("response_type") == "code"
            assert self.get_argument("code_challenge_method") == "S256"
            assert "openid" in self.get_argument("scope").split()
            back["code"] = secrets.token_urlsafe(16)
            self.provider.codes[back["code"]] = {
                name: self.get_argument(name)
                for name in ("client_id", "redirect_uri", "nonce", "code_challenge")
            }
        self.redirect(f"{self.get_argument('redirect_uri')}?{urlencode(back)}")


class Token(ProviderHandler):
    def check_xsrf_cookie(self) -> None:
        pass

    def post(self) -> None:
        scheme, _, pair = self.request.headers["Authorization"].partition(" ")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        if (scheme, unquote(name), unquote(secret)) != ("Basic", CLIENT, SECRET):
            raise HTTPError(401)
        granted = self.provider.codes.pop(self.get_argument("code"), None)
        digest = hashlib.sha256(self.get_argument("code_verifier").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        given = {
            "client_id": unquote(name),
            "redirect_uri": self.get_argument("redirect_uri"),
            "code_challenge": challenge,
        }
        if granted is None or not given.items() <= granted.items():
            self.set_status(400)
            self.finish({"error": "invalid_grant"})
            return
        now = int(time.time())
        access_token = secrets.token_urlsafe(16)
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.provider.issuer,
            "sub": "ann",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": granted["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        headers = {"kid": self.provider.kid}
        id_token = jwt.encode(claims, self.provider.key, "RS256", headers)
        self.write({"access_token": access_token, "token_type": "Bearer", "id_token": id_token})


class UserInfo(ProviderHandler):
    def get(self) -> None:
        assert self.request.headers["Authorization"].startswith("Bearer ")
        self.write({"sub": "ann", "email": "ann@example.com"})


class Login(RequestHandler, OpenIDConnectMixin):
    async def get(self) -> None:
        if not self.is_oidc_return():
            prompt = self.get_argument("prompt", None)
            await self.authorize_redirect(extra_params={"prompt": prompt} if prompt else None)
            return
        try:
            user = await self.get_authenticated_user()
        except AuthError as error:
            self.finish({"refused": str(error), "error": error.error})
            return
        self.set_signed_cookie("user", user["sub"])
        more = await self.get_oidc_userinfo(user)
        self.finish({"sub": user["sub"], "email": more["email"]})


class Browser:
    """Follows redirects, with the cookies of each host."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.cookies: dict[str, dict[str, str]] = {}
        self.seen: list[str] = []

    async def open(self, url: str) -> Any:
        while True:
            self.seen.append(url)
            jar = self.cookies.setdefault(urlsplit(url).netloc, {})
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            response = await self.client.fetch(
                url,
                follow_redirects=False,
                raise_error=False,
                headers={"Cookie": cookie} if cookie else {},
            )
            for line in response.headers.get_list("Set-Cookie"):
                jar.update(parse_cookie(line.partition(";")[0]))
            if response.code != 302:
                return response
            url = urljoin(url, response.headers["Location"])


@contextlib.asynccontextmanager
async def listening(application: Application) -> AsyncIterator[str]:
    server = application.listen(0, "127.0.0.1")
    try:
        (sock,) = server._sockets.values()
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[tuple[Provider, str, Browser]]:
    provider.forget()
    there = Provider()
    options = {"provider": there}
    handlers = {
        "/.well-known/openid-configuration": Description,
        "/authorize": Authorize,
        "/token": Token,
        "/keys": Keys,
        "/userinfo": UserInfo,
    }
    rules = [(path, handler, options) for path, handler in handlers.items()]
    client = httpclient.AsyncHTTPClient(force_instance=True)
    try:
        async with listening(Application(rules)) as issuer:
            there.issuer = issuer
            oidc = {"issuer": issuer, "client_id": CLIENT, "client_secret": SECRET}
            application = Application([("/login", Login)], cookie_secret="s" * 32, oidc=oidc)
            async with listening(application) as site:
                yield there, site, Browser(client)
    finally:
        client.close()
        httpclient.AsyncHTTPClient().close()
        provider.forget()


async def test_signing_in() -> None:
    async with world() as (there, site, browser):
        response = await browser.open(f"{site}/login")
        assert response.body == b'{"sub": "ann", "email": "ann@example.com"}'
        paths = [urlsplit(url).path for url in browser.seen]
        assert paths == ["/login", "/authorize", "/login"]
        assert "user" in browser.cookies[urlsplit(site).netloc]
        assert there.codes == {}
        # The link that brought the user back is of no use any more.
        again = await browser.open(browser.seen[-1])
        assert b"refused" in again.body
        # Nor is it to another browser.
        other = await Browser(browser.client).open(browser.seen[2])
        assert b"was not sent" in other.body


async def test_provider_changes_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "KEYS_INTERVAL", 0)
    async with world() as (there, site, browser):
        for _ in range(2):
            response = await browser.open(f"{site}/login")
            assert b'"sub": "ann"' in response.body
            there.rotate()


async def test_user_does_not_agree() -> None:
    async with world() as (_, site, browser):
        response = await browser.open(f"{site}/login?prompt=none")
        assert b'"error": "login_required"' in response.body


async def test_code_of_another_flow(expect_log: Any) -> None:
    """A code put into somebody else's way back fails at the provider: it lacks the verifier."""
    async with world() as (_, site, browser):
        # A code of the attacker's own, not yet used.
        leave = await browser.client.fetch(
            f"{site}/login", follow_redirects=False, raise_error=False
        )
        back = await browser.client.fetch(
            leave.headers["Location"], follow_redirects=False, raise_error=False
        )
        code = back.headers["Location"].partition("code=")[2].partition("&")[0]
        # The victim's way back.
        leave = await browser.client.fetch(
            f"{site}/login", follow_redirects=False, raise_error=False
        )
        (line,) = leave.headers.get_list("Set-Cookie")
        state = leave.headers["Location"].partition("state=")[2].partition("&")[0]
        with expect_log("zonda.access", "400 POST /token"):
            response = await browser.client.fetch(
                f"{site}/login?code={code}&state={state}",
                headers={"Cookie": line.partition(";")[0]},
            )
        assert b"invalid_grant" in response.body


async def test_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as (there, _, browser):
        monkeypatch.setenv("OIDC_ISSUER", there.issuer)
        monkeypatch.setenv("OIDC_CLIENT_ID", CLIENT)
        monkeypatch.setenv("OIDC_CLIENT_SECRET", SECRET)
        application = runpy.run_path(str(EXAMPLE))["make_app"]()
        async with listening(application) as site:
            response = await browser.open(f"{site}/")
            assert response.body == f"You are ann at {there.issuer}".encode()
            paths = [urlsplit(url).path for url in browser.seen]
            assert paths == ["/", "/login", "/authorize", "/login", "/"]
