"""permessage-deflate: the negotiation as a table, compression, bounds."""

import zlib
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import (
    ClientConnection,
    CloseCode,
    ConnectionFailed,
    DeflateAgreement,
    DeflateOptions,
    HandshakeError,
    Message,
    ServerConnection,
)
from zonda.httputil.websocket.deflate import MessageCompressor, MessageDecompressor
from zonda.httputil.websocket.extensions import parse_extensions

Pairs: TypeAlias = list[tuple[str, str | None]]


def pairs(text: str) -> Pairs:
    """Parameters as they are on the wire, names shortened as below."""
    names = {"sn": "server_no_context_takeover", "cn": "client_no_context_takeover"}
    names |= {"sb": "server_max_window_bits", "cb": "client_max_window_bits"}
    if not text:
        return []
    [extension] = parse_extensions([f"x; {text}"])
    return [(names.get(name, name), value) for name, value in extension.parameters]


OPTIONS = {
    "none": DeflateOptions(),
    "alone": DeflateOptions(server_no_context_takeover=True, client_no_context_takeover=True),
    "small": DeflateOptions(server_max_window_bits=10, client_max_window_bits=11),
    "tiny": DeflateOptions(server_max_window_bits=8, client_max_window_bits=8),
}

# server's options, offer -> answer and (server alone, client alone, server bits, client bits)
ACCEPT: list[tuple[str, str, str, tuple[bool, bool, int, int]]] = [
    ("none", "", "", (False, False, 15, 15)),
    ("none", "cb", "", (False, False, 15, 15)),
    ("none", "cb=10", "cb=10", (False, False, 15, 10)),
    ("none", "cb=8", "cb=8", (False, False, 15, 8)),
    ("none", "cb=15", "", (False, False, 15, 15)),
    ("none", "sb=15", "sb=15", (False, False, 15, 15)),
    ("none", "sb=9", "sb=9", (False, False, 9, 15)),
    ("none", "sb=8", "sb=8", (False, False, 8, 15)),
    ("none", "sn", "sn", (True, False, 15, 15)),
    ("none", "cn", "cn", (False, True, 15, 15)),
    ("none", 'sn; cn; sb="12"; cb=13', "sn; cn; sb=12; cb=13", (True, True, 12, 13)),
    ("alone", "", "sn; cn", (True, True, 15, 15)),
    ("alone", "sn", "sn; cn", (True, True, 15, 15)),
    ("small", "", "sb=10", (False, False, 10, 15)),  # a client that cannot be told
    ("small", "cb", "sb=10; cb=11", (False, False, 10, 11)),
    ("small", "cb=9; sb=9", "sb=9; cb=9", (False, False, 9, 9)),
    ("small", "cb=14; sb=14", "sb=10; cb=11", (False, False, 10, 11)),
    ("tiny", "cb", "sb=8; cb=8", (False, False, 8, 8)),
]

DECLINED = [
    "sn=1", "cn=true", "sb", "sb=7", "sb=16", "sb=08", "sb=+9", "sb=x", "cb=7", "cb=16", "cb=010",
    "sn; sn", "cb; cb=10", "sb=10; sb=10", "unknown", "sn; foo=1", "SN",
]  # fmt: skip

# client's options, answer -> agreement as above, or None: refused
AGREE: list[tuple[str, str, tuple[bool, bool, int, int] | None]] = [
    ("none", "", (False, False, 15, 15)),
    ("none", "sn; cn", (True, True, 15, 15)),
    ("none", "sb=8; cb=8", (False, False, 8, 8)),
    ("none", "sb=12", (False, False, 12, 15)),
    ("none", "cb", None),
    ("none", "sb", None),
    ("none", "sb=7", None),
    ("none", "cb=16", None),
    ("none", "sn=1", None),
    ("none", "sn; sn", None),
    ("none", "foo", None),
    ("alone", "", None),
    ("alone", "cn", None),
    ("alone", "sn", (True, True, 15, 15)),
    ("small", "", None),
    ("small", "sb=11", None),
    ("small", "sb=10", (False, False, 10, 11)),
    ("small", "sb=9; cb=9", (False, False, 9, 9)),
    ("small", "sb=10; cb=12", None),
]


def plain(agreement: DeflateAgreement) -> tuple[bool, bool, int, int]:
    return (
        agreement.server_no_context_takeover,
        agreement.client_no_context_takeover,
        agreement.server_max_window_bits,
        agreement.client_max_window_bits,
    )


