"""Heads as bytes; what is refused is tested with the two connections."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.http1 import LocalProtocolError
from zonda.httputil.http1.head import REQUEST_HEAD, RESPONSE_HEAD
from zonda.httputil.http1.output import field_lines, head_bytes, request_line, status_line

TOKEN = st.text(
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=1
)
VALUE = st.text(st.characters(max_codepoint=255)).filter(lambda text: text == text.strip(" \t"))
ALLOWED = {"\t", *map(chr, range(32, 127)), *map(chr, range(128, 256))}


@pytest.mark.parametrize("status", HTTPStatus)
def test_registered_codes(status: HTTPStatus) -> None:
    assert status_line(status.value, status.phrase) == f"HTTP/1.1 {status:d} {status.phrase}\r\n"
    assert status_line(status.value, "") == f"HTTP/1.1 {status:d} \r\n"
    assert status_line(status.value, "Mine") == f"HTTP/1.1 {status:d} Mine\r\n"


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=5), st.integers(200, 999), VALUE)
def test_what_is_formatted_is_read_back(
    pairs: list[tuple[str, str]], status: int, reason: str
) -> None:
    """Either it is refused, or it comes back as it was: nothing in between."""
    valid = all(set(value) <= ALLOWED for _, value in pairs)
    try:
        head = head_bytes("HTTP/1.1 200 OK\r\n", pairs)
    except LocalProtocolError:
        assert not valid
        with pytest.raises(LocalProtocolError):
            field_lines(pairs)
        return
    assert valid
    match = RESPONSE_HEAD.fullmatch(head.decode("latin-1"))
    assert match is not None
    block = match[4]
    assert block == field_lines(pairs)
    read = [line.split(":", 1) for line in block.split("\r\n")[:-1]]
    assert [(name, value.strip(" \t")) for name, value in read] == pairs
    if set(reason) <= ALLOWED:
        start = RESPONSE_HEAD.fullmatch(status_line(status, reason) + "\r\n")
        assert start is not None
        assert start.group(2, 3) == (str(status), reason)
    else:
        with pytest.raises(LocalProtocolError):
            status_line(status, reason)


@given(TOKEN, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_request_lines(method: str, target: str) -> None:
    if "#" in target:
        with pytest.raises(LocalProtocolError):
            request_line(method, target)
        return
    match = REQUEST_HEAD.fullmatch(request_line(method, target) + "\r\n")
    assert match is not None
    assert match.group(1, 2, 3) == (method, target, "1")


def test_a_control_character_in_a_start_line() -> None:
    with pytest.raises(LocalProtocolError, match="start line"):
        head_bytes("HTTP/1.1 200 O\0K\r\n", [])
