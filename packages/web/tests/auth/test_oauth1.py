"""OAuth 1.0 and 1.0a, against a service that checks what it gets."""

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from zonda.web import RequestHandler
from zonda.web.auth import AuthError, OAuthMixin, TwitterMixin
from zonda.web.auth.oauth1 import parse_token
from zonda.web.auth.signature import sign

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Asked, Go, Service
else:
    Asked = Go = Service = Any

TOKEN = b"oauth_token=r%20t&oauth_token_secret=rs&other=1"
ACCESS = b"oauth_token=ak&oauth_token_secret=as&screen_name=ann"
COOKIE = "|".join(base64.b64encode(part).decode() for part in (b"r t", b"rs"))


class Login(RequestHandler, OAuthMixin):
    _OAUTH_REQUEST_TOKEN_URL = "http://service/request_token"
    _OAUTH_AUTHORIZE_URL = "http://service/authorize"
    _OAUTH_ACCESS_TOKEN_URL = "http://service/access_token"
    callback: str | None = None

    async def get(self) -> None:
        if self.get_argument("oauth_token", None) is None:
            await self.authorize_redirect(self.callback, {"scope": "all of it"})
            return
        try:
            user = await self.get_authenticated_user()
        except AuthError as error:
            self.finish(f"refused: {error}")
        else:
            self.finish(user)

    def _oauth_consumer_token(self) -> dict[str, str]:
        return {"key": "ck", "secret": "c&s"}

    async def _oauth_get_user_future(self, access_token: dict[str, Any]) -> dict[str, Any]:
        return {"name": access_token["screen_name"]} if "screen_name" in access_token else {}


class OldLogin(Login):
    _OAUTH_VERSION = "1.0"


class CallbackLogin(Login):
    callback = "/back?x=1"


class OldCallbackLogin(CallbackLogin):
    _OAUTH_VERSION = "1.0"


class OobLogin(Login):
    callback = "oob"


class NoCallbackLogin(CallbackLogin):
    _OAUTH_NO_CALLBACKS = True


def is_signed(asked: Asked, secret: str = "", *, old: bool = False) -> bool:
    parameters = dict(asked.query)
    given = parameters.pop("oauth_signature")
    url = asked.url.partition("?")[0]
    return given == sign("GET", url, parameters, "c&s", secret, encode_secrets=not old)


@pytest.mark.parametrize(
    ("handler", "own", "sent"),
    [
        (Login, {"scope": "all of it"}, {}),
        (OldLogin, {}, {}),
        (
            CallbackLogin,
            {"scope": "all of it", "oauth_callback": "http://example.com/back?x=1"},
            {"oauth_callback": "http://example.com/back?x=1"},
        ),
        (OldCallbackLogin, {}, {"oauth_callback": "http://example.com/back?x=1"}),
    ],
)
async def test_redirect(
    go: Go, service: Service, handler: type[Login], own: dict[str, str], sent: dict[str, str]
) -> None:
    service.answers = [TOKEN]
    visit = await go(handler)
    (asked,) = service.asked
    assert asked.url.startswith("http://service/request_token?")
    assert is_signed(asked, old=handler in (OldLogin, OldCallbackLogin))
    protocol = {
        *("oauth_consumer_key", "oauth_signature_method", "oauth_timestamp", "oauth_nonce"),
        *("oauth_version", "oauth_signature"),
    }
    assert asked.query.keys() == protocol | own.keys()
    assert own.items() <= asked.query.items()
    assert (visit.status, visit.location.partition("?")[0]) == (302, "http://service/authorize")
    assert visit.query == {"oauth_token": "r t", **sent}
    assert visit.cookies == {"_oauth_request_token": COOKIE}
    (line,) = visit.headers.get_list("Set-Cookie")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line


async def test_redirect_without_a_way_back(go: Go, service: Service) -> None:
    service.answers = [TOKEN]
    visit = await go(OobLogin)
    assert service.asked[0].query["oauth_callback"] == "oob"
    assert visit.body == b"http://service/authorize?oauth_token=r+t"


async def test_callback_that_the_service_does_not_take() -> None:
    with pytest.raises(ValueError, match="callback_uri"):
        await NoCallbackLogin.authorize_redirect(
            object.__new__(NoCallbackLogin), callback_uri="/back"
        )


@pytest.mark.parametrize("handler", [Login, OldLogin])
@pytest.mark.parametrize("verifier", [None, "v"])
async def test_user(go: Go, service: Service, handler: type[Login], verifier: str | None) -> None:
    service.answers = [ACCESS]
    target = "/login?oauth_token=r+t" + (f"&oauth_verifier={verifier}" if verifier else "")
    visit = await go(handler, target, {"_oauth_request_token": COOKIE})
    assert json.loads(visit.body) == {
        "name": "ann",
        "access_token": {"key": "ak", "secret": "as", "screen_name": "ann"},
    }
    (asked,) = service.asked
    assert asked.url.startswith("http://service/access_token?")
    assert is_signed(asked, "rs", old=handler is OldLogin)
    assert asked.query["oauth_token"] == "r t"
    assert asked.query.get("oauth_verifier") == verifier
    assert visit.cookies == {"_oauth_request_token": ""}