@pytest.mark.parametrize(("options", "offer", "answer", "agreed"), ACCEPT)
def test_accept(options: str, offer: str, answer: str, agreed: tuple[bool, bool, int, int]) -> None:
    outcome = OPTIONS[options].accept(pairs(offer))
    assert outcome is not None
    assert outcome[0] == pairs(answer)
    assert plain(outcome[1]) == agreed


@pytest.mark.parametrize("offer", DECLINED)
@pytest.mark.parametrize("options", OPTIONS)
def test_malformed_offers_are_declined(options: str, offer: str) -> None:
    assert OPTIONS[options].accept(pairs(offer)) is None


@pytest.mark.parametrize(("options", "answer", "agreed"), AGREE)
def test_agree(options: str, answer: str, agreed: tuple[bool, bool, int, int] | None) -> None:
    if agreed is None:
        with pytest.raises(HandshakeError):
            OPTIONS[options].agree(pairs(answer))
    else:
        assert plain(OPTIONS[options].agree(pairs(answer))) == agreed


BITS = st.none() | st.integers(8, 15)
ANY_OPTIONS = st.builds(
    DeflateOptions, st.booleans(), st.booleans(), BITS, BITS, st.integers(0, 9), st.integers(1, 9)
)


@given(client=ANY_OPTIONS, server=ANY_OPTIONS)
def test_both_sides_agree_and_understand(client: DeflateOptions, server: DeflateOptions) -> None:
    outcome = server.accept(client.offer())
    assert outcome is not None
    agreed = client.agree(outcome[0])
    assert plain(agreed) == plain(outcome[1])
    one, other = ServerConnection(outcome[1]), ClientConnection(agreed)
    texts = ["abc" * 300, "", "x" * 5000, bytes(range(256)).hex() * 3, "abc" * 300]
    for text in texts:
        other.receive_data(b"".join(one.send_message(text)))
        one.receive_data(b"".join(other.send_message(text)))
    for side in (one, other):
        assert [event.data for event in side.events() if isinstance(event, Message)] == texts


@pytest.mark.parametrize(
    "arguments",
    [
        {"server_max_window_bits": 7}, {"client_max_window_bits": 16}, {"level": 10},
        {"level": -1}, {"memory_level": 0}, {"memory_level": 10},
    ],
)  # fmt: skip
def test_options_out_of_range(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="to"):
        DeflateOptions(**arguments)  # type: ignore[arg-type]


# -- compression ---------------------------------------------------------------------------------


@given(
    messages=st.lists(st.lists(st.binary(max_size=200), min_size=1, max_size=4), max_size=5),
    bits=st.integers(8, 15),
    takeover=st.booleans(),
    step=st.integers(1, 50),
)
def test_round_trip(messages: list[list[bytes]], bits: int, takeover: bool, step: int) -> None:
    compressor = MessageCompressor(bits, takeover, 6, 8)
    whole, stepwise = MessageDecompressor(takeover), MessageDecompressor(takeover)
    for fragments in messages:
        data = b"".join(
            compressor.compress(fragment, number == len(fragments) - 1)
            for number, fragment in enumerate(fragments)
        )
        expected = b"".join(fragments)
        assert whole.decompress(data, len(expected), final=True) == expected
        result = b""
        for at in range(0, len(data), step):
            result += stepwise.decompress(data[at : at + step], 10_000, final=False)
        assert result + stepwise.decompress(b"", 10_000, final=True) == expected


def test_context_is_taken_over_or_not() -> None:
    message = b"".join(number.to_bytes(2, "big") for number in range(0, 60_000, 97))
    kept = MessageCompressor(15, True, 6, 8)
    first, second = kept.compress(message), kept.compress(message)
    assert len(second) < len(first) / 10
    alone = MessageCompressor(15, False, 6, 8)
    assert alone.compress(message) == alone.compress(message) == first
    assert alone._compressor is None
    with pytest.raises(zlib.error):
        MessageDecompressor(False).decompress(second, 10_000, final=True)


