"""The opening handshake (RFC 6455 §4), both sides, as headers in and headers out.

A server reads a request with `read_request`, chooses a subprotocol among those offered, and answers
with what `accept` returns. A client sends the headers of a `ClientHandshake` and gives it the
response. Both end with an `Agreement`. `HandshakeError` says what was wrong and, to a server, how
to answer.
"""

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.websocket.deflate import NAME as DEFLATE
from zonda.httputil.websocket.deflate import DeflateAgreement, DeflateOptions
from zonda.httputil.websocket.errors import HandshakeError
from zonda.httputil.websocket.extensions import (
    Extension,
    format_extensions,
    parse_extensions,
)

VERSION = "13"
"""The value of ``Sec-WebSocket-Version`` (RFC 6455)."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # 16 bytes in base64
_NEW_ENOUGH = re.compile(r"HTTP/1\.[1-9]")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the handshake has settled.

    Attributes:
        subprotocol: The one both sides speak, None for none.
        deflate: permessage-deflate as agreed, None without it.
    """

    subprotocol: str | None = None
    deflate: DeflateAgreement | None = None


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """A client's handshake, found valid.

    Attributes:
        key: Its ``Sec-WebSocket-Key``.
        subprotocols: What it offers, the dearest first.
        extensions: What it offers, the dearest first.
    """

    key: str
    subprotocols: list[str] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)


