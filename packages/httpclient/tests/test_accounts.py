"""From what a request says of the user to an authentication."""

import pytest

from zonda.httpclient.accounts import Accounts, user_of
from zonda.httpclient.authentication import BasicAuthentication, DigestAuthentication
from zonda.httpclient.errors import HTTPRequestError


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(None, BasicAuthentication), ("basic", BasicAuthentication), ("digest", DigestAuthentication)],
)
def test_modes(mode: str | None, kind: type) -> None:
    assert type(Accounts().get(mode, "place", "u", "p")) is kind


@pytest.mark.parametrize("mode", ["Basic", "ntlm", "DIGEST ", "negotiate"])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(HTTPRequestError, match="unsupported"):
        Accounts().get(mode, "place", "u", "p")


@pytest.mark.parametrize("mode", ["basic", "digest"])
def test_what_cannot_be_carried_is_the_requests_fault(mode: str) -> None:
    with pytest.raises(HTTPRequestError, match="colon"):
        Accounts().get(mode, "place", "u:v", "p")


def test_each_user_has_an_authentication_at_each_place() -> None:
    accounts = Accounts()
    keys = [(p, u, w) for p in "pq" for u in "uv" for w in "wx"]
    found = [accounts.get("digest", *key) for key in keys]
    assert len(set(map(id, found))) == len(keys)
    assert found == [accounts.get("digest", *key) for key in keys]


def test_an_absent_password_is_an_empty_one() -> None:
    accounts = Accounts()
    assert accounts.get(None, "p", "u", None) is accounts.get(None, "p", "u", "")


def test_the_one_unused_longest_is_forgotten() -> None:
    accounts = Accounts(limit=2)
    one, two = (accounts.get("digest", n, "u", "p") for n in (1, 2))
    accounts.get("digest", 1, "u", "p")
    accounts.get("digest", 3, "u", "p")
    assert accounts.get("digest", 1, "u", "p") is one
    assert accounts.get("digest", 2, "u", "p") is not two


@pytest.mark.parametrize(
    ("url", "username", "password", "user"),
    [
        ("http://h/", None, None, None),
        ("http://h/", "u", "p", ("u", "p")),
        ("http://h/", "u", None, ("u", "")),
        ("http://h/", b"u", b"p", (b"u", b"p")),
        ("http://h/", "", "token", ("", "token")),
        ("http://h/", "", "", None),  # what a redirect to another origin leaves
        ("http://h/", "", None, None),
        ("http://h/", None, "p", None),
        ("http://a:b@h/", None, None, ("a", "b")),
        ("http://a@h/", None, None, ("a", "")),
        ("http://a%40b:c%3Ad@h/", "u", "p", ("a@b", "c:d")),
        ("http://:b@h/", None, None, ("", "b")),
        ("http://h/@x", "u", "p", ("u", "p")),
        ("http://h/?a@b", None, None, None),
    ],
)
def test_who_the_user_is(
    url: str,
    username: str | bytes | None,
    password: str | bytes | None,
    user: tuple[str | bytes, str | bytes] | None,
) -> None:
    assert user_of(url, username, password) == user
