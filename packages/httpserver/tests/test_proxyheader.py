"""PROXY headers as bytes."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httpserver.errors import ProxyProtocolError
from zonda.httpserver.proxyheader import LIMIT, ProxyHeader, parse_proxy_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command: int, family: int, content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return SIGNATURE + bytes([0x20 | command, family]) + size.to_bytes(2, "big") + content


def addresses(family: socket.AddressFamily, source: str, destination: str) -> bytes:
    pack = socket.inet_pton
    return pack(family, source) + pack(family, destination) + b"\x12\x34\x00\x50"


IPV4 = addresses(socket.AF_INET, "192.0.2.1", "192.0.2.2")
IPV6 = addresses(socket.AF_INET6, "2001:db8::1", "2001:db8::2")

GOOD: dict[str, tuple[bytes, ProxyHeader]] = {
    "v1 TCP4": (
        b"PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n",
        ProxyHeader(("192.0.2.1", 4660), ("192.0.2.2", 80)),
    ),
    "v1 TCP6": (
        b"PROXY TCP6 2001:db8::1 2001:DB8::2 1 65535\r\n",
        ProxyHeader(("2001:db8::1", 1), ("2001:db8::2", 65535)),
    ),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", ProxyHeader()),
    "v1 unknown with more": (b"PROXY UNKNOWN ffff::1 x 1 2\r\n", ProxyHeader()),
    "v2 local": (v2(0, 0, b""), ProxyHeader()),
    "v2 local with content": (v2(0, 0x11, b"anything"), ProxyHeader()),
    "v2 TCP4": (v2(1, 0x11, IPV4), ProxyHeader(("192.0.2.1", 4660), ("192.0.2.2", 80))),
    "v2 TCP6": (v2(1, 0x21, IPV6), ProxyHeader(("2001:db8::1", 4660), ("2001:db8::2", 80))),
    "v2 unix": (v2(1, 0x31, bytes(216)), ProxyHeader()),
    "v2 unspecified": (v2(1, 0x00, b""), ProxyHeader()),
    "v2 TLVs": (
        v2(1, 0x11, IPV4 + b"\x02\x00\x03abc\x04\x00\x00"),
        ProxyHeader(("192.0.2.1", 4660), ("192.0.2.2", 80), ((2, b"abc"), (4, b""))),
    ),
}

BAD: dict[str, tuple[bytes, str]] = {
    "HTTP": (b"GET / HTTP/1.1\r\n", "does not begin"),
    "TLS": (b"\x16\x03\x01", "does not begin"),
    "almost": (b"PROXX", "does not begin"),
    "v1 long": (b"PROXY UNKNOWN " + b"x" * 100, "too long"),
    "v1 bare LF": (b"PROXY UNKNOWN\n", "malformed"),
    "v1 kind": (b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "malformed"),
    "v1 wrong family": (b"PROXY TCP4 ::1 ::1 1 2\r\n", "address"),
    "v1 address": (b"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", "address"),
    "v1 port": (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "out of range"),
    "v1 port zero": (b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "malformed"),
    "v1 spaces": (b"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "malformed"),
    "v2 version": (SIGNATURE + b"\x11\x11\x00\x00", "version 1"),
    "v2 command": (v2(2, 0x11, IPV4), "command 2"),
    "v2 family": (v2(1, 0x41, IPV4), "family"),
    "v2 transport": (v2(1, 0x13, IPV4), "transport"),
    "v2 long": (v2(1, 0x11, b"", LIMIT), "too long"),
    "v2 short": (v2(1, 0x21, IPV4), "incomplete"),
    "v2 TLV cut": (v2(1, 0x11, IPV4 + b"\x02\x00"), "TLV"),
    "v2 TLV long": (v2(1, 0x11, IPV4 + b"\x02\x00\x05abc"), "TLV"),
}


@pytest.mark.parametrize("case", GOOD)
def test_good(case: str) -> None:
    data, header = GOOD[case]
    for rest in (b"", b"GET / HTTP/1.1\r\n"):
        assert parse_proxy_header(data + rest) == (header, len(data))
    for length in range(len(data)):
        assert parse_proxy_header(data[:length]) is None


@pytest.mark.parametrize("case", BAD)
def test_bad(case: str) -> None:
    data, fault = BAD[case]
    with pytest.raises(ProxyProtocolError, match=fault) as caught:
        parse_proxy_header(data)
    assert str(caught.value).startswith("PROXY protocol: ")


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, *[d for d, _ in GOOD.values()]]),
    st.binary(max_size=300),
    st.integers(0, 400),
)
def test_anything_at_all(start: bytes, more: bytes, cut: int) -> None:
    data = (start + more)[:cut] or start + more
    # Whatever it is: never another exception, the same verdict for each longer piece of it, and
    # never a wish for more than the limit.
    verdicts = []
    for length in range(len(data) + 1):
        try:
            verdicts.append(parse_proxy_header(data[:length]))
        except ProxyProtocolError:
            verdicts.append((ProxyHeader(), -1))
    decided = [verdict for verdict in verdicts if verdict is not None]
    if decided:
        assert all(verdict == decided[0] for verdict in decided)
        assert decided[0][1] <= len(data)
    try:
        padded = parse_proxy_header(data + bytes(LIMIT))
    except ProxyProtocolError:
        return
    assert padded is not None
