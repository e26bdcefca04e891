"""What is prepared for requests that say nothing but what to get."""

import ssl
from typing import Any

import pytest

from zonda.httpclient import HTTPRequest, HTTPRequestError
from zonda.httpclient.connecting import Route, TLSSettings
from zonda.httpclient.hop import usual_hop
from zonda.httpclient.request import _RequestProxy


def asked(url: str, **arguments: Any) -> _RequestProxy:
    return _RequestProxy(HTTPRequest(url, **arguments), HTTPRequest._DEFAULTS)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_usual_request(method: str) -> None:
    hop = usual_hop(asked("http://example.com/a?b#c", method=method), False)
    assert hop is not None
    assert hop.route == Route("http", "example.com", 80)
    assert hop.place == ("http", "example.com", 80)
    head = hop.outgoing.head
    assert head is not None
    start = f"{method} /a?b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: ".encode()
    assert head.startswith(start)
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n") == 4
    again = usual_hop(asked("http://example.com/a?b#c", method=method), False)
    assert again is hop
    compressed = usual_hop(asked("http://example.com/a?b#c", method=method), True)
    assert compressed is not None
    assert b"\r\nAccept-Encoding: " in (compressed.outgoing.head or b"")


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "POST", "body": b""},
        {"method": "PURGE"},
        {"headers": {"A": "b"}},
        {"auth_username": "u"},
        {"user_agent": "u"},
        {"expect_100_continue": True},
        {"proxy_host": "p"},
        {"proxy_host": ""},
        {"network_interface": "127.0.0.1"},
        {"allow_ipv6": False},
        {"allow_nonstandard_methods": True},
        {"if_modified_since": 0},
    ],
)
def test_requests_that_say_more(arguments: dict[str, Any]) -> None:
    assert usual_hop(asked("http://example.com/", **arguments), True) is None


def test_requests_with_a_password_are_kept_nowhere() -> None:
    assert usual_hop(asked("http://u:p@example.com/"), True) is None


def test_defaults_that_say_more() -> None:
    request = HTTPRequest("http://example.com/")
    for name in ("user_agent", "auth_username", "proxy_host", "network_interface"):
        assert usual_hop(_RequestProxy(request, {name: "x"}), True) is None


def test_tls_settings_tell_routes_apart() -> None:
    url = "https://example.com/"
    plain = usual_hop(asked(url), True)
    other = usual_hop(asked(url, ca_certs="/some/file"), True)
    assert plain is not None
    assert other is not None
    assert plain.route.tls == TLSSettings()
    assert other.route.tls == TLSSettings(ca_certs="/some/file")
    assert plain.route != other.route
    context = ssl.create_default_context()
    own = usual_hop(asked(url, ssl_options=context), True)
    assert own is not None
    assert own.route.tls == TLSSettings(context)
    # A context is not kept alive, and what is made with it is not either.
    assert usual_hop(asked(url, ssl_options=context), True) is not own


@pytest.mark.parametrize("url", ["http:/a", "http://", "http://a\r\nb/", "ftp://h/"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(HTTPRequestError):
        usual_hop(asked(url), True)
