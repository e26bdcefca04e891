"""Whole form bodies, and how others read the same bytes."""

import importlib.util
import io
import itertools
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.form_config import (
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
    set_parse_body_config,
)
from zonda.httputil.forms import (
    parse_body_arguments,
    parse_multipart_form_data,
    parse_urlencoded,
)
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.multipart_encoder import MultipartEncoder

URLENCODED = "application/x-www-form-urlencoded"
Parsed = tuple[dict[str, list[bytes]], dict[str, list[HTTPFile]]]


def parse(
    content_type: str,
    body: bytes,
    headers: HTTPHeaders | None = None,
    config: ParseBodyConfig | None = None,
) -> Parsed:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    parse_body_arguments(content_type, body, arguments, files, headers, config=config)
    return arguments, files


def part(header: bytes, data: bytes = b"1") -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + header + b"\r\n\r\n" + data + b"\r\n"


# Content types


@pytest.mark.parametrize(
    ("content_type", "parsed"),
    [
        (URLENCODED, True),
        (URLENCODED.upper(), True),
        (URLENCODED + "; charset=utf-8", True),
        (URLENCODED + " charset=utf-8", True),
        (URLENCODED + ", " + URLENCODED, True),
        ("\t" + URLENCODED, True),
        (URLENCODED + "x", False),
        (URLENCODED + "-foo", False),
        ("text/plain", False),
        ("text/plain; " + URLENCODED, False),
        ("", False),
    ],
)
def test_which_types_are_urlencoded(content_type: str, parsed: bool) -> None:
    assert parse(content_type, b"a=1")[0] == ({"a": [b"1"]} if parsed else {})


@pytest.mark.parametrize(
    ("content_type", "outcome"),
    [
        ("multipart/form-data; boundary=x", "parsed"),
        ('multipart/form-data;boundary="x"', "parsed"),
        ("Multipart/Form-Data; BOUNDARY=x", "parsed"),
        ("multipart/form-data; charset=utf-8; boundary=x", "parsed"),
        ('multipart/form-data; foo="a;b"; boundary=x', "parsed"),
        ("multipart/form-data ; boundary = x", "parsed"),
        ("multipart/form-data", "without a boundary"),
        ("multipart/form-data; boundary=", "without a boundary"),
        ('multipart/form-data; boundary=""', "without a boundary"),
        ("multipart/form-data; boundary=é", "illegal multipart boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, "illegal multipart boundary"),
        ("multipart/form-data; boundary=y", "without its final boundary"),
        ("multipart/form-data; boundary='x'", "without its final boundary"),
        ("multipart/mixed; boundary=x", "left alone"),
        ("multipart/form-data-x; boundary=x", "left alone"),
    ],
)
def test_which_types_are_multipart(content_type: str, outcome: str) -> None:
    body = part(b"name=a") + b"--x--\r\n"
    if outcome == "parsed":
        assert parse(content_type, body)[0] == {"a": [b"1"]}
    elif outcome == "left alone":
        assert parse(content_type, body) == ({}, {})
    else:
        with pytest.raises(HTTPInputError, match=outcome):
            parse(content_type, body)


@pytest.mark.parametrize(
    ("coding", "refused"),
    [("gzip", True), ("foo, identity", True), ("identity", False), ("", False)],
)
def test_compressed_forms_are_not_parsed(coding: str, refused: bool) -> None:
    headers = HTTPHeaders({"Content-Encoding": coding})
    for content_type, body in [
        (URLENCODED, b"a=1"),
        ("multipart/form-data; boundary=x", part(b"name=a") + b"--x--"),
    ]:
        if refused:
            with pytest.raises(HTTPInputError, match="Content-Encoding"):
                parse(content_type, body, headers)
        else:
            assert parse(content_type, body, headers)[0] == {"a": [b"1"]}
    assert parse("text/plain", b"a=1", headers) == ({}, {})


# urlencoded


def test_urlencoded_values() -> None:
    body = b"a=1&b=&c&%C3%A9=%C3%A9&\xc3\xa9=\xff&=x&d=%FF+%2B&a=2"
    expected = {
        "a": [b"1", b"2"],
        "b": [b""],
        "c": [b""],
        "Ã©": [b"\xc3\xa9", b"\xff"],
        "": [b"x"],
        "d": [b"\xff +"],
    }
    assert parse(URLENCODED, body) == (expected, {})
    assert parse_urlencoded(body) == expected


def test_what_was_there_stays() -> None:
    arguments = {"a": [b"0"], "z": [b"z"]}
    files = {"f": [HTTPFile(filename="0", body=b"", content_type="")]}
    parse_body_arguments(URLENCODED, b"a=1", arguments, files)
    body = part(b"name=a", b"2") + part(b"name=f; filename=b") + b"--x--"
    parse_multipart_form_data(b"x", body, arguments, files)
    assert arguments == {"a": [b"0", b"1", b"2"], "z": [b"z"]}
    assert [file.filename for file in files["f"]] == ["0", "b"]


@pytest.mark.parametrize("body", [b"a=1&" * 1000, b"&" * 1000, b"a&" * 500_000])
def test_too_many_fields(body: bytes) -> None:
    # CVE-2025-69228; the query string has the same limit.
    with pytest.raises(HTTPInputError, match="more than 1000 fields"):
        parse(URLENCODED, body)
    with pytest.raises(HTTPInputError, match="more than 1000 fields"):
        parse_urlencoded(body.decode())


def test_just_enough_fields() -> None:
    assert parse(URLENCODED, b"&".join([b"a=1"] * 1000)) == ({"a": [b"1"] * 1000}, {})


def test_query_outside_latin1() -> None:
    with pytest.raises(HTTPInputError):
        parse_urlencoded("a=\u20ac")


# Configuration


@pytest.fixture
def _default_config() -> Iterator[None]:
    before = get_parse_body_config()
    yield
    set_parse_body_config(before)


@pytest.mark.usefixtures("_default_config")
@pytest.mark.parametrize("process_wide", [True, False])
def test_limits(process_wide: bool) -> None:
    config: ParseBodyConfig | None = ParseBodyConfig(
        ParseMultipartConfig(max_parts=1, max_part_header_size=50), ParseUrlEncodedConfig(1)
    )
    if process_wide:
        assert config is not None
        set_parse_body_config(config)
        config = None
    multipart = "multipart/form-data; boundary=x"
    assert parse(URLENCODED, b"a=1", config=config)[0] == {"a": [b"1"]}
    assert parse(multipart, part(b"name=a") + b"--x--", config=config)[0] == {"a": [b"1"]}
    for content_type, body, message in [
        (URLENCODED, b"a=1&b=2", "more than 1 fields"),
        (multipart, part(b"name=a") * 2 + b"--x--", "more than 1 parts"),
        (multipart, part(b"name=a" + b"a" * 50) + b"--x--", "part header over 50 bytes"),
    ]:
        with pytest.raises(HTTPInputError, match=message):
            parse(content_type, body, config=config)


def test_multipart_disabled() -> None:
    config = ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False))
    with pytest.raises(HTTPInputError, match="disabled"):
        parse("multipart/form-data; boundary=x", b"--x--", config=config)


