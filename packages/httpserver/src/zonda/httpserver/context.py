"""What all requests of one connection have in common: who speaks, over which scheme.

With ``xheaders`` a proxy in front says it instead: each request's ``X-Forwarded-For``/``X-Real-Ip``
and ``X-Forwarded-Proto``/``X-Scheme`` are applied before and taken back after it, because the next
request on the connection may be another client's.
"""

import socket
from collections.abc import Container, Iterable

from zonda.httpserver.forwarded import parse_forwarded
from zonda.httpserver.proxyheader import ProxiedAddress
from zonda.httputil.headers import HTTPHeaders
from zonda.iostream import IOStream, SSLIOStream
from zonda.iostream.netutil import is_valid_ip

_NOBODY: Container[str] = frozenset()  # one for all: a new one would be the largest part of this


class HTTPRequestContext:
    """Address and scheme of a connection.

    Args:
        stream: The connection.
        address: The peer's address as ``accept`` gave it.
        protocol: ``"http"`` or ``"https"`` whatever the stream is; None to tell by the stream.
        trusted_downstream: Addresses of proxies that are passed over in ``X-Forwarded-For``.
    """

    __slots__ = (
        "__dict__",  # programs hang their own facts here
        "_orig_protocol",
        "_orig_remote_ip",
        "address",
        "address_family",
        "protocol",
        "remote_ip",
        "trusted_downstream",
    )

    def __init__(
        self,
        stream: IOStream,
        address: object,
        protocol: str | None,
        trusted_downstream: Iterable[str] | None = None,
    ) -> None:
        self.address = address
        sock = stream.socket
        self.address_family: socket.AddressFamily | None = getattr(sock, "family", None)
        if (
            (
                self.address_family in (socket.AF_INET, socket.AF_INET6)
                or type(address) is ProxiedAddress
            )
            and isinstance(address, tuple)
            and address
        ):
            self.remote_ip = str(address[0])
        else:
            # A unix socket has no address worth showing.
            self.remote_ip = "0.0.0.0"
        if protocol:
            self.protocol = protocol
        elif isinstance(stream, SSLIOStream):
            self.protocol = "https"
        else:
            self.protocol = "http"
        self._orig_remote_ip = self.remote_ip
        self._orig_protocol = self.protocol
        self.trusted_downstream: Container[str] = (
            frozenset(trusted_downstream) if trusted_downstream else _NOBODY
        )

    def __str__(self) -> str:
        if self.address_family in (socket.AF_INET, socket.AF_INET6):
            return self.remote_ip
        if isinstance(self.address, bytes):
            return self.address.decode("utf-8", "backslashreplace")
        return str(self.address)

    def _apply_xheaders(self, headers: HTTPHeaders) -> None:
        """Believe what the proxy says of this request."""
        ip = self.remote_ip
        for candidate in reversed(headers.get("X-Forwarded-For", ip).split(",")):
            ip = candidate.strip()
            if ip not in self.trusted_downstream:
                break
        ip = headers.get("X-Real-Ip", ip)
        if is_valid_ip(ip):
            self.remote_ip = ip
        scheme = headers.get("X-Scheme", headers.get("X-Forwarded-Proto"))
        if scheme:
            # Each proxy appends; the last one is the one we know.
            scheme = scheme.split(",")[-1].strip()
            if scheme in ("http", "https"):
                self.protocol = scheme

    def _apply_forwarded(self, headers: HTTPHeaders) -> None:
        """Believe what the proxy says of this request in its Forwarded field (RFC 7239)."""
        element = None
        for element in reversed(parse_forwarded(",".join(headers.get_list("Forwarded")))):
            if element.client not in self.trusted_downstream:
                break
        if element is None:
            return
        if element.client is not None and is_valid_ip(element.client):
            self.remote_ip = element.client
        if element.proto in ("http", "https"):
            self.protocol = element.proto

    def _unapply_xheaders(self) -> None:
        """Forget it again before the next request."""
        self.remote_ip = self._orig_remote_ip
        self.protocol = self._orig_protocol
