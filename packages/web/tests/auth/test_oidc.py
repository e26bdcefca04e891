"""OpenID Connect, step by step; tests/test_signing_in.py goes the whole way with a provider."""

import base64
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

jwt = pytest.importorskip("jwt")
pytest.importorskip("cryptography")

from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

from zonda.web import RequestHandler  # noqa: E402
from zonda.web.auth import AuthError, OpenIDConnectMixin, provider  # noqa: E402
from zonda.web.auth.oidc import challenge  # noqa: E402

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Asked, Go, Service, Visit
else:
    Asked = Go = Service = Visit = Any

ISSUER = "https://provider.example"
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = {
    **jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key(), as_dict=True),
    "kid": "one",
}
SETTINGS: dict[str, Any] = {
    "cookie_secret": "x" * 32,
    "oidc": {"issuer": ISSUER, "client_id": "the client", "client_secret": "s:e/c"},
}
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize?tenant=1",
    "token_endpoint": ISSUER + "/token",
    "userinfo_endpoint": ISSUER + "/userinfo",
    "jwks_uri": ISSUER + "/keys",
}


def said(body: object) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    provider.forget()
    yield
    provider.forget()


class Login(RequestHandler, OpenIDConnectMixin):
    async def get(self) -> None:
        if not self.is_oidc_return():
            await self.authorize_redirect(
                scope=("email", "openid"), extra_params={"prompt": "login", "state": "not this"}
            )
            return
        try:
            user = await self.get_authenticated_user()
            if self.get_argument("more", None):
                user["more"] = await self.get_oidc_userinfo(user)
            self.finish(user)
        except AuthError as error:
            self.finish(f"refused: {error}")


def id_token(visit: Visit, **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": "the client",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
        "nonce": visit.query["nonce"],
        **changes,
    }
    made: str = jwt.encode(claims, KEY, "ES256", {"kid": "one"})
    return made


async def leave(go: Go, service: Service, **metadata: Any) -> Visit:
    service.answers = [said({**METADATA, **metadata})]
    visit = await go(Login, "/login?next=1", **SETTINGS)
    assert visit.status == 302
    return visit


async def test_leaving(go: Go, service: Service) -> None:
    visit = await leave(go, service)
    assert visit.location.startswith(ISSUER + "/authorize?tenant=1&")
    query = visit.query
    assert query["response_type"] == "code"
    assert query["client_id"] == "the client"
    assert query["redirect_uri"] == "http://example.com/login"
    assert query["scope"] == "openid email"
    assert query["prompt"] == "login"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert min(len(query["state"]), len(query["nonce"])) >= 32
    (line,) = visit.headers.get_list("Set-Cookie")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "secret" not in visit.location
    again = await go(Login, **SETTINGS)
    for name in ("state", "nonce", "code_challenge"):
        assert again.query[name] != query[name]
    assert again.cookies.keys() != visit.cookies.keys()


async def test_coming_back(go: Go, service: Service) -> None:
    visit = await leave(go, service)
    given = {"access_token": "at", "token_type": "Bearer", "id_token": id_token(visit)}
    more = said({"sub": "ann", "email": "ann@example.com"})
    service.answers = [said(given), said({"keys": [JWK]}), more]
    target = f"/login?code=c&state={visit.query['state']}&more=1"
    back = await go(Login, target, visit.cookies, **SETTINGS)
    user = json.loads(back.body)
    assert (user["sub"], user["iss"], user["access_token"]) == ("ann", ISSUER, "at")
    assert user["more"]["email"] == "ann@example.com"
    _, token, keys, userinfo = service.asked
    assert (token.url, keys.url) == (ISSUER + "/token", ISSUER + "/keys")
    assert token.form["grant_type"] == "authorization_code"
    assert token.form["code"] == "c"
    assert token.form["redirect_uri"] == "http://example.com/login"
    assert challenge(token.form["code_verifier"]) == visit.query["code_challenge"]
    basic = base64.b64decode(token.options["headers"]["Authorization"].split()[1])
    assert basic == b"the%20client:s%3Ae%2Fc"
    assert "client_secret" not in token.form
    assert userinfo.options["headers"] == {"Authorization": "Bearer at"}
    assert list(back.cookies.values()) == [""]


@pytest.mark.parametrize(
    ("secret", "methods", "form"),
    [
        (None, None, {"client_id": "the client"}),
        ("s", ["client_secret_post"], {"client_id": "the client", "client_secret": "s"}),
        ("s", ["client_secret_post", "client_secret_basic"], {}),
    ],
)
async def test_showing_the_secret(
    go: Go,
    service: Service,
    secret: str | None,
    methods: list[str] | None,
    form: dict[str, str],
) -> None:
    oidc = {"issuer": ISSUER, "client_id": "the client", "client_secret": secret}
    settings = {**SETTINGS, "oidc": oidc}
    metadata = {**METADATA, "token_endpoint_auth_methods_supported": methods}
    service.answers = [said(metadata)]
    visit = await go(Login, **settings)
    service.answers = [said({"id_token": id_token(visit)}), said({"keys": [JWK]})]
    target = f"/login?code=c&state={visit.query['state']}"
    back = await go(Login, target, visit.cookies, **settings)
    assert json.loads(back.body)["sub"] == "ann"
    found = service.asked[1].form
    assert {name: found[name] for name in found if name.startswith("client")} == form
    assert ("Authorization" in service.asked[1].options["headers"]) is not bool(form)


