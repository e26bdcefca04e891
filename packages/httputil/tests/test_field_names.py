"""Canonical names, and the table that remembers them."""

import pytest

from zonda.httputil.errors import InvalidFieldName
from zonda.httputil.field_names import CANONICAL_NAMES, CanonicalNames, canonical_name
from zonda.httputil.headers import HTTPHeaders


def test_well_known_names_are_whole() -> None:
    for name in ("Access-Control-Allow-Credentials", "Content-Disposition", "If-Match", "Dnt"):
        assert CANONICAL_NAMES.get(name) == CANONICAL_NAMES.get(name.lower()) == name
    for spelling, name in CanonicalNames().items():
        words = name.split("-")
        assert all(word == word.capitalize() for word in words)
        assert name.lower() == spelling.lower()
        if len(spelling) > 3:
            assert all(words), name


def test_table_of_names_is_bounded() -> None:
    for number in range(10 * CANONICAL_NAMES.LIMIT):
        HTTPHeaders.parse(f"x-{number}: 1")
        assert len(CANONICAL_NAMES) <= CANONICAL_NAMES.LIMIT + 1
    long_name = "x" * (CANONICAL_NAMES.LONGEST + 1)
    assert list(HTTPHeaders.parse(f"{long_name}: 1")) == [long_name.capitalize()]
    assert long_name not in CANONICAL_NAMES
    assert CANONICAL_NAMES["content-type"] == "Content-Type"
    assert "Content-Length" in CANONICAL_NAMES


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("content-TYPE", "Content-Type"),
        ("ETag", "Etag"),
        ("WWW-Authenticate", "Www-Authenticate"),
        ("x__y-1z", "X__y-1z"),
        ("sec-WebSocket-key", "Sec-Websocket-Key"),
        ("-", "-"),
        ("a--b", "A--B"),
    ],
)
def test_canonical_names(name: str, canonical: str) -> None:
    assert list(HTTPHeaders({name: "1"})) == [canonical]
    assert list(HTTPHeaders.from_block(f"{name}: 1")) == [canonical]
    assert CANONICAL_NAMES[name] == canonical_name(name) == canonical


@pytest.mark.parametrize("name", ["", "a b", "a:", "\xe9", "a\n", "\u212a"])
def test_what_is_no_token_is_not_remembered(name: str) -> None:
    assert canonical_name(name) == name
    with pytest.raises(InvalidFieldName):
        CANONICAL_NAMES[name]
    assert name not in CANONICAL_NAMES
