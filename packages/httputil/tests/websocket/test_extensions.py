"""Sec-WebSocket-Extensions: rows, round trips, hostile input."""

import sys
import time
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import HandshakeError
from zonda.httputil.websocket.extensions import Extension, format_extensions, parse_extensions

Plain = list[tuple[str, list[tuple[str, str | None]]]]

ROWS: dict[str, Plain] = {
    "": [],
    " , ,": [],
    "a": [("a", [])],
    "a, b": [("a", []), ("b", [])],
    "a,,b,": [("a", []), ("b", [])],
    "a;b": [("a", [("b", None)])],
    "a ; b = 1 ;\tc": [("a", [("b", "1"), ("c", None)])],
    'a; b="1"': [("a", [("b", "1")])],
    "a; b=1; b=2": [("a", [("b", "1"), ("b", "2")])],
    "a; b, a": [("a", [("b", None)]), ("a", [])],
    "permessage-deflate; client_max_window_bits": [
        ("permessage-deflate", [("client_max_window_bits", None)])
    ],
}

MALFORMED = [
    ";", "a;", "a; ;b", "a b", "a; b=", "a; b=1 2", 'a; b="', 'a; b=""', 'a; b="1 2"', "a; =1",
    'a; b="1"x', "=", "é", "a; b=é", "a\x00", "a; b==1", '"a"', "a;b=1;", 'a; b="\\1"', "a\n",
]  # fmt: skip


@pytest.mark.parametrize("value", ROWS)
def test_rows(value: str) -> None:
    expected = [Extension(name, parameters) for name, parameters in ROWS[value]]
    assert parse_extensions([value]) == expected
    assert parse_extensions([value, value]) == expected * 2


@pytest.mark.parametrize("value", MALFORMED)
def test_malformed(value: str) -> None:
    with pytest.raises(HandshakeError) as info:
        parse_extensions([value])
    assert info.value.status == 400


TOKENS = st.text("abz019-_!", min_size=1, max_size=8)
EXTENSIONS = st.lists(
    st.builds(Extension, TOKENS, st.lists(st.tuples(TOKENS, st.none() | TOKENS), max_size=4)),
    max_size=4,
)


@given(EXTENSIONS)
def test_round_trip(extensions: list[Extension]) -> None:
    assert parse_extensions([format_extensions(extensions)]) == extensions


@given(st.text('ab;=," \t\\', max_size=40))
def test_any_text(value: str) -> None:
    try:
        extensions = parse_extensions([value])
    except HandshakeError:
        return
    assert parse_extensions([format_extensions(extensions)]) == extensions


def test_many_extensions() -> None:
    assert len(parse_extensions([", ".join("a" * 16)])) == 16
    with pytest.raises(HandshakeError, match="too many"):
        parse_extensions(["a", *["b, c"] * 8])


@pytest.mark.parametrize(
    "unit", [",", " ", "a", "a;", ";", "; a", ";a=1", "; a = ", 'a="', '"', " ,", "\t", "a ", "=,"]
)
@pytest.mark.parametrize("start", ["", "a", "a; b", 'a; b="', "a "])
def test_hostile_input_costs_little(start: str, unit: str) -> None:
    """50 KB within half a second, wherever it goes wrong."""
    for end in ("", "\0"):
        before = time.process_time()
        try:
            parse_extensions([start + unit * (50_000 // len(unit)) + end])
        except HandshakeError:
            pass
        assert time.process_time() - before < 0.5


def test_lines_are_linear() -> None:
    def lines(size: int) -> int:
        count = 0

        def trace(frame: FrameType, event: str, _: object) -> object:
            nonlocal count
            if "extensions" in frame.f_code.co_filename:
                count += event == "line"
            return trace

        value = "a" + "; b=1" * size + "," * size
        before = sys.gettrace()
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            parse_extensions([value])
        finally:
            sys.settrace(before)
        return count

    assert lines(2000) < 4.3 * lines(500)
