"""HTTPHeaders: however a field got in, it comes out the same."""

import copy
import pickle
import time
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError, InvalidFieldName, InvalidFieldValue
from zonda.httputil.headers import HTTPHeaders

Pairs = list[tuple[str, str]]


def added(pairs: Pairs) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    return headers


def parsed(pairs: Pairs) -> HTTPHeaders:
    return HTTPHeaders.parse("".join([f"{name}: {value}\r\n" for name, value in pairs]))


def parsed_by_line(pairs: Pairs) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.parse_line(f"{name}:{value}")
    return headers


def from_text_block(pairs: Pairs) -> HTTPHeaders:
    return HTTPHeaders.from_block("".join([f"{name}: {value}\r\n" for name, value in pairs]))


def from_bytes_block(pairs: Pairs) -> HTTPHeaders:
    lines = [f"{name}:\t{value} ".encode("latin-1") for name, value in pairs]
    return HTTPHeaders.from_block(b"\r\n".join(lines))


def copied_unread_block(pairs: Pairs) -> HTTPHeaders:
    return copy.copy(from_bytes_block(pairs))


def pickled(pairs: Pairs) -> HTTPHeaders:
    headers: HTTPHeaders = pickle.loads(pickle.dumps(added(pairs)))
    return headers


WAYS_IN = [
    added,
    parsed,
    parsed_by_line,
    from_text_block,
    from_bytes_block,
    copied_unread_block,
    pickled,
]
every_way = pytest.mark.parametrize("make", WAYS_IN)
Make = Callable[[Pairs], HTTPHeaders]

PAIRS: Pairs = [
    ("content-type", "text/html; charset=UTF-8"),
    ("SET-COOKIE", "a=1"),
    ("x-Empty", ""),
    ("Set-Cookie", "b=2"),
    ("x-latin", "caf\xe9\x85"),
    ("set-cookie", "c=3"),
]


@every_way
def test_reading(make: Make) -> None:
    headers = make(PAIRS)
    assert headers["Content-Type"] == "text/html; charset=UTF-8"
    assert headers["CONTENT-TYPE"] == headers["content-type"] == headers.get("cOntent-type")
    assert headers["set-cookie"] == "a=1,b=2,c=3"
    assert headers.get("Set-Cookie") == "a=1,b=2,c=3"
    assert headers.get_list("set-cookie") == ["a=1", "b=2", "c=3"]
    assert headers.get_list("x-empty") == [""]
    assert headers.get_list("x-none") == []
    assert headers["X-Empty"] == ""
    assert headers["X-Latin"] == "caf\xe9\x85"
    assert headers.get("X-None") is None
    assert headers.get("X-None", "default") == "default"
    assert "content-type" in headers
    assert "Set-Cookie" in headers
    assert "X-None" not in headers
    assert not headers.__contains__(5)
    assert list(headers) == ["Content-Type", "Set-Cookie", "X-Empty", "X-Latin"]
    assert len(headers) == 4
    assert headers
    assert (
        list(headers.get_all())
        == list(headers._pairs())
        == [
            ("Content-Type", "text/html; charset=UTF-8"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Set-Cookie", "c=3"),
            ("X-Empty", ""),
            ("X-Latin", "caf\xe9\x85"),
        ]
    )
    with pytest.raises(KeyError):
        headers["X-None"]


@every_way
@pytest.mark.parametrize(
    "look",
    [
        lambda h: h["A"],
        lambda h: h.get("a"),
        lambda h: h.get_list("a"),
        lambda h: "a" in h,
        lambda h: len(h),
        lambda h: list(h),
        lambda h: list(h.get_all()),
        lambda h: list(h._pairs()),
        lambda h: str(h),
        lambda h: repr(h),
        lambda h: h == {},
        lambda h: h.copy(),
        lambda h: h.add("b", "2"),
        lambda h: h.__setitem__("b", "2"),
        lambda h: h.__delitem__("a"),
        lambda h: h.parse_line("b: 2"),
        lambda h: HTTPHeaders(h),
        lambda h: pickle.dumps(h),
    ],
)
def test_any_first_access_works(make: Make, look: Callable[[HTTPHeaders], object]) -> None:
    headers = make([("a", "1")])
    look(headers)
    assert headers.get("c") is None


@every_way
def test_writing(make: Make) -> None:
    headers = make(PAIRS)
    headers["set-cookie"] = "d=4"
    assert headers.get_list("Set-Cookie") == ["d=4"]
    headers.add("Set-Cookie", "e=5")
    assert headers["Set-Cookie"] == "d=4,e=5"
    headers.add("set-cookie", "f=6")
    assert headers["Set-Cookie"] == "d=4,e=5,f=6"
    del headers["SET-COOKIE"]
    assert "Set-Cookie" not in headers
    assert headers.get_list("Set-Cookie") == []
    with pytest.raises(KeyError):
        del headers["Set-Cookie"]
    assert headers.pop("x-empty") == ""
    assert headers.pop("x-empty", "gone") == "gone"
    assert headers.setdefault("content-type", "other") == "text/html; charset=UTF-8"
    headers.update({"x-latin": "1"}, x_new="2")
    assert dict(headers) == {
        "Content-Type": "text/html; charset=UTF-8",
        "X-Latin": "1",
        "X_new": "2",
    }
    headers.clear()
    assert not headers


@every_way
def test_equality_ignores_the_way_in_and_the_case(make: Make) -> None:
    assert make(PAIRS) == added([(name.upper(), value) for name, value in PAIRS])
    assert make([("a", "1")]) == {"A": "1"}
    assert make([("a", "1")]) != {"a": "1"}
    assert make([("a", "1")]) != 5
    with pytest.raises(TypeError):
        hash(make(PAIRS))


@every_way
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, HTTPHeaders.copy, HTTPHeaders])
def test_copies_share_nothing(make: Make, duplicate: Callable[[HTTPHeaders], HTTPHeaders]) -> None:
    headers = make(PAIRS)
    assert headers["Set-Cookie"] == "a=1,b=2,c=3"
    headers.add("set-cookie", "d=4")
    other = duplicate(headers)
    assert list(other.get_all()) == list(headers.get_all())
    other.add("Set-Cookie", "e=5")
    other["content-type"] = "text/plain"
    assert headers["Set-Cookie"] == "a=1,b=2,c=3,d=4"
    assert headers["Content-Type"] == "text/html; charset=UTF-8"


