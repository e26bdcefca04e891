"""The Forwarded field, and whom it is believed."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httpserver.forwarded import Forwarded, parse_forwarded
from zonda.httpserver.testing import RawClient, serve
from zonda.httpserver.trustedpeers import TrustedPeers
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

VALUES: dict[str, list[Forwarded]] = {
    "for=192.0.2.43": [Forwarded("192.0.2.43", None, None)],
    'For="[2001:db8:cafe::17]:4711"': [Forwarded("2001:db8:cafe::17", None, None)],
    "for=192.0.2.60;proto=HTTPS;by=203.0.113.43;host=a": [Forwarded("192.0.2.60", "https", "a")],
    "for=192.0.2.43, for=198.51.100.17:80": [
        Forwarded("192.0.2.43", None, None),
        Forwarded("198.51.100.17", None, None),
    ],
    "for=_hidden, for=unknown": [Forwarded(None, None, None)] * 2,
    'for="_a,for=1.2.3.4";proto=http': [Forwarded(None, "http", None)],
    'for="192.0.2.1': [Forwarded(None, None, None)],
    "nonsense": [Forwarded(None, None, None)],
    "": [],
}


@pytest.mark.parametrize("value", VALUES)
def test_values(value: str) -> None:
    assert parse_forwarded(value) == VALUES[value]


@given(st.text(st.sampled_from('for=;,"\\ proto[]:.1a'), max_size=60))
def test_anything_at_all(value: str) -> None:
    for element in parse_forwarded(value):
        assert element.client is None or set(element.client) <= set("0123456789abcdefABCDEF:.")


def test_linear() -> None:
    begin = time.process_time()
    for value in ('"' * 100_000, "for=1," * 50_000, ";" * 100_000, '\\"' * 50_000):
        parse_forwarded(value)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("members", "address", "trusted"),
    [
        (None, "anything", True),
        ([], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["10.0.0.0/8"], "10.255.0.1", True),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", True),
        (["2001:db8::/32"], "2001:db8::5", True),
        (["10.0.0.0/8"], "11.0.0.1", False),
        (["10.0.0.0/8"], "no address", False),
    ],
)
def test_trusted_peers(members: list[str] | None, address: str, trusted: bool) -> None:
    peers = TrustedPeers(members)
    assert [address in peers for _ in range(2)] == [trusted] * 2


def test_what_is_no_network() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        TrustedPeers(["nonsense"])


def show(request: HTTPServerRequest) -> None:
    text = f"{request.remote_ip} {request.protocol}".encode()
    headers = HTTPHeaders({"Content-Length": str(len(text))})
    assert request.connection is not None
    request.connection.write_headers(ResponseStartLine("", 200, "OK"), headers, text)
    request.connection.finish()


REQUESTS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "Forwarded: for=192.0.2.1;proto=https", "127.0.0.1 http"),
    ({"xheaders": True}, "Forwarded: for=192.0.2.1;proto=https", "127.0.0.1 http"),
    ({"forwarded": True}, "Forwarded: for=192.0.2.1;proto=https", "192.0.2.1 https"),
    ({"forwarded": True}, "Forwarded: for=9.9.9.9, for=192.0.2.1", "192.0.2.1 http"),
    (
        {"forwarded": True, "trusted_downstream": ["10.0.0.1"]},
        "Forwarded: for=9.9.9.9, for=192.0.2.1;proto=https, for=10.0.0.1",
        "192.0.2.1 https",
    ),
    ({"forwarded": True}, "Forwarded: for=unknown;proto=gopher", "127.0.0.1 http"),
    ({"forwarded": True}, "X-Forwarded-For: 192.0.2.1", "127.0.0.1 http"),
    (
        {"forwarded": True, "xheaders": True},
        "X-Real-Ip: 9.9.9.9\r\nForwarded: for=192.0.2.1",
        "192.0.2.1 http",
    ),
    ({"forwarded": True, "xheaders": True}, "X-Real-Ip: 192.0.2.1", "192.0.2.1 http"),
    (
        {"xheaders": True, "trusted_proxies": ["127.0.0.0/8"]},
        "X-Real-Ip: 192.0.2.1",
        "192.0.2.1 http",
    ),
    (
        {"xheaders": True, "trusted_proxies": ["10.0.0.0/8"]},
        "X-Real-Ip: 192.0.2.1",
        "127.0.0.1 http",
    ),
    ({"forwarded": True, "trusted_proxies": []}, "Forwarded: for=192.0.2.1", "127.0.0.1 http"),
]


@pytest.mark.parametrize(("settings", "fields", "seen"), REQUESTS)
async def test_who_is_believed(settings: dict[str, Any], fields: str, seen: str) -> None:
    async with serve(show, **settings) as port, RawClient(port) as client:
        response = await client(f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n".encode())
        assert response.body.decode() == seen
        plain = await client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert plain.body == b"127.0.0.1 http"  # the next request is another client's
