"""Fuzz the HTTP/1.1 connections: any split gives the same events, and documented errors only.

Run: ``python3 dev fuzz http1 [libFuzzer options]``. The first byte of the input chooses the
role, the limits and how the rest is split.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.headers import HTTPHeaders
    from zonda.httputil.http1 import (
        ClientConnection,
        ConnectionClosed,
        Data,
        EndOfMessage,
        InformationalResponse,
        Limits,
        LocalProtocolError,
        RemoteProtocolError,
        Request,
        ServerConnection,
        Signal,
    )

TIGHT = Limits(start_line=60, head=200, field_count=4, chunk_extension=8, trailer=40, body=30)
METHODS = ("GET", "HEAD", "CONNECT", "POST")


def connection_for(choice: int) -> ServerConnection | ClientConnection:
    """A connection of the role and with the limits that `choice` says."""
    limits = TIGHT if choice & 2 else Limits()
    if choice & 1:
        return ServerConnection(limits)
    client = ClientConnection(limits)
    method = METHODS[choice >> 2 & 3]
    headers = HTTPHeaders({"Host": "h", "Connection": "upgrade", "Upgrade": "x"})
    client.send_request(method, "h:1" if method == "CONNECT" else "/", headers)
    return client


def events(connection: ServerConnection | ClientConnection, pieces: list[bytes]) -> list[object]:
    """What `connection` says about `pieces`, content joined."""
    seen: list[object] = []
    for piece in [*filter(None, pieces), b""]:
        connection.receive_data(piece)
        while True:
            try:
                event = connection.next_event()
            except RemoteProtocolError as error:
                return [*seen, (type(error), error.status)]
            if isinstance(event, Signal):
                break
            if isinstance(event, Data):
                if seen and isinstance(seen[-1], bytes):
                    seen[-1] += event.data
                else:
                    seen.append(bytes(event.data))
            elif isinstance(event, Request):
                seen.append((event.method, event.target, event.host, str(event.headers)))
            elif isinstance(event, InformationalResponse):
                seen.append((event.status, event.reason, str(event.headers)))
            elif isinstance(event, EndOfMessage):
                seen.append(str(event.trailers))
                try:
                    if isinstance(connection, ServerConnection):
                        connection.send_response(200, "OK", HTTPHeaders(), b"")
                        connection.start_next_cycle()
                except LocalProtocolError:
                    return seen
            else:
                assert isinstance(event, ConnectionClosed)
                break
    return seen


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    choice, data = data[0], data[1:]
    whole = events(connection_for(choice), [data])
    if whole and isinstance(whole[-1], tuple) and isinstance(whole[-1][-1], int):
        assert 400 <= whole[-1][-1] <= 505
    step = 1 + (choice >> 4)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    split = events(connection_for(choice), pieces)
    if choice & 1:
        assert split == whole, (split, whole)
    else:
        # A client sees what follows a response only if it comes along with it.
        assert split[: len(whole)] == whole[: len(split)], (split, whole)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
