"""Fuzz dates: parsing raises nothing, formatting what it documents, and one undoes the other.

Run: ``python3 dev fuzz dates [libFuzzer options]``.
"""

import struct
import sys
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports():
    from zonda.httputil.dates import format_timestamp, parse_date

NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
# What text around the interesting part looks like: the whole is rarely hit on.
FRAMES = (
    b"%b",
    b"Sun, %b GMT",
    b"Sun, 06 %b 1994 08:49:37 GMT",
    b"Sunday, 06-Nov-94 %b GMT",
    b"Sun Nov %b 1994",
)


def formatted(ts: int | float | tuple[int, ...]) -> str | None:
    """The date; None for one that is out of range."""
    try:
        return format_timestamp(ts)
    except (ValueError, OverflowError):
        return None


def one_input(data: bytes) -> None:
    """What atheris calls."""
    for frame in FRAMES:
        date = parse_date((frame % data).decode("latin-1"), now=NOW)
        if date is not None:
            assert date.tzinfo is UTC
            assert parse_date(format_timestamp(date)) == date
    padded = data[:72].ljust(72, b"\0")
    numbers = struct.unpack("<9q", padded)
    for ts in (*struct.unpack("<9d", padded), *numbers, numbers, numbers[:6], tuple(padded[:9])):
        text = formatted(ts)
        if text is not None:
            again = parse_date(text)
            assert again is not None, ts
            assert format_timestamp(again) == text, ts
            if not isinstance(ts, tuple):
                assert -1 <= ts - again.timestamp() <= 1, ts


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
