"""Basic credentials."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.credentials import encode_username_password, format_basic, parse_basic


@pytest.mark.parametrize(
    ("username", "password", "octets"),
    [
        ("u", "p", b"u:p"),
        ("\xfc", "p:q", b"\xc3\xbc:p:q"),
        (b"\xff", "e\u0301", b"\xff:\xc3\xa9"),
        ("", b"", b":"),
    ],
)
def test_encode(username: str | bytes, password: str | bytes, octets: bytes) -> None:
    assert encode_username_password(username, password) == octets


@pytest.mark.parametrize(
    ("value", "credentials"),
    [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ("Aladdin", "open sesame")),
        ("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", ("Aladdin", "open sesame")),
        ("Basic YTpiOmM=", ("a", "b:c")),
        ("Basic Og==", ("", "")),
        ("Basic YQ==", None),
        ("Basic YTpi=", None),
        ("Basic Y", None),
        ("Basic /zo=", None),
        ("Basic", None),
        ("Ba\u017fic YTpi", None),
        ("Basic \u017f\u017f\u017f\u017f", None),
        ("Bearer YTpi", None),
        ("Basic YTpi YTpi", None),
        ("", None),
    ],
)
def test_parse(value: str, credentials: tuple[str, str] | None) -> None:
    assert parse_basic(value) == credentials


def test_what_the_scheme_cannot_carry() -> None:
    for username, password in (("a:b", "c"), ("a\r\n", "c"), ("a", "c\x00")):
        with pytest.raises(ValueError):
            format_basic(username, password)


normal = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], max_codepoint=0xFF))


@given(normal, normal)
def test_round_trip(username: str, password: str) -> None:
    if ":" not in username:
        assert parse_basic(format_basic(username, password)) == (username, password)


@given(st.text())
def test_parse_raises_nothing(value: str) -> None:
    parse_basic(value)
    parse_basic(f"Basic {value}")
