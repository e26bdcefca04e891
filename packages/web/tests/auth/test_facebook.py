"""Facebook."""

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pytest

from zonda.web.auth import AuthError, FacebookGraphMixin

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Service
else:
    Service = Any

FIELDS = {"id", "name", "first_name", "last_name", "locale", "picture", "link"}


@pytest.fixture
def facebook(service: Service) -> FacebookGraphMixin:
    class Here(FacebookGraphMixin):
        def get_auth_http_client(self) -> Service:
            return service

    return Here()


@pytest.mark.parametrize(
    ("session", "expires", "extra"),
    [
        (b'{"access_token": "t&", "expires_in": "5"}', "5", None),
        (b'{"access_token": "t&", "expires_in": 5}', "5", {"email", "id"}),
        (b'{"access_token": "t&"}', None, {"email"}),
    ],
)
async def test_user(
    facebook: FacebookGraphMixin,
    service: Service,
    session: bytes,
    expires: str | None,
    extra: set[str] | None,
) -> None:
    service.answers = [session, b'{"id": "1", "name": "Ann", "age": 3}']
    user = await facebook.get_authenticated_user("http://a/cb", "c", "s", "code", extra)
    fields = FIELDS | (extra or set())
    assert user is not None
    assert user == dict.fromkeys(fields) | {
        "id": "1",
        "name": "Ann",
        "access_token": "t&",
        "session_expires": expires,
    }
    token, me = service.asked
    assert token.url.startswith("https://graph.facebook.com/oauth/access_token?redirect_uri=")
    assert token.query["code"] == "code"
    assert me.url.startswith("https://graph.facebook.com/me?")
    assert set(me.query["fields"].split(",")) == fields
    assert me.query["appsecret_proof"] == hmac.new(b"s", b"t&", hashlib.sha256).hexdigest()


async def test_nobody(facebook: FacebookGraphMixin, service: Service) -> None:
    service.answers = [b'{"access_token": "t"}', b"null"]
    assert await facebook.get_authenticated_user("http://a/cb", "c", "s", "code") is None


@pytest.mark.parametrize("session", [b'{"error": "no"}', b"<html>", b'{"access_token": 3}'])
async def test_code_that_is_not_taken(
    facebook: FacebookGraphMixin, service: Service, session: bytes
) -> None:
    service.answers = [session]
    with pytest.raises(AuthError):
        await facebook.get_authenticated_user("http://a/cb", "c", "s", "code")
    assert len(service.asked) == 1


async def test_request(facebook: FacebookGraphMixin, service: Service) -> None:
    service.answers = [b'{"a": 1}']
    found = await facebook.facebook_request("/me/feed", "t", {"message": "h i"}, x="y")
    assert found == {"a": 1}
    (asked,) = service.asked
    assert asked.url == "https://graph.facebook.com/me/feed?access_token=t&x=y"
    assert asked.options == {"method": "POST", "body": "message=h+i"}