async def test_new_key(go: Go, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "KEYS_INTERVAL", 0)
    for keys in ([JWK], [{**JWK, "kid": "two"}]):
        provider.forget()
        visit = await leave(go, service)
        token = said({"id_token": id_token(visit)})
        service.answers = [token, said({"keys": keys}), said({"keys": [JWK]})]
        target = f"/login?code=c&state={visit.query['state']}"
        back = await go(Login, target, visit.cookies, **SETTINGS)
        assert json.loads(back.body)["sub"] == "ann"
        assert len(service.answers) == (1 if keys == [JWK] else 0)


@pytest.mark.parametrize("cookie", ["none", "forged", "another's"])
async def test_another_browser(go: Go, service: Service, cookie: str) -> None:
    """The link of one who has signed in as himself, followed by another."""
    visit = await leave(go, service)
    ((name, value),) = visit.cookies.items()
    other = next(iter((await go(Login, **SETTINGS)).cookies.values()))
    cookies = {
        "none": {},
        "forged": {name: value[:-1] + ("1" if value[-1] == "0" else "0")},
        "another's": {name: other},
    }[cookie]
    target = f"/login?code=c&state={visit.query['state']}"
    back = await go(Login, target, cookies, **SETTINGS)
    assert back.body.startswith(b"refused: this browser was not sent")
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("error=access_denied&error_description=No", "refused: access_denied (No)"),
        ("error=x&code=c", "refused: x"),
        ("code=", "no code"),
        ("code=c&iss=https://other.example", "another provider"),
    ],
)
async def test_provider_says_no(go: Go, service: Service, arguments: str, message: str) -> None:
    visit = await leave(go, service)
    target = f"/login?{arguments}&state={visit.query['state']}"
    back = await go(Login, target, visit.cookies, **SETTINGS)
    assert back.body.startswith(b"refused: ")
    assert message in back.body.decode()
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        ({"error": "invalid_grant", "error_description": "used"}, 400, "invalid_grant (used)"),
        ({}, 500, "status 500"),
        ({}, 200, "no ID token"),
        ({"id_token": 3}, 200, "no ID token"),
        ([], 200, "not a JSON object"),
    ],
)
async def test_token_endpoint_says_no(
    go: Go, service: Service, answer: object, code: int, message: str
) -> None:
    visit = await leave(go, service)

    def tell(asked: Asked) -> Any:
        assert asked.options["raise_error"] is False
        return type("Said", (), {"body": said(answer), "code": code})()

    service.answers = [tell]
    target = f"/login?code=c&state={visit.query['state']}"
    back = await go(Login, target, visit.cookies, **SETTINGS)
    assert back.body.startswith(b"refused: ")
    assert message in back.body.decode()


@pytest.mark.parametrize(
    "changes",
    [{"nonce": "other"}, {"aud": "other"}, {"iss": "https://other.example"}, {"exp": 1}],
)
async def test_token_that_cannot_be_trusted(
    go: Go, service: Service, changes: dict[str, Any]
) -> None:
    visit = await leave(go, service)
    token = said({"id_token": id_token(visit, **changes)})
    service.answers = [token, said({"keys": [JWK]})]
    target = f"/login?code=c&state={visit.query['state']}"
    back = await go(Login, target, visit.cookies, **SETTINGS)
    assert back.body.startswith(b"refused: ")


async def test_more_of_somebody_else(go: Go, service: Service) -> None:
    visit = await leave(go, service)
    token = said({"access_token": "at", "id_token": id_token(visit)})
    service.answers = [token, said({"keys": [JWK]}), said({"sub": "bob"})]
    target = f"/login?code=c&state={visit.query['state']}&more=1"
    back = await go(Login, target, visit.cookies, **SETTINGS)
    assert back.body == b"refused: the provider tells of another user"


@pytest.mark.parametrize(
    ("target", "is_return"),
    [
        ("/login", False),
        ("/login?code=c", False),
        ("/login?state=s", False),
        ("/login?state=s&code=c", True),
        ("/login?state=s&error=e", True),
    ],
)
async def test_is_return(go: Go, target: str, is_return: bool) -> None:
    class Asks(RequestHandler, OpenIDConnectMixin):
        def get(self) -> None:
            self.finish({"is": self.is_oidc_return()})

    assert json.loads((await go(Asks, target)).body) == {"is": is_return}
