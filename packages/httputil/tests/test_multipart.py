"""The multipart parser, each body whole, byte by byte and split at every place."""

import time
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.form_config import ParseMultipartConfig
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.multipart import (
    NEED_DATA,
    End,
    Event,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
)

A = b'Content-Disposition: form-data; name="a"\r\n'
FILE = b'Content-Disposition: form-data; name="f"; filename="a.txt"\r\n'


def events_of(
    pieces: Iterable[bytes],
    boundary: str | bytes = "XX",
    config: ParseMultipartConfig | None = None,
) -> Iterator[Event]:
    """All events of a body, up to its End."""
    parser = MultipartParser(boundary, config)
    waiting = iter(pieces)
    while True:
        event = parser.next_event()
        if event is not NEED_DATA:
            yield event
            if isinstance(event, End):
                return
            continue
        piece = next(waiting, None)
        if piece is None:
            parser.receive_eof()
        else:
            parser.receive_data(piece)


def parts_of(
    pieces: Iterable[bytes],
    boundary: str | bytes = "XX",
    config: ParseMultipartConfig | None = None,
) -> list[tuple[PartBegin, bytes]]:
    """Each part with its data joined; checks the grammar of the events."""
    parts: list[tuple[PartBegin, bytes]] = []
    begin: PartBegin | None = None
    data = b""
    for event in events_of(pieces, boundary, config):
        match event:
            case PartBegin():
                assert begin is None
                begin, data = event, b""
            case PartData():
                assert begin is not None
                assert event.data
                data += event.data
            case PartEnd():
                assert begin is not None
                parts.append((begin, data))
                begin = None
            case End():
                assert begin is None
    return parts


def ways(body: bytes) -> Iterator[list[bytes]]:
    yield [body]
    yield [body[i : i + 1] for i in range(len(body))]
    for cut in range(1, len(body)):
        yield [body[:cut], body[cut:]]


class Case(NamedTuple):
    body: bytes
    parts: list[tuple[str, str | None, bytes]] | str  # or the beginning of the error
    boundary: str = "XX"
    config: ParseMultipartConfig | None = None


def one(header: bytes, data: bytes = b"1") -> bytes:
    return b"--XX\r\n" + header + b"\r\n" + data + b"\r\n--XX--\r\n"