def test_fields_in_memory_have_no_limit_of_their_own_but_can() -> None:
    body = part(b"name=a", bytes(3 << 20)) + b"--x--"
    assert parse("multipart/form-data; boundary=x", body)[0] == {"a": [bytes(3 << 20)]}
    config = ParseBodyConfig(multipart=ParseMultipartConfig(max_fields_size=1000))
    with pytest.raises(HTTPInputError, match="too large") as caught:
        parse("multipart/form-data; boundary=x", body, config=config)
    assert caught.value.status == 413


# multipart


def test_fields_and_files() -> None:
    body = (
        part(b'name="a"')
        + part(b'name="f"; filename="a.txt"\r\nContent-Type: text/plain; charset=utf-8', b"hi")
        + part(b'name="f"; filename="b"', b"\xff\x00")
        + part(b'name="g"; filename="b"\r\nContent-Type:', b"")
        + part(b'name="a"; filename=""\r\nContent-Type: application/octet-stream', b"")
        + b"--x--\r\n"
    )
    arguments, files = parse("multipart/form-data; boundary=x", body)
    assert arguments == {"a": [b"1", b""]}
    assert files == {
        "f": [
            {"filename": "a.txt", "body": b"hi", "content_type": "text/plain; charset=utf-8"},
            {"filename": "b", "body": b"\xff\x00", "content_type": "application/unknown"},
        ],
        "g": [{"filename": "b", "body": b"", "content_type": ""}],
    }
    assert all(isinstance(file, HTTPFile) for uploads in files.values() for file in uploads)


