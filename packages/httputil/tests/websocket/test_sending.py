"""What a connection says: bytes on the wire, states, and what it refuses to say."""

from array import array
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import (
    ClientConnection,
    Close,
    ConnectionFailed,
    DeflateAgreement,
    LocalError,
    Message,
    Ping,
    Pong,
    ServerConnection,
    State,
)

Connection = ServerConnection | ClientConnection
Buffers = list[bytes | bytearray | memoryview]

SERVER_ROWS: dict[str, tuple[Callable[[Connection], Buffers], bytes]] = {
    "text": (lambda c: c.send_message("Hello"), b"\x81\x05Hello"),
    "not ASCII": (lambda c: c.send_message("é"), b"\x81\x02\xc3\xa9"),
    "binary": (lambda c: c.send_message(b"Hello"), b"\x82\x05Hello"),
    "bytearray": (lambda c: c.send_message(bytearray(b"ab")), b"\x82\x02ab"),
    "memoryview": (lambda c: c.send_message(memoryview(b"ab")), b"\x82\x02ab"),
    "wide items": (
        lambda c: c.send_message(memoryview(array("H", [0x4141, 0x4242]))),
        b"\x82\x04AABB",
    ),
    "sparse items": (lambda c: c.send_message(memoryview(b"abcd")[::2]), b"\x82\x02ac"),
    "empty": (lambda c: c.send_message(""), b"\x81\x00"),
    "125": (lambda c: c.send_message(b"x" * 125), b"\x82\x7d" + b"x" * 125),
    "126": (lambda c: c.send_message(b"x" * 126), b"\x82\x7e\x00\x7e" + b"x" * 126),
    "65535": (lambda c: c.send_message(b"x" * 65535), b"\x82\x7e\xff\xff" + b"x" * 65535),
    "65536": (
        lambda c: c.send_message(b"x" * 65536),
        b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + b"x" * 65536,
    ),
    "fragments": (
        lambda c: (
            c.send_message("a", fin=False)
            + c.send_ping(b"1")
            + c.send_message("b", fin=False)
            + c.send_message("c")
            + c.send_message(b"d")
        ),
        b"\x01\x01a\x89\x011\x00\x01b\x80\x01c\x82\x01d",
    ),
    "ping": (lambda c: c.send_ping(), b"\x89\x00"),
    "pong": (lambda c: c.send_pong(b"x" * 125), b"\x8a\x7d" + b"x" * 125),
    "close": (lambda c: c.send_close(), b"\x88\x00"),
    "close with a code": (lambda c: c.send_close(1000, "bye"), b"\x88\x05\x03\xe8bye"),
    "a long reason": (
        lambda c: c.send_close(1000, "é" * 100),
        b"\x88\x7c\x03\xe8" + "é".encode() * 61,
    ),
    "two closes": (lambda c: c.send_close(1000) + c.send_close(1001), b"\x88\x02\x03\xe8"),
}


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_bytes_of_a_server(name: str) -> None:
    say, expected = SERVER_ROWS[name]
    assert b"".join(say(ServerConnection())) == expected


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_a_client_says_the_same_masked(name: str) -> None:
    say, _ = SERVER_ROWS[name]
    server, client = ServerConnection(), ClientConnection()
    client.receive_data(b"".join(say(ServerConnection())))
    server.receive_data(b"".join(say(ClientConnection())))
    assert list(map(repr, server.events())) == list(map(repr, client.events()))


def test_each_frame_has_a_mask_of_its_own() -> None:
    client = ClientConnection()
    masks = {bytes(client.send_message(b"")[0])[2:6] for _ in range(1000)}
    assert len(masks) > 990


def test_large_payloads_are_not_copied() -> None:
    payload = b"x" * 100_000
    assert ServerConnection().send_message(payload)[1] is payload


Payloads = st.one_of(st.text(max_size=300), st.binary(max_size=300))
AGREEMENTS = [
    None,
    DeflateAgreement(),
    DeflateAgreement(True, True, 9, 9),
    DeflateAgreement(False, True, 8, 8),
]


@given(
    messages=st.lists(st.tuples(Payloads, st.integers(0, 3), st.booleans()), max_size=6),
    agreement=st.sampled_from(AGREEMENTS),
    from_server=st.booleans(),
    step=st.integers(1, 100),
)
def test_what_is_said_is_heard(
    messages: list[tuple[str | bytes, int, bool]],
    agreement: DeflateAgreement | None,
    from_server: bool,
    step: int,
) -> None:
    server, client = ServerConnection(agreement), ClientConnection(agreement)
    ours: Connection
    theirs: Connection
    ours, theirs = (server, client) if from_server else (client, server)
    data = b""
    for message, cuts, compress in messages:
        size = len(message) // (cuts + 1)
        for cut in range(cuts):
            piece = message[cut * size : (cut + 1) * size]
            data += b"".join(ours.send_message(piece, fin=False, compress=compress))
            data += b"".join(ours.send_ping(b"p"))
        data += b"".join(ours.send_message(message[cuts * size :], compress=compress))
    heard = []
    for at in range(0, len(data), step):
        theirs.receive_data(data[at : at + step])
        heard += [event.data for event in theirs.events() if isinstance(event, Message)]
    assert heard == [message for message, _, _ in messages]


# -- the closing handshake -----------------------------------------------------------------------


def peer_closed(connection: Connection) -> bool:
    peer = ClientConnection() if isinstance(connection, ServerConnection) else ServerConnection()
    connection.receive_data(b"".join(peer.send_close(1000)))
    return isinstance(connection.next_event(), Close)


