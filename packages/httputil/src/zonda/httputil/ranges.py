"""Ranges of bytes (RFC 9110 §14).

In: the value of a Range or Content-Range header. Out: pairs of positions. A header that is
malformed, in another unit or too long a list gives None: it is to be ignored. Nothing raises.
Linear in the input, and the number of ranges is bounded, because each one costs a part of the
answer.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

MAX_RANGES: Final = 64
"""Most ranges of one ``Range`` field, by default."""

# Positions of more than 18 digits would only make int() slow: no file is that long.
_RANGE_SPEC: Final = re.compile(r"[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))?[ \t]*")
_CONTENT_RANGE: Final = re.compile(
    r"bytes[ \t]+(?:([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)|\*/([0-9]{1,18}))",
    re.IGNORECASE | re.ASCII,
)


class RangeSpec(NamedTuple):
    """A range as asked for: from `first` to `last`, or to the end; or the `suffix` last bytes."""

    first: int | None
    last: int | None
    suffix: int | None = None


class ContentRange(NamedTuple):
    """What a part holds: bytes `first` to `last`, both included, of `length` (None: not known).

    `first` and `last` are None when the range asked for was not satisfiable.
    """

    first: int | None
    last: int | None
    length: int | None


def parse_range(value: str, *, max_ranges: int = MAX_RANGES) -> list[RangeSpec] | None:
    """The ranges of a Range header in its order, None if the header is to be ignored.

    Args:
        value: The value of the header.
        max_ranges: A list of more is ignored.

    >>> parse_range("bytes=0-499, -500")
    [RangeSpec(first=0, last=499, suffix=None), RangeSpec(first=None, last=None, suffix=500)]
    """
    unit, equals, listed = value.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes":
        return None
    if listed.count(",") >= max_ranges:
        return None
    specs = []
    for member in listed.split(","):
        match = _RANGE_SPEC.fullmatch(member)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if suffix is not None:
            specs.append(RangeSpec(None, None, int(suffix)))
        elif first is not None:
            if last is not None and int(last) < int(first):
                return None
            specs.append(RangeSpec(int(first), None if last is None else int(last)))
        # Empty members of a list are allowed (RFC 9110 §5.6.1.2).
    return specs or None


def resolve_ranges(specs: Iterable[RangeSpec], length: int) -> list[tuple[int, int]]:
    """The ranges that something of `length` bytes can satisfy, as (start, end) with `end` excluded.

    An empty list means 416 (Range Not Satisfiable).

    >>> resolve_ranges([RangeSpec(0, 9), RangeSpec(90, None), RangeSpec(None, None, 5)], 100)
    [(0, 10), (90, 100), (95, 100)]
    """
    resolved = []
    for first, last, suffix in specs:
        if suffix is not None:
            start, end = max(0, length - suffix), length
        else:
            assert first is not None
            start, end = first, length if last is None else min(last + 1, length)
        if start < end:
            resolved.append((start, end))
    return resolved


def coalesce_ranges(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, and those that overlap or touch made one (RFC 9110 §15.3.7.2).

    >>> coalesce_ranges([(50, 60), (0, 10), (5, 20), (20, 30)])
    [(0, 30), (50, 60)]
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def format_content_range(start: int | None, end: int | None, length: int) -> str:
    """The value of a Content-Range header for the bytes from `start` up to, not including, `end`.

    None stands for the first and for the end of all.

    >>> format_content_range(0, 4, 10), format_content_range(None, None, 10)
    ('bytes 0-3/10', 'bytes 0-9/10')
    """
    return f"bytes {start or 0}-{(length if end is None else end) - 1}/{length}"


def parse_content_range(value: str) -> ContentRange | None:
    """What a Content-Range header says, None if it is invalid.

    >>> parse_content_range("bytes 0-3/10")
    ContentRange(first=0, last=3, length=10)
    """
    match = _CONTENT_RANGE.fullmatch(value.strip(" \t"))
    if match is None:
        return None
    first, last, length, unsatisfied = match.groups()
    if unsatisfied is not None:
        return ContentRange(None, None, int(unsatisfied))
    total = None if length == "*" else int(length)
    if int(last) < int(first) or (total is not None and int(last) >= total):
        return None
    return ContentRange(int(first), int(last), total)


def parse_single_range(value: str) -> tuple[int | None, int | None] | None:
    """The only range of a Range header as (start, end), `end` excluded; None if not just one.

    ``-5`` is ``(-5, None)``, ``-0`` is ``(None, 0)``: positions as in slices.

    >>> parse_single_range("bytes=1-2"), parse_single_range("bytes=-5"), parse_single_range("x")
    ((1, 3), (-5, None), None)
    """
    specs = parse_range(value)
    if specs is None or len(specs) != 1:
        return None
    first, last, suffix = specs[0]
    if suffix is not None:
        return (-suffix, None) if suffix else (None, 0)
    return first, None if last is None else last + 1


def int_or_none(value: str) -> int | None:
    """A number of ASCII digits, None for nothing but white space.

    Raises:
        ValueError: Anything else.
    """
    value = value.strip(" \t")
    if not value:
        return None
    if len(value) > 18 or not (value.isascii() and value.isdigit()):
        raise ValueError(f"not a number: {value[:80]!r}")
    return int(value)
