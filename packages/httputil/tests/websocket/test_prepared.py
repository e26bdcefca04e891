"""A message framed once is, for each connection, the message it would have been."""

from typing import Any

import pytest

from zonda.httputil.websocket import (
    ClientConnection,
    Close,
    DeflateAgreement,
    DeflateOptions,
    LocalError,
    Message,
    PreparedMessage,
    ServerConnection,
    compression_options,
)

AGREEMENTS: dict[str, DeflateAgreement | None] = {
    "plain": None,
    "takeover": DeflateAgreement(),
    "no takeover": DeflateAgreement(server_no_context_takeover=True),
    "small window": DeflateAgreement(server_max_window_bits=9),
    "window of 8": DeflateAgreement(server_max_window_bits=8),
    "other level": DeflateAgreement(level=1),
}


@pytest.mark.parametrize("message", ["hi", "", b"\x00" * 300, "é" * 40000, b"x" * 70000])
@pytest.mark.parametrize("agreement", AGREEMENTS.values(), ids=AGREEMENTS)
def test_between_messages_of_a_connection(
    message: str | bytes, agreement: DeflateAgreement | None
) -> None:
    server, client = ServerConnection(agreement), ClientConnection(agreement)
    prepared = PreparedMessage(message)
    own = "a message of its own, a message of its own"
    for _ in range(2):
        for buffer in server.send_message(own):
            client.receive_data(buffer)
        client.receive_data(server.send_prepared(prepared))
        for buffer in server.send_message(own):
            client.receive_data(buffer)
    received = [event.data for event in client.events() if isinstance(event, Message)]
    assert received == [own, message, own] * 2


def test_frames_are_shared_by_equal_settings() -> None:
    prepared = PreparedMessage("hello" * 100)
    frames = {
        name: [ServerConnection(agreement).send_prepared(prepared) for _ in range(2)]
        for name, agreement in AGREEMENTS.items()
    }
    for first, second in frames.values():
        assert first is second
    assert frames["takeover"][0] is frames["no takeover"][0]
    assert frames["plain"][0] is prepared.frame
    assert frames["takeover"][0] is not frames["other level"][0]


@pytest.mark.parametrize("who", ["we", "peer", "failed"])
def test_not_after_the_end(who: str) -> None:
    server = ServerConnection()
    if who == "we":
        server.send_close()
    elif who == "peer":
        server.receive_data(b"".join(bytes(each) for each in ClientConnection().send_close()))
        assert isinstance(server.next_event(), Close)
    else:
        server.receive_data(b"\xff\xff")
        with pytest.raises(Exception, match="opcode"):
            server.next_event()
    with pytest.raises(LocalError):
        server.send_prepared(PreparedMessage("x"))


def test_not_inside_a_message() -> None:
    server = ServerConnection()
    server.send_message("begun", fin=False)
    with pytest.raises(LocalError, match="fragments"):
        server.send_prepared(PreparedMessage("x"))


def test_text_beyond_unicode() -> None:
    with pytest.raises(LocalError, match="Unicode"):
        PreparedMessage("\ud800")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, None),
        ({}, DeflateOptions()),
        ({"compression_level": 9, "mem_level": 5}, DeflateOptions(level=9, memory_level=5)),
        ({"level": 2}, DeflateOptions(level=2)),
        (
            {"server_no_context_takeover": True, "client_max_window_bits": 10},
            DeflateOptions(server_no_context_takeover=True, client_max_window_bits=10),
        ),
    ],
)
def test_compression_options(
    options: dict[str, Any] | None, expected: DeflateOptions | None
) -> None:
    assert compression_options(options) == expected


@pytest.mark.parametrize("options", [{"speed": 1}, {"compression_level": 10}, {"mem_level": 0}])
def test_bad_compression_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level|option"):
        compression_options(options)
