"""Headers of parts: what is understood and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.part_header import parse_part_header

# Parameters of the Content-Disposition -> name, filename; or the beginning of the error.
ROWS: dict[bytes, tuple[str, str | None] | str] = {
    b'name="a"': ("a", None),
    b"name=a": ("a", None),
    b'NAME="a"': ("a", None),
    b'name = "a" ; filename = "b"': ("a", "b"),
    b'name="a;b"': ("a;b", None),
    b'name="a"; filename="b.txt"': ("a", "b.txt"),
    b'name="a"; filename=""': ("a", ""),
    b'name="a"; filename=b': ("a", "b"),
    b'name="a"; filename="b \\"c\\".txt"': ("a", 'b "c".txt'),
    b'name="a"; filename="C:\\temp\\b.txt"': ("a", "C:\\temp\\b.txt"),
    b'name="a"; filename="b\\\\c"': ("a", "b\\c"),
    b'name="a"; filename="b%22c"': ("a", "b%22c"),
    b'name="a"; filename="../../etc/passwd"': ("a", "../../etc/passwd"),
    b'name="caf\xc3\xa9"; filename="\xe2\x82\xac.txt"': ("café", "€.txt"),
    b'name="a"; filename="e.txt"; filename*=UTF-8\'\'%e2%82%ac.txt': ("a", "€.txt"),
    b'name="a"; filename*=iso-8859-1\'en\'%E9.txt; filename="e.txt"': ("a", "é.txt"),
    b"name*=UTF-8''caf%C3%A9": ("café", None),
    b'name="a"; filename="e"; filename*=utf-16\'\'%00': ("a", "e"),
    b"name=\"a\"; filename*=utf-16''%00": "part with a filename that",
    b"name=\"a\"; filename*=UTF-8''%ff": "part with a filename that",
    b"name=\"a\"; filename*=UTF-8''a%0d%0ab": "control characters",
    b"name=\"a\"; filename*=UTF-8''a%00b": "control characters",
    b"name*=UTF-8''a%0ab": "control characters",
    b'name="a\tb"': "control characters",
    b'name=""': "part without a name",
    b'filename="a"': "part without a name",
    b"": "part without a name",
    b'name="\xff"': "header of a part is not UTF-8",
    b'name="a\x00"': "malformed header line",
    b'name="a\x7f"': "malformed header line",
}


@pytest.mark.parametrize("parameters", ROWS)
def test_content_disposition(parameters: bytes) -> None:
    block = b"Content-Disposition: form-data; " + parameters
    expected = ROWS[parameters]
    if isinstance(expected, str):
        with pytest.raises(HTTPInputError, match=expected):
            parse_part_header(block, 10)
    else:
        header = parse_part_header(block, 10)
        assert (header.name, header.filename) == expected


GOOD = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (b"", "malformed header line"),
        (b"X: y", "part with 0 Content-Disposition"),
        (GOOD + b"\r\n" + GOOD, "part with 2 Content-Disposition"),
        (GOOD + b"\r\ncontent-disposition: form-data; name=b", "part with 2 Content-Disposition"),
        (b'Content-Disposition: attachment; name="a"', "part is not form-data"),
        (b'Content-Disposition: name="a"', "part is not form-data"),
        (GOOD + b"\r\nno colon", "malformed header line"),
        (GOOD + b"\r\nX Y: z", "malformed header line"),
        (GOOD + b"\r\nX : z", "malformed header line"),
        (GOOD + b"\r\n: z", "malformed header line"),
        (GOOD + b"\r\n folded", "malformed header line"),
        (GOOD + b"\r\n", "malformed header line"),
        (GOOD + b"\nX: y", "malformed header line"),
        (GOOD + b"\rX: y", "malformed header line"),
        (GOOD + b"\r\nX: y" * 10, "more than 10 header lines"),
    ],
)
def test_refused(block: bytes, message: str) -> None:
    with pytest.raises(HTTPInputError, match=message):
        parse_part_header(block, 10)


def test_other_fields() -> None:
    block = (
        b"content-disposition:form-data;name=a\r\nContent-Type:  text/plain\t\r\nX:\r\nX: \xc3\xa9"
    )
    header = parse_part_header(block, 10)
    assert header.content_type == "text/plain"
    assert header.headers.get_list("x") == ["", "é"]
    assert parse_part_header(GOOD, 10).content_type is None


@given(st.binary(max_size=60), st.booleans())
def test_nothing_undocumented_is_raised(data: bytes, valid_line: bool) -> None:
    prefix = b"Content-Disposition: form-data; name=a; " if valid_line else b""
    try:
        header = parse_part_header(prefix + data, 10)
    except HTTPInputError:
        return
    assert header.name
    text = header.name + (header.filename or "") + (header.content_type or "")
    assert not any(character in text for character in "\r\n\x00")


def test_fields_beyond_latin1_can_be_asked_for() -> None:
    block = 'Content-Disposition: form-data; name="a"; filename="\u20ac"'.encode()
    headers = parse_part_header(block, 10).headers
    assert headers.get("Content-Type") is None
    assert headers.get("Content-Disposition", "").endswith('"\u20ac"')