@pytest.mark.parametrize(
    ("target", "cookie", "answer", "message"),
    [
        ("/?oauth_token=r+t", None, b"", "no cookie"),
        ("/?oauth_token=", COOKIE, b"", "is not the one"),
        ("/?oauth_token=other", COOKIE, b"", "is not the one"),
        ("/?oauth_token=r+t", "x", b"", "broken"),
        ("/?oauth_token=r+t", "x|y|z", b"", "broken"),
        ("/?oauth_token=r+t", COOKIE, b"<html>", "gave no token"),
        ("/?oauth_token=r+t", COOKIE, b"oauth_token=a", "gave no token"),
        ("/?oauth_token=r+t", COOKIE, b"oauth_token=a&oauth_token_secret=b", "who the user is"),
    ],
)
async def test_refused(
    go: Go, service: Service, target: str, cookie: str | None, answer: bytes, message: str
) -> None:
    service.answers = [answer]
    visit = await go(Login, target, {"_oauth_request_token": cookie} if cookie else None)
    assert visit.body.startswith(b"refused: ")
    assert message in visit.body.decode()
    assert len(service.asked) == bool(answer)


def test_token_is_not_overwritten() -> None:
    body = b"oauth_token=a&oauth_token_secret=b&key=c&secret=d&e=f&e=g"
    assert parse_token(body) == {"key": "a", "secret": "b", "e": "f"}


def test_nonces_differ() -> None:
    login = object.__new__(Login)
    nonces = {
        login._oauth_request_parameters("http://x/", {"key": "a", "secret": "b"})["oauth_nonce"]
        for _ in range(10)
    }
    assert len(nonces) == 10


def test_a_service_says_its_own() -> None:
    with pytest.raises(NotImplementedError):
        OAuthMixin()._oauth_consumer_token()


async def test_a_service_says_who_it_is() -> None:
    with pytest.raises(NotImplementedError):
        await OAuthMixin()._oauth_get_user_future({})


# Twitter


class Twitter(RequestHandler, TwitterMixin):
    async def get(self) -> None:
        if self.get_argument("oauth_token", None):
            self.finish(await self.get_authenticated_user())
        elif self.get_argument("post", None):
            token = {"key": "ak", "secret": "as"}
            args = {"status": "h i"}
            self.finish(await self.twitter_request("/statuses/update", token, args, trim="1"))
        elif self.get_argument("authorize", None):
            await self.authorize_redirect()
        else:
            await self.authenticate_redirect("/back")


TWITTER = {"twitter_consumer_key": "ck", "twitter_consumer_secret": "c&s"}


async def test_twitter_redirect(go: Go, service: Service) -> None:
    service.answers = [TOKEN, TOKEN]
    visit = await go(Twitter, **TWITTER)
    assert visit.location == "https://api.twitter.com/oauth/authenticate?oauth_token=r+t"
    assert service.asked[0].query["oauth_callback"] == "http://example.com/back"
    assert is_signed(service.asked[0])
    visit = await go(Twitter, "/?authorize=1", **TWITTER)
    assert visit.location == "https://api.twitter.com/oauth/authorize?oauth_token=r+t"


async def test_twitter_user(go: Go, service: Service) -> None:
    service.answers = [ACCESS, b'{"screen_name": "ann", "name": "Ann"}']
    target = "/?oauth_token=r+t&oauth_verifier=v"
    visit = await go(Twitter, target, {"_oauth_request_token": COOKIE}, **TWITTER)
    user = json.loads(visit.body)
    assert (user["username"], user["name"]) == ("ann", "Ann")
    assert user["access_token"]["key"] == "ak"
    url = "https://api.twitter.com/1.1/account/verify_credentials.json"
    assert service.asked[1].url.partition("?")[0] == url
    assert is_signed(service.asked[1], "as")


async def test_twitter_post(go: Go, service: Service) -> None:
    service.answers = [b'{"ok": true}']
    visit = await go(Twitter, "/?post=1", **TWITTER)
    assert json.loads(visit.body) == {"ok": True}
    (asked,) = service.asked
    assert asked.options == {"method": "POST", "body": "status=h+i"}
    parameters = {**asked.query, **asked.form}
    given = parameters.pop("oauth_signature")
    url = "https://api.twitter.com/1.1/statuses/update.json"
    assert given == sign("POST", url, parameters, "c&s", "as")
    assert parameters["trim"] == "1"
