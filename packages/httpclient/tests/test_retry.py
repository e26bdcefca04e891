"""The retry policy: what is repeated, and after how long."""

import math
import ssl
from datetime import UTC, datetime

import pytest

from zonda.httpclient.errors import (
    HTTPCertificateError,
    HTTPConnectError,
    HTTPDecodeError,
    HTTPProtocolError,
    HTTPRedirectError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTooLargeError,
)
from zonda.httpclient.retry import IDEMPOTENT, Retry, parse_retry_after
from zonda.iostream import StreamClosedError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEADY = Retry(attempts=10, backoff=1, jitter=0, max_delay=5)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


# -- what is repeated


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_methods_that_may_arrive_twice(method: str) -> None:
    assert STEADY.delay(method, 1, status=503) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "get", "FOO"])
def test_other_methods_only_when_named(method: str) -> None:
    assert STEADY.delay(method, 1, status=503) is None
    assert Retry(methods=IDEMPOTENT | {method}).delay(method, 1, status=503) is not None


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_statuses_of_the_moment(status: int) -> None:
    assert STEADY.delay("GET", 1, status=status) == 1


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 404, 409, 500, 501, None])
def test_other_statuses_only_when_named(status: int | None) -> None:
    assert STEADY.delay("GET", 1, status=status) is None
    if status is not None:
        assert Retry(statuses=[status]).delay("GET", 1, status=status) is not None


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ConnectionRefusedError(), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (StreamClosedError(), True),
        (caused(Exception("599"), ConnectionResetError()), True),
        (caused(Exception("599"), caused(Exception(), ConnectionResetError())), True),
        (ssl.SSLError(1, "handshake"), True),
        (ssl.SSLCertVerificationError(1, "self-signed"), False),
        (StreamClosedError(ssl.SSLCertVerificationError(1, "self-signed")), False),
        (caused(ConnectionError(), ssl.SSLCertVerificationError(1, "expired")), False),
        (HTTPStreamClosedError("gone"), True),
        (HTTPTimeoutError("too late"), True),
        (HTTPConnectError("refused"), True),
        (HTTPCertificateError("expired"), False),
        (HTTPProtocolError("not HTTP"), False),
        (HTTPTooLargeError("too much"), False),
        (HTTPDecodeError("corrupt"), False),
        (HTTPRedirectError("nowhere"), False),
        (ValueError("no URL"), False),
        (KeyboardInterrupt(), False),
    ],
    ids=repr,
)
def test_errors_of_the_network(error: BaseException, repeated: bool) -> None:
    assert (STEADY.delay("GET", 1, error=error) is not None) is repeated


def test_own_errors() -> None:
    policy = Retry(errors=(ZeroDivisionError,))
    assert policy.delay("GET", 1, error=ZeroDivisionError()) is not None
    assert policy.delay("GET", 1, error=ConnectionResetError()) is None
    policy = Retry(errors=(HTTPDecodeError,))
    assert policy.delay("GET", 1, error=HTTPDecodeError("corrupt")) is not None


def test_a_ring_of_causes_ends() -> None:
    one, two = Exception(), Exception()
    one.__cause__, two.__cause__ = two, one
    assert STEADY.delay("GET", 1, error=one) is None


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_are_counted_in_all(attempts: int) -> None:
    policy = Retry(attempts=attempts)
    repeated = [policy.delay("GET", n, status=503) is not None for n in range(1, 7)]
    assert repeated.count(True) == attempts - 1
    assert repeated == sorted(repeated, reverse=True)


# -- after how long


def test_the_wait_grows_to_its_limit() -> None:
    delays = [STEADY.delay("GET", attempt, status=503) for attempt in range(1, 6)]
    assert delays == [1, 2, 4, 5, 5]


def test_no_number_of_attempts_overflows() -> None:
    assert Retry(attempts=10**6, jitter=0).delay("GET", 10**5, status=503) == 30


@pytest.mark.parametrize(
    ("jitter", "chance", "delay"), [(0, 0.5, 1), (0.5, 1, 0.5), (1, 0.75, 0.25)]
)
def test_jitter_shortens(jitter: float, chance: float, delay: float) -> None:
    policy = Retry(backoff=1, jitter=jitter)
    assert policy.delay("GET", 1, status=503, random=lambda: chance) == delay


def test_jitter_is_random_by_default() -> None:
    policy = Retry(backoff=1, jitter=1)
    delays = {policy.delay("GET", 1, status=503) for _ in range(20)}
    assert len(delays) > 1
    assert all(delay is not None and 0 <= delay <= 1 for delay in delays)


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("3", 3.0),
        (" 3\t", 3.0),
        ("0", 1.0),  # the backoff is longer
        ("120", 120.0),
        ("121", None),
        ("999999999", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 1.0),
        ("Thu, 01 Jan 2026 13:00:00 GMT", None),
        ("Thursday, 01-Jan-26 12:00:30 GMT", 30.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("1.5", 1.0),
        ("\u0663", 1.0),
        ("9" * 5000, 1.0),
        ("", 1.0),
    ],
)
def test_retry_after(value: str, delay: float | None) -> None:
    assert STEADY.delay("GET", 1, status=503, retry_after=value, now=NOON) == delay


def test_retry_after_can_be_refused_altogether() -> None:
    policy = Retry(max_retry_after=0)
    assert policy.delay("GET", 1, status=503, retry_after="1") is None
    assert policy.delay("GET", 1, status=503) is not None


def test_a_date_is_compared_with_the_clock_by_default() -> None:
    assert parse_retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0


# -- settings


@pytest.mark.parametrize(
    "setting",
    [
        {"attempts": 0},
        {"backoff": -1},
        {"max_delay": -1},
        {"max_retry_after": math.nan},
        {"factor": 0.5},
        {"jitter": 1.5},
        {"jitter": -0.1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(setting: dict[str, float]) -> None:
    [name] = setting
    with pytest.raises(ValueError, match=name):
        Retry(**setting)  # type: ignore[arg-type]
