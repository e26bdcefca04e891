"""Google."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from zonda.web import RequestHandler
from zonda.web.auth import AuthError, GoogleOAuth2Mixin

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Go, Service
else:
    Go = Service = Any

SETTINGS = {"google_oauth": {"key": "K", "secret": "S"}}
URI = "http://example.com/login"


class Login(RequestHandler, GoogleOAuth2Mixin):
    async def get(self) -> None:
        code = self.get_argument("code", None)
        if code is None:
            key = self.get_google_oauth_settings()["key"]
            self.authorize_redirect(redirect_uri=URI, client_id=key, scope=["profile", "email"])
            return
        access = await self.get_authenticated_user(redirect_uri=URI, code=code)
        token = access["access_token"]
        self.finish(await self.oauth2_request(self._OAUTH_USERINFO_URL, access_token=token))


async def test_redirect(go: Go) -> None:
    visit = await go(Login, **SETTINGS)
    assert visit.location.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert visit.query == {
        "response_type": "code",
        "redirect_uri": URI,
        "client_id": "K",
        "scope": "profile email",
    }


async def test_user(go: Go, service: Service) -> None:
    service.answers = [b'{"access_token": "t"}', b'{"name": "Ann"}']
    visit = await go(Login, "/login?code=x", **SETTINGS)
    assert json.loads(visit.body) == {"name": "Ann"}
    token, userinfo = service.asked
    assert token.url == "https://www.googleapis.com/oauth2/v4/token"
    assert token.form == {
        "redirect_uri": URI,
        "code": "x",
        "client_id": "K",
        "client_secret": "S",
        "grant_type": "authorization_code",
    }
    assert userinfo.url == "https://www.googleapis.com/oauth2/v1/userinfo?access_token=t"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, ("K", "S")),
        ({"client_id": "k"}, ("k", "S")),
        ({"client_secret": "s"}, ("K", "s")),
        ({"client_id": "k", "client_secret": "s"}, ("k", "s")),
    ],
)
async def test_client_of_ones_own(
    service: Service, given: dict[str, str], used: tuple[str, str]
) -> None:
    class Here(GoogleOAuth2Mixin):
        settings = SETTINGS

        def get_auth_http_client(self) -> Service:
            return service

    service.answers = [b"{}"]
    await Here().get_authenticated_user(URI, "x", **given)
    form = service.asked[0].form
    assert (form["client_id"], form["client_secret"]) == used


async def test_answer_that_is_none(service: Service) -> None:
    class Here(GoogleOAuth2Mixin):
        settings = SETTINGS

        def get_auth_http_client(self) -> Service:
            return service

    service.answers = [b"null"]
    with pytest.raises(AuthError):
        await Here().get_authenticated_user(URI, "x")
