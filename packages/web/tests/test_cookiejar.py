"""Cookies on their way out."""

import datetime
import email.utils
from typing import Any

import pytest

from zonda.web.cookiejar import CookieJar


def fields(**arguments: Any) -> list[str]:
    jar = CookieJar()
    jar.set("name", "value", **arguments)
    (field,) = jar.header_values()
    return field.split("; ")


@pytest.mark.parametrize(
    ("arguments", "attribute"),
    [
        ({"path": "/x"}, "Path=/x"),
        ({"domain": "example.com"}, "Domain=example.com"),
        ({"httponly": True}, "HttpOnly"),
        ({"secure": True}, "Secure"),
        ({"samesite": "Strict"}, "SameSite=Strict"),
        ({"max_age": 60}, "Max-Age=60"),
        ({"expires": 0}, "expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ({"partitioned": True}, "Partitioned"),
        ({"HttpOnly": True}, "HttpOnly"),
    ],
)
def test_attributes(arguments: dict[str, Any], attribute: str) -> None:
    first, *rest = fields(**arguments)
    assert first == "name=value"
    assert rest == [attribute]


def test_expires_days() -> None:
    _, expires = fields(expires_days=2)
    when = email.utils.parsedate_to_datetime(expires.removeprefix("expires="))
    distance = when - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=1, hours=23) < distance < datetime.timedelta(days=2, minutes=1)


def test_setting_again_replaces() -> None:
    jar = CookieJar()
    jar.set("a", "1")
    jar.set("b", "2")
    jar.set("a", b"3")
    assert jar.header_values() == ["b=2", "a=3"]


def test_clear() -> None:
    jar = CookieJar()
    jar.clear("a", domain="example.com")
    (field,) = jar.header_values()
    assert field.startswith('a=""; Domain=example.com; expires=')
    assert field.endswith("; Path=/")


EVIL = ["x\r\nSet-Cookie: y=z", "x; Domain=evil.example", "x\0", "x\ny"]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("where", ["path", "domain", "samesite", "max_age", "Max_Age", "expires"])
def test_no_attribute_breaks_out(where: str, text: str) -> None:
    arguments: dict[str, Any] = {where: text}
    with pytest.raises(ValueError, match="cookie"):
        CookieJar().set("name", "value", **arguments)


@pytest.mark.parametrize("text", [evil for evil in EVIL if ";" not in evil])
def test_no_value_breaks_out(text: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        CookieJar().set("name", text)


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "path", "é", "a\r\n"])
def test_names_are_tokens(name: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        CookieJar().set(name, "value")


def test_values_are_quoted_where_they_must_be() -> None:
    jar = CookieJar()
    jar.set("a", 'x;y"')
    assert jar.header_values() == ['a="x\\073y\\""']


@pytest.mark.parametrize("value", ["a b", " ", b"a b"])
def test_no_spaces(value: str | bytes) -> None:
    with pytest.raises(ValueError, match="value"):
        CookieJar().set("a", value)