def failed(connection: Connection) -> bool:
    connection.receive_data(b"\xff\xff")
    with pytest.raises(ConnectionFailed):
        connection.next_event()
    return True


BEFORE: dict[str, Callable[[Connection], object]] = {
    "nobody has closed": lambda c: c.send_message("a", fin=False),
    "the peer has sent Close": lambda c: c.send_message("a", fin=False) and peer_closed(c),
    "we have sent Close": lambda c: c.send_message("a", fin=False) + c.send_close(),
    "the connection has failed": lambda c: c.send_message("a", fin=False) and failed(c),
}
# as in the docstring of `states`: state, fragment, Ping and Pong, number of buffers of a Close
STATES: dict[str, tuple[State, bool, bool, int]] = {
    "nobody has closed": (State.OPEN, True, True, 1),
    "the peer has sent Close": (State.CLOSING, True, False, 1),
    "we have sent Close": (State.CLOSING, False, False, 0),
    "the connection has failed": (State.CLOSED, False, False, 1),
}


@pytest.mark.parametrize("role", [ServerConnection, ClientConnection])
@pytest.mark.parametrize("before", BEFORE)
def test_what_may_be_said_when(before: str, role: type[Connection]) -> None:
    connection = role()
    assert BEFORE[before](connection)
    state, fragment, control, closes = STATES[before]
    assert connection.state is state
    sayings: list[tuple[bool, Callable[[], Buffers]]] = [
        (control, connection.send_ping),
        (control, connection.send_pong),
        (fragment, lambda: connection.send_message("b")),
        (state is State.OPEN, lambda: connection.send_message("c")),
    ]
    for allowed, say in sayings:
        if allowed:
            assert say()
        else:
            with pytest.raises(LocalError, match="closed"):
                say()
    assert len(connection.send_close(1000)) == closes
    assert connection.send_close(1000) == []
    assert connection.state is (
        State.CLOSING if state is State.OPEN or not closes else State.CLOSED
    )


@pytest.mark.parametrize("first_is_server", [True, False])
def test_close_handshake(first_is_server: bool) -> None:
    server, client = ServerConnection(), ClientConnection()
    pair: tuple[Connection, Connection] = (server, client) if first_is_server else (client, server)
    first, second = pair
    for buffer in first.send_close(3000, "done"):
        second.receive_data(buffer)
    # What was under way still comes out.
    for buffer in second.send_message("late") + second.send_pong(b"x"):
        first.receive_data(buffer)
    assert [type(event) for event in first.events()] == [Message, Pong]
    close = second.next_event()
    assert isinstance(close, Close)
    assert (close.code, close.reason) == (3000, "done")
    assert (first.state, second.state) == (State.CLOSING, State.CLOSING)
    for buffer in second.send_close(close.code):
        first.receive_data(buffer)
    assert second.state is State.CLOSED
    assert isinstance(first.next_event(), Close)
    assert first.state is State.CLOSED
    assert (first.close_code, second.close_code) == (3000, 3000)


def test_both_close_at_once() -> None:
    server, client = ServerConnection(), ClientConnection()
    ours, theirs = server.send_close(1001), client.send_close(1000)
    server.receive_data(b"".join(theirs))
    client.receive_data(b"".join(ours))
    assert isinstance(server.next_event(), Close)
    assert isinstance(client.next_event(), Close)
    assert server.state is client.state is State.CLOSED


REFUSED: dict[str, Callable[[Connection], object]] = {
    "ping of 126 bytes": lambda c: c.send_ping(b"x" * 126),
    "pong of 126 bytes": lambda c: c.send_pong(b"x" * 126),
    "pong of wide items": lambda c: c.send_pong(memoryview(array("Q", range(16)))),
    "lone surrogate": lambda c: c.send_message("\ud800"),
    "lone surrogate in a reason": lambda c: c.send_close(1000, "\ud800"),
    "reason without a code": lambda c: c.send_close(None, "bye"),
    **{
        f"close code {code}": lambda c, code=code: c.send_close(code)  # type: ignore[misc]
        for code in (-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70000)
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(name: str) -> None:
    connection = ServerConnection()
    with pytest.raises(LocalError):
        REFUSED[name](connection)
    assert connection.state is State.OPEN
    assert connection.send_message("a") == [b"\x81\x01a"]


@pytest.mark.parametrize("agreement", [None, DeflateAgreement()])
def test_what_is_no_message_changes_nothing(agreement: DeflateAgreement | None) -> None:
    connection = ServerConnection(agreement)
    with pytest.raises(TypeError):
        connection.send_message(1, fin=False)  # type: ignore[arg-type]
    assert connection.send_message("a", compress=False) == [b"\x81\x01a"]


def test_fragments_are_of_one_kind() -> None:
    connection = ServerConnection()
    connection.send_message("a", fin=False)
    with pytest.raises(LocalError, match="text or binary"):
        connection.send_message(b"\xff")
    assert connection.send_message("b") == [b"\x80\x01b"]


def test_events_of_a_ping() -> None:
    server, client = ServerConnection(), ClientConnection()
    server.receive_data(b"".join(client.send_ping(b"1")))
    ping = server.next_event()
    assert type(ping) is Ping
    client.receive_data(b"".join(server.send_pong(ping.payload)))
    pong = client.next_event()
    assert type(pong) is Pong
    assert pong.payload == b"1"
