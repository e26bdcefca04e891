"""The response to a message that never became a request."""

import time
from http import HTTPStatus
from typing import Protocol

from zonda.httputil import format_timestamp


class RefusalObserver(Protocol):
    """A server that wants to know what never became a request."""

    def request_refused(
        self, context: object, received: bytes, status: int, duration: float
    ) -> None:
        """Take note of it; see `HTTPServer.request_refused`."""


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Bad Request"


def refusal_size(status: int) -> int:
    """Return how many bytes of content `refusal` has."""
    return len(f"{status} {_reason(status)}\n")


def refusal(status: int) -> bytes:
    """Return a complete response that closes the connection.

    Args:
        status: A 4xx or 5xx code (RFC 9110 §15.5, §15.6).
    """
    reason = _reason(status)
    body = f"{status} {reason}\n"
    return (
        f"HTTP/1.1 {status} {reason}\r\n"
        f"Date: {format_timestamp(time.time())}\r\n"
        "Content-Type: text/plain; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n"
        "\r\n"
        f"{body}"
    ).encode("ascii")
