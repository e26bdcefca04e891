"""Cost grows with the input and no faster: by lines of Python run, and by time."""

import sys
import time
import zlib
from collections.abc import Callable
from types import FrameType

import pytest

from zonda.httputil.websocket import ClientConnection, ConnectionFailed, DeflateAgreement
from zonda.httputil.websocket.frames import write_frame


def frame(first: int, payload: bytes = b"") -> bytes:
    return b"".join(write_frame(first, payload, None))


def run(data: bytes, step: int) -> int:
    """Feed `data` in steps; number of events."""
    connection = ClientConnection(DeflateAgreement(), max_message_size=10**8)
    events = 0
    try:
        for at in range(0, len(data), step):
            connection.receive_data(data[at : at + step])
            events += len(list(connection.events()))
    except ConnectionFailed:
        pass
    return events


def run_late(data: bytes) -> int:
    """Feed all of it, in small reads, before anything is taken."""
    connection = ClientConnection(DeflateAgreement(), max_message_size=10**8)
    for at in range(0, len(data), 100):
        connection.receive_data(data[at : at + 100])
    return len(list(connection.events()))


def noise(size: int) -> bytes:
    return bytes((number * number >> 3 ^ number) & 0xFF for number in range(size))


# name -> input of about n bytes
INPUTS: dict[str, Callable[[int], bytes]] = {
    "empty messages": lambda n: frame(0x81) * (n // 2),
    "small messages": lambda n: frame(0x81, b"abc") * (n // 5),
    "pings": lambda n: frame(0x89, b"abc") * (n // 5),
    "one message": lambda n: frame(0x82, b"a" * n),
    "one text": lambda n: frame(0x81, "é".encode() * (n // 2)),
    "empty fragments": lambda n: frame(0x01) + frame(0x00) * (n // 2) + frame(0x80),
    "tiny fragments": lambda n: frame(0x01) + frame(0x00, b"a") * (n // 3) + frame(0x80),
    "half characters": lambda n: (
        frame(0x01) + (frame(0x00, b"\xc3") + frame(0x00, b"\xa9")) * (n // 6) + frame(0x80)
    ),
    "pings between fragments": lambda n: (
        frame(0x02) + (frame(0x00, b"a") + frame(0x89)) * (n // 5) + frame(0x80)
    ),
    "bad at the end": lambda n: frame(0x81, b"a" * n + b"\xff"),
    "a message that never ends": lambda n: frame(0x02, b"a") + frame(0x00, b"a") * (n // 3),
    "compressed": lambda n: frame(0xC2, zlib.compress(noise(n), wbits=-15) + b"\x00"),
    "compressed messages": lambda n: frame(0xC1, b"\x4a\x04\x00") * (n // 5),
    "blocks of nothing": lambda n: frame(0xC2, b"\x00\x00\x00\xff\xff" * (n // 5)),
    "many streams": lambda n: frame(0xC2, b"\x03\x00" * (n // 2)),
}


def lines(function: Callable[[], object]) -> int:
    """Lines of zonda.httputil.websocket that `function` runs."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        name = frame.f_code.co_filename
        if "websocket" not in name or "tests" in name:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def seconds(function: Callable[[], object]) -> float:
    best = 1e9
    for _ in range(3):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("step", [1, 1 << 30], ids=["bytewise", "whole"])
@pytest.mark.parametrize("name", INPUTS)
def test_lines_of_python(name: str, step: int) -> None:
    make = INPUTS[name]
    small, large = make(500), make(2000)
    assert lines(lambda: run(large, step)) < 4.6 * lines(lambda: run(small, step)) + 50


@pytest.mark.parametrize("step", [1, 4096, 1 << 30], ids=["bytewise", "pages", "whole"])
@pytest.mark.parametrize("name", INPUTS)
def test_time(name: str, step: int) -> None:
    size = 3_000 if step == 1 else 40_000
    small, large = INPUTS[name](size), INPUTS[name](4 * size)
    for _ in range(4):  # another process may have had the processor: once is enough
        if seconds(lambda: run(large, step)) < 10 * seconds(lambda: run(small, step)) + 0.005:
            return
    pytest.fail("four times the input costs more than ten times as much")


def test_time_of_what_is_taken_late() -> None:
    small, large = frame(0x81, b"a" * 40) * 3_000, frame(0x81, b"a" * 40) * 12_000
    for _ in range(4):
        if seconds(lambda: run_late(large)) < 8 * seconds(lambda: run_late(small)) + 0.002:
            return
    pytest.fail("four times the input costs more than eight times as much")


def test_a_whole_message_is_not_put_into_a_buffer() -> None:
    """One read, one message: its bytes are cut out once, and nothing is kept."""
    connection = ClientConnection()
    connection.receive_data(frame(0x82, b"x" * 3000) + frame(0x82, b"y" * 3000))
    assert type(connection._buffer) is bytes
    next(connection.events())
    assert connection._incomplete is None
    assert type(connection._buffer) is bytes
    next(connection.events())
    assert connection._buffer == b""