def test_a_window_of_256_bytes_is_kept_to() -> None:
    """What lies further back than 256 bytes is not referred to."""
    noise = bytes((number * number * 31 + number // 7) & 0xFF for number in range(300))
    data = MessageCompressor(8, True, 9, 9).compress(noise * 3 + b"a" * 1000)
    assert len(data) > 800
    # zlib itself, held to that window, can read it.
    assert zlib.decompressobj(-8).decompress(data) == noise * 3 + b"a" * 1000


# RFC 7692 §7.2.3: the wire, and what it says
EXAMPLES = {
    "one block (7.2.3.1)": (["f248cdc9c90700"], ["Hello"]),
    "context taken over (7.2.3.2)": (["f248cdc9c90700", "f200110000"], ["Hello", "Hello"]),
    "no compression (7.2.3.3)": (["000500faff48656c6c6f00"], ["Hello"]),
    "BFINAL (7.2.3.4)": (["f348cdc9c9070000"], ["Hello"]),
    "BFINAL and on (7.2.3.4)": (["f348cdc9c9070000", "f248cdc9c90700"], ["Hello", "Hello"]),
    "two blocks (7.2.3.5)": (["f248050000 00ffffcac9c90700"], ["Hello"]),
    "nothing (7.2.3.6)": (["00", "00"], ["", ""]),
    "nothing, otherwise": (["0200", ""], ["", ""]),
    "streams one after another": (["f348cdc9c90700f348cdc9c9070000"], ["HelloHello"]),
}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("fragmented", [False, True], ids=["whole", "fragments"])
def test_examples_of_the_rfc(name: str, fragmented: bool) -> None:
    connection = ClientConnection(DeflateAgreement())
    said, expected = EXAMPLES[name]
    data = b""
    for text in said:
        payload = bytes.fromhex(text)
        if fragmented:
            data += b"\x41\x00"
            for at in range(len(payload)):
                data += b"\x00\x01" + payload[at : at + 1]
            data += b"\x80\x00"
        else:
            data += bytes((0xC1, len(payload))) + payload
    for step in (1, 1000):
        connection = ClientConnection(DeflateAgreement())
        heard = []
        for at in range(0, len(data), step):
            connection.receive_data(data[at : at + step])
            heard += [event.data for event in connection.events() if isinstance(event, Message)]
        assert heard == expected


def deflated(data: bytes) -> bytes:
    return MessageCompressor(15, False, 9, 8).compress(data)


def flushed(data: bytes) -> bytes:
    """The same with an end that more can follow."""
    return MessageCompressor(15, False, 9, 8).compress(data, final=False)


def frame(first: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + len(payload).to_bytes(2, "big") + payload


LIMIT = 1000
# payload of a compressed text -> code, or the message
BOUNDS: dict[str, tuple[bytes, CloseCode | str]] = {
    "at the limit": (deflated(b"a" * LIMIT), "a" * LIMIT),
    "one more": (deflated(b"a" * (LIMIT + 1)), CloseCode.MESSAGE_TOO_BIG),
    "bomb": (deflated(b"a" * 10_000_000), CloseCode.MESSAGE_TOO_BIG),
    "bomb of streams": (
        (zlib.compress(b"a" * 900, wbits=-15)) * 2 + b"\x00",
        CloseCode.MESSAGE_TOO_BIG,
    ),
    "not text": (deflated(b"\xff" * 200), CloseCode.INVALID_DATA),
    # Wrong in two ways: what comes first counts.
    "not text, then not deflate": (flushed(b"a\xff") + b"\xff" * 200, CloseCode.INVALID_DATA),
    "not text, then too large": (
        deflated(b"\xff" + b"a" * LIMIT),
        CloseCode.INVALID_DATA,
    ),
    "too large, then not text": (
        deflated(b"a" * (LIMIT + 1) + b"\xff"),
        CloseCode.MESSAGE_TOO_BIG,
    ),
    "too large, then not deflate": (
        flushed(b"a" * (LIMIT + 2)) + b"\xff" * 200,
        CloseCode.MESSAGE_TOO_BIG,
    ),
    "not deflate, then too large": (
        b"\xff" * 20 + deflated(b"a" * (LIMIT + 1)),
        CloseCode.INVALID_DATA,
    ),
    "half a character": (deflated(b"a" * 200 + b"\xe2\x82"), CloseCode.INVALID_DATA),
    "not deflate": (b"\xff" * 200, CloseCode.INVALID_DATA),
    "too many streams": (b"\x03\x00" * 200 + b"\x00", CloseCode.INVALID_DATA),
    "blocks of nothing": (b"\x00\x00\x00\xff\xff" * 1000, CloseCode.MESSAGE_TOO_BIG),
    "incompressible": (deflated(bytes(range(128)) * 7), bytes(range(128)).decode() * 7),
}


@pytest.mark.parametrize("step", [1, 100_000], ids=["bytewise", "whole"])
@pytest.mark.parametrize("name", BOUNDS)
def test_bounds(name: str, step: int) -> None:
    """websockets CVE-2018-1000518 among them: the limit counts what comes out."""
    payload, expected = BOUNDS[name]
    connection = ClientConnection(DeflateAgreement(), max_message_size=LIMIT)
    data = frame(0xC1, payload)
    outcome: object = None
    try:
        for at in range(0, len(data), step):
            connection.receive_data(data[at : at + step])
            for event in connection.events():
                assert isinstance(event, Message)
                outcome = event.data
    except ConnectionFailed as error:
        outcome = error.code
    assert outcome == expected


@pytest.mark.parametrize("step", [1, 50, 100_000])
def test_a_window_larger_than_agreed_on_is_read(step: int) -> None:
    """Whether zlib would notice depends on the pieces, so it is given no reason to."""
    noise = bytes(number * 7 % 251 for number in range(700))
    data = frame(0xC2, MessageCompressor(15, True, 9, 8).compress(noise + noise))
    connection = ClientConnection(DeflateAgreement(server_max_window_bits=9))
    heard = []
    for at in range(0, len(data), step):
        connection.receive_data(data[at : at + step])
        heard += [event.data for event in connection.events() if isinstance(event, Message)]
    assert heard == [noise + noise]


def test_blocks_of_nothing_do_not_go_on_forever() -> None:
    connection = ClientConnection(DeflateAgreement(), max_message_size=10_000)
    connection.receive_data(frame(0x41, b"\x00\x00\x00\xff\xff" * 100))
    more = frame(0x00, b"\x00\x00\x00\xff\xff" * 100)
    with pytest.raises(ConnectionFailed, match="larger than 10000"):
        for _ in range(100):
            list(connection.events())
            connection.receive_data(more)


def test_bombs_take_no_memory() -> None:
    decompressor = MessageDecompressor(True)
    data = deflated(b"a" * 1_000_000)
    assert decompressor.decompress(data, 1000, final=False) == b"a" * 1001


def test_a_compressed_message_that_was_not_agreed_on() -> None:
    connection = ClientConnection()
    connection.receive_data(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")
    with pytest.raises(ConnectionFailed) as info:
        connection.next_event()
    assert info.value.code == CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("first", [0xC0, 0x40])
def test_only_the_first_fragment_says_compressed(first: int) -> None:
    connection = ClientConnection(DeflateAgreement())
    connection.receive_data(b"\x41\x01\xf2" + bytes((first, 0)))
    with pytest.raises(ConnectionFailed, match="reserved bit"):
        connection.next_event()


def test_compressed_and_uncompressed_messages_mix() -> None:
    server, client = ServerConnection(DeflateAgreement()), ClientConnection(DeflateAgreement())
    texts = ["a" * 100, "b" * 100, "a" * 100]
    for number, text in enumerate(texts):
        [buffer] = server.send_message(text, compress=number != 1)
        assert bool(buffer[0] & 0x40) is (number != 1)
        client.receive_data(buffer)
    assert [event.data for event in client.events() if isinstance(event, Message)] == texts


def bits(*codes: str) -> bytes:
    """Deflate data from strings of bits, in the order in which they are read."""
    stream = "".join(codes)
    stream += "0" * (-len(stream) % 8)
    return bytes(int(stream[at : at + 8][::-1], 2) for at in range(0, len(stream), 8))


FIXED = "0" + "10"  # a block with fixed codes that is not the last one
LITERAL = "10010001"  # the byte 0x61
EMPTY = "0000000"  # the end of the block
MALFORMED = "11000110"  # a length that does not exist
NOTHING = FIXED + EMPTY


@pytest.mark.parametrize("literals", [6, 7, 8, 9, 10])
@pytest.mark.parametrize(
    "ending",
    [
        (MALFORMED,),
        (EMPTY, "011"),
        (EMPTY, *[NOTHING] * 5, "011"),
        (EMPTY, *[NOTHING] * 5, FIXED, LITERAL, MALFORMED),
        (EMPTY, "110", EMPTY, "0" * 5),
    ],
)
def test_the_outcome_does_not_depend_on_the_pieces(literals: int, ending: tuple[str, ...]) -> None:
    """Too large and malformed at once: whichever comes first, however it is cut (limit: 8)."""
    data = bits(FIXED, *[LITERAL] * literals, *ending)

    def outcome(pieces: list[bytes]) -> tuple[bytes, str]:
        decompressor = MessageDecompressor(context_takeover=True)
        output = b""
        try:
            for number, piece in enumerate(pieces, 1):
                output += decompressor.decompress(piece, 8 - len(output), number == len(pieces))
                if len(output) > 8:
                    return output, "too large"
        except zlib.error:
            return b"", "malformed"
        return output, "good"

    whole = outcome([data])
    for cut in range(1, len(data)):
        for second in range(cut, len(data)):
            assert outcome([data[:cut], data[cut:second], data[second:]]) == whole
    assert outcome([data[at : at + 1] for at in range(len(data))]) == whole
