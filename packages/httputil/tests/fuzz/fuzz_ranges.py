"""Fuzz ranges: nothing raises, what is resolved lies inside, and what is written comes back.

Run: ``python3 dev fuzz ranges [libFuzzer options]``. The first byte is the length of the content.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.ranges import (
        MAX_RANGES,
        coalesce_ranges,
        format_content_range,
        int_or_none,
        parse_content_range,
        parse_range,
        parse_single_range,
        resolve_ranges,
    )


def as_text(number: int | None) -> str:
    """The digits, or nothing."""
    return "" if number is None else str(number)


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    length, text = data[0], data[1:].decode("latin-1")
    for value in (text, f"bytes={text}"):
        specs = parse_range(value)
        single = parse_single_range(value)
        assert (single is None) == (specs is None or len(specs) != 1), value
        if specs is None:
            continue
        assert 0 < len(specs) <= MAX_RANGES
        listed = ", ".join(
            f"{as_text(first)}-{as_text(last if suffix is None else suffix)}"
            for first, last, suffix in specs
        )
        assert parse_range(f"bytes={listed}") == specs, value
        resolved = resolve_ranges(specs, length)
        covered: set[int] = set()
        for start, end in resolved:
            assert 0 <= start < end <= length
            covered.update(range(start, end))
            stated = parse_content_range(format_content_range(start, end, length))
            assert stated == (start, end - 1, length)
        merged = coalesce_ranges(resolved)
        assert merged == sorted(merged)
        assert covered == {position for each in merged for position in range(*each)}
        assert sum(end - start for start, end in merged) == len(covered)
    for value in (text, f"bytes {text}"):
        content = parse_content_range(value)
        if content is not None and content.first is not None:
            assert content.last is not None
            assert content.first <= content.last
            assert content.length is None or content.last < content.length
    try:
        number = int_or_none(text)
    except ValueError:
        pass
    else:
        assert number is None or number >= 0


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
