"""What a connection makes of the bytes of its peer: rows of bytes and events, fed in all ways."""

import gc
import sys
import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import (
    ClientConnection,
    Close,
    CloseCode,
    ConnectionFailed,
    DeflateAgreement,
    Event,
    Message,
    Pong,
    ServerConnection,
    Signal,
    State,
)

MASK = b"\x37\xfa\x21\x3d"
LIMIT = 70_000

# What comes out of a connection: messages as they are, the others as tuples; a failure as its code.
Outcome = list[object]


def frame(first: int, payload: bytes = b"", *, masked: bool, length: int | None = None) -> bytes:
    """A frame written without the code under test; ``length`` may lie."""
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    if masked:
        head += MASK
        payload = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return head + payload


def plain(event: Event | Signal) -> object:
    if isinstance(event, Message):
        return event.data
    if isinstance(event, Close):
        return ("close", event.code, event.reason)
    assert not isinstance(event, Signal)
    return ("pong" if isinstance(event, Pong) else "ping", event.payload)


def run(connection: ServerConnection | ClientConnection, pieces: list[bytes]) -> Outcome:
    """All that comes out, by ``events``."""
    outcome: Outcome = []
    try:
        for piece in pieces:
            connection.receive_data(piece)
            outcome.extend(map(plain, connection.events()))
    except ConnectionFailed as error:
        outcome.append(error.code)
    return outcome


def run_one_by_one(connection: ServerConnection | ClientConnection, data: bytes) -> Outcome:
    """All that comes out, by ``next_event``."""
    outcome: Outcome = []
    connection.receive_data(data)
    try:
        while not isinstance(event := connection.next_event(), Signal):
            outcome.append(plain(event))
    except ConnectionFailed as error:
        outcome.append(error.code)
    return outcome


Frames = list[tuple[int, bytes]]
LONG = bytes(range(256)) * 17
TOO_BIG = CloseCode.MESSAGE_TOO_BIG
INVALID = CloseCode.INVALID_DATA
PROTOCOL = CloseCode.PROTOCOL_ERROR
EURO = "€".encode()