@pytest.mark.parametrize("boundary", [b"x", b'"x"'])
def test_boundary_with_quotes(boundary: bytes) -> None:
    arguments: dict[str, list[bytes]] = {}
    parse_multipart_form_data(boundary, part(b"name=a") + b"--x--", arguments, {})
    assert arguments == {"a": [b"1"]}


def test_nothing_of_a_bad_body_is_kept() -> None:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    for bad in (b"", part(b"nonsense") + b"--x--"):
        with pytest.raises(HTTPInputError):
            parse_multipart_form_data(
                b"x", part(b"name=a") + part(b"name=f; filename=g") + bad, arguments, files
            )
        assert (arguments, files) == ({}, {})


def test_truncation_is_an_error_under_optimisation_too() -> None:
    # CVE-2025-69227: what is checked with assert is not checked under -OO.
    program = """
import sys
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.forms import parse_body_arguments
body = sys.stdin.buffer.read()
refused = 0
for length in range(len(body) - 2):
    try:
        parse_body_arguments("multipart/form-data; boundary=x", body[:length], {}, {})
    except HTTPInputError:
        refused += 1
arguments = {}
parse_body_arguments("multipart/form-data; boundary=x", body, arguments, {})
print(refused, arguments)
"""
    body = part(b"name=a") + part(b"name=b", b"2") + b"--x--"
    result = subprocess.run(
        [sys.executable, "-OO", "-c", program],
        input=body,
        capture_output=True,
        timeout=60,
        check=True,
    )
    expected = f"{len(body) - 2} {{'a': [b'1'], 'b': [b'2']}}"
    assert result.stdout.decode().strip() == expected, result.stderr


# Others. Each row: a body, what we make of it, what the peers do, and why where they differ.


class Row(NamedTuple):
    body: bytes
    ours: str
    werkzeug: str = ""  # "" where it is the same as ours
    python_multipart: str = ""
    tornado: str = ""
    why: str = ""


