"""Errors: what they are caught as, what they hold, and that they travel."""

import copy
import pickle
import socket
import ssl

import pytest

from zonda.httpclient import HTTPClientError, HTTPError, errors

CASES: list[tuple[Exception, str, tuple[type[BaseException], ...]]] = [
    (HTTPClientError(404), "HTTP 404: Not Found", ()),
    (HTTPClientError(404, "Gone fishing"), "HTTP 404: Gone fishing", ()),
    (HTTPClientError(700), "HTTP 700: Unknown", ()),
    (errors.HTTPTimeoutError("Timeout", "queue"), "Timeout", (TimeoutError,)),
    (errors.HTTPTimeoutError(""), "Unknown", (TimeoutError,)),
    (errors.HTTPStreamClosedError("gone", OSError(5, "x")), "gone", ()),
    (errors.HTTPProtocolError("bad"), "bad", (errors.HTTPStreamClosedError,)),
    (errors.HTTPDecodeError("bad"), "bad", (errors.HTTPStreamClosedError,)),
    (errors.HTTPTooLargeError("big", 5), "big", (errors.HTTPStreamClosedError,)),
    (errors.HTTPConnectError("no", "host", 80), "no", (OSError,)),
    (
        errors.HTTPConnectionRefusedError("no", "host", 80, ConnectionRefusedError(111, "x")),
        "no",
        (ConnectionRefusedError, errors.HTTPConnectError),
    ),
    (
        errors.HTTPResolveError("who", "host", 80, socket.gaierror(-2, "who")),
        "who",
        (socket.gaierror,),
    ),
    (errors.HTTPTLSError("no", "host", 443), "no", (ssl.SSLError,)),
    (
        errors.HTTPCertificateError("no", "host", 443),
        "no",
        (ssl.SSLCertVerificationError, errors.HTTPTLSError),
    ),
    (errors.HTTPProxyError("no", "host", 1, None, 407), "no", (errors.HTTPConnectError,)),
    (errors.HTTPRedirectError("to ftp", "ftp://x"), "to ftp", (ValueError,)),
    (errors.HTTPRequestError("what"), "what", (ValueError,)),
    (errors.UnknownMethodError("FOO"), "unknown method FOO", (ValueError, KeyError)),
]


@pytest.mark.parametrize(("error", "text", "bases"), CASES, ids=lambda each: type(each).__name__)
def test_errors(error: Exception, text: str, bases: tuple[type[BaseException], ...]) -> None:
    assert str(error) == text
    for base in bases:
        assert isinstance(error, base)
    if isinstance(error, HTTPClientError):
        assert error.code == (599 if isinstance(error, errors._NoResponse) else error.code)
        assert error.response is None
        assert repr(error).startswith(f"HTTP {error.code}: ")


@pytest.mark.parametrize("error", [case[0] for case in CASES], ids=lambda each: str(each))
@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_travel(error: Exception, travel: object) -> None:
    assert callable(travel)
    again: Exception = travel(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert {n: repr(v) for n, v in vars(again).items()} == {
        n: repr(v) for n, v in vars(error).items()
    }
    if isinstance(error, OSError):
        assert isinstance(again, OSError)
        assert again.errno == error.errno


def test_one_type_has_two_names() -> None:
    assert HTTPError is HTTPClientError


def test_the_text_of_each_kind_of_connection_error() -> None:
    error = errors.HTTPConnectionRefusedError("no", "host", 80, ConnectionRefusedError(111, "x"))
    assert (error.errno, error.strerror, error.host, error.port) == (111, "x", "host", 80)
