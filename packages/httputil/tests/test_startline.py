"""Start lines, as strict as RFC 9112 has them."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.startline import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
    responses,
)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("GET /foo HTTP/1.1", ("GET", "/foo", "HTTP/1.1")),
        ("get / HTTP/1.0", ("get", "/", "HTTP/1.0")),
        ("GET /caf\xe9 HTTP/1.1", ("GET", "/caf\xe9", "HTTP/1.1")),
        ("OPTIONS * HTTP/1.1", ("OPTIONS", "*", "HTTP/1.1")),
        ("X!#$%&'*+-.^_`|~9 /?a#b HTTP/1.9", ("X!#$%&'*+-.^_`|~9", "/?a#b", "HTTP/1.9")),
    ],
)
def test_request_line(line: str, parts: tuple[str, str, str]) -> None:
    parsed = parse_request_start_line(line)
    assert parsed == parts
    assert isinstance(parsed, RequestStartLine)
    assert (parsed.method, parsed.path, parsed.version) == parts
    assert " ".join(parsed) == line


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("", 400),
        ("GET /foo", 400),
        ("GET  /foo HTTP/1.1", 400),
        ("GET /foo HTTP/1.1 ", 400),
        (" GET /foo HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("GET / HTTP/1.1\n", 400),
        ("GET / HTTP/1.11", 400),
        ("GET / HTTP/1.x", 400),
        ("GET / HTTP/1", 400),
        ("GET / HTTP/\u0661.1", 400),
        ("GET / http/1.1", 400),
        ("G@T / HTTP/1.1", 400),
        ("GET /\x00 HTTP/1.1", 400),
        ("GET /\u20ac HTTP/1.1", 400),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/0.9", 505),
    ],
)
def test_request_line_refused(line: str, status: int) -> None:
    with pytest.raises(HTTPInputError) as caught:
        parse_request_start_line(line)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("HTTP/1.1 200 OK", ("HTTP/1.1", 200, "OK")),
        ("HTTP/1.0 404 Not here at all", ("HTTP/1.0", 404, "Not here at all")),
        ("HTTP/1.1 200 ", ("HTTP/1.1", 200, "")),
        ("HTTP/1.1 999 \xe9", ("HTTP/1.1", 999, "\xe9")),
    ],
)
def test_status_line(line: str, parts: tuple[str, int, str]) -> None:
    parsed = parse_response_start_line(line)
    assert parsed == parts
    assert isinstance(parsed, ResponseStartLine)
    assert (parsed.version, parsed.code, parsed.reason) == parts


@pytest.mark.parametrize(
    "line",
    [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 \u0662\u0660\u0660 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 O\x00K",
        "HTTP/1 200 OK",
        "HTTP/2.0 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1 +20 OK",
    ],
)
def test_status_line_refused(line: str) -> None:
    with pytest.raises(HTTPInputError):
        parse_response_start_line(line)


@given(st.text(max_size=40))
def test_nothing_else_is_raised(text: str) -> None:
    for parse in (parse_request_start_line, parse_response_start_line):
        for line in (text, f"GET {text} HTTP/1.1", f"HTTP/1.1 200 {text}"):
            try:
                parse(line)
            except HTTPInputError:
                pass


def test_reason_phrases() -> None:
    assert responses[200] == "OK"
    assert responses[404] == "Not Found"
    assert all(type(code) is int for code in responses)
    assert len(responses) == len(HTTPStatus)
