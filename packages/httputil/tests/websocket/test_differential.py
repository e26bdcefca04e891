"""The same bytes to wsproto and to websockets; permessage-deflate between us and them.

`DIFFERENCES` says where they make something else of the bytes of `INPUTS`, and why; everything else
has to be the same, message by message and code by code.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.websocket import (
    ClientConnection,
    ClientHandshake,
    Close,
    ConnectionFailed,
    DeflateAgreement,
    DeflateOptions,
    Message,
    Pong,
    ServerConnection,
    accept,
    read_request,
)

LIMIT = 5000
MASK = b"\x01\x02\x03\x04"
Outcome = list[object]
Role = ServerConnection | ClientConnection


def frame(first: int, payload: bytes = b"", masked: bool = True) -> bytes:
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    else:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    if masked:
        head += MASK
        payload = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return head + payload


# What a client sends to a server.
INPUTS: dict[str, bytes] = {
    "text": frame(0x81, b"hello"),
    "not ASCII": frame(0x81, "é€😀".encode()),
    "binary": frame(0x82, b"\xff" * 1000),
    "empty": frame(0x81) + frame(0x82),
    "fragments": frame(0x01, b"a") + frame(0x00, b"b") + frame(0x80, b"c"),
    "empty fragments": frame(0x02) + frame(0x00) + frame(0x80),
    "half characters": frame(0x01, b"\xe2") + frame(0x00, b"\x82") + frame(0x80, b"\xac"),
    "control frames": frame(0x01, b"a") + frame(0x89, b"p") + frame(0x8A, b"q") + frame(0x80),
    "close": frame(0x88),
    "close 1000": frame(0x88, b"\x03\xe8bye"),
    "close 4000": frame(0x88, b"\x0f\xa0"),
    "close inside a message": frame(0x01, b"a") + frame(0x88, b"\x03\xe9"),
    "close behind a message": frame(0x81, b"a") + frame(0x88, b"\x03\xe9"),
    "close of one byte": frame(0x88, b"\x03"),
    "close 1005": frame(0x88, b"\x03\xed"),
    "close 1006": frame(0x88, b"\x03\xee"),
    "close 1004": frame(0x88, b"\x03\xec"),
    "close 1015": frame(0x88, b"\x03\xf7"),
    "close 1016": frame(0x88, b"\x03\xf8"),
    "close 2999": frame(0x88, b"\x0b\xb7"),
    "close 5000": frame(0x88, b"\x13\x88"),
    "close 999": frame(0x88, b"\x03\xe7"),
    "close 1012": frame(0x88, b"\x03\xf4"),
    "close not UTF-8": frame(0x88, b"\x03\xe8\xff"),
    "not UTF-8": frame(0x81, b"\xff"),
    "not UTF-8 in a fragment": frame(0x01, b"\xff"),
    "cut in a character": frame(0x81, b"\xe2\x82"),
    "surrogates": frame(0x81, b"\xed\xa0\x80"),
    "rsv1": frame(0xC1, b"a"),
    "rsv2": frame(0xA1, b"a"),
    "rsv3": frame(0x91, b"a"),
    "rsv1 in a ping": frame(0xC9),
    "opcode 3": frame(0x83),
    "opcode 11": frame(0x8B),
    "fragmented ping": frame(0x09),
    "long ping": frame(0x89, b"x" * 126),
    "continuation of nothing": frame(0x80, b"a"),
    "message inside a message": frame(0x01, b"a") + frame(0x81, b"b"),
    "unmasked": frame(0x81, b"a", masked=False),
    "long form of a length": b"\x82\xfe\x00\x01" + MASK + b"x",
    "longest form of a length": b"\x82\xff" + (1).to_bytes(8, "big") + MASK + b"x",
    "negative length": b"\x82\xff" + (1 << 63).to_bytes(8, "big") + MASK,
    "too large": frame(0x82, b"x" * (LIMIT + 1)),
    "too large in sum": frame(0x02, b"x" * LIMIT) + frame(0x80, b"x"),
    "unfinished": frame(0x81, b"hello")[:-1],
}

# (peer, input) -> what it makes of it, and why it is not what we do
DIFFERENCES: dict[tuple[str, str], tuple[Outcome, str]] = {
    ("wsproto", "too large"): ([b"x" * (LIMIT + 1)], "it has no limit"),
    ("wsproto", "too large in sum"): ([b"x" * (LIMIT + 1)], "it has no limit"),
    ("websockets", "close inside a message"): (
        [1002],
        "it wants the message to end first; RFC 6455 §5.4 allows any control frame in between",
    ),
    ("websockets", "not UTF-8 in a fragment"): ([], "text is decoded when it is complete"),
    ("websockets", "long form of a length"): ([b"y"], "RFC 6455 §5.2: the minimal number of bytes"),
    ("websockets", "longest form of a length"): ([b"y"], "the same"),
    ("websockets", "negative length"): ([1009], "too large, too; but no length at all"),
}


def ours(data: bytes) -> Outcome:
    connection = ServerConnection(max_message_size=LIMIT)
    outcome: Outcome = []
    connection.receive_data(data)
    try:
        for event in connection.events():
            if isinstance(event, Message):
                outcome.append(event.data)
            elif isinstance(event, Close):
                outcome.append(("close", event.code, event.reason))
            else:
                outcome.append(("pong" if isinstance(event, Pong) else "ping", event.payload))
    except ConnectionFailed as error:
        outcome.append(int(error.code))
    return outcome


def of_wsproto(data: bytes) -> Outcome:
    connection_module: Any = pytest.importorskip("wsproto.connection")
    events: Any = pytest.importorskip("wsproto.events")
    connection = connection_module.Connection(connection_module.ConnectionType.SERVER)
    outcome: Outcome = []
    parts: list[Any] = []
    try:
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, events.Message):
                parts.append(event.data)
                if event.message_finished:
                    outcome.append(type(event.data)().join(parts))
                    parts.clear()
            elif isinstance(event, events.CloseConnection):
                if connection.state.name == "OPEN":  # made up, for what it cannot parse
                    outcome.append(int(event.code))
                    break
                code = None if event.code == 1005 else int(event.code)
                outcome.append(("close", code, event.reason or ""))
            else:
                kind = "ping" if isinstance(event, events.Ping) else "pong"
                outcome.append((kind, bytes(event.payload)))
    except pytest.importorskip("wsproto.utilities").LocalProtocolError:
        pytest.fail("wsproto takes these bytes for our own fault")
    return outcome


def of_websockets(data: bytes) -> Outcome:
    server: Any = pytest.importorskip("websockets.server")
    states: Any = pytest.importorskip("websockets.protocol")
    frames: Any = pytest.importorskip("websockets.frames")
    protocol = server.ServerProtocol(state=states.State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    outcome: Outcome = []
    parts: list[bytes] = []
    text = False
    for event in protocol.events_received():
        if event.opcode is frames.Opcode.CLOSE:
            code = protocol.close_rcvd.code
            outcome.append(("close", None if code == 1005 else code, protocol.close_rcvd.reason))
        elif event.opcode in (frames.Opcode.PING, frames.Opcode.PONG):
            outcome.append((event.opcode.name.lower(), bytes(event.data)))
        else:
            if event.opcode is not frames.Opcode.CONT:
                text = event.opcode is frames.Opcode.TEXT
            parts.append(event.data)
            if event.fin:
                whole = b"".join(parts)
                parts.clear()
                try:
                    outcome.append(whole.decode() if text else whole)
                except UnicodeDecodeError:
                    return [*outcome, 1007]
    if protocol.parser_exc is not None and protocol.close_sent is not None:
        outcome.append(int(protocol.close_sent.code))
    return outcome


PEERS: dict[str, Callable[[bytes], Outcome]] = {
    "wsproto": of_wsproto,
    "websockets": of_websockets,
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("peer", PEERS)
def test_inputs(peer: str, name: str) -> None:
    expected = ours(INPUTS[name])
    outcome = PEERS[peer](INPUTS[name])
    if (peer, name) in DIFFERENCES:
        assert outcome == DIFFERENCES[peer, name][0] != expected
    else:
        assert outcome == expected


def inside_a_message(frames: list[tuple[int, bytes]]) -> bool:
    """Whether the first Close comes before the last fragment of a message."""
    first = next((number for number, (byte, _) in enumerate(frames) if byte == 0x88), 0)
    data_frames = [byte for byte, _ in frames[:first] if byte & 0x0F < 3]
    return data_frames[-1:] != [] and not data_frames[-1] & 0x80


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x83]),
            st.sampled_from([b"", b"a", b"\xc3\xa9", b"\xc3", b"\xa9", b"\x03\xe8", b"\xff"]),
        ),
        max_size=8,
    )
)
@pytest.mark.parametrize("peer", PEERS)
def test_any_frames(peer: str, frames: list[tuple[int, bytes]]) -> None:
    data = b"".join(frame(first, payload) for first, payload in frames)
    expected, outcome = ours(data), PEERS[peer](data)
    if peer == "websockets" and expected[-1:] == [1007]:
        # It decodes text when it is complete, if it ever is.
        expected = expected[:-1]
        outcome = outcome[: len(expected)]
    if peer == "websockets" and inside_a_message(frames) and outcome[-1:] == [1002]:
        outcome = [*outcome[:-1], *expected[-1:]]  # it allows no Close there
    assert outcome == expected


# -- permessage-deflate between two implementations -----------------------------------------------

OPTIONS = {
    "plain": DeflateOptions(),
    "no takeover": DeflateOptions(True, True),
    "server alone": DeflateOptions(server_no_context_takeover=True),
    "client alone": DeflateOptions(client_no_context_takeover=True),
    "small windows": DeflateOptions(False, False, 9, 10),
    "no effort": DeflateOptions(level=0, memory_level=1),
}
MESSAGES: list[str | bytes] = ["a" * 1000, "", b"", "é" * 300, b"a" * 1000, bytes(range(256)) * 8]
MESSAGES += MESSAGES[::-1]


def agreed(options: DeflateOptions) -> DeflateAgreement:
    outcome = options.accept(options.offer())
    assert outcome is not None
    return outcome[1]


def wsproto_connection(agreement: DeflateAgreement, server: bool) -> Any:
    connection: Any = pytest.importorskip("wsproto.connection")
    extensions: Any = pytest.importorskip("wsproto.extensions")
    deflate = extensions.PerMessageDeflate(
        client_no_context_takeover=agreement.client_no_context_takeover,
        client_max_window_bits=agreement.client_max_window_bits,
        server_no_context_takeover=agreement.server_no_context_takeover,
        server_max_window_bits=agreement.server_max_window_bits,
    )
    deflate._enabled = True  # which is what its handshake does
    kind = connection.ConnectionType
    return connection.Connection(kind.SERVER if server else kind.CLIENT, [deflate])


@pytest.mark.parametrize("we_serve", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_deflate_with_wsproto(name: str, we_serve: bool) -> None:
    events: Any = pytest.importorskip("wsproto.events")
    agreement = agreed(OPTIONS[name])
    us: Role = (ServerConnection if we_serve else ClientConnection)(agreement)
    them = wsproto_connection(agreement, not we_serve)
    heard_by_them = []
    parts: list[Any] = []
    for message in MESSAGES:
        half = len(message) // 2
        them.receive_data(b"".join(us.send_message(message[:half], fin=False)))
        them.receive_data(b"".join(us.send_message(message[half:])))
        for event in them.events():
            parts.append(event.data)
            if event.message_finished:
                heard_by_them.append(type(message)().join(parts))
                parts.clear()
        us.receive_data(them.send(events.Message(data=message[:half], message_finished=False)))
        us.receive_data(them.send(events.Message(data=message[half:])))
    assert heard_by_them == MESSAGES
    assert [event.data for event in us.events() if isinstance(event, Message)] == MESSAGES


def websockets_protocol(agreement: DeflateAgreement, server: bool) -> Any:
    deflate: Any = pytest.importorskip("websockets.extensions.permessage_deflate")
    states: Any = pytest.importorskip("websockets.protocol")
    alone = (agreement.server_no_context_takeover, agreement.client_no_context_takeover)
    bits = (agreement.server_max_window_bits, agreement.client_max_window_bits)
    ours, theirs = (0, 1) if server else (1, 0)
    extension = deflate.PerMessageDeflate(alone[theirs], alone[ours], bits[theirs], bits[ours])
    side = states.Side.SERVER if server else states.Side.CLIENT
    protocol = states.Protocol(side, state=states.State.OPEN)
    protocol.extensions = [extension]
    return protocol


@pytest.mark.parametrize("we_serve", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_deflate_with_websockets(name: str, we_serve: bool) -> None:
    agreement = agreed(OPTIONS[name])
    us: Role = (ServerConnection if we_serve else ClientConnection)(agreement)
    them = websockets_protocol(agreement, not we_serve)
    heard_by_them: list[str | bytes] = []
    for message in MESSAGES:
        half = len(message) // 2
        them.receive_data(b"".join(us.send_message(message[:half], fin=False)))
        them.receive_data(b"".join(us.send_message(message[half:])))
        whole = b"".join(event.data for event in them.events_received())
        heard_by_them.append(whole.decode() if isinstance(message, str) else whole)
        for piece, fin in ((message[:half], False), (message[half:], True)):
            payload = piece.encode() if isinstance(piece, str) else piece
            if fin:
                them.send_continuation(payload, True)
            elif isinstance(piece, str):
                them.send_text(payload, False)
            else:
                them.send_binary(payload, False)
        us.receive_data(b"".join(them.data_to_send()))
    assert heard_by_them == MESSAGES
    assert [event.data for event in us.events() if isinstance(event, Message)] == MESSAGES


def test_handshake_with_wsproto() -> None:
    """Our client's request to wsproto's server, by the fields."""
    wsproto: Any = pytest.importorskip("wsproto")
    events: Any = pytest.importorskip("wsproto.events")
    extensions: Any = pytest.importorskip("wsproto.extensions")
    client = ClientHandshake(["a", "b"], DeflateOptions(client_max_window_bits=12))
    headers = client.headers()
    headers["Host"] = "example.com"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.get_all())
    server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    server.receive_data(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    assert isinstance(next(server.events()), events.Request)
    answer = server.send(
        events.AcceptConnection(subprotocol="b", extensions=[extensions.PerMessageDeflate()])
    )
    fields = HTTPHeaders.parse(answer.decode().partition("\r\n")[2])
    agreement = client.read_response(101, fields)
    assert agreement.subprotocol == "b"
    assert agreement.deflate is not None
    assert agreement.deflate.client_max_window_bits <= 12


def test_handshake_with_websockets() -> None:
    """The request of websockets' client to us, and our answer."""
    client_module: Any = pytest.importorskip("websockets.client")
    deflate: Any = pytest.importorskip("websockets.extensions.permessage_deflate")
    http11: Any = pytest.importorskip("websockets.http11")
    structures: Any = pytest.importorskip("websockets.datastructures")
    uri: Any = pytest.importorskip("websockets.uri")
    factory = deflate.ClientPerMessageDeflateFactory(server_max_window_bits=10)
    client = client_module.ClientProtocol(
        uri.parse_uri("ws://example.com/"), extensions=[factory], subprotocols=["a", "b"]
    )
    theirs = client.connect()
    request = read_request("GET", "HTTP/1.1", HTTPHeaders(theirs.headers.raw_items()))
    assert request.subprotocols == ["a", "b"]
    headers, agreement = accept(request, "b", DeflateOptions())
    assert agreement.deflate is not None
    assert agreement.deflate.server_max_window_bits == 10
    client.process_response(
        http11.Response(101, "Switching Protocols", structures.Headers(headers.get_all()))
    )
    assert client.subprotocol == "b"
    [extension] = client.extensions
    assert extension.remote_max_window_bits == 10
