"""Which bytes a response has (RFC 9110 §14): all of them, one range, or several as parts.

In: the ``Range`` field and the size of what there is. Out: a list of (start, end), or that none can
be satisfied. `Parts` frames several of them as ``multipart/byteranges`` and knows the length of all
of it beforehand.
"""

import os
import re
from collections.abc import Iterator
from typing import Final

from zonda.httputil.ranges import (
    coalesce_ranges,
    format_content_range,
    parse_range,
    resolve_ranges,
)

Range = tuple[int, int]
"""First position, and the one behind the last."""

# "5-2" makes the field invalid, which is to be ignored or refused (RFC 9110 §14.1.1): Tornado
# refuses it, and so do we.
_BACKWARDS: Final = re.compile(r"[ \t]*bytes[ \t]*=[ \t]*([0-9]{1,18})-([0-9]{1,18})[ \t]*")


def select_ranges(value: str | None, size: int) -> list[Range] | None:
    """Return the ranges to send.

    Args:
        value: The ``Range`` field, None without one.
        size: How many bytes there are.

    Returns:
        An empty list for all of it: there is no valid field, or it asks for everything. None if
        nothing of what it asks for is there (416). Otherwise (start, end) pairs, sorted; those
        that overlap or touch have become one, so that no byte is sent twice.

    >>> [select_ranges(f"bytes={each}", 10) for each in ("0-4", "0-9", "10-")]
    [[(0, 5)], [], None]
    """
    if value is None:
        return []
    specs = parse_range(value)
    if specs is None:
        single = _BACKWARDS.fullmatch(value)
        return None if single is not None and int(single[2]) < int(single[1]) else []
    ranges = coalesce_ranges(resolve_ranges(specs, size))
    if not ranges:
        return None
    return [] if ranges == [(0, size)] else ranges


class Parts:
    """Several ranges as one body (RFC 9110 §14.6).

    Args:
        ranges: What is sent.
        size: How many bytes there are.
        content_type: Their media type.

    Attributes:
        content_type: The media type of the whole.
        length: Its length in bytes.

    >>> parts = Parts([(0, 2), (5, 6)], 10, "text/plain")
    >>> [(len(head), start, end) for head, start, end in parts]
    [(85, 0, 2), (87, 5, 6)]
    >>> parts.length == 85 + 2 + 87 + 1 + len(parts.end)
    True
    """

    def __init__(self, ranges: list[Range], size: int, content_type: str) -> None:
        # Random, so that nothing in the content can be made to look like it.
        boundary = os.urandom(12).hex()
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        self._ranges = ranges
        self._heads = [
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: "
            f"{format_content_range(start, end, size)}\r\n\r\n".encode("latin-1")
            for start, end in ranges
        ]
        self._heads[0] = self._heads[0][2:]  # the first boundary needs no line end before it
        self.end = f"\r\n--{boundary}--\r\n".encode()
        self.length = (
            sum(map(len, self._heads)) + sum(end - start for start, end in ranges) + len(self.end)
        )

    def __iter__(self) -> Iterator[tuple[bytes, int, int]]:
        """What is sent before each range, and the range; `end` comes last."""
        for head, (start, end) in zip(self._heads, self._ranges, strict=True):
            yield head, start, end
