"""Which proxy a request goes through: rows of settings, environments and requests."""

import pytest

from zonda.httpclient.connecting import proxy_for
from zonda.httpclient.errors import HTTPRequestError
from zonda.httpclient.proxies import (
    Proxies,
    Proxy,
    parse_proxy,
    proxy_of_request,
)
from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.target import parse_url

# -- URLs of proxies


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://p:3128", Proxy("http", "p", 3128)),
        ("http://p:3128/", Proxy("http", "p", 3128)),
        ("p:3128", Proxy("http", "p", 3128)),
        ("p", Proxy("http", "p", 1080)),
        (" P ", Proxy("http", "p", 1080)),
        ("https://p", Proxy("https", "p", 443)),
        ("socks5://p", Proxy("socks5", "p", 1080)),
        ("socks5h://p:9050", Proxy("socks5h", "p", 9050)),
        ("socks://p", Proxy("socks5", "p", 1080)),
        ("SOCKS5H://p", Proxy("socks5h", "p", 1080)),
        ("http://[::1]:3128", Proxy("http", "::1", 3128)),
        ("[::1]", Proxy("http", "::1", 1080)),
        ("http://u:p%40ss@p:1", Proxy("http", "p", 1, "u", "p@ss")),
        ("u@p:1", Proxy("http", "p", 1, "u", "")),
        ("http://us%3Aer:@p:1", Proxy("http", "p", 1, "us:er", "")),
    ],
)
def test_urls_of_proxies(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "ftp://p",
        "socks4://p",
        "http://p:x",
        "http://p:99999",
        "http://:80",
        "http://p:0",
        "http://[::1",
        "http://a b",
        "http://a\r\nb",
        "http://a\x00",
    ],
)
def test_what_is_no_proxy(url: str) -> None:
    with pytest.raises(ValueError):
        parse_proxy(url)


def test_a_password_is_not_shown() -> None:
    proxy = parse_proxy("http://user:secret@p:1")
    for text in (repr(proxy), str(proxy), f"{proxy}", repr([proxy])):
        assert "secret" not in text
        assert "user" in text


def test_what_a_proxy_forwards() -> None:
    rows = [(parse_proxy(f"{s}://p").forwards("http"), s) for s in ("http", "https", "socks5")]
    assert rows == [(True, "http"), (True, "https"), (False, "socks5")]
    assert not any(parse_proxy(f"{s}://p").forwards("https") for s in ("http", "https", "socks5"))


# -- no_proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("", "example.com", 80, False),
        ("*", "example.com", 80, True),
        ("*", "::1", 80, True),
        ("example.com", "example.com", 80, True),
        ("example.com", "EXAMPLE.com", 80, True),
        ("Example.COM", "example.com", 80, True),
        ("example.com", "example.com.", 80, True),
        ("example.com.", "example.com", 80, True),
        ("example.com", "www.example.com", 80, True),
        ("example.com", "badexample.com", 80, False),
        ("example.com", "example.org", 80, False),
        (".example.com", "www.example.com", 80, True),
        (".example.com", "example.com", 80, True),
        ("*.example.com", "www.example.com", 80, True),
        ("a, b", "b", 80, True),
        ("a b\tc", "c", 80, True),
        ("a,b", "ab", 80, False),
        (",,", "a", 80, False),
        (".", "a", 80, False),
        # Ports
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        ("*:8080", "example.com", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 80, False),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 80, False),
        # Addresses
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1", "127.0.0.2", 80, False),
        ("7.0.0.1", "127.0.0.1", 80, False),
        ("0.0.1", "127.0.0.1", 80, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.1.2.3/8", "10.200.0.1", 80, True),
        ("10.0.0.0/8", "11.0.0.1", 80, False),
        ("10.0.0.0/8", "10.example.com", 80, False),
        ("10.0.0.0/99", "10.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "0:0:0:0:0:0:0:1", 80, True),
        ("fe80::/10", "fe80::1%eth0", 80, True),
        ("2001:db8::/32", "2001:db8:1::1", 443, True),
        ("2001:db8::/32", "2001:db9::1", 443, False),
        ("10.0.0.0/8", "::1", 80, False),
        ("localhost", "127.0.0.1", 80, False),
    ],
)
def test_exceptions(no_proxy: str, host: str, port: int, direct: bool) -> None:
    proxies = Proxies("http://p:1", no_proxy)
    assert (proxies.choose("http", host, port) is None) is direct


# -- settings