# first byte and payload of each frame -> what comes out (without compression)
ROWS: dict[str, tuple[Frames, Outcome]] = {
    "nothing": ([], []),
    "text": ([(0x81, b"hello")], ["hello"]),
    "empty text": ([(0x81, b"")], [""]),
    "empty binary": ([(0x82, b"")], [b""]),
    "binary": ([(0x82, b"\xff\x00")], [b"\xff\x00"]),
    "text of all widths": ([(0x81, "aé€😀".encode())], ["aé€😀"]),
    "125 bytes": ([(0x82, b"x" * 125)], [b"x" * 125]),
    "126 bytes": ([(0x82, b"x" * 126)], [b"x" * 126]),
    "127 bytes": ([(0x81, b"x" * 127)], ["x" * 127]),
    "4 KiB": ([(0x82, LONG)], [LONG]),
    "two messages": ([(0x81, b"a"), (0x82, b"b")], ["a", b"b"]),
    "fragments": ([(0x01, b"a"), (0x00, b"b"), (0x80, b"c")], ["abc"]),
    "binary fragments": ([(0x02, LONG), (0x00, LONG), (0x80, LONG)], [LONG * 3]),
    "empty fragments": ([(0x01, b""), (0x00, b""), (0x80, b"")], [""]),
    "empty binary fragments": ([(0x02, b""), (0x80, b"")], [b""]),
    "the last fragment empty": ([(0x02, b"a"), (0x80, b"")], [b"a"]),
    "the first fragment empty": ([(0x01, b""), (0x80, EURO)], ["€"]),
    "a character in fragments": (
        [(0x01, b"\xf0"), (0x00, b"\x9f"), (0x00, b"\x98"), (0x80, b"\x80")],
        ["😀"],
    ),
    "control frames between fragments": (
        [(0x01, b"a"), (0x89, b"1"), (0x00, b"b"), (0x8A, b"2"), (0x80, b"c"), (0x81, b"d")],
        [("ping", b"1"), ("pong", b"2"), "abc", "d"],
    ),
    "ping": ([(0x89, b""), (0x89, b"x" * 125)], [("ping", b""), ("ping", b"x" * 125)]),
    "ping of 126 bytes": ([(0x89, b"x" * 126)], [PROTOCOL]),
    "pong": ([(0x8A, b"\xff")], [("pong", b"\xff")]),
    "close": ([(0x88, b"")], [("close", None, "")]),
    "close with a code": ([(0x88, b"\x03\xe8")], [("close", 1000, "")]),
    "close with a reason": ([(0x88, b"\x03\xe9" + EURO)], [("close", 1001, "€")]),
    "close of 125 bytes": ([(0x88, b"\x03\xe8" + b"x" * 123)], [("close", 1000, "x" * 123)]),
    "close of one byte": ([(0x88, b"\x03")], [PROTOCOL]),
    "close that is not UTF-8": ([(0x88, b"\x03\xe8\xff")], [INVALID]),
    "close cut in a character": ([(0x88, b"\x03\xe8\xe2\x82")], [INVALID]),
    "behind a close": ([(0x88, b""), (0x81, b"a"), (0xFF, b"")], [("close", None, "")]),
    "close inside a message": ([(0x01, b"a"), (0x88, b""), (0x80, b"")], [("close", None, "")]),
    "rsv1": ([(0xC1, b"a")], [PROTOCOL]),
    "rsv2": ([(0xA1, b"a")], [PROTOCOL]),
    "rsv3": ([(0x91, b"a")], [PROTOCOL]),
    "rsv1 in a control frame": ([(0xC9, b"")], [PROTOCOL]),
    "rsv2 in a close": ([(0xA8, b"")], [PROTOCOL]),
    "fragmented ping": ([(0x09, b"")], [PROTOCOL]),
    "fragmented close": ([(0x08, b"")], [PROTOCOL]),
    "continuation of nothing": ([(0x80, b"a")], [PROTOCOL]),
    "unfinished continuation of nothing": ([(0x00, b"a")], [PROTOCOL]),
    "continuation of what is over": ([(0x81, b"a"), (0x80, b"b")], ["a", PROTOCOL]),
    "message inside a message": ([(0x01, b"a"), (0x81, b"b")], [PROTOCOL]),
    "binary inside a text": ([(0x01, b"a"), (0x02, b"b")], [PROTOCOL]),
    "bad text": ([(0x81, b"a\xff")], [INVALID]),
    "text of surrogates": ([(0x81, b"\xed\xa0\x80")], [INVALID]),
    "overlong text": ([(0x81, b"\xc0\xaf")], [INVALID]),
    "beyond Unicode": ([(0x81, b"\xf4\x90\x80\x80")], [INVALID]),
    "text cut in a character": ([(0x81, b"a\xe2\x82")], [INVALID]),
    "long text cut in a character": ([(0x81, b"a" * 3000 + b"\xe2\x82")], [INVALID]),
    "fragments cut in a character": ([(0x01, b"\xe2"), (0x80, b"\x82")], [INVALID]),
    "bad text in a fragment": ([(0x01, b"a\xff"), (0x00, b"b")], [INVALID]),
    "bad byte behind half a character": ([(0x01, b"\xe2"), (0x00, b"a")], [INVALID]),
    "good before bad": ([(0x81, b"a"), (0x89, b""), (0xF1, b"")], ["a", ("ping", b""), PROTOCOL]),
    "as large as allowed": ([(0x82, b"x" * LIMIT)], [b"x" * LIMIT]),
    "too large": ([(0x82, b"x" * (LIMIT + 1))], [TOO_BIG]),
    "too large in sum": ([(0x02, b"x" * 40_000), (0x80, b"x" * 30_001)], [TOO_BIG]),
    **{f"opcode {code}": ([(0x80 | code, b"")], [PROTOCOL]) for code in (3, 4, 5, 6, 7, 11, 15)},
    **{
        f"close code {code}": ([(0x88, code.to_bytes(2, "big"))], [("close", code, "")])
        for code in (1000, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999)
    },
    **{
        f"close code {code}": ([(0x88, code.to_bytes(2, "big"))], [PROTOCOL])
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


def connection_of(server: bool) -> ServerConnection | ClientConnection:
    return (ServerConnection if server else ClientConnection)(max_message_size=LIMIT)


def wire(frames: Frames, server: bool) -> bytes:
    return b"".join(frame(first, payload, masked=server) for first, payload in frames)


@pytest.mark.parametrize("server", [True, False], ids=["server", "client"])
@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str, server: bool) -> None:
    frames, expected = ROWS[name]
    data = wire(frames, server)
    assert run(connection_of(server), [data]) == expected
    assert run_one_by_one(connection_of(server), data) == expected
    assert run(connection_of(server), [data[at : at + 1] for at in range(len(data))]) == expected
    assert run(connection_of(server), [data[at : at + 7] for at in range(0, len(data), 7)]) == (
        expected
    )


@given(st.data(), st.booleans())
def test_any_split_gives_the_same(data: st.DataObject, server: bool) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(ROWS)), min_size=1, max_size=4))
    bytes_ = wire([one for name in names for one in ROWS[name][0]], server)
    cuts = data.draw(st.lists(st.integers(0, len(bytes_)), max_size=8).map(sorted))
    pieces = [bytes_[start:end] for start, end in pairwise([0, *cuts, len(bytes_)])]
    expected = run(connection_of(server), [bytes_])
    assert run(connection_of(server), pieces) == expected
    # All in the buffer before the first event is asked for.
    connection = connection_of(server)
    for piece in pieces:
        connection.receive_data(piece)
    assert run(connection, [b""]) == expected