def test_what_dict_takes() -> None:
    wanted = {"A": "1", "B": "2"}
    assert HTTPHeaders({"a": "1"}, b="2") == wanted
    assert HTTPHeaders([("a", "0"), ("a", "1"), ("b", "2")]) == wanted
    assert HTTPHeaders(a="1", b="2") == wanted
    assert HTTPHeaders(iter([("a", "1"), ("b", "2")])) == wanted
    assert HTTPHeaders({}) == HTTPHeaders() == {}


def test_text() -> None:
    headers = HTTPHeaders.parse("a: 1\r\nB: x\r\nA: 2\r\n")
    assert str(headers) == "A: 1\nA: 2\nB: x\n"
    assert repr(headers) == "HTTPHeaders([('A', '1'), ('A', '2'), ('B', 'x')])"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("\r\n", []),
        ("a:1", [("A", "1")]),
        ("a: 1 \t\r\n", [("A", "1")]),
        ("a:1\nb:2\n", [("A", "1"), ("B", "2")]),
        ("a:1\r\n\r\nb:2\r\n", [("A", "1"), ("B", "2")]),
        ("a:b:c", [("A", "b:c")]),
        ("a:", [("A", "")]),
        # Line ends are LF and CRLF, not all that str.splitlines knows; white space is SP and TAB.
        ("a:1\x85b:2", [("A", "1\x85b:2")]),
        ("a:\xa01\xa0", [("A", "\xa01\xa0")]),
    ],
)
def test_parse(text: str, pairs: Pairs) -> None:
    assert list(HTTPHeaders.parse(text).get_all()) == pairs


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a : 1",
        " a: 1",
        ":1",
        "\xe9: 1",
        "a b: 1",
        "a:1\r\n b\r\n",
        "a:1\r\n\tb\r\n",
        "a:1\r\n \r\n",
        "a:1\rb",
        "a:1\r\r\n",
        "a:\x001",
        "a:1\x0b",
        "a:1\x1f",
        "a:1\x7f",
        "a:\u20ac",
        "a:1\u2028b:2",
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(HTTPInputError) as caught:
        HTTPHeaders.parse(text)
    assert caught.value.status == 400


def test_parse_line_takes_one_line_only() -> None:
    headers = HTTPHeaders()
    for line in ("a: 1", "a: 2\r\n", "a: 3\n", "", "\r\n"):
        headers.parse_line(line)
    assert headers.get_list("a") == ["1", "2", "3"]
    for line in ("a: 1\r\nb: 2", " a: 1", "a: 1\r"):
        with pytest.raises(HTTPInputError):
            headers.parse_line(line)


