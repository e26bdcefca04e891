"""OAuth 2."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from zonda.web import RequestHandler
from zonda.web.auth import OAuth2Mixin

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Go, Service
else:
    Go = Service = Any


class Login(RequestHandler, OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "http://service/authorize?z=1"
    _OAUTH_ACCESS_TOKEN_URL = "http://service/token"
    arguments: dict[str, Any] = {}  # noqa: RUF012 - replaced by each test

    def get(self) -> None:
        self.authorize_redirect(**self.arguments)


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {"response_type": "code"}),
        (
            {"redirect_uri": "http://a/cb", "client_id": "c"},
            {"response_type": "code", "redirect_uri": "http://a/cb", "client_id": "c"},
        ),
        (
            {
                "client_secret": "s",
                "extra_params": {"state": "x y"},
                "scope": ["a", "b"],
                "response_type": "token",
            },
            {"response_type": "token", "state": "x y", "scope": "a b"},
        ),
    ],
)
async def test_redirect(go: Go, arguments: dict[str, Any], query: dict[str, str]) -> None:
    visit = await go(type("Here", (Login,), {"arguments": arguments}))
    assert visit.location.startswith("http://service/authorize?z=1&")
    assert visit.query == {"z": "1", **query}


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ((), "http://service/token"),
        (
            ("http://a/cb", "c", "s", "x y", {"q": "1"}),
            "http://service/token?redirect_uri=http%3A%2F%2Fa%2Fcb&code=x+y&client_id=c"
            "&client_secret=s&q=1",
        ),
    ],
)
def test_token_url(arguments: tuple[Any, ...], url: str) -> None:
    assert object.__new__(Login)._oauth_request_token_url(*arguments) == url


@pytest.mark.parametrize(
    ("arguments", "url", "options"),
    [
        ({}, "http://api/x?y=1", {}),
        (
            {"access_token": "t", "fields": "a,b"},
            "http://api/x?y=1&access_token=t&fields=a%2Cb",
            {},
        ),
        ({"post_args": {"m": "h i"}}, "http://api/x?y=1", {"method": "POST", "body": "m=h+i"}),
        (
            {"access_token": "t", "post_args": {}},
            "http://api/x?y=1&access_token=t",
            {"method": "POST", "body": ""},
        ),
    ],
)
async def test_request(
    service: Service, arguments: dict[str, Any], url: str, options: dict[str, Any]
) -> None:
    class Here(OAuth2Mixin):
        def get_auth_http_client(self) -> Service:
            return service

    service.answers = [b'{"a": 1}']
    assert await Here().oauth2_request("http://api/x?y=1", **arguments) == {"a": 1}
    (asked,) = service.asked
    assert (asked.url, asked.options) == (url, options)


async def test_answer_that_is_not_json(service: Service) -> None:
    class Here(OAuth2Mixin):
        def get_auth_http_client(self) -> Service:
            return service

    service.answers = [b"<html>"]
    with pytest.raises(json.JSONDecodeError):
        await Here().oauth2_request("http://api/x")
