"""What a URL says; the quick way and the thorough one say the same."""

import re

import pytest

from zonda.httpclient import target as target_module
from zonda.httpclient.errors import HTTPRequestError
from zonda.httpclient.target import Target, parse_url

URLS = [
    ("http://example.com", "http example.com 80 example.com /"),
    ("http://example.com/", "http example.com 80 example.com /"),
    ("https://example.com:443/a", "https example.com 443 example.com /a"),
    ("https://example.com:80/a", "https example.com 80 example.com:80 /a"),
    ("HTTP://EXAMPLE.com:8080/A", "http example.com 8080 example.com:8080 /A"),
    ("http://example.com?q=1", "http example.com 80 example.com /?q=1"),
    ("http://example.com/?", "http example.com 80 example.com /?"),
    ("http://example.com/a#b?c", "http example.com 80 example.com /a"),
    ("http://example.com:/a", "http example.com 80 example.com /a"),
    ("http://a/b c?d=\u00e9%20", "http a 80 a /b%20c?d=%C3%A9%20"),
    ('http://a/"<>\\^`{|}', 'http a 80 a /"<>\\^`{|}'),
    ("http://[::1]:81/x", "http ::1 81 [::1]:81 /x"),
    ("http://[fe80::1%25eth0]/x", "http fe80::1%eth0 80 [fe80::1] /x"),
    ("http://b\u00fccher.example/", "http xn--bcher-kva.example 80 xn--bcher-kva.example /"),
    ("http://a/..//b/./c", "http a 80 a /..//b/./c"),
    ("http://a:0/b", "http a 0 a:0 /b"),  # for a resolver that needs none, to a Unix socket
]


@pytest.mark.parametrize(("url", "parts"), URLS)
@pytest.mark.parametrize("thorough", [False, True])
def test_urls(url: str, parts: str, thorough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if thorough:
        monkeypatch.setattr(target_module, "_PLAIN", re.compile(r"(?!)"))
    found = target_module._parse(url)
    assert f"{found.scheme} {found.host} {found.port} {found.authority} {found.path}" == parts
    assert found.url == f"{found.scheme}://{found.authority}{found.path}"
    assert found.username is None


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [
        ("user:pass", ("user", "pass")),
        ("us%40er:p%3Aw", ("us@er", "p:w")),
        ("user", ("user", "")),
        (":pass", ("", "pass")),
        ("a@b:c", ("a@b", "c")),
    ],
)
def test_user_information(userinfo: str, expected: tuple[str, str]) -> None:
    found: Target = parse_url(f"http://{userinfo}@host:81/x")
    assert (found.username, found.password) == expected
    assert found.url == "http://host:81/x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "http:/example.com",
        "http://",
        "http:///path",
        "http://:80/",
        "http://host:99999/",
        "http://host:x/",
        "http://host:-1/",
        "http://[::1/",
        "http://[x]/",
        "http://ho st/",
        "http://ho\\st/",
        "http://ho<st/",
        "http://host/\r\nX: y",
        "http://host/\x00",
        "http://ho\tst/",
        "http://host\n/",
        " http://host/",
        "http://" + "\u00fc" * 70 + "/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(HTTPRequestError) as raised:
        parse_url(url)
    assert isinstance(raised.value, ValueError)


def test_passwords_are_not_kept() -> None:
    target_module._cached.cache_clear()
    parse_url("http://user:secret@host/")
    assert target_module._cached.cache_info().currsize == 0
    parse_url("http://host/")
    assert target_module._cached.cache_info().currsize == 1
