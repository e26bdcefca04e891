"""Arguments as text."""

from typing import Any

import pytest

from zonda.web import MissingArgumentError
from zonda.web.arguments import REQUIRED, all_values, last_value

SOURCE = {"a": [b"1", b" two ", b"\x01x\x00"], "empty": [b""], "none": []}


def decode(value: bytes, name: str | None = None) -> str:
    return value.decode() + f"[{name}]"


def plain(value: bytes, name: str | None = None) -> str:
    return value.decode()


@pytest.mark.parametrize(
    ("name", "strip", "values"),
    [
        ("a", True, ["1", "two", "x"]),
        ("a", False, ["1", " two ", " x "]),
        ("empty", True, [""]),
        ("none", True, []),
        ("missing", True, []),
    ],
)
def test_all_values(name: str, strip: bool, values: list[str]) -> None:
    assert all_values(SOURCE, name, strip, plain) == values


@pytest.mark.parametrize(
    ("name", "default", "value"),
    [("a", REQUIRED, "x"), ("a", "d", "x"), ("empty", "d", ""), ("missing", None, None)],
)
def test_the_last_one_counts(name: str, default: Any, value: str | None) -> None:
    assert last_value(SOURCE, name, default, True, plain) == value


@pytest.mark.parametrize("name", ["missing", "none"])
def test_a_required_argument(name: str) -> None:
    with pytest.raises(MissingArgumentError) as caught:
        last_value(SOURCE, name, REQUIRED, True, plain)
    assert caught.value.arg_name == name


def test_decoding_is_told_the_name() -> None:
    assert all_values({"a": [b"1"]}, "a", True, decode) == ["1[a]"]
    assert repr(REQUIRED) == "<required>"
