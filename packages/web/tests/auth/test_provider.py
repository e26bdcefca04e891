"""What an OpenID Connect provider publishes."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from zonda.web.auth import AuthError, provider
from zonda.web.auth.provider import Provider, discover

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Service
else:
    Service = Any

ISSUER = "https://provider.example"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize",
    "token_endpoint": ISSUER + "/token",
    "jwks_uri": ISSUER + "/keys",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    provider.forget()
    yield now
    provider.forget()


def answer(body: object, code: int = 200) -> Any:
    class Said:
        pass

    said = Said()
    said.body = json.dumps(body).encode()  # type: ignore[attr-defined]
    said.code = code  # type: ignore[attr-defined]
    return said


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, ISSUER + "/.well-known/openid-configuration"),
        (ISSUER + "/", ISSUER + "/.well-known/openid-configuration"),
        (ISSUER + "/a", ISSUER + "/a/.well-known/openid-configuration"),
    ],
)
async def test_discover(service: Service, issuer: str, url: str) -> None:
    service.answers = [answer({**METADATA, "issuer": issuer})]
    found = await discover(issuer, service)
    assert [asked.url for asked in service.asked] == [url]
    assert found.issuer == issuer
    assert found.token_endpoint == ISSUER + "/token"
    assert found.userinfo_endpoint is None
    assert found.token_auth_methods == ("client_secret_basic",)
    assert await discover(issuer, service) is found
    assert len(service.asked) == 1


async def test_description_gets_old(service: Service, clock: list[float]) -> None:
    service.answers = [answer(METADATA), answer({**METADATA, "token_endpoint": ISSUER + "/new"})]
    await discover(ISSUER, service)
    clock[0] += provider.METADATA_AGE + 1
    assert (await discover(ISSUER, service)).token_endpoint == ISSUER + "/new"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"token_endpoint": None},
        {"jwks_uri": None},
        {"token_endpoint": "http://provider.example/token"},
        {"userinfo_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": ["x"]},
    ],
)
async def test_of_no_use(service: Service, changes: dict[str, Any]) -> None:
    service.answers = [answer({**METADATA, **changes})]
    with pytest.raises(AuthError):
        await discover(ISSUER, service)


@pytest.mark.parametrize("said", [answer({}, 404), answer([]), answer("x")])
async def test_nothing_there(service: Service, said: Any) -> None:
    service.answers = [said]
    with pytest.raises(AuthError):
        await discover(ISSUER, service)


def test_plain_http_on_the_developer_s_machine() -> None:
    metadata = {name: url.replace("https", "http") for name, url in METADATA.items()}
    found = Provider.from_metadata("http://provider.example", metadata)
    assert found.jwks_uri == "http://provider.example/keys"


async def test_keys(service: Service, clock: list[float]) -> None:
    """Asked for again when a token names a new one, but not as often as somebody invents one."""
    found = Provider.from_metadata(ISSUER, METADATA)
    service.answers = [answer({"keys": [number]}) for number in range(3)]
    assert await found.keys(service) == {"keys": [0]}
    assert await found.keys(service) == {"keys": [0]}
    assert await found.keys(service, anew=True) == {"keys": [0]}
    clock[0] += provider.KEYS_INTERVAL
    assert await found.keys(service) == {"keys": [0]}
    assert await found.keys(service, anew=True) == {"keys": [1]}
    assert await found.keys(service, anew=True) == {"keys": [1]}
    assert [asked.url for asked in service.asked] == [ISSUER + "/keys"] * 2


async def test_keys_that_are_not_there(service: Service) -> None:
    found = Provider.from_metadata(ISSUER, METADATA)
    service.answers = [answer({}, 500), answer({"keys": []})]
    with pytest.raises(AuthError, match="status 500"):
        await found.keys(service)
    assert await found.keys(service) == {"keys": []}