@given(st.binary(max_size=300), st.integers(1, 20), st.booleans(), st.booleans())
def test_any_input_fails_as_documented(data: bytes, step: int, server: bool, deflate: bool) -> None:
    agreement = DeflateAgreement() if deflate else None
    for pieces in ([data], [data[at : at + step] for at in range(0, len(data), step)]):
        role = ServerConnection if server else ClientConnection
        run(role(agreement, max_message_size=100), pieces)


@pytest.mark.parametrize(
    ("server", "data"),
    [
        (True, frame(0x81, b"a", masked=False)),
        (True, frame(0x89, b"", masked=False)),
        (True, frame(0x88, b"", masked=False)),
        (False, frame(0x81, b"a", masked=True)),
        (False, frame(0x8A, b"", masked=True)),
        (False, frame(0x82, LONG, masked=True)),
    ],
)
def test_masking_is_by_role(server: bool, data: bytes) -> None:
    assert run(connection_of(server), [data]) == [PROTOCOL]
    assert run(connection_of(server), [data[at : at + 1] for at in range(len(data))]) == [PROTOCOL]


@pytest.mark.parametrize(
    "head",
    [
        b"\x82\x7e\x00\x7d",  # 125 in 16 bits
        b"\x81\x7e\x00\x00",
        b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff",  # 65535 in 64 bits
        b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00",  # negative
    ],
)
@pytest.mark.parametrize("server", [True, False], ids=["server", "client"])
def test_lengths_are_in_their_shortest_form(server: bool, head: bytes) -> None:
    if server:
        head = head[:1] + bytes((head[1] | 0x80,)) + head[2:] + MASK
    assert run(connection_of(server), [head + b"x" * 200]) == [PROTOCOL]
    assert run(connection_of(server), [head[at : at + 1] for at in range(len(head))]) == [PROTOCOL]


# Security: what fails does so as soon as it can be known.


def test_too_large_a_frame_fails_at_its_header() -> None:
    """aiohttp CVE-2026-54274: a large frame that is never finished."""
    connection = ServerConnection(max_message_size=1000)
    head = frame(0x82, b"", masked=True, length=1001)
    assert run(connection, [head]) == [TOO_BIG]
    connection = ServerConnection(max_message_size=1000)
    head = frame(0x82, b"", masked=True, length=1 << 62)
    assert run(connection, [head]) == [TOO_BIG]


def test_bad_text_fails_inside_an_unfinished_frame() -> None:
    connection = ServerConnection()
    start = frame(0x81, "é".encode() + b"\xff", masked=True, length=1000)
    assert run(connection, [start[:-1]]) == []
    assert run(connection, [start[-1:]]) == [INVALID]


def test_a_dribbled_frame_holds_what_came_and_no_more() -> None:
    connection = ClientConnection()
    connection.receive_data(frame(0x82, b"", masked=False, length=200_000))
    assert connection.next_event() is Signal.NEED_DATA
    for _ in range(100_000):
        connection.receive_data(b"x")
        connection.next_event()
    assert not connection._buffer
    assert connection._incomplete is not None
    assert sys.getsizeof(connection._incomplete._content) < 150_000


def test_tiny_fragments_hold_little_memory() -> None:
    """npm ws CVE-2026-48779: a fragment costs its bytes, not an object."""
    connection = ClientConnection()
    connection.receive_data(frame(0x01, b"", masked=False))
    one = frame(0x00, b"x", masked=False) + frame(0x00, b"", masked=False)
    for _ in range(100):
        connection.receive_data(one * 1000)
        assert list(connection.events()) == []
    assert connection._incomplete is not None
    assert sys.getsizeof(connection._incomplete._content) < 150_000
    assert not connection._buffer


def test_a_failure_sticks_and_nothing_more_is_kept() -> None:
    connection = ServerConnection()
    connection.receive_data(frame(0x83, b"", masked=True))
    for _ in range(3):
        with pytest.raises(ConnectionFailed) as info:
            connection.next_event()
        assert info.value.code == PROTOCOL
        with pytest.raises(ConnectionFailed):
            list(connection.events())
        connection.receive_data(frame(0x81, b"a", masked=True))
        assert not connection._buffer
    assert connection.state is State.CLOSED
    assert str(info.value) == "unknown opcode 3 (1002)"


