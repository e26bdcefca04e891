"""Which bytes a Range field selects, and several of them as one body."""

import email
import time
from email.message import Message

import pytest

from zonda.web.staticfiles.ranges import Parts, select_ranges


@pytest.mark.parametrize(
    ("value", "size", "ranges"),
    [
        (None, 10, []),
        ("bytes=0-4", 10, [(0, 5)]),
        ("bytes=5-", 10, [(5, 10)]),
        ("bytes=-3", 10, [(7, 10)]),
        ("bytes=8-100", 10, [(8, 10)]),
        # Everything is not a part.
        ("bytes=0-", 10, []),
        ("bytes=0-9", 10, []),
        ("bytes=-10", 10, []),
        ("bytes=-500", 10, []),
        ("bytes=0-4,5-9", 10, []),
        # Nothing is there.
        ("bytes=10-", 10, None),
        ("bytes=-0", 10, None),
        ("bytes=20-30,40-", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=-5", 0, None),
        # As Tornado answers it.
        ("bytes=5-2", 10, None),
        # Several.
        ("bytes=0-1,5-6", 10, [(0, 2), (5, 7)]),
        ("bytes=5-6, 0-1", 10, [(0, 2), (5, 7)]),
        ("bytes=0-3,2-5", 10, [(0, 6)]),
        ("bytes=0-1,2-3", 10, [(0, 4)]),
        ("bytes=0-1,-1", 10, [(0, 2), (9, 10)]),
        ("bytes=0-1,50-60", 10, [(0, 2)]),
        # What is no range is ignored.
        ("", 10, []),
        ("bytes", 10, []),
        ("bytes=", 10, []),
        ("bytes=x-y", 10, []),
        ("bytes=1", 10, []),
        ("bytes=--1", 10, []),
        ("bytes=+1-2", 10, []),
        ("bytes=\u0661-\u0662", 10, []),
        ("lines=1-2", 10, []),
        ("bytes=5-2,0-1", 10, []),
        ("bytes=" + "9" * 30 + "-", 10, []),
    ],
)
def test_selection(value: str | None, size: int, ranges: list[tuple[int, int]] | None) -> None:
    assert select_ranges(value, size) == ranges


def test_many_ranges_cost_little() -> None:
    value = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 24_000, 2))
    before = time.process_time()
    assert select_ranges(value, 100_000) == []
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize("ranges", [[(0, 2), (5, 6)], [(1, 4), (6, 7), (9, 10)]])
def test_parts(ranges: list[tuple[int, int]]) -> None:
    content = b"0123456789"
    parts = Parts(ranges, len(content), "text/plain")
    body = b"".join(head + content[start:end] for head, start, end in parts) + parts.end
    assert len(body) == parts.length
    message = email.message_from_bytes(
        f"Content-Type: {parts.content_type}\r\n\r\n".encode() + body
    )
    found = message.get_payload()
    assert isinstance(found, list)
    for part, (start, end) in zip(found, ranges, strict=True):
        assert isinstance(part, Message)
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/10"
        assert part.get_content_type() == "text/plain"
        assert part.get_payload() == content[start:end].decode()


def test_boundaries_differ() -> None:
    one, two = (Parts([(0, 1), (2, 3)], 4, "text/plain") for _ in "ab")
    assert one.content_type != two.content_type
