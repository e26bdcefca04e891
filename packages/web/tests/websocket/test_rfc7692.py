"""permessage-deflate by section of RFC 7692, as a client of a WebSocketHandler sees it."""

import asyncio
import tracemalloc
import zlib
from typing import Any

import pytest

from zonda.httpserver.testing import serve
from zonda.httputil.websocket import DeflateOptions
from zonda.web import Application
from zonda.web.websocket import WebSocketHandler
from zonda.web.websocket.testing import RawWebSocket


class Echo(WebSocketHandler):
    def get_compression_options(self) -> dict[str, Any]:
        return {}

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, isinstance(message, bytes))


class Small(Echo):
    max_message_size = 1000


def frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    assert size < 65536
    head = bytes((first, 0x80 | size)) if size < 126 else bytes((first, 0xFE)) + size.to_bytes(2)
    return head + b"\x00\x00\x00\x00" + payload


def deflated(*messages: bytes, level: int = 6) -> list[bytes]:
    """Payloads of messages that one compressor makes, each without its tail (§7.2.1)."""
    compressor = zlib.compressobj(level, wbits=-15)
    return [
        (compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
        for message in messages
    ]


HELLO = deflated(b"Hello")[0]
assert bytes.fromhex("f248cdc9c907 00") == HELLO  # §7.2.3.1
TWICE = deflated(b"Hello, Hello", b"Hello, Hello")
BOMB = deflated(b"\x00" * 1_000_000)[0]
final = zlib.compressobj(wbits=-15)
WITH_BFINAL = final.compress(b"Hello") + final.flush() + b"\x00"

# name -> frames, the messages that come back
GOOD: dict[str, tuple[bytes, list[str | bytes]]] = {
    "6 a message may be left uncompressed": (frame(0x81, b"Hello"), ["Hello"]),
    "6.1 RSV1 on the first frame": (frame(0xC1, HELLO), ["Hello"]),
    "6.1 a binary message": (frame(0xC2, HELLO), [b"Hello"]),
    "6.1 fragments, RSV1 on the first only": (
        frame(0x41, HELLO[:3]) + frame(0x80, HELLO[3:]),
        ["Hello"],
    ),
    "6.1 fragments of no bytes": (
        frame(0x41, b"") + frame(0x00, HELLO) + frame(0x80, b""),
        ["Hello"],
    ),
    "6.1 both kinds in turn": (
        frame(0xC1, HELLO) + frame(0x81, b"plain") + frame(0xC1, HELLO),
        ["Hello", "plain", "Hello"],
    ),
    "7.2.3.2 the window goes on": (
        frame(0xC1, TWICE[0]) + frame(0xC1, TWICE[1]),
        ["Hello, Hello"] * 2,
    ),
    "7.2.3.3 no compression block": (
        frame(0xC1, bytes.fromhex("000500faff48656c6c6f00")),
        ["Hello"],
    ),
    "7.2.3.4 BFINAL set": (frame(0xC1, WITH_BFINAL), ["Hello"]),
    "7.2.3.5 two blocks": (
        frame(0xC1, bytes.fromhex("f248050000 00ffffcac9c90700")),
        ["Hello"],
    ),
    "7.2.3.6 an empty message": (frame(0xC1, b"\x00"), [""]),
}

# name -> frames, the code of the server's Close
BAD: dict[str, tuple[bytes, int]] = {
    "6.1 RSV1 on a continuation": (frame(0x41, HELLO[:3]) + frame(0xC0, HELLO[3:]), 1002),
    "6.1 RSV1 on a ping": (frame(0xC9, b""), 1002),
    "6.1 RSV2 has no meaning": (frame(0xE1, HELLO), 1002),
    "6.2 not deflate data": (frame(0xC1, b"\xff\xff\xff\xff"), 1007),
    "6.2 text that is not UTF-8": (frame(0xC1, deflated(b"\xff")[0]), 1007),
    "8 larger than it looks": (frame(0xC2, BOMB), 1009),
    "8 larger than it looks, in fragments": (
        frame(0x42, BOMB[:20]) + frame(0x00, BOMB[20:40]) + frame(0x80, BOMB[40:]),
        1009,
    ),
}


async def deliver(peer: RawWebSocket, data: bytes, way: str) -> None:
    if way == "whole":
        peer.send(data)
        return
    for byte in data:
        peer.send(bytes((byte,)))
        await asyncio.sleep(0)


@pytest.mark.parametrize("way", ["whole", "bytewise"])
@pytest.mark.parametrize("name", GOOD)
async def test_what_a_client_may_send(name: str, way: str) -> None:
    data, messages = GOOD[name]
    async with serve(Application([("/", Echo)])) as port:
        async with RawWebSocket(port, deflate=DeflateOptions()) as peer:
            await deliver(peer, data, way)
            assert [await peer.message() for _ in messages] == messages


@pytest.mark.parametrize("way", ["whole", "bytewise"])
@pytest.mark.parametrize("name", BAD)
async def test_what_a_client_may_not_send(name: str, way: str) -> None:
    data, code = BAD[name]
    async with serve(Application([("/", Small)])) as port:
        async with RawWebSocket(port, deflate=DeflateOptions()) as peer:
            await deliver(peer, data, way)
            assert (await peer.closed())[0] == code


async def test_a_bomb_takes_no_memory() -> None:
    """§8, and CVE-2018-1000518 of another library: the limit counts what comes out."""
    bomb = deflated(b"\x00" * 60_000_000, level=9)[0]
    async with serve(Application([("/", Small)])) as port:
        async with RawWebSocket(port, deflate=DeflateOptions()) as peer:
            tracemalloc.start()
            try:
                peer.send(frame(0xC2, bomb[:60_000]))
                assert (await peer.closed())[0] == 1009
                assert tracemalloc.get_traced_memory()[1] < 2_000_000
            finally:
                tracemalloc.stop()


# offer -> answer: §7.1
NEGOTIATED: list[tuple[str, dict[str, Any], str | None]] = [
    ("permessage-deflate", {}, "permessage-deflate"),
    ("x-unknown, permessage-deflate", {}, "permessage-deflate"),
    ("permessage-deflate; unknown", {}, None),
    ("permessage-deflate; unknown, permessage-deflate", {}, "permessage-deflate"),
    (
        "permessage-deflate; server_no_context_takeover",
        {},
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "permessage-deflate; client_no_context_takeover",
        {},
        "permessage-deflate; client_no_context_takeover",
    ),
    (
        "permessage-deflate; server_max_window_bits=10",
        {},
        "permessage-deflate; server_max_window_bits=10",
    ),
    ("permessage-deflate; server_max_window_bits=16", {}, None),
    ("permessage-deflate; server_max_window_bits=7", {}, None),
    ("permessage-deflate; server_max_window_bits", {}, None),
    ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", {}, None),
    ("permessage-deflate; client_max_window_bits", {}, "permessage-deflate"),
    (
        "permessage-deflate; client_max_window_bits",
        {"client_max_window_bits": 9},
        "permessage-deflate; client_max_window_bits=9",
    ),
    ("permessage-deflate", {"client_max_window_bits": 9}, "permessage-deflate"),
    (
        "permessage-deflate",
        {"server_no_context_takeover": True},
        "permessage-deflate; server_no_context_takeover",
    ),
]


@pytest.mark.parametrize(("offer", "options", "answer"), NEGOTIATED)
async def test_negotiation(offer: str, options: dict[str, Any], answer: str | None) -> None:
    class Negotiating(Echo):
        def get_compression_options(self) -> dict[str, Any]:
            return options

    async with serve(Application([("/", Negotiating)])) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Extensions: " + offer.encode() + b"\r\n\r\n"
        )
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
        writer.close()
    assert head.startswith("HTTP/1.1 101")
    found = [
        line.partition(": ")[2]
        for line in head.split("\r\n")
        if line.lower().startswith("sec-websocket-extensions")
    ]
    assert found == ([] if answer is None else [answer])


@pytest.mark.parametrize("alone", [False, True])
async def test_the_servers_window(alone: bool) -> None:
    """§7.1.1.1: with server_no_context_takeover equal messages look equal."""
    options = DeflateOptions(server_no_context_takeover=alone)
    text = "the same text, compressed once more"
    async with serve(Application([("/", Echo)])) as port:
        async with RawWebSocket(port, deflate=options) as peer:
            sizes = []
            for _ in range(2):
                peer.say(text)
                data = await peer.protocol_bytes()
                sizes.append(len(data))
            assert (sizes[0] == sizes[1]) is alone
