"""The response to a message that never became a request."""

import time
from http import HTTPStatus

from zonda.httputil import format_timestamp


def refusal(status: int) -> bytes:
    """Return a complete response that closes the connection.

    Args:
        status: A 4xx or 5xx code (RFC 9110 §15.5, §15.6).
    """
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Bad Request"
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
