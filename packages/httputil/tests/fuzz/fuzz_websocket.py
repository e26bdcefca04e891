"""Fuzz WebSocket connections: any split gives the same, only what is documented is raised.

Run: ``python3 dev fuzz websocket [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.websocket import (
        ClientConnection,
        Close,
        CloseCode,
        ConnectionFailed,
        DeflateAgreement,
        Message,
        Ping,
        ServerConnection,
    )

LIMIT = 1000
DEFLATE = DeflateAgreement(client_no_context_takeover=True, server_max_window_bits=9)


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
        if deflate and error.code == CloseCode.INVALID_DATA:
            # Behind the byte that makes a message too large zlib reads on while nothing comes out,
            # and may see that what follows is malformed: only if it came in the same piece.
            return events, CloseCode.MESSAGE_TOO_BIG
        return events, error.code
    return events, 0


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    step, rest = data[0] + 1, data[1:]
    for server in (True, False):
        for deflate in (True, False):
            whole = outcome(rest, len(rest) or 1, server, deflate)
            for pieces in (outcome(rest, step, server, deflate), outcome(rest, 1, server, deflate)):
                assert whole == pieces, (step, rest)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
