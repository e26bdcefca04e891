"""Cost grows linearly with the input.

Counted are lines of Python run in the package (the same on every machine), for work in C the time
is compared between sizes with a wide margin: four times the input may cost at most eight times as
much, where something quadratic costs sixteen times.
"""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    Data,
    EndOfMessage,
    Limits,
    RemoteProtocolError,
    ServerConnection,
    Signal,
)

if TYPE_CHECKING:
    from _typeshed import TraceFunction

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WIDE = Limits(
    start_line=10**8,
    head=10**8,
    field_count=10**8,
    chunk_extension=10**8,
    trailer=10**8,
    body=None,
)


def run(data: bytes, step: int) -> int:
    """Feed `data` in steps to a server that answers; number of events."""
    connection = ServerConnection(WIDE)
    events = 0
    for start in range(0, len(data), step):
        connection.receive_data(data[start : start + step])
        while True:
            try:
                event = connection.next_event()
            except RemoteProtocolError:
                return events
            if isinstance(event, Signal):
                break
            events += 1
            if isinstance(event, EndOfMessage):
                connection.send_response(200, "OK", HTTPHeaders(), b"")
                connection.start_next_cycle()
    return events


def lines(function: Callable[[], object]) -> int:
    """Lines of zonda.httputil.http1 that `function` runs."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> "TraceFunction | None":
        nonlocal count
        if "http1" not in frame.f_code.co_filename or "tests" in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
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


# name -> input of about n bytes
INPUTS: dict[str, Callable[[int], bytes]] = {
    "request line": lambda n: b"GET /" + b"a" * n + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "one long value": lambda n: HEAD + b"A: " + b"a" * n + b"\r\n\r\n",
    "a value that goes wrong at the end": lambda n: HEAD + b"A: " + b" a" * (n // 2) + b"\0",
    "many fields": lambda n: HEAD + b"A: b\r\n" * (n // 6) + b"\r\n",
    "connection fields": lambda n: HEAD + b"Connection: b\r\n" * (n // 15) + b"\r\n",
    "connection options": lambda n: HEAD + b"Connection: " + b"a," * (n // 2) + b"\r\n\r\n",
    "lengths": lambda n: HEAD + b"Content-Length: 0\r\n" * (n // 19) + b"\r\n",
    "a list of lengths": lambda n: HEAD + b"Content-Length: 0" + b",0" * (n // 2) + b"\r\n\r\n",
    "hosts": lambda n: HEAD + b"Host: h\r\n" * (n // 9) + b"\r\n",
    "white space": lambda n: HEAD + b"Connection: " + b" " * n + b"x\r\n\r\n",
    "almost a token": lambda n: HEAD + b"a" * n + b" : b\r\n\r\n",
    "almost a host": lambda n: b"GET / HTTP/1.1\r\nHost: " + b"a" * n + b"/\r\n\r\n",
    "almost an absolute form": lambda n: b"GET a" + b"+" * n + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "content": lambda n: HEAD + b"Content-Length: %d\r\n\r\n" % n + b"a" * n,
    "one chunk": lambda n: CHUNKED + b"%x\r\n" % n + b"a" * n + b"\r\n0\r\n\r\n",
    "tiny chunks": lambda n: CHUNKED + b"1\r\nx\r\n" * (n // 6) + b"0\r\n\r\n",
    "one extension": lambda n: CHUNKED + b"1;" + b"a" * n + b"\r\nx\r\n0\r\n\r\n",
    "white space behind a chunk size": lambda n: CHUNKED + b"1" + b" " * n + b"x\r\n",
    "extensions": lambda n: CHUNKED + b"1;a=b\r\nx\r\n" * (n // 10) + b"0\r\n\r\n",
    "trailers": lambda n: CHUNKED + b"0\r\n" + b"A: b\r\n" * (n // 6) + b"\r\n",
    "pipelined": lambda n: b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * (n // 27),
}


@pytest.mark.parametrize("name", INPUTS)
def test_lines_of_python(name: str) -> None:
    """Bytewise: so many lines for twice the input, not more than a little over twice as many."""
    make = INPUTS[name]
    small = lines(lambda: run(make(500), 1))
    large = lines(lambda: run(make(2000), 1))
    assert large < 4.6 * small


@pytest.mark.parametrize("step", [1, 4096, 1 << 30], ids=["bytewise", "pages", "whole"])
@pytest.mark.parametrize("name", INPUTS)
def test_time(name: str, step: int) -> None:
    size = 3_000 if step == 1 else 50_000
    small, large = INPUTS[name](size), INPUTS[name](4 * size)
    for _ in range(4):  # another process may have had the processor: once is enough
        if seconds(lambda: run(large, step)) < 8 * seconds(lambda: run(small, step)) + 0.002:
            return
    pytest.fail("four times the input costs more than eight times as much")


def test_a_head_that_comes_at_once_is_not_copied_into_a_buffer() -> None:
    connection = ServerConnection()
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert type(connection._buffer) is bytes
    content = b"x" * 5
    connection.next_event()
    connection.next_event()
    connection.send_response(200, "OK", HTTPHeaders(), b"")
    connection.start_next_cycle()
    connection.receive_data(HEAD + b"Content-Length: 5\r\n\r\n")
    connection.next_event()
    connection.receive_data(content)
    event = connection.next_event()
    assert isinstance(event, Data)
    assert event.data is content


def test_memory_of_tiny_chunks_is_bounded() -> None:
    """What has been read is let go of, though the message never ends."""
    connection = ServerConnection()
    connection.receive_data(CHUNKED)
    connection.next_event()
    connection.receive_data(b"1")
    for _ in range(300):
        connection.receive_data(b"\r\nx\r\n1" * 1000)
        assert isinstance(connection.next_event(), Data)
        assert connection.next_event() is Signal.NEED_DATA
        assert len(connection._buffer) < 200_000


def test_bytewise_content_is_let_go_of() -> None:
    connection = ServerConnection()
    connection.receive_data(HEAD + b"Content-Length: 100000\r\n\r\n")
    connection.next_event()
    for _ in range(1000):
        connection.receive_data(b"x")
        assert isinstance(connection.next_event(), Data)
        assert not connection._buffer