def form(*parameters: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(part(each) for each in parameters) + end


A = b"name=a"
STRICT = "RFC 7578 asks for CRLF and for fields without control characters"
ROWS = {
    "one": Row(form(A), "a=1"),
    "two": Row(form(A, A), "a=1 a=1"),
    "file": Row(form(b'name="f"; filename="b.txt"'), "f@b.txt=1"),
    "utf-8": Row(form('name="é"; filename="€"'.encode()), "é@€=1"),
    "no final line end": Row(form(A, end=b"--x--"), "a=1"),
    "glued epilogue": Row(form(A, end=b"--x--bye"), "a=1"),
    "empty data": Row(part(A, b"") + b"--x--\r\n", "a="),
    "line ends": Row(part(A, b"\r\n\r\n\n\r") + b"--x--\r\n", r"a=\r\n\r\n\n\r"),
    "nearly": Row(part(A, b"\r\n--xy\r\n-") + b"--x--\r\n", r"a=\r\n--xy\r\n-"),
    "no header": Row(b"--x\r\n\r\n1\r\n--x--\r\n", "refused"),
    "no disposition": Row(b"--x\r\nX: y\r\n\r\n1\r\n--x--\r\n", "refused"),
    "names in latin-1": Row(form(b'name="\xe9"'), "refused"),
    "two names": Row(form(b"name=a; name=b"), "b=1"),
    "preamble": Row(
        b"hi\r\n" + form(A),
        "a=1",
        python_multipart="refused",
        tornado="refused",
        why="RFC 2046 allows one",
    ),
    "preamble without a line end": Row(
        b"hi" + form(A), "refused", werkzeug="a=1", why="a delimiter starts a line"
    ),
    "padding": Row(
        form(A).replace(b"--x\r\n", b"--x \t\r\n"),
        "a=1",
        python_multipart="refused",
        tornado="refused",
        why="RFC 2046: white space added in transport is ignored",
    ),
    "a body behind the body": Row(
        form(A) + form(b"name=b"),
        "a=1",
        tornado=r"a=1\r\n--x-- b=1",
        why="RFC 2046: what follows the final delimiter is ignored",
    ),
    "lines ended by LF": Row(
        form(A).replace(b"\r\n", b"\n"), "refused", werkzeug="a=1", why=STRICT
    ),
    "no final delimiter": Row(
        form(A, end=b"--x\r\n"), "refused", python_multipart="a=1", why="it is truncated"
    ),
    "nothing": Row(
        b"", "refused", python_multipart="nothing", why="truncated too: an empty form is --x--"
    ),
    "nothing behind the header": Row(
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n--x--\r\n",
        "a=",
        python_multipart="nothing",
        why="RFC 2046: the body of a part is optional",
    ),
    "not form-data": Row(
        form(A).replace(b"form-data", b"attachment"),
        "refused",
        werkzeug="a=1",
        python_multipart="a=1",
        why="RFC 7578 section 4.2",
    ),
    "upper case": Row(
        form(A).replace(b"form-data", b"FORM-DATA"),
        "a=1",
        tornado="refused",
        why="RFC 2183: case does not matter",
    ),
    "no name": Row(form(b"foo=a"), "refused", werkzeug="None=1", why="RFC 7578 section 4.2"),
    "empty name": Row(
        form(b'name=""'),
        "refused",
        werkzeug="=1",
        python_multipart="=1",
        why="as good as none, and what Tornado does",
    ),
    "two dispositions": Row(
        form(b"name=a\r\nContent-Disposition: form-data; name=b"),
        "refused",
        werkzeug="a=1",
        python_multipart="b=1",
        tornado="b=1",
        why="three programs, two readings: not to be smuggled through",
    ),
    "LF in a header": Row(
        form(b"name=a\r\nX: y\nZ: w"),
        "refused",
        werkzeug="a=1",
        python_multipart="a=1",
        tornado="a=1",
        why=STRICT,
    ),
    "CR in a header": Row(form(b"name=a\r\nX: y\rZ: w"), "refused", werkzeug="a=1", why=STRICT),
    "NUL in a header": Row(
        form(b"name=a\r\nX: y\x00"), "refused", werkzeug="a=1", python_multipart="a=1", why=STRICT
    ),
    "folded header": Row(form(b"name=a\r\nX: y\r\n z"), "refused", werkzeug="a=1", why=STRICT),
    "space in a field name": Row(form(b"name=a\r\nX Y: z"), "refused", werkzeug="a=1", why=STRICT),
    "no file chosen": Row(
        form(b'name=a; filename=""'),
        "a=1",
        werkzeug="a@=1",
        python_multipart="a@=1",
        why="not a file, as in Tornado",
    ),
    "Windows path": Row(
        form(b'name=a; filename="C:\\temp\\b.txt"'),
        r"a@C:\temp\b.txt=1",
        werkzeug="a@C:tempb.txt=1",
        python_multipart="a@b.txt=1",
        why="only quotes and backslashes are escaped; paths are the application's to cut",
    ),
    "escaped by percent": Row(
        form(b'name=a; filename="b%22c"'),
        "a@b%22c=1",
        werkzeug='a@b"c=1',
        why="a percent sign may be meant: left to the application",
    ),
    "filename*": Row(
        form(b"name=a; filename=b; filename*=UTF-8''%e2%82%ac"),
        "a@€=1",
        python_multipart="a@b=1",
        why="RFC 8187",
    ),
    "filename* in an unknown charset": Row(
        form(b"name=a; filename*=utf-16''%00"),
        "refused",
        werkzeug="a@%00=1",
        python_multipart="a=1",
        tornado='a@"\ufffd=1',
        why="a file must not turn into a field",
    ),
    "line end in filename*": Row(
        form(b"name=a; filename*=UTF-8''a%0d%0ab"),
        "refused",
        werkzeug="a@a\r\nb=1",
        python_multipart="a=1",
        tornado="a@a\r\nb=1",
        why="it would split whatever header or log line it is put into",
    ),
    "transfer encoding": Row(
        part(b"name=a\r\nContent-Transfer-Encoding: base64", b"aGk=") + b"--x--\r\n",
        "a=aGk=",
        python_multipart="a=hi",
        why="RFC 7578 section 4.7: not in use",
    ),
}


def _show(fields: list[tuple[str, str | None, bytes]]) -> str:
    shown = " ".join(
        f"{name}{'' if filename is None else '@' + filename}={str(data)[2:-1]}"
        for name, filename, data in fields
    )
    return shown or "nothing"


def _ours(body: bytes) -> str:
    try:
        arguments, files = parse("multipart/form-data; boundary=x", body)
    except HTTPInputError:
        return "refused"
    return _show(_flat(arguments, files))


def _flat(
    arguments: dict[str, list[bytes]], files: dict[str, list[HTTPFile]]
) -> list[tuple[str, str | None, bytes]]:
    fields: list[tuple[str, str | None, bytes]] = []
    for name, values in arguments.items():
        fields += [(name, None, value) for value in values]
    for name, uploads in files.items():
        fields += [(name, file.filename, file.body) for file in uploads]
    return fields


def _tornado(body: bytes) -> str:
    httputil = pytest.importorskip("tornado.httputil")
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        httputil.parse_multipart_form_data(b"x", body, arguments, files)
    except Exception:
        return "refused"
    return _show(_flat(arguments, files))


def _werkzeug(body: bytes) -> str:
    formparser = pytest.importorskip("werkzeug.formparser")
    parser = formparser.MultiPartParser(
        stream_factory=lambda *_, **__: io.BytesIO(), max_form_memory_size=None
    )
    try:
        form, files = parser.parse(io.BytesIO(body), b"x", len(body))
    except ValueError:
        return "refused"
    fields: list[tuple[str, str | None, bytes]]
    fields = [(name, None, value.encode()) for name, value in form.items(multi=True)]
    fields += [(name, file.filename, file.read()) for name, file in files.items(multi=True)]
    return _show(fields)


def _python_multipart(body: bytes) -> str:
    module = pytest.importorskip("python_multipart")
    fields: list[tuple[str, str | None, bytes]] = []

    def on_field(field: object) -> None:
        fields.append((field.field_name.decode(), None, field.value or b""))  # type: ignore[attr-defined]

    def on_file(file: object) -> None:
        file.file_object.seek(0)  # type: ignore[attr-defined]
        data = file.file_object.read()  # type: ignore[attr-defined]
        fields.append((file.field_name.decode(), file.file_name.decode(), data))  # type: ignore[attr-defined]
        file.close()  # type: ignore[attr-defined]

    headers = {"Content-Type": b"multipart/form-data; boundary=x"}
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each bad body
    try:
        module.parse_form(headers, io.BytesIO(body), on_field, on_file)
    except Exception:
        return "refused"
    return _show(fields)


PEERS = {"werkzeug": _werkzeug, "python_multipart": _python_multipart, "tornado": _tornado}
INSTALLED = [name for name in PEERS if importlib.util.find_spec(name)]


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    assert _ours(ROWS[name].body) == ROWS[name].ours


@pytest.mark.parametrize(("name", "peer"), list(itertools.product(ROWS, INSTALLED)))
def test_row_of_a_peer(name: str, peer: str) -> None:
    row = ROWS[name]
    expected = getattr(row, peer)
    assert not expected or row.why
    assert PEERS[peer](row.body) == (expected or row.ours)


_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
_any_form = st.lists(st.tuples(_text, st.none() | _text, st.binary(max_size=20)), max_size=6)


@given(_any_form)
def test_encode_and_parse_is_the_identity(fields: list[tuple[str, str | None, bytes]]) -> None:
    encoder = MultipartEncoder("x")
    for name, filename, data in fields:
        if b"\r\n--x" in b"\r\n" + data + b"\r\n":
            return  # a random boundary is never in the data
        if filename is None:
            encoder.add_field(name, data)
        else:
            encoder.add_file(name, filename, data)
    body = b"".join(encoder)
    assert len(body) == encoder.content_length
    arguments, files = parse(encoder.content_type, body)
    assert sorted(_flat(arguments, files), key=repr) == sorted(fields, key=repr)


@pytest.mark.parametrize("peer", INSTALLED)
@given(fields=_any_form)
def test_peers_read_what_we_write(fields: list[tuple[str, str | None, bytes]], peer: str) -> None:
    encoder = MultipartEncoder("x")
    for name, filename, data in fields:
        # Names that each peer reads in its own way are in the table above.
        name = name.encode("ascii", "ignore").decode().strip("\\\"' %;=*") or "a"
        if filename is None:
            encoder.add_field(name, data.hex())
        else:
            encoder.add_file(name, "b.txt", data.hex().encode())
    body = b"".join(encoder)
    theirs = PEERS[peer](body)
    assert sorted(theirs.split()) == sorted(_ours(body).split())


@given(st.text(max_size=40), st.binary(max_size=200))
def test_nothing_undocumented_is_raised(parameters: str, body: bytes) -> None:
    for content_type in (
        URLENCODED + parameters,
        "multipart/form-data; boundary=x" + parameters,
        "multipart/form-data;" + parameters,
        parameters,
    ):
        for data in (body, part(body) + b"--x--", part(b"name=a; " + body[:50], body) + b"--x--"):
            try:
                parse(content_type, data)
            except HTTPInputError:
                pass
