"""Sections that many headers begin with are never changed by one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import InvalidFieldValue
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.shared_fields import FieldTemplate, SharedFields, split_fields

TEXT = "Host: a\r\nVia: x\r\nvia: y\r\nX-Own:  spaced \r\n"


def sharing(shared: SharedFields) -> HTTPHeaders:
    headers = HTTPHeaders()
    headers._block = shared
    return headers


def read_everything(headers: HTTPHeaders) -> tuple[object, ...]:
    return (
        headers.get("host"),
        headers.get("VIA"),
        headers.get("Missing"),
        headers.get("no token", "default"),
        headers.get("Content-Length", "0"),
        "x-own" in headers,
        "X-Other" in headers,
        headers["X-OWN"],
        list(headers),
        headers.get_list("via"),
        list(headers.get_all()),
        len(headers),
    )


def test_split_fields() -> None:
    fields, repeated = split_fields(TEXT.split("\r\n"))
    assert fields["Host"] == "a"
    assert fields["X-Own"] == "spaced"
    assert repeated == {"Via": ["x", "y"]}
    assert split_fields(["A: b"]) == ({"A": "b"}, None)


@pytest.mark.parametrize("first", ["host", "VIA", "Missing", "X-Own", "no token"])
def test_shared_fields_read_as_headers_of_one_s_own(first: str) -> None:
    shared = SharedFields(TEXT)
    own = HTTPHeaders.from_block(TEXT)
    assert sharing(shared).get(first) == own.get(first)  # from the text
    assert read_everything(sharing(shared)) == read_everything(HTTPHeaders.from_block(TEXT))
    with pytest.raises(KeyError, match="Missing"):
        sharing(shared)["missing"]


def change(headers: HTTPHeaders, how: str) -> None:
    match how:
        case "set":
            headers["Host"] = "b"
        case "add":
            headers.add("Host", "b")
        case "add to repeated":
            headers.add("Via", "z")
        case "delete":
            del headers["Host"]
        case "clear":
            headers.clear()
        case "pop":
            headers.pop("Via")
        case "line":
            headers.parse_line("Host: b")
        case "copy":
            headers.copy()["Host"] = "b"


CHANGES = ["set", "add", "add to repeated", "delete", "clear", "pop", "line", "copy"]


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("how", CHANGES)
def test_what_one_changes_no_other_sees(how: str, asked: bool) -> None:
    shared = SharedFields(TEXT)
    before, changed, after = sharing(shared), sharing(shared), sharing(shared)
    if asked:
        read_everything(changed)
    change(changed, how)
    expected = HTTPHeaders.from_block(TEXT)
    change(expected, how)
    assert list(changed.get_all()) == list(expected.get_all())
    untouched = read_everything(HTTPHeaders.from_block(TEXT))
    assert read_everything(before) == untouched
    assert read_everything(after) == untouched
    assert read_everything(sharing(shared)) == untouched


name = st.sampled_from(["Server", "Date", "Etag", "Content-Type", "Connection", "X-A", "x-a"])
value = st.sampled_from(["a", "b", "c\td", "\xe9", ""])
step = st.one_of(
    st.tuples(st.just("set"), name, value),
    st.tuples(st.just("add"), name, st.sampled_from(["a", "b"])),
    st.tuples(st.just("get"), name, value),
    st.tuples(st.just("delete"), name, value),
    st.tuples(st.just("put"), st.sampled_from(["Etag", "Server"]), value),
)
BASE = {"Server": "Zonda", "Date": "now", "Content-Type": "text/html"}


@given(st.lists(step, max_size=8))
def test_headers_from_a_template_are_headers(steps: list[tuple[str, str, str]]) -> None:
    template = HTTPHeaders(BASE).template()
    templated, plain = HTTPHeaders.from_template(template), HTTPHeaders(BASE)
    for headers in (templated, plain):
        seen: list[object] = []
        for what, key, text in steps:
            if what == "set":
                headers[key] = text
            elif what == "add":
                headers.add(key, text)
            elif what == "put":
                headers._put(key, text)
            elif what == "delete" and key in headers:
                del headers[key]
            elif what == "get":
                seen.append(headers.get(key))
        if headers is templated:
            seen_first = seen
    assert seen_first == seen
    assert list(templated.get_all()) == list(plain.get_all())
    assert list(HTTPHeaders.from_template(template).items()) == list(BASE.items())


def test_adding_and_replacing_keep_the_template() -> None:
    template = HTTPHeaders(BASE).template()
    headers = HTTPHeaders.from_template(template)
    headers["X-A"] = "1"
    assert headers._block is template
    headers["Content-Type"] = "application/json"
    variant = headers._block
    assert isinstance(variant, FieldTemplate)
    assert variant is not template
    assert "application/json" in variant.text
    other = HTTPHeaders.from_template(template)
    other["content-type"] = "application/json"
    assert other._block is variant
    assert HTTPHeaders.from_template(template)["Content-Type"] == "text/html"


def test_a_template_has_few_variants() -> None:
    template = HTTPHeaders(BASE).template()
    for number in range(3 * FieldTemplate.VARIANTS):
        headers = HTTPHeaders.from_template(template)
        headers["Server"] = str(number)
        assert headers["Server"] == str(number)
    assert len(template._variants) == FieldTemplate.VARIANTS


@pytest.mark.parametrize("bad", ["a\r\nb", "\x00", "\u0100", "\x7f"])
def test_values_are_checked(bad: str) -> None:
    headers = HTTPHeaders.from_template(HTTPHeaders(BASE).template())
    for key in ("X-A", "Server", "Connection"):
        with pytest.raises(InvalidFieldValue):
            headers[key] = bad
    assert list(headers.items()) == list(BASE.items())


@pytest.mark.parametrize(
    "fields",
    [
        [("Connection", "close")],
        [("Content-Length", "1")],
        [("Transfer-Encoding", "chunked")],
        [("A", "1"), ("A", "2")],
    ],
)
def test_what_a_template_cannot_have(fields: list[tuple[str, str]]) -> None:
    headers = HTTPHeaders()
    for key, text in fields:
        headers.add(key, text)
    with pytest.raises(ValueError, match="neither repeated nor framing"):
        headers.template()


def test_a_template_is_checked_where_headers_were_not() -> None:
    headers = HTTPHeaders()
    headers.add("A", "\u20ac", _chars_are_bytes=False)
    with pytest.raises(InvalidFieldValue):
        headers.template()
