"""How the tests of `zonda.httputil.http1` feed a connection and write down what it says."""

from collections.abc import Callable, Iterable

import pytest

from zonda.httputil.http1 import (
    ClientConnection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    RemoteProtocolError,
    Request,
    ServerConnection,
    Signal,
)

Seen = list[tuple[object, ...]]


def describe(connection: ServerConnection | ClientConnection, seen: Seen) -> bool:
    """Append the events that are to be had to `seen`, content joined; whether an error ended it."""
    while True:
        try:
            event = connection.next_event()
        except RemoteProtocolError as error:
            seen.append(("error", error.status, type(error).__name__))
            return True
        if isinstance(event, Signal):
            return False
        if isinstance(event, Data):
            assert event.data, "empty Data event"
            if seen and seen[-1][0] == "data":
                content = seen.pop()[1]
                assert isinstance(content, bytes)
                seen.append(("data", content + bytes(event.data)))
            else:
                seen.append(("data", event.data))
        elif isinstance(event, Request):
            seen.append(
                (
                    "request",
                    event.method,
                    event.target,
                    event.version,
                    event.host,
                    event.content_length,
                    event.chunked,
                    event.keep_alive,
                    event.expect_continue,
                    event.upgrade,
                    list(event.headers.get_all()),
                )
            )
        elif isinstance(event, InformationalResponse):
            fields = list(event.headers.get_all())
            seen.append(("response", event.status, event.reason, event.version, fields))
        elif isinstance(event, EndOfMessage):
            trailers = event.trailers
            seen.append(("end", None if trailers is None else list(trailers.get_all())))
        else:
            assert isinstance(event, ConnectionClosed)
            seen.append(("closed",))
            return False


def feed(connection: ServerConnection | ClientConnection, pieces: Iterable[bytes]) -> Seen:
    """What `connection` says when `pieces` arrive one by one (``b""``: the end)."""
    seen: Seen = []
    for piece in pieces:
        connection.receive_data(piece)
        if describe(connection, seen):
            break
    return seen


@pytest.fixture(scope="session", name="feed")
def feed_fixture() -> Callable[[ServerConnection | ClientConnection, Iterable[bytes]], Seen]:
    return feed
