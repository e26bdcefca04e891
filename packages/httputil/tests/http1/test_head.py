"""The compiled expressions and the diagnosis agree about what is a head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.http1 import Limits
from zonda.httputil.http1.head import (
    FORBIDDEN,
    REQUEST_HEAD,
    RESPONSE_HEAD,
    diagnose_request,
    diagnose_response,
    list_members,
    unfold,
)

GOOD = "GET /x HTTP/1.1\r\nHost: h\r\nA: b\r\nConnection: close\r\nC: d\r\n\r\n"


def test_groups_of_a_request() -> None:
    match = REQUEST_HEAD.fullmatch(GOOD)
    assert match is not None
    assert match.groups() == (
        "GET",
        "/x",
        "1",
        "Host: h\r\nA: b\r\nConnection: close\r\nC: d\r\n",
        " h",
        "Connection: close\r\nC: d\r\n",
    )


@pytest.mark.parametrize(
    "line",
    [
        "host: i",
        "HOST: i",
        "Content-Length: 1",
        "content-length: 1",
        "Transfer-Encoding: chunked",
        "tRANSFER-eNCODING: x",
        "Connection: close",
        "connection: keep-alive, close",
        "Connection: keep-alive ,close",
        "Upgrade: x",
        "Expect: 100-continue",
        "EXPECT: x",
    ],
)
@pytest.mark.parametrize(
    "before", ["", "A: b\r\n", "Cookie: x=y\r\nUpgrade-Insecure-Requests: 1\r\n"]
)
def test_unusual_lines_are_found(line: str, before: str) -> None:
    match = REQUEST_HEAD.fullmatch(f"GET / HTTP/1.1\r\nHost: h\r\n{before}{line}\r\nZ: z\r\n\r\n")
    assert match is not None
    assert match[6] == f"{line}\r\nZ: z\r\n"


@pytest.mark.parametrize(
    "line",
    [
        "Connection: keep-alive",
        "Connection: Keep-Alive",
        "Upgrade-Insecure-Requests: 1",
        "Cookie: Host: x",
        "Content-Type: text/plain",
        "Transfer: x",
        "Expectation: x",
        "X-Host: i",
        "A: Content-Length: 3",
    ],
)
def test_usual_lines_are_not(line: str) -> None:
    match = REQUEST_HEAD.fullmatch(f"GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n")
    assert match is not None
    assert match[6] == ""


def test_fields_in_a_diagnosis_come_in_the_order_of_the_bytes() -> None:
    limits = Limits(start_line=20, head=60, field_count=2)
    for head, status, text in [
        (b"GET / HTTP/1.1\r\nA\0", 400, "control"),
        (b"GET / HTTP/2.0\r\nA\0", 505, "version"),
        (b"GET /" + b"a" * 20, 414, "longer than 20"),
        (b"G\0T /" + b"a" * 20, 400, "control"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3, 431, "more than 2"),
        (b"GET / HTTP/1.1\r\nA b: c\r\n" + b"A: b\r\n" * 3, 400, "not a token"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 60, 431, "larger than 60"),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400, "folded"),
        (b"GET / HTTP/1.1\r\nA\r\n\r\n", 400, "colon"),
        (b"GET /#a HTTP/1.1\r\n\r\n", 400, "target"),
        (b"GET/ HTTP/1.1\r\n\r\n", 400, "malformed request line"),
    ]:
        error = diagnose_request(head, limits)
        assert error.status == status, head
        assert text in str(error), head


def test_diagnosis_of_a_response() -> None:
    assert diagnose_response(b"HTTP/2.0 200 OK\r\n", Limits()).status == 505
    assert diagnose_response(b"HTTP/1.1 20 OK\r\n", Limits()).status == 400


lines = st.lists(st.text("\0\r\n\t aA:,-\x7f\xff", max_size=6), max_size=4)


@given(lines)
def test_strictness_has_one_meaning(parts: list[str]) -> None:
    """Whatever passes consists of token, colon, text and CRLF, and of nothing else."""
    head = "GET / HTTP/1.1\r\n" + "".join(f"{part}\r\n" for part in parts) + "\r\n"
    match = REQUEST_HEAD.fullmatch(head)
    plain = all(
        part.partition(":")[1]
        and part.partition(":")[0]
        and not set(part.partition(":")[0]) & set("\0\r\n\t ,\x7f\xff")
        and not set(part) & set("\0\r\n\x7f")
        for part in head.split("\r\n")[1:-2]
    )
    assert (match is not None) == plain
    if match is not None:
        assert not FORBIDDEN.search(head.encode("latin-1"))
        response = "HTTP/1.1 200 OK" + head[head.index("\r\n") :]
        assert RESPONSE_HEAD.fullmatch(response)


def test_unfold() -> None:
    assert unfold("S\r\nA: b\r\n\t c\r\n  d\r\nE: f\r\n\r\n") == "S\r\nA: b c d\r\nE: f\r\n\r\n"
    assert unfold("S\r\n A: b\r\n\r\n") == "S\r\n A: b\r\n\r\n"
    assert unfold("S\r\nA: b\r\n\r\n") == "S\r\nA: b\r\n\r\n"


def test_list_members() -> None:
    assert list_members("") == []
    assert list_members(" a ,\t,B,") == ["a", "b"]
    assert list_members("\xa0a") == ["\xa0a"]  # not white space in HTTP