def accept_key(key: str) -> str:
    """Return the ``Sec-WebSocket-Accept`` that belongs to a key (RFC 6455 §4.2.2).

    >>> accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    digest = hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def read_request(method: str, version: str, headers: HTTPHeaders) -> HandshakeRequest:
    """Check the request of a client (RFC 6455 §4.2.1).

    Args:
        method: The request's method.
        version: The request's HTTP version.
        headers: The request's fields.

    Raises:
        HandshakeError: It is no handshake: 405 for another method, 426 for another version of the
            protocol, 400 for everything else.
    """
    if method != "GET":
        raise HandshakeError("a WebSocket handshake is a GET", 405, {"Allow": "GET"})
    if not _NEW_ENOUGH.fullmatch(version):
        raise HandshakeError("a WebSocket handshake needs HTTP/1.1")
    if "Host" not in headers:
        raise HandshakeError("a WebSocket handshake needs a Host")
    if "websocket" not in _members(headers, "Upgrade"):
        raise HandshakeError('"Upgrade" has to name "websocket"')
    if "upgrade" not in _members(headers, "Connection"):
        raise HandshakeError('"Connection" has to name "upgrade"')
    versions = headers.get_list("Sec-WebSocket-Version")
    if versions != [VERSION]:
        raise HandshakeError(
            f"only version {VERSION} of the WebSocket protocol is spoken here",
            426,
            {"Upgrade": "websocket", "Sec-WebSocket-Version": VERSION},
        )
    keys = headers.get_list("Sec-WebSocket-Key")
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise HandshakeError("Sec-WebSocket-Key has to be 16 bytes in base64")
    subprotocols: list[str] = []
    for line in headers.get_list("Sec-WebSocket-Protocol"):
        for name in line.split(","):
            name = name.strip(" \t")
            if not name:  # empty members of a list are nothing (RFC 9110 §5.6.1)
                continue
            if not _TOKEN.fullmatch(name):
                raise HandshakeError("Sec-WebSocket-Protocol is not a list of tokens")
            subprotocols.append(name)
    return HandshakeRequest(
        keys[0], subprotocols, parse_extensions(headers.get_list("Sec-WebSocket-Extensions"))
    )


def accept(
    request: HandshakeRequest,
    subprotocol: str | None = None,
    deflate: DeflateOptions | None = None,
) -> tuple[HTTPHeaders, Agreement]:
    """Answer a client, as a server.

    Args:
        request: What `read_request` returned.
        subprotocol: One of those it offers; None for none.
        deflate: permessage-deflate is accepted with these options, if offered; None declines.

    Returns:
        The fields of the 101 response, and what is agreed.

    Raises:
        ValueError: The subprotocol was not offered.

    >>> client = ClientHandshake(["chat"], DeflateOptions())
    >>> fields = client.headers()
    >>> fields["Host"] = "example.com"
    >>> request = read_request("GET", "HTTP/1.1", fields)
    >>> answer, agreement = accept(request, "chat", DeflateOptions())
    >>> client.read_response(101, answer) == agreement
    True
    """
    if subprotocol is not None and subprotocol not in request.subprotocols:
        raise ValueError(f"subprotocol {subprotocol!r} was not offered")
    headers = HTTPHeaders(
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_key(request.key),
        }
    )
    if subprotocol is not None:
        headers["Sec-WebSocket-Protocol"] = subprotocol
    agreed = None
    if deflate is not None:
        for extension in request.extensions:
            answer = deflate.accept(extension.parameters) if extension.name == DEFLATE else None
            if answer is not None:
                parameters, agreed = answer
                headers["Sec-WebSocket-Extensions"] = format_extensions(
                    [Extension(DEFLATE, parameters)]
                )
                break
    return headers, Agreement(subprotocol, agreed)


class ClientHandshake:
    """The handshake of a client.

    Args:
        subprotocols: What it offers, the dearest first.
        deflate: permessage-deflate is offered with these options; None does not offer it.
        key: ``Sec-WebSocket-Key``, 16 bytes in base64; random by default.

    Raises:
        ValueError: A subprotocol is not a token or is there twice, or the key is malformed.
    """

    def __init__(
        self,
        subprotocols: Sequence[str] = (),
        deflate: DeflateOptions | None = None,
        key: str | None = None,
    ) -> None:
        for name in subprotocols:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"subprotocol {name!r} is not a token")
        if len(set(subprotocols)) < len(subprotocols):
            raise ValueError("a subprotocol is offered twice")
        if key is not None and not _KEY.fullmatch(key):
            raise ValueError(f"a key is 16 bytes in base64, not {key!r}")
        self.subprotocols = list(subprotocols)
        self.deflate = deflate
        self.key = key or base64.b64encode(os.urandom(16)).decode("ascii")

    def headers(self) -> HTTPHeaders:
        """The fields of the request; ``Host`` and what else it needs are the caller's."""
        headers = HTTPHeaders(
            {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Key": self.key,
                "Sec-WebSocket-Version": VERSION,
            }
        )
        if self.subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self.subprotocols)
        if self.deflate is not None:
            headers["Sec-WebSocket-Extensions"] = format_extensions(
                [Extension(DEFLATE, self.deflate.offer())]
            )
        return headers

    def read_response(self, status: int, headers: HTTPHeaders) -> Agreement:
        """Check the response of the server (RFC 6455 §4.1).

        Args:
            status: Its status code.
            headers: Its fields.

        Raises:
            HandshakeError: It is not an acceptance of this handshake; ``status`` is that of the
                response, or 400 if that says 101 and means something else.
        """
        if status != 101:
            raise HandshakeError(f"the server answered {status}, not 101", status)
        if _members(headers, "Upgrade") != ["websocket"]:
            raise HandshakeError('the server\'s "Upgrade" does not name "websocket"')
        if "upgrade" not in _members(headers, "Connection"):
            raise HandshakeError('the server\'s "Connection" does not name "upgrade"')
        if headers.get_list("Sec-WebSocket-Accept") != [accept_key(self.key)]:
            raise HandshakeError("the server's Sec-WebSocket-Accept is not for this handshake")
        chosen = headers.get_list("Sec-WebSocket-Protocol")
        if len(chosen) > 1 or (chosen and chosen[0] not in self.subprotocols):
            raise HandshakeError("the server chose a subprotocol that was not offered")
        deflate = None
        for extension in parse_extensions(headers.get_list("Sec-WebSocket-Extensions")):
            if extension.name != DEFLATE or self.deflate is None or deflate is not None:
                raise HandshakeError(f"extension {extension.name!r} was not offered, or twice")
            deflate = self.deflate.agree(extension.parameters)
        return Agreement(chosen[0] if chosen else None, deflate)


def _members(headers: HTTPHeaders, name: str) -> list[str]:
    return [member.strip(" \t").lower() for member in headers.get(name, "").split(",")]