TRUNCATED = "multipart/form-data ends"
FORM = one(A)
CASES = {
    "one field": Case(FORM, [("a", None, b"1")]),
    "no final line end": Case(FORM[:-2], [("a", None, b"1")]),
    "no part": Case(b"--XX--\r\n", []),
    "no part, no line end": Case(b"--XX--", []),
    "preamble": Case(b"hi\r\n" + FORM, [("a", None, b"1")]),
    "preamble of line ends": Case(b"\r\n\r\n" + FORM, [("a", None, b"1")]),
    "preamble that looks like a delimiter": Case(b"--XXX\r\n--XX-\r\n" + FORM, [("a", None, b"1")]),
    "epilogue": Case(FORM + b"--XX\r\nanything", [("a", None, b"1")]),
    "glued epilogue": Case(FORM[:-2] + b"anything", [("a", None, b"1")]),
    "padding": Case(FORM.replace(b"--XX\r\n", b"--XX \t \r\n"), [("a", None, b"1")]),
    "long padding is data": Case(
        one(A, b"x\r\n--XX" + b" " * 257 + b"\r\ny"),
        [("a", None, b"x\r\n--XX" + b" " * 257 + b"\r\ny")],
    ),
    "two parts": Case(
        b"--XX\r\n" + A + b"\r\n1\r\n" + one(FILE, b"2"), [("a", None, b"1"), ("f", "a.txt", b"2")]
    ),
    "empty data": Case(one(A, b""), [("a", None, b"")]),
    "nothing behind the header": Case(b"--XX\r\n" + A + b"\r\n--XX--", [("a", None, b"")]),
    "nothing behind the header, twice": Case(
        b"--XX\r\n" + A + b"\r\n--XX\r\n" + A + b"\r\n--XX--", [("a", None, b""), ("a", None, b"")]
    ),
    "data of line ends": Case(one(A, b"\r\n\r\n\n\r"), [("a", None, b"\r\n\r\n\n\r")]),
    "boundary inside a line": Case(one(A, b"a--XX\r\n --XX--"), [("a", None, b"a--XX\r\n --XX--")]),
    "boundary behind a bare CR or LF": Case(
        one(A, b"\r--XX\r\n\n--XX\r\n"), [("a", None, b"\r--XX\r\n\n--XX\r\n")]
    ),
    "longer boundary": Case(
        one(A, b"\r\n--XXY\r\n--XX-\r\n"), [("a", None, b"\r\n--XXY\r\n--XX-\r\n")]
    ),
    "boundary and bare CR": Case(one(A, b"\r\n--XX\rz"), [("a", None, b"\r\n--XX\rz")]),
    "boundary, space and dashes": Case(one(A, b"\r\n--XX --"), [("a", None, b"\r\n--XX --")]),
    "data begins like a longer boundary": Case(one(A, b"--XXY"), [("a", None, b"--XXY")]),
    "all kinds of bytes": Case(one(FILE, bytes(range(256))), [("f", "a.txt", bytes(range(256)))]),
    "odd boundary": Case(
        FORM.replace(b"XX", b"'()+_,-./:=? x"), [("a", None, b"1")], boundary="'()+_,-./:=? x"
    ),
    "preamble and no part": Case(b"hi--XX\r\n\r\n--XX--", "multipart/form-data without a part"),
    "nothing": Case(b"", TRUNCATED),
    "no delimiter": Case(b"hello\r\n", TRUNCATED),
    "CVE-2024-30251: no final delimiter": Case(FORM[:-8], TRUNCATED),
    "half a final delimiter": Case(FORM[:-3], TRUNCATED),
    "truncated header": Case(FORM[:20], TRUNCATED),
    "truncated data": Case(FORM[:-11], TRUNCATED),
    "only another delimiter": Case(FORM[:-4] + b"\r\n", TRUNCATED),
    "line ends of LF only": Case(FORM.replace(b"\r\n", b"\n"), TRUNCATED),
    "no header": Case(b"--XX\r\n\r\n1\r\n--XX--\r\n", "malformed header line"),
    "bare LF in the header": Case(one(A + b"X: a\nY: b\r\n"), "malformed header line"),
    "bare CR in the header": Case(one(A + b"X: a\rY: b\r\n"), "malformed header line"),
    "NUL in the header": Case(one(A + b"X: a\x00b\r\n"), "malformed header line"),
    "folded header": Case(one(A + b"X: a\r\n b\r\n"), "malformed header line"),
    "no name": Case(one(b"Content-Disposition: form-data\r\n"), "part without a name"),
    "100 parts": Case(
        b"".join(b"--XX\r\n" + A + b"\r\n\r\n" for _ in range(100)) + b"--XX--",
        [("a", None, b"")] * 100,
    ),
    "101 parts": Case(
        b"".join(b"--XX\r\n" + A + b"\r\n\r\n" for _ in range(101)) + b"--XX--",
        "more than 100 parts",
    ),
    "too many parts, unfinished": Case(
        FORM.replace(b"--XX--", b"--XX"),
        "more than 1 parts",
        config=ParseMultipartConfig(max_parts=1),
    ),
    "header of the limit": Case(
        one(A), [("a", None, b"1")], config=ParseMultipartConfig(max_part_header_size=len(A) + 2)
    ),
    "header over the limit": Case(
        one(A), "part header over", config=ParseMultipartConfig(max_part_header_size=len(A) + 1)
    ),
    "header lines of the limit": Case(
        one(A + b"X: y\r\n"), [("a", None, b"1")], config=ParseMultipartConfig(max_part_headers=2)
    ),
    "header lines over the limit": Case(
        one(A + b"X: y\r\n" * 2),
        "more than 2 header",
        config=ParseMultipartConfig(max_part_headers=2),
    ),
    "fields of the limit": Case(
        b"--XX\r\n" + A + b"\r\n12\r\n" + one(A, b"345"),
        [("a", None, b"12"), ("a", None, b"345")],
        config=ParseMultipartConfig(max_fields_size=5),
    ),
    "fields over the limit": Case(
        b"--XX\r\n" + A + b"\r\n12\r\n" + one(A, b"345"),
        "form fields are too large",
        config=ParseMultipartConfig(max_fields_size=4),
    ),
    "a file counts as no field": Case(
        one(FILE, b"12345"),
        [("f", "a.txt", b"12345")],
        config=ParseMultipartConfig(max_fields_size=0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    long = len(case.body) > 1000
    for way, pieces in enumerate(ways(case.body)):
        if long and way > 1 and way % 97:
            continue  # all of a long body's splits would take seconds
        if isinstance(case.parts, str):
            with pytest.raises(HTTPInputError, match=case.parts):
                list(events_of(pieces, case.boundary, case.config))
        else:
            parts = parts_of(pieces, case.boundary, case.config)
            assert [(begin.name, begin.filename, data) for begin, data in parts] == case.parts


def test_events() -> None:
    events = list(
        events_of([one(FILE + b"Content-Type: text/plain\r\nX-Y: caf\xc3\xa9\r\n", b"hi")])
    )
    headers = HTTPHeaders(
        {
            "Content-Disposition": 'form-data; name="f"; filename="a.txt"',
            "Content-Type": "text/plain",
            "X-Y": "café",
        }
    )
    begin = PartBegin(headers, name="f", filename="a.txt", content_type="text/plain")
    assert events == [begin, PartData(b"hi"), PartEnd(), End()]


def test_data_is_handed_out_as_soon_as_it_is_known_to_be_data() -> None:
    parser = MultipartParser("XX")
    parser.receive_data(one(FILE)[: -len(b"1\r\n--XX--\r\n")])
    assert isinstance(parser.next_event(), PartBegin)
    for piece, expected in [
        (b"hello", [b"hello"]),
        (b"a\r", [b"a"]),
        (b"\n-", []),
        (b"-Xb\r\n--XX", [b"\r\n--Xb"]),
        (b" ", []),
        (b"!", [b"\r\n--XX !"]),
    ]:
        parser.receive_data(piece)
        got = []
        while isinstance(event := parser.next_event(), PartData):
            got.append(event.data)
        assert got == expected
        assert event is NEED_DATA


def test_end_stays_the_end() -> None:
    parser = MultipartParser("XX")
    parser.receive_data(b"--XX--")
    for _ in range(3):
        assert parser.next_event() == End()
        parser.receive_data(FORM)
    parser.receive_eof()
    assert parser.next_event() == End()


def test_an_error_stays_the_same_error() -> None:
    # CVE-2025-47287: thousands of malformed parts are one error.
    parser = MultipartParser("XX", ParseMultipartConfig(max_parts=100_000))
    parser.receive_data(b"--XX\r\nbad\r\n\r\n\r\n" * 10_000)
    errors = []
    for _ in range(3):
        with pytest.raises(HTTPInputError) as caught:
            parser.next_event()
        errors.append(caught.value)
        parser.receive_data(b"--XX--")
    assert errors[0] is errors[1] is errors[2]
    tracemalloc.start()
    try:
        for _ in range(100):
            parser.receive_data(bytes(100_000))
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "boundary",
    ["", "x" * 71, "a ", "a\r\nb", 'a"b', "é", "a\x00", "a\n", b"\xff", "a;b", "a*b"],
)
def test_bad_boundary(boundary: str | bytes) -> None:
    with pytest.raises(HTTPInputError, match="illegal multipart boundary"):
        MultipartParser(boundary)


@pytest.mark.parametrize("boundary", ["x", "x" * 70, b"a b", "0'()+_,-./:=?"])
def test_good_boundary(boundary: str | bytes) -> None:
    MultipartParser(boundary)


def test_disabled() -> None:
    with pytest.raises(HTTPInputError, match="disabled"):
        MultipartParser("XX", ParseMultipartConfig(enabled=False))


def test_any_buffer_may_be_fed() -> None:
    for kind in (bytes, bytearray, memoryview):
        buffer = kind(FORM)
        assert [data for _, data in parts_of([buffer[:30], buffer[30:]])] == [b"1"]  # type: ignore[list-item]


def test_a_header_without_end_is_refused_while_reading() -> None:
    parser = MultipartParser("XX")
    parser.receive_data(b"--XX\r\n")
    for _ in range(10):
        parser.receive_data(b"X: " + b"y" * 1021)
        assert parser.next_event() is NEED_DATA
    parser.receive_data(b"zz")
    with pytest.raises(HTTPInputError, match="part header over 10240 bytes"):
        parser.next_event()


def test_streamed_fields_have_a_limit() -> None:
    parser = MultipartParser("XX")
    parser.receive_data(b"--XX\r\n" + A + b"\r\n")
    parser.next_event()
    with pytest.raises(HTTPInputError) as caught:
        for _ in range(20):
            parser.receive_data(b"x" * 64 * 1024)
            parser.next_event()
    assert caught.value.status == 413


def test_little_is_held_back() -> None:
    parser = MultipartParser("XX")
    parser.receive_data(b"--XX\r\n" + FILE + b"\r\n")
    parser.next_event()
    for _ in range(100):
        parser.receive_data(b"\r" * 10_000)
        data = parser.next_event()
        assert isinstance(data, PartData)
        assert len(data.data) >= 9_990
        assert parser.next_event() is NEED_DATA


LINEAR = {
    "CR": b"\r",
    "LF": b"\n",
    "line ends": b"\r\n",
    "dashes": b"\r\n--",
    "nearly delimiters": b"\r\n--X",
    "delimiters of another": b"\r\n--XXX",
    "padded": b"\r\n--XX    \r",
    "prefix": b"\r\n--XX-",
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("where", ["data", "preamble"])
@pytest.mark.parametrize("step", [1, 100, 1 << 20])
def test_cost_is_linear(name: str, where: str, step: int) -> None:
    # CVE-2023-46136: uploads that begin with CR or LF.
    def cost(size: int) -> float:
        filler = LINEAR[name] * (size // len(LINEAR[name])) + b"x"
        body = one(FILE, filler) if where == "data" else filler + b"\r\n" + FORM
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            for _event in events_of(body[i : i + step] for i in range(0, len(body), step)):
                pass
            best = min(best, time.process_time() - start)
        return best

    size = min(4000 * step, 50_000)
    assert cost(size * 4) < 8 * cost(size) + 0.01


def test_header_byte_by_byte_is_cheap() -> None:
    body = b"--XX\r\n" + A + b"X: " + b"\r" * 10_000
    start = time.process_time()
    assert len(list(_quiet(body))) == 0
    assert time.process_time() - start < 0.5


def _quiet(body: bytes) -> Iterator[Event]:
    parser = MultipartParser("XX")
    for i in range(len(body)):
        parser.receive_data(body[i : i + 1])
        event = parser.next_event()
        if event is not NEED_DATA:
            yield event


_fragments = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(b"\r\n", b"\r", b"\n", b"--", b"-", b"XX", b"X", b"--XX", b"\r\n--XX", b"--XX--"),
                *(b"\r\n--XX\r\n", A, FILE, b"\r\n\r\n", b" ", b"\t", b"a: b\r\n", b":", b"\x00"),
                b"Content-Disposition: form-data; name*=UTF-8''%C3%A9; filename=\"\xc3\"\r\n",
            ]
        ),
        st.binary(max_size=4),
    ),
    max_size=25,
).map(b"".join)
_config = ParseMultipartConfig(max_parts=3, max_part_header_size=100, max_fields_size=20)


@given(
    st.one_of(_fragments, _fragments.map(lambda data: b"--XX\r\n" + A + b"\r\n" + data)), st.data()
)
def test_any_split_gives_the_same(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    outcomes = []
    for way in ([body], pieces, [body[i : i + 1] for i in range(len(body))]):
        try:
            outcomes.append(("parts", parts_of(way, config=_config)))
        except HTTPInputError as error:
            outcomes.append((str(error), []))
    assert outcomes[0] == outcomes[1] == outcomes[2]
