"""Fuzz WebSocket handshakes and their extensions, on both sides.

Run: ``python3 dev fuzz handshake [libFuzzer options]``. The first byte chooses what our side wants.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.headers import HTTPHeaders
    from zonda.httputil.websocket import (
        ClientHandshake,
        DeflateOptions,
        HandshakeError,
        accept,
        read_request,
    )
    from zonda.httputil.websocket.extensions import format_extensions, parse_extensions
    from zonda.httputil.websocket.handshake import accept_key

FIELDS = (
    "Connection",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Upgrade",
)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def wanted(choice: int) -> DeflateOptions:
    """Options of our side."""
    bits = choice >> 2 & 15
    return DeflateOptions(
        bool(choice & 1), bool(choice & 2), bits if bits >= 8 else None, 9 if choice & 64 else None
    )


def server(text: str, options: DeflateOptions) -> None:
    """A request with one field that is anything."""
    client = ClientHandshake(["a"], options, KEY)
    for name in FIELDS:
        fields = client.headers()
        fields["Host"] = "h"
        fields[name] = text
        try:
            request = read_request("GET", "HTTP/1.1", fields)
        except HandshakeError as error:
            status = error.status
            assert status in (400, 426)
            continue
        protocol = request.subprotocols[0] if request.subprotocols else None
        answer, agreement = accept(request, protocol, options)
        assert agreement.subprotocol == protocol
        if name not in ("Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
            assert client.read_response(101, answer) == agreement
    for name in ("GET", "HTTP/1.1"):
        try:
            read_request(text if name == "GET" else "GET", text, client.headers())
        except HandshakeError as error:
            status = error.status
            assert status in (400, 405)


def client(text: str, options: DeflateOptions) -> None:
    """A response with one field that is anything."""
    for name in FIELDS:
        fields = HTTPHeaders(
            {
                "Upgrade": "websocket",
                "Connection": "upgrade",
                "Sec-WebSocket-Accept": accept_key(KEY),
            }
        )
        fields[name] = text
        try:
            agreement = ClientHandshake(["a"], options, KEY).read_response(101, fields)
        except HandshakeError:
            continue
        assert agreement.subprotocol in (None, "a")


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    options, text = wanted(data[0]), data[1:].decode("latin-1")
    try:
        extensions = parse_extensions([text])
    except HandshakeError:
        pass
    else:
        assert parse_extensions([format_extensions(extensions)]) == extensions, text
        for extension in extensions:
            answer = options.accept(extension.parameters)
            assert answer is None or 8 <= answer[1].client_max_window_bits <= 15
            try:
                options.agree(extension.parameters)
            except HandshakeError:
                pass
    for value in (text, f"permessage-deflate; {text}"):
        try:
            HTTPHeaders({"A": value})
        except ValueError:
            return
        server(value, options)
        client(value, options)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