def test_characters_that_are_no_octets_only_when_told() -> None:
    headers = HTTPHeaders.parse("a: \u20ac", _chars_are_bytes=False)
    headers.add("a", "\u20ac", _chars_are_bytes=False)
    headers.parse_line("b: \u20ac", _chars_are_bytes=False)
    assert headers["a"] == "\u20ac,\u20ac"
    assert pickle.loads(pickle.dumps(headers)) == headers
    with pytest.raises(InvalidFieldValue):
        headers.add("a", "\u20ac")


BAD_NAMES = ["", "a b", "a:", ":a", "a\n", "a\r\nb", "\xe9", "a/b", "a\x00", "(a)", "a\u0131", " a"]
BAD_VALUES = [
    "a\r\nb: c",
    "a\nb",
    "a\rb",
    "a\x00b",
    "\x01",
    "a\x0bb",
    "a\x1fb",
    "a\x7f",
    "\r\n",
    "\u20ac",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_no_tokens_do_not_get_in(name: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(InvalidFieldName):
        headers.add(name, "1")
    with pytest.raises(InvalidFieldName):
        headers[name] = "1"
    with pytest.raises(InvalidFieldName):
        HTTPHeaders({name: "1"})
    with pytest.raises(InvalidFieldName):
        HTTPHeaders([(name, "1")])
    # Asking for one is no fault: there is none.
    assert name not in headers
    assert headers.get(name) is None
    assert headers.get_list(name) == []
    with pytest.raises(KeyError):
        headers[name]
    assert not headers


@pytest.mark.parametrize("value", BAD_VALUES)
def test_values_that_are_not_for_the_wire_do_not_get_in(value: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(InvalidFieldValue):
        headers.add("a", value)
    with pytest.raises(InvalidFieldValue):
        headers["a"] = value
    with pytest.raises(InvalidFieldValue):
        headers.update(a=value)
    with pytest.raises(InvalidFieldValue):
        headers.setdefault("a", value)
    with pytest.raises(InvalidFieldValue):
        HTTPHeaders({"a": value})
    if value != "\u20ac":
        with pytest.raises(ValueError, match="illegal characters"):
            headers["a"] = value.encode("latin-1")  # type: ignore[assignment]
    assert not headers


def test_values_that_are_no_str() -> None:
    headers = HTTPHeaders()
    headers["Content-Length"] = 12  # type: ignore[assignment]
    headers["X-Octets"] = b"caf\xe9"  # type: ignore[assignment]
    headers.add("X-Number", 5)  # type: ignore[arg-type]
    assert headers == {"Content-Length": "12", "X-Octets": "caf\xe9", "X-Number": "5"}
    for value in (None, ["1"], object()):
        with pytest.raises(TypeError):
            headers["a"] = value  # type: ignore[assignment]


def test_from_canonical_copies() -> None:
    fields = {"Server": "Zonda", "Content-Type": "text/html"}
    headers = HTTPHeaders._from_canonical(fields)
    headers["content-length"] = "5"
    headers.add("content-type", "x")
    assert fields == {"Server": "Zonda", "Content-Type": "text/html"}
    assert "\r\n".join(map(": ".join, headers._pairs())) == (
        "Server: Zonda\r\nContent-Type: text/html\r\nContent-Type: x\r\nContent-Length: 5"
    )


@pytest.mark.parametrize(
    "block", [b"", b"\r\n", b"a:1", b"a: 1\r\n", b"a:1\r\n\r\n", "a:1\r\n", "a:1"]
)
def test_blocks_end_as_they_like(block: bytes | str) -> None:
    assert HTTPHeaders.from_block(block) == ({"A": "1"} if b"a" in memoryview_of(block) else {})


def memoryview_of(block: bytes | str) -> bytes:
    return block if isinstance(block, bytes) else block.encode("latin-1")


def is_unread(headers: HTTPHeaders) -> bool:
    return headers._block is not None


def test_one_question_leaves_the_block_unread() -> None:
    headers = HTTPHeaders.from_block("Host: a\r\nX-If-None-Match: b\r\nIf-None: c\r\n")
    assert headers.get("If-None-Match", "no") == "no"
    assert is_unread(headers)
    assert headers.get("Cookie") is None
    assert not is_unread(headers)
    headers = HTTPHeaders.from_block("Host: a\r\n")
    assert headers.get("Host") == "a"
    assert is_unread(headers)
    assert headers.get("hOST") == "a"
    for name in ("HOST", "x-if-none-match", "If-None"):
        assert HTTPHeaders.from_block("Host: a\r\nX-If-None-Match: b\r\nIf-None: c").get(name)
    assert HTTPHeaders.from_block("Host: a:b\r\n").get("a") is None


@pytest.mark.parametrize(
    ("block", "name", "value"),
    [
        ("Host: a\r\nAccept: b\r\n", "Host", "a"),
        ("Host: a\r\nAccept: b\r\n", "aCCEPT", "b"),
        ("Host: a\r\nAccept: b", "accept", "b"),
        ("host:a\r\n\r\n", "Host", "a"),
        ("A: \t b:c \t \r\n", "a", "b:c"),
        ("A:\r\nB: c\r\n", "a", ""),
        ("A:", "a", ""),
        ("A: B\r\nX-A: c\r\n", "a", "B"),
        ("X-A: c\r\nA: B\r\n", "a", "B"),
        ("A: b\r\nC: d\r\na: e\r\n", "A", "b,e"),
        ("A: b\r\nC: A: d\r\n", "A", "b"),
        # Nobody's names, though they are found in the text.
        ("A: b: c\r\n", "A: b", None),
        ("A: b\r\nC: d\r\n", "A: b\r\nC", None),
        ("A: b\r\n", "", None),
        # Letters that are longer or shorter in lower case, and such as Latin-1 has not.
        ("A: \u0130\r\nB: \u20ac\r\n", "b", "\u20ac"),
        ("A: \u20ac\r\n", "b", None),
        ("A: \u212a\r\n", "k", None),
        ("A: \xc4\r\n", "a", "\xc4"),
    ],
)
def test_the_first_question_to_a_block_is_answered_as_the_second(
    block: str, name: str, value: str | None
) -> None:
    headers = HTTPHeaders.from_block(block)
    for _ in range(3):
        assert headers.get(name) == value
    assert HTTPHeaders.from_block(block).get(name, "x") == ("x" if value is None else value)
    copy = HTTPHeaders.from_block(block)
    copy.get(name)
    assert list(copy.copy().get_all()) == list(HTTPHeaders.from_block(block).get_all())


class Sub(HTTPHeaders):
    """As programs derive: with attributes, without slots."""

    def __init__(self, *args: Mapping[str, str], note: str = "") -> None:
        super().__init__(*args)
        self.note = note


def test_subclasses_keep_their_class_and_attributes() -> None:
    headers = Sub({"a": "1"}, note="x")
    headers.add("a", "2")
    for other in (headers.copy(), copy.deepcopy(headers), pickle.loads(pickle.dumps(headers))):
        assert type(other) is Sub
        assert other.note == "x"
        assert other.get_list("a") == ["1", "2"]
    assert type(Sub.parse("a: 1")) is Sub
    assert type(Sub.from_block("a: 1")) is Sub


def test_fifteen_thousand_equal_lines_cost_linear_time() -> None:
    # CVE-2025-67725: the joined value was built anew for every line.
    line = "X-Repeated: " + "v" * 100 + "\r\n"
    for make in (HTTPHeaders.parse, HTTPHeaders.from_block):
        start = time.process_time()
        headers = make(line * 15_000)
        for _ in range(1_000):
            assert len(headers["X-Repeated"]) == 15_000 * 101 - 1
        assert time.process_time() - start < 0.5


names = st.text("aAbB-_1", min_size=1, max_size=4)
values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=8
).map(lambda text: text.strip(" \t"))


@given(st.lists(st.tuples(names, values), max_size=8))
def test_all_ways_in_agree_and_str_is_read_back(pairs: Pairs) -> None:
    first = list(added(pairs).get_all())
    assert sorted(value for _, value in first) == sorted(value for _, value in pairs)
    for make in WAYS_IN:
        assert list(make(pairs).get_all()) == first
    assert list(HTTPHeaders.parse(str(added(pairs))).get_all()) == first


@given(st.text(), st.text())
def test_nothing_gets_in_that_is_not_one_line(name: str, value: str) -> None:
    headers = HTTPHeaders()
    try:
        headers[name] = value
        headers.add(name, value.strip(" \t"))
    except (InvalidFieldName, InvalidFieldValue):
        pass
    text = "\r\n".join(map(": ".join, headers._pairs()))
    assert text.count("\n") == text.count("\r") == max(0, len(list(headers.get_all())) - 1)
    assert "\x00" not in text


@given(st.text(st.characters(max_codepoint=0x110), max_size=30))
def test_parse_raises_nothing_else(text: str) -> None:
    try:
        HTTPHeaders.parse(text)
    except HTTPInputError:
        pass
