"""OpenID 2.0."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from zonda.web import RequestHandler
from zonda.web.auth import AuthError, OpenIdMixin

if TYPE_CHECKING:
    from packages.web.tests.auth.conftest import Go, Service
else:
    Go = Service = Any

EXCHANGE = "http://openid.net/srv/ax/1.0"
SCHEMA = "http://axschema.org/"
YES = b"ns:http://specs.openid.net/auth/2.0\nis_valid:true\n"


class Login(RequestHandler, OpenIdMixin):
    _OPENID_ENDPOINT = "http://provider/endpoint"
    arguments: tuple[Any, ...] = ()

    async def get(self) -> None:
        if self.get_argument("openid.mode", None) is None:
            self.authenticate_redirect(*self.arguments)
            return
        try:
            self.finish(await self.get_authenticated_user())
        except AuthError as error:
            self.finish(f"refused: {error}")


def back(attributes: dict[str, str], alias: str = "ax", **others: str) -> str:
    """The URL with which a user comes back."""
    arguments = {
        "openid.mode": "id_res",
        f"openid.ns.{alias}": EXCHANGE,
        "openid.claimed_id": "http://ann.example/",
    }
    for number, (name, value) in enumerate(attributes.items()):
        arguments[f"openid.{alias}.type.a{number}"] = SCHEMA + name
        arguments[f"openid.{alias}.value.a{number}"] = value
    arguments |= {f"openid.{name}": value for name, value in others.items()}
    return f"/login?{urlencode(arguments)}"


async def test_redirect(go: Go) -> None:
    visit = await go(Login, "/login?next=%2F")
    assert visit.location.startswith("http://provider/endpoint?openid.ns=")
    query = visit.query
    assert query["openid.mode"] == "checkid_setup"
    assert query["openid.return_to"] == "http://example.com/login?next=%2F"
    assert query["openid.realm"] == "http://example.com/"
    assert query["openid.claimed_id"].endswith("/identifier_select")
    assert query["openid.ax.mode"] == "fetch_request"
    assert set(query["openid.ax.required"].split(",")) == {
        *("firstname", "fullname", "lastname", "username", "language", "email")
    }
    assert query["openid.ax.type.email"] == SCHEMA + "contact/email"


@pytest.mark.parametrize(
    ("arguments", "return_to", "required"),
    [
        (("/back", ()), "http://example.com/back", None),
        (("http://o.example/back", ["email"]), "http://o.example/back", "email"),
        ((None, ["name"]), "http://example.com/login", "firstname,fullname,lastname"),
    ],
)
async def test_redirect_arguments(
    go: Go, arguments: tuple[Any, ...], return_to: str, required: str | None
) -> None:
    visit = await go(type("Here", (Login,), {"arguments": arguments}))
    assert visit.query["openid.return_to"] == return_to
    assert visit.query.get("openid.ax.required") == required


USERS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    (
        {
            "contact/email": "ann@example.com",
            "namePerson/first": "Ann",
            "namePerson/last": "Lee",
            "pref/language": "FR-ca",
            "namePerson/friendly": "annie",
        },
        {
            "email": "ann@example.com",
            "first_name": "Ann",
            "last_name": "Lee",
            "name": "Ann Lee",
            "locale": "fr-ca",
            "username": "annie",
        },
    ),
    ({"namePerson": "Ann Lee"}, {"name": "Ann Lee"}),
    ({"contact/email": "ann@example.com"}, {"name": "ann", "email": "ann@example.com"}),
    ({"something/else": "x"}, {}),
]


@pytest.mark.parametrize("alias", ["ax", "ext1"])
@pytest.mark.parametrize(("attributes", "user"), USERS)
async def test_user(
    go: Go, service: Service, alias: str, attributes: dict[str, str], user: dict[str, str]
) -> None:
    service.answers = [YES]
    visit = await go(Login, back(attributes, alias))
    assert json.loads(visit.body) == {**user, "claimed_id": "http://ann.example/"}
    (asked,) = service.asked
    assert asked.url == "http://provider/endpoint"
    assert asked.options["method"] == "POST"
    assert asked.form["openid.mode"] == "check_authentication"
    assert asked.form["openid.claimed_id"] == "http://ann.example/"


@pytest.mark.parametrize(
    "answer", [b"is_valid:false\n", b"", b"error:is_valid:true\n", b"note:x_is_valid:true_y\n"]
)
async def test_provider_does_not_confirm(go: Go, service: Service, answer: bytes) -> None:
    service.answers = [answer]
    visit = await go(Login, back({}))
    assert visit.body.startswith(b"refused: the provider does not confirm")


async def test_only_what_is_signed_counts(go: Go, service: Service) -> None:
    """Otherwise one adds somebody else's address to an answer of the provider's."""
    service.answers = [YES, YES, YES]
    attributes = {"contact/email": "boss@example.com"}
    visit = await go(Login, back(attributes, signed="claimed_id,return_to"))
    assert json.loads(visit.body) == {"claimed_id": "http://ann.example/"}
    signed = "claimed_id,ns.ax,ax.type.a0,ax.value.a0"
    visit = await go(Login, back(attributes, signed=signed))
    assert json.loads(visit.body)["email"] == "boss@example.com"
    visit = await go(Login, back(attributes, signed="ns.ax,ax.type.a0"))
    assert json.loads(visit.body) == {}


@pytest.mark.parametrize(
    ("return_to", "taken"),
    [
        ("http://example.com/login", True),
        ("https://EXAMPLE.com/login?next=1", True),  # TLS may end before us
        ("http://other.example/login", False),
        ("http://example.com/other", False),
        ("http://example.com:81/login", False),
    ],
)
async def test_answer_to_another_site(
    go: Go, service: Service, return_to: str, taken: bool
) -> None:
    service.answers = [YES]
    visit = await go(Login, back({}, return_to=return_to))
    assert visit.body.startswith(b"refused") is not taken
    assert len(service.asked) == taken


async def test_first_of_several_values(go: Go, service: Service) -> None:
    service.answers = [YES]
    target = (
        back({})
        + "&"
        + urlencode(
            {
                "openid.ax.type.mail": SCHEMA + "contact/email",
                "openid.ax.count.mail": "2",
                "openid.ax.value.mail.1": "one@example.com",
                "openid.ax.value.mail.2": "two@example.com",
            }
        )
    )
    visit = await go(Login, target)
    assert json.loads(visit.body)["email"] == "one@example.com"
