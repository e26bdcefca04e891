"""Fuzz the WebSocket protocol: any split gives the same, only what is documented is raised.

Run: ``python3 dev fuzz websocket [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.headers import HTTPHeaders
    from zonda.httputil.websocket import (
        ClientConnection,
        ClientHandshake,
        Close,
        ConnectionFailed,
        DeflateAgreement,
        DeflateOptions,
        HandshakeError,
        Message,
        Ping,
        ServerConnection,
        accept,
        read_request,
    )

LIMIT = 1000
# No smaller window: zlib finds references beyond it only if what they refer to came in an earlier
# piece, so that the split would matter.
DEFLATE = DeflateAgreement(client_no_context_takeover=True)


def outcome(data: bytes, step: int, server: bool, deflate: bool) -> tuple[list[object], int]:
    """What comes out, and the code of the failure, 0 for none."""
    role = ServerConnection if server else ClientConnection
    connection = role(DEFLATE if deflate else None, LIMIT)
    events: list[object] = []
    try:
        for position in range(0, len(data), step):
            connection.receive_data(data[position : position + step])
            for event in connection.events():
                if isinstance(event, Message):
                    assert len(event.data) <= LIMIT
                    events.append(event.data)
                elif isinstance(event, Ping):
                    events.append((type(event), event.payload))
                else:
                    assert isinstance(event, Close)
                    events.append((event.code, event.reason))
    except ConnectionFailed as error:
        connection.send_close(error.code, error.reason)
        return events, error.code
    return events, 0


def handshake(text: str) -> None:
    """The fields that carry lists, on both sides."""
    for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Sec-WebSocket-Key"):
        client = ClientHandshake(["a"], DeflateOptions())
        fields = client.headers()
        fields["Host"] = "h"
        try:
            fields[name] = text
        except ValueError:
            return
        try:
            request = read_request("GET", "HTTP/1.1", fields)
            accept(request, None, DeflateOptions())
        except HandshakeError:
            pass
        try:
            client.read_response(101, HTTPHeaders({name: text}))
        except HandshakeError:
            pass


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    step, rest = data[0] + 1, data[1:]
    for server in (True, False):
        for deflate in (True, False):
            whole = outcome(rest, len(rest) or 1, server, deflate)
            for pieces in (outcome(rest, step, server, deflate), outcome(rest, 1, server, deflate)):
                assert whole[0] == pieces[0], (step, rest)
                # Compressed data may be wrong in two ways: which one is found depends on the split.
                assert whole[1] == pieces[1] or (deflate and whole[1] and pieces[1]), (step, rest)
    handshake(rest.decode("latin-1"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
