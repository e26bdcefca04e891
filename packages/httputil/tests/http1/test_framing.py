"""Every case of RFC 9112 §6.3, requests and responses side by side."""

import pytest

from zonda.httputil.http1 import LocalProtocolError, RemoteProtocolError
from zonda.httputil.http1.framing import (
    CHUNKED,
    NO_CONTENT,
    UNTIL_CLOSE,
    Framing,
    own_content_length,
    parse_content_length,
    request_framing,
    response_framing,
)

Values = list[str] | None

# Transfer-Encoding, Content-Length, HTTP/1.0 -> request; response; each a framing or a status
TABLE: list[tuple[Values, Values, bool, Framing | int, Framing | int]] = [
    (None, None, False, NO_CONTENT, UNTIL_CLOSE),
    (None, None, True, NO_CONTENT, UNTIL_CLOSE),
    (None, ["0"], False, Framing(0), Framing(0)),
    (None, [" 7\t"], True, Framing(7), Framing(7)),
    (None, ["7", "7"], False, Framing(7), Framing(7)),
    (None, ["7", "8"], False, 400, 400),
    (None, ["x"], False, 400, 400),
    (["chunked"], None, False, CHUNKED, CHUNKED),
    ([" Chunked "], None, False, CHUNKED, CHUNKED),
    (["chunked"], None, True, 400, 400),
    (["chunked"], ["7"], False, 400, 400),
    (["gzip"], None, False, 400, 400),
    (["gzip, chunked"], None, False, 501, 400),
    (["gzip", "chunked"], None, False, 501, 400),
    (["chunked", "chunked"], None, False, 400, 400),
    ([""], None, False, 400, 400),
    ([","], None, False, 400, 400),
]


def outcome(framing: object, *arguments: object) -> Framing | int:
    try:
        result = framing(*arguments)  # type: ignore[operator]
    except RemoteProtocolError as error:
        return error.status
    assert isinstance(result, Framing)
    return result


@pytest.mark.parametrize(("coding", "length", "http10", "request_", "response"), TABLE)
def test_framing(
    coding: Values, length: Values, http10: bool, request_: Framing | int, response: Framing | int
) -> None:
    assert outcome(request_framing, http10, coding, length) == request_
    assert outcome(response_framing, "GET", 200, http10, coding, length) == response


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 100), ("CONNECT", 200), ("CONNECT", 299)],
)
@pytest.mark.parametrize("coding", [None, ["chunked"], ["gzip"]])
@pytest.mark.parametrize("length", [None, ["7"], ["x"]])
def test_responses_without_content(
    method: str, status: int, coding: Values, length: Values
) -> None:
    assert response_framing(method, status, False, coding, length) == NO_CONTENT


def test_refused_connect_has_content() -> None:
    assert response_framing("CONNECT", 403, False, None, ["7"]) == Framing(7)


@pytest.mark.parametrize(
    "text", ["", " ", "+1", "-1", "1_0", "0x1", "1.0", "1e1", "\u0661", "\xb2", "1 2", "1" * 19]
)
def test_lengths_that_are_none(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_content_length([text])
    with pytest.raises(RemoteProtocolError):
        parse_content_length([text, text])
    with pytest.raises(LocalProtocolError):
        own_content_length(text)


def test_longest_length() -> None:
    assert parse_content_length(["9" * 18]) == 10**18 - 1
    assert own_content_length("12") == 12
