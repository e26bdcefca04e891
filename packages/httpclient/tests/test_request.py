"""Requests, their defaults, and responses made by hand."""

import copy
import datetime
from io import BytesIO
from typing import Any

import pytest

from zonda.httpclient import HTTPClientError, HTTPRequest, HTTPResponse, _RequestProxy
from zonda.httputil import HTTPHeaders


@pytest.mark.parametrize(
    ("body", "expected"),
    [(None, None), ("caf\u00e9", b"caf\xc3\xa9"), (b"x", b"x"), (bytearray(b"y"), b"y"), ("", b"")],
)
def test_bodies(body: Any, expected: bytes | None) -> None:
    request = HTTPRequest("http://a/", body=body)
    assert request.body == expected
    request.body = body
    assert request.body == expected


def test_what_is_no_body() -> None:
    with pytest.raises(TypeError, match="int"):
        HTTPRequest("http://a/", body=3)  # type: ignore[arg-type]


def test_headers() -> None:
    assert isinstance(HTTPRequest("http://a/").headers, HTTPHeaders)
    given = {"X": "y"}
    assert HTTPRequest("http://a/", headers=given).headers is given
    request = HTTPRequest("http://a/", headers=given)
    request.headers = None
    assert repr(request.headers) == repr(HTTPHeaders())


@pytest.mark.parametrize(
    "when", [1359312200, datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=datetime.UTC)]
)
def test_if_modified_since(when: float | datetime.datetime) -> None:
    given = {"X": "y"}
    request = HTTPRequest("http://a/", headers=given, if_modified_since=when)
    assert request.headers["If-Modified-Since"] == "Sun, 27 Jan 2013 18:43:20 GMT"
    assert given == {"X": "y"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, None),
        ({"use_gzip": False}, False),
        ({"decompress_response": True}, True),
        ({"use_gzip": False, "decompress_response": True}, True),
    ],
)
def test_the_old_name_of_decompress_response(
    arguments: dict[str, bool], expected: bool | None
) -> None:
    assert HTTPRequest("http://a/", **arguments).decompress_response is expected  # type: ignore[arg-type]


def test_defaults() -> None:
    request = HTTPRequest("http://a/", connect_timeout=0)
    proxy = _RequestProxy(request, {**HTTPRequest._DEFAULTS, "user_agent": "x"})
    assert (proxy.connect_timeout, proxy.request_timeout, proxy.user_agent) == (0, 20.0, "x")
    assert (proxy.url, proxy.request) == ("http://a/", request)
    assert _RequestProxy(request, None).request_timeout is None
    with pytest.raises(AttributeError):
        _ = proxy.nonsense
    other = copy.copy(proxy)  # jupyter_server_proxy connects WebSockets with one
    assert (other.url, other.request_timeout) == ("http://a/", 20.0)


def test_a_response_by_hand() -> None:
    request = HTTPRequest("http://a/")
    response = HTTPResponse(request, 200, buffer=BytesIO(b"hello"))
    assert (response.body, response.reason, response.effective_url) == (b"hello", "OK", "http://a/")
    assert (response.error, response.time_info, response.request_time) == (None, {}, None)
    response.rethrow()
    without = HTTPResponse(request, 200)
    assert (without.body, without.buffer) == (b"", None)
    assert HTTPResponse(request, 200).body == b""


def test_the_buffer_of_a_body() -> None:
    response = HTTPResponse(HTTPRequest("http://a/"), 200)
    response._body = b"hello"
    assert response.buffer is not None
    assert response.buffer.read() == b"hello"
    response.buffer = BytesIO(b"other")
    assert response.body == b"other"


@pytest.mark.parametrize("code", [100, 301, 304, 404, 500, 599, 999])
def test_errors_by_code(code: int) -> None:
    response = HTTPResponse(HTTPRequest("http://a/"), code)
    with pytest.raises(HTTPClientError) as raised:
        response.rethrow()
    assert raised.value.code == code
    assert raised.value.response is response


def test_another_error() -> None:
    error = OSError("x")
    response = HTTPResponse(HTTPRequest("http://a/"), 599, error=error)
    with pytest.raises(OSError, match="x"):
        response.rethrow()
    assert not response._error_is_response_code
