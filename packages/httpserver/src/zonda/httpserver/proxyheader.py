"""The PROXY protocol, versions 1 and 2: what a proxy says before anything else on a connection.

In: the first bytes of a connection. Out: a `ProxyHeader` and its length; None while it is
incomplete. Raises `ProxyProtocolError` for anything else, as soon as that is sure; a header is
never larger than `LIMIT`. Nothing here does I/O.

Specification: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from zonda.httpserver.errors import ProxyProtocolError

LIMIT = 4096
"""Most bytes of a header: version 2 allows 64 KiB, of which nobody needs that much."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_LIMIT = 107
_V1 = re.compile(
    rb"PROXY (?:(UNKNOWN)(?: [^\r\n]*)?|TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))\r\n"
)
# Of version 2: family and transport -> length of the addresses in front of the TLVs.
_ADDRESS_LENGTHS = {0x1: 12, 0x2: 36, 0x3: 216}

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What the proxy says.

    Attributes:
        source: The client's address and port; None if the connection is the proxy's own (a health
            check) or of a kind that has none.
        destination: Where the client has connected to; None likewise.
        tlvs: Version 2's further facts, types and values.
    """

    source: Address | None = None
    destination: Address | None = None
    tlvs: tuple[tuple[int, bytes], ...] = ()


class ProxiedAddress(tuple[str | int, ...]):
    """A client's address, as a proxy has told it: what a connection has in place of the proxy's.

    Attributes:
        header: All that the proxy has told.
    """

    header: ProxyHeader


def parse_proxy_header(data: bytes) -> tuple[ProxyHeader, int] | None:
    r"""Read the header at the beginning of `data`.

    Args:
        data: All that has come so far.

    Returns:
        The header and how many bytes it takes, or None if more are needed.

    Raises:
        ProxyProtocolError: There is none, or it is malformed.

    >>> parse_proxy_header(b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\nGET /")[0].source
    ('192.0.2.1', 5)
    """
    if data.startswith(_SIGNATURE[: len(data)]):
        return _parse_v2(data) if len(data) >= len(_SIGNATURE) + 4 else None
    start = b"PROXY "
    if data.startswith(start[: len(data)]):
        return _parse_v1(data)
    raise ProxyProtocolError("the connection does not begin with a header")


def _parse_v1(data: bytes) -> tuple[ProxyHeader, int] | None:
    end = data.find(b"\n", 0, _V1_LIMIT) + 1
    if not end:
        if len(data) >= _V1_LIMIT:
            raise ProxyProtocolError("the line is too long")
        return None
    match = _V1.fullmatch(data[:end])
    if match is None:
        raise ProxyProtocolError("the line is malformed")
    if match[1]:
        return ProxyHeader(), end
    kind = IPv4Address if match[2] == b"4" else IPv6Address
    try:
        source, destination = str(kind(match[3].decode())), str(kind(match[4].decode()))
    except ValueError as error:
        raise ProxyProtocolError("an address is malformed") from error
    ports = int(match[5]), int(match[6])
    if max(ports) > 65535:
        raise ProxyProtocolError("a port is out of range")
    return ProxyHeader((source, ports[0]), (destination, ports[1])), end


def _parse_v2(data: bytes) -> tuple[ProxyHeader, int] | None:
    version, command = data[12] >> 4, data[12] & 0xF
    family, transport = data[13] >> 4, data[13] & 0xF
    length = int.from_bytes(data[14:16], "big")
    if version != 2:
        raise ProxyProtocolError(f"version {version} is not known")
    if command > 1:
        raise ProxyProtocolError(f"command {command} is not known")
    if family > 3 or transport > 2:
        raise ProxyProtocolError("address family or transport is not known")
    end = 16 + length
    if end > LIMIT:
        raise ProxyProtocolError("the header is too long")
    if len(data) < end:
        return None
    if command == 0:
        return ProxyHeader(), end  # LOCAL: the proxy speaks for itself
    size = _ADDRESS_LENGTHS.get(family, 0)
    if length < size:
        raise ProxyProtocolError("the addresses are incomplete")
    block = data[16:end]
    source = destination = None
    if family in (1, 2):
        kind, width = (IPv4Address, 4) if family == 1 else (IPv6Address, 16)
        source = str(kind(block[:width])), int.from_bytes(block[2 * width : 2 * width + 2], "big")
        destination = (
            str(kind(block[width : 2 * width])),
            int.from_bytes(block[2 * width + 2 : 2 * width + 4], "big"),
        )
    return ProxyHeader(source, destination, _tlvs(block[size:])), end


def _tlvs(block: bytes) -> tuple[tuple[int, bytes], ...]:
    found = []
    position = 0
    while position < len(block):
        if len(block) - position < 3:
            raise ProxyProtocolError("a TLV is incomplete")
        length = int.from_bytes(block[position + 1 : position + 3], "big")
        value = block[position + 3 : position + 3 + length]
        if len(value) < length:
            raise ProxyProtocolError("a TLV is incomplete")
        found.append((block[position], value))
        position += 3 + length
    return tuple(found)