def test_data_behind_a_close_is_not_kept() -> None:
    connection = ServerConnection()
    connection.receive_data(frame(0x88, b"\x03\xe8bye", masked=True) + b"x" * 1000)
    assert [type(event) for event in connection.events()] == [Close]
    connection.receive_data(b"x" * 1000)
    assert not connection._buffer
    assert connection.next_event() is Signal.NEED_DATA
    assert (connection.close_code, connection.close_reason) == (1000, "bye")


def test_a_close_without_a_code() -> None:
    connection = ServerConnection()
    connection.receive_data(frame(0x88, b"", masked=True))
    before = connection.close_code, connection.close_reason
    connection.next_event()
    assert before == (None, None)
    assert (connection.close_code, connection.close_reason) == (CloseCode.NO_CODE, "")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
@pytest.mark.parametrize("server", [True, False], ids=["server", "client"])
def test_input_may_be_reused(server: bool, kind: type[bytearray] | type[memoryview]) -> None:
    connection = connection_of(server)
    data = bytearray(frame(0x82, b"abc", masked=server) + frame(0x82, b"def", masked=server)[:-1])
    connection.receive_data(kind(data))
    data[:] = bytes(len(data))
    last = frame(0x82, b"def", masked=server)[-1:]
    assert run(connection, [last]) == [b"abc", b"def"]


def test_reads_pile_up_while_events_are_left() -> None:
    connection = ClientConnection()
    message = frame(0x82, b"x" * 300, masked=False)
    connection.receive_data(message * 3)
    assert plain(one_of(connection)) == b"x" * 300
    for _ in range(300):  # beyond what is left in front of a buffer
        connection.receive_data(message[:100])
        connection.receive_data(message[100:])
        event = one_of(connection)
        assert plain(event) == b"x" * 300
        assert isinstance(event, Message)
        assert type(event.data) is bytes
        assert len(connection._buffer) < 70_000
    assert [plain(event) for event in connection.events()] == [b"x" * 300] * 2


def one_of(connection: ServerConnection | ClientConnection) -> Event:
    event = connection.next_event()
    assert not isinstance(event, Signal)
    return event


def test_reading_inside_events() -> None:
    """More may be received while the events of the last read are being taken."""
    connection = ClientConnection()
    connection.receive_data(frame(0x81, b"0", masked=False) * 2)
    seen = []
    for event in connection.events():
        seen.append(plain(event))
        if len(seen) < 5:
            connection.receive_data(frame(0x81, b"%d" % len(seen), masked=False))
    assert seen == ["0", "0", "1", "2", "3", "4"]


def test_a_failed_connection_is_no_cycle() -> None:
    class Weak(ServerConnection):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        for data in (b"\x83\x80", frame(0x81, b"\xff", masked=True)):
            connection = Weak()
            connection.receive_data(data)
            with pytest.raises(ConnectionFailed):
                list(connection.events())
            reference = weakref.ref(connection)
            del connection
            assert reference() is None
    finally:
        gc.enable()


def test_an_idle_connection_is_small() -> None:
    connection = ServerConnection(DeflateAgreement())
    assert not hasattr(connection, "__dict__")
    assert connection._compressor is not None
    assert connection._decompressor is not None
    # zlib takes some 300 KiB for the two of them.
    assert connection._compressor._compressor is None
    assert connection._decompressor._decompressor is None
    connection.receive_data(frame(0x01, b"a", masked=True) + frame(0x80, b"b", masked=True))
    assert len(list(connection.events())) == 1
    assert connection._incomplete is None
    assert connection._header is None


@pytest.mark.parametrize("ask", ["next_event", "events"])
def test_patience_ends_with_so_many_fragments(ask: str) -> None:
    connection = ClientConnection()
    connection.receive_data(b"\x01\x01a" + b"\x00\x00" * 25 + b"\x80\x01b" + b"\x81\x01c")
    turns = 0
    messages: list[object] = []
    while len(messages) < 2:
        if ask == "events":
            messages += [event.data for event in connection.events(10) if type(event) is Message]
            turns += connection.more
        else:
            event = connection.next_event(10)
            if event is Signal.MORE:
                turns += 1
            else:
                assert isinstance(event, Message)
                messages.append(event.data)
    assert messages == ["ab", "c"]
    assert turns == 2
    assert connection.next_event(10) is Signal.NEED_DATA
    assert list(connection.events(10)) == []
    assert not connection.more
