"""WebSocket messages without I/O: what one costs, against wsproto and websockets.

Run: ``python benchmarks/websocket.py [--rounds N] [--check]`` in an environment with
zonda-httputil, wsproto and websockets. Of websockets it is the sans-I/O layer (``ServerProtocol``,
``ClientProtocol``), driven as its connections drive it: text decoded, fragments joined. Receiving
is: one read that holds so many messages in, all messages out as str or bytes. Sending is: a message
in, bytes to write out. All contenders run in turn within each round; the table shows CPU
microseconds a message, the best round of each, and ratios to zonda (medians over the rounds).
"pure" is zonda with masking in Python, as it is when websockets is not installed. ``--check`` fails
unless zonda is, with small messages, at least twice as fast as websockets and 5 times as fast as
wsproto.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import websockets.client
import websockets.frames
import websockets.protocol
import websockets.server
import websockets.uri
import wsproto.connection
import wsproto.events

from zonda.httputil.websocket import ClientConnection, Message, ServerConnection, connection, frames
from zonda.httputil.websocket.masking import apply_mask_pure, apply_mask_unchecked

Payload = str | bytes
Receive = Callable[[bytes], list[Payload]]
Send = Callable[[Payload], object]

SMALL = "a line of a chat: 32 bytes long."
MEDIUM = bytes(range(256)) * 16
LARGE = MEDIUM * 16
ACCENTS = "Prix réduit à l'été, vingt-deux €"  # not ASCII
FRAGMENTS = 8

# label -> message, fragments of it, messages a read, received (else sent), by the server
ROWS: dict[str, tuple[Payload, int, int, bool, bool]] = {
    "server receives 32 B text": (SMALL, 1, 1, True, True),
    "  64 in a read": (SMALL, 1, 64, True, True),
    "  not ASCII": (ACCENTS, 1, 1, True, True),
    "  4 KiB binary": (MEDIUM, 1, 1, True, True),
    "  64 KiB binary": (LARGE, 1, 1, True, True),
    "  4 KiB in 8 fragments": (MEDIUM, FRAGMENTS, 1, True, True),
    "client receives 32 B text": (SMALL, 1, 1, True, False),
    "  64 in a read ": (SMALL, 1, 64, True, False),
    "  64 KiB binary ": (LARGE, 1, 1, True, False),
    "server sends 32 B text": (SMALL, 1, 1, False, True),
    "  64 KiB binary  ": (LARGE, 1, 1, False, True),
    "client sends 32 B text": (SMALL, 1, 1, False, False),
    "  64 KiB binary   ": (LARGE, 1, 1, False, False),
}


def on_the_wire(message: Payload, fragments: int, count: int, server: bool) -> bytes:
    """What the peer of a server, or of a client, sends."""
    peer = ClientConnection() if server else ServerConnection()
    size = len(message) // fragments
    buffers: list[bytes | bytearray | memoryview] = []
    for _ in range(count):
        for number in range(fragments):
            end = (number + 1) * size if number < fragments - 1 else len(message)
            buffers += peer.send_message(message[number * size : end], fin=end == len(message))
    return b"".join(buffers)


class Zonda:
    def __init__(self, server: bool) -> None:
        self.connection = ServerConnection() if server else ClientConnection()

    def receive(self, data: bytes) -> list[Payload]:
        connection = self.connection
        connection.receive_data(data)
        return [event.data for event in connection.events() if type(event) is Message]

    def send(self, message: Payload) -> object:
        return self.connection.send_message(message)


class Wsproto:
    def __init__(self, server: bool) -> None:
        kind = wsproto.connection.ConnectionType
        self.connection = wsproto.connection.Connection(kind.SERVER if server else kind.CLIENT)
        self.parts: list[Any] = []

    def receive(self, data: bytes) -> list[Payload]:
        self.connection.receive_data(data)
        messages: list[Payload] = []
        event: Any
        for event in self.connection.events():
            if event.message_finished and not self.parts:
                messages.append(event.data)
                continue
            self.parts.append(event.data)
            if event.message_finished:
                messages.append(type(event.data)().join(self.parts))
                self.parts.clear()
        return messages

    def send(self, message: Payload) -> object:
        return self.connection.send(wsproto.events.Message[Any](data=message))


class Websockets:
    def __init__(self, server: bool) -> None:
        state = websockets.protocol.State.OPEN
        self.protocol: Any
        if server:
            self.protocol = websockets.server.ServerProtocol(state=state)
        else:
            uri = websockets.uri.parse_uri("ws://localhost/")
            self.protocol = websockets.client.ClientProtocol(uri, state=state)
        self.parts: list[bytes] = []
        self.text = False

    def receive(self, data: bytes) -> list[Payload]:
        self.protocol.receive_data(data)
        messages: list[Payload] = []
        for frame in self.protocol.events_received():
            if frame.opcode is not websockets.frames.Opcode.CONT:
                self.text = frame.opcode is websockets.frames.Opcode.TEXT
            if frame.fin and not self.parts:
                messages.append(frame.data.decode() if self.text else frame.data)
                continue
            self.parts.append(frame.data)
            if frame.fin:
                whole = b"".join(self.parts)
                messages.append(whole.decode() if self.text else whole)
                self.parts.clear()
        return messages

    def send(self, message: Payload) -> object:
        if isinstance(message, str):
            self.protocol.send_text(message.encode())
        else:
            self.protocol.send_binary(message)
        return self.protocol.data_to_send()


CONTENDERS: dict[str, Callable[[bool], Zonda | Wsproto | Websockets]] = {
    "zonda": Zonda,
    "pure": Zonda,
    "websockets": Websockets,
    "wsproto": Wsproto,
}


def set_masking(pure: bool) -> None:
    function = apply_mask_pure if pure else apply_mask_unchecked
    for module in (connection, frames):
        setattr(module, "apply_mask_unchecked", function)  # noqa: B010 - not ours to assign


def measure(cycle: Callable[[], object], number: int) -> float:
    """Microseconds of CPU time for one call."""
    numbers = range(number)
    start = time.process_time()
    for _ in numbers:
        cycle()
    return (time.process_time() - start) / number * 1e6


def cycle_of(name: str, row: str) -> Callable[[], object]:
    message, fragments, count, receives, server = ROWS[row]
    contender = CONTENDERS[name](server)
    if not receives:
        return lambda: contender.send(message)
    data = on_the_wire(message, fragments, count, server)
    assert contender.receive(data) == [message] * count
    return lambda: contender.receive(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    arguments = parser.parse_args()
    failed = False
    others = [name for name in CONTENDERS if name != "zonda"]
    print(f"{'':28}" + "".join(f"{name:>13}" for name in CONTENDERS) + "   ratios")
    for row, (message, fragments, count, _, _) in ROWS.items():
        cycles = {name: cycle_of(name, row) for name in CONTENDERS}
        times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        number = max(10, 400_000 // (count * (len(message) + 400 * fragments)))
        for _ in range(arguments.rounds):
            for name, cycle in cycles.items():
                set_masking(name == "pure")
                times[name].append(measure(cycle, number) / count)
        set_masking(pure=False)
        ratios = {
            name: statistics.median(
                other / own for other, own in zip(times[name], times["zonda"], strict=True)
            )
            for name in others
        }
        print(
            f"{row:28}"
            + "".join(f"{min(values):11.2f}us" for values in times.values())
            + "   "
            + "  ".join(f"{ratios[name]:5.1f}" for name in others)
        )
        if len(message) < 64 and (ratios["websockets"] < 2 or ratios["wsproto"] < 5):
            failed = True
    if arguments.check and failed:
        print("target missed: small messages, twice as fast as websockets and 5 times as wsproto")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