@pytest.mark.parametrize(
    ("environment", "http", "https"),
    [
        ({}, None, None),
        ({"http_proxy": "h:1"}, "h", None),
        ({"HTTP_PROXY": "h:1"}, "h", None),
        ({"http_proxy": "low:1", "HTTP_PROXY": "up:1"}, "low", None),
        ({"http_proxy": "", "HTTP_PROXY": "up:1"}, "up", None),
        ({"https_proxy": "s:1"}, None, "s"),
        ({"HTTPS_PROXY": "s:1"}, None, "s"),
        ({"all_proxy": "a:1"}, "a", "a"),
        ({"ALL_PROXY": "a:1", "https_proxy": "s:1"}, "a", "s"),
        ({"ALL_PROXY": "socks5h://a:1"}, "a", "a"),
        # A CGI program: HTTP_PROXY is the field "Proxy" of somebody's request.
        ({"HTTP_PROXY": "evil:1", "REQUEST_METHOD": "GET"}, None, None),
        ({"http_proxy": "h:1", "REQUEST_METHOD": "GET"}, "h", None),
        ({"HTTPS_PROXY": "s:1", "REQUEST_METHOD": "GET"}, None, "s"),
        ({"http_proxy": "h:1", "no_proxy": "example.com"}, None, None),
        ({"http_proxy": "h:1", "NO_PROXY": "example.com"}, None, None),
        ({"http_proxy": "h:1", "NO_PROXY": "*", "no_proxy": "other"}, "h", None),
    ],
)
def test_the_environment(environment: dict[str, str], http: str | None, https: str | None) -> None:
    proxies = Proxies.from_environment(environment)
    found = [proxies.choose(scheme, "example.com", 80) for scheme in ("http", "https")]
    assert [proxy and proxy.host for proxy in found] == [http, https]


def test_what_clients_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("all_proxy", "http://from-environment:1")
    own = Proxies({})
    assert Proxies.from_setting(own) is own
    assert not Proxies.from_setting(None)
    assert not Proxies.from_setting({})
    rows = [("environment", "from-environment"), ("http://p:1", "p"), ({"http": "q:1"}, "q")]
    for setting, host in rows:
        proxy = Proxies.from_setting(setting).choose("http", "h", 80)  # type: ignore[arg-type]
        assert proxy is not None
        assert proxy.host == host


@pytest.mark.parametrize("setting", ["ftp://p", {"ftp": "http://p"}, {"http": "x://p"}])
def test_settings_that_mean_nothing(setting: str | dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Proxies.from_setting(setting)


# -- requests


@pytest.mark.parametrize(
    ("arguments", "proxy"),
    [
        ((None, None), None),
        (("", 1), None),
        (("p", 1), Proxy("http", "p", 1)),
        (("P", 1, "u", "w"), Proxy("http", "p", 1, "u", "w", "basic")),
        (("p", 1, "u", None, "digest"), Proxy("http", "p", 1, "u", "", "digest")),
        (("p", 1, "", ""), Proxy("http", "p", 1)),
        (("p", 1, None, "", "basic"), Proxy("http", "p", 1)),
        (("127.0.0.1", 1), Proxy("http", "127.0.0.1", 1)),
        (("::1", 1), Proxy("http", "::1", 1)),
        (("[::1]", 1), Proxy("http", "::1", 1)),
        (("socks5h://p", 1, "u", "w"), Proxy("socks5h", "p", 1, "u", "w", "basic")),
    ],
)
def test_proxies_of_requests(arguments: tuple[str, int], proxy: Proxy | None) -> None:
    assert proxy_of_request(*arguments) == proxy


@pytest.mark.parametrize(
    "arguments",
    [
        ("p", None),
        ("p", 0),
        ("p", 99999),
        ("p q", 1),
        ("p\r\n", 1),
        ("ftp://p", 1),
        ("p", 1, "u", "w", "ntlm"),
    ],
)
def test_what_a_request_must_not_name(arguments: tuple[str, int]) -> None:
    with pytest.raises(HTTPRequestError):
        proxy_of_request(*arguments)


@pytest.mark.parametrize(
    ("host", "port", "defaults", "found"),
    [
        (None, None, {}, "setting"),
        ("own", 1, {}, "own"),
        ("", None, {}, None),
        (None, None, {"proxy_host": "default", "proxy_port": 2}, "default"),
        ("", None, {"proxy_host": "default", "proxy_port": 2}, None),
    ],
)
def test_a_request_counts_more_than_the_client(
    host: str | None, port: int | None, defaults: dict[str, object], found: str | None
) -> None:
    request = HTTPRequest("http://example.com/", proxy_host=host, proxy_port=port)
    proxy = proxy_for(
        _RequestProxy(request, defaults), parse_url(request.url), Proxies("setting:3")
    )
    assert (proxy and proxy.host) == found
