"""The response to a message that never became a request."""

import pytest

from zonda.httpserver.refusal import refusal


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (400, b"HTTP/1.1 400 Bad Request\r\n"),
        (408, b"HTTP/1.1 408 Request Timeout\r\n"),
        (431, b"HTTP/1.1 431 Request Header Fields Too Large\r\n"),
        (499, b"HTTP/1.1 499 Bad Request\r\n"),
    ],
)
def test_refusal(status: int, line: bytes) -> None:
    head, _, body = refusal(status).partition(b"\r\n\r\n")
    assert head.startswith(line)
    assert b"\r\nDate: " in head
    assert head.endswith(b"\r\nContent-Length: %d\r\nConnection: close" % len(body))
