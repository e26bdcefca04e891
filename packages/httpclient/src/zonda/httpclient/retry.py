"""When to repeat a request that failed, and after how long. Clients do not unless told to.

In: what was tried, how often, and what came back. Out: seconds to wait, or None for "leave it".
No I/O, no clock of its own (``now`` and ``random`` can be given); raises ValueError for settings
that make no sense.
"""

import random
import re
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from zonda.httpclient.errors import (
    HTTPDecodeError,
    HTTPProtocolError,
    HTTPStreamClosedError,
    HTTPTooLargeError,
)
from zonda.httputil.dates import parse_date

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods whose request may arrive twice and do what it does once (RFC 9110 §9.2.2)."""

TRANSIENT: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that speak of the moment, not of the request."""

# A certificate that is not trusted now is not trusted in a second.
_LASTING: Final = (
    ssl.SSLCertVerificationError,
    HTTPProtocolError,
    HTTPDecodeError,
    HTTPTooLargeError,
)
# Of errors raised from errors: nothing keeps a program from closing it to a ring.
_LONGEST_CHAIN: Final = 8
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A policy for repeating requests.

    The wait before the n-th repetition is ``backoff * factor ** (n - 1)`` seconds, `max_delay` at
    most, of which a random part, `jitter` of it at most, is left out: clients that failed
    together shall not come back together. A Retry-After of the response that is longer counts
    instead, as it is.

    Attributes:
        attempts: How often a request is sent in all, the first time included.
        methods: Only requests with these methods. A request whose body cannot be made again is
            never repeated.
        statuses: Final responses with these statuses.
        errors: Errors of these types, or with such a cause. By default failures of the network
            and time-outs; but never an invalid certificate, a server that does not speak HTTP, or
            a response that is too large, unless their types are named.
        backoff: Seconds before the first repetition, unless made shorter by jitter.
        factor: By what the wait grows each time.
        max_delay: The longest wait in seconds that grows out of that.
        jitter: 0 for none, 1 for a wait anywhere between nothing and the whole.
        max_retry_after: A Retry-After beyond that many seconds is not waited for: the response is
            final. 0 for never.

    Raises:
        ValueError: Less than one attempt, a negative time, a factor below 1, or a jitter that is
            not between 0 and 1.

    >>> policy = Retry(attempts=3, jitter=0)
    >>> [policy.delay("GET", attempt, status=503) for attempt in (1, 2, 3)]
    [0.2, 0.4, None]
    >>> policy.delay("GET", 1, status=429, retry_after="7"), policy.delay("POST", 1, status=503)
    (7.0, None)
    """

    attempts: int = 3
    methods: Collection[str] = IDEMPOTENT
    statuses: Collection[int] = TRANSIENT
    errors: tuple[type[BaseException], ...] = (OSError, HTTPStreamClosedError)
    backoff: float = 0.2
    factor: float = 2.0
    max_delay: float = 30.0
    jitter: float = 0.5
    max_retry_after: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {self.attempts}")
        for name in ("backoff", "max_delay", "max_retry_after"):
            if not getattr(self, name) >= 0:  # NaN fails as well
                raise ValueError(f"{name} may not be negative: {getattr(self, name)}")
        if not self.factor >= 1:
            raise ValueError(f"factor must be at least 1, not {self.factor}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is between 0 and 1, not {self.jitter}")

    def delay(
        self,
        method: str,
        attempt: int,
        *,
        status: int | None = None,
        retry_after: str | None = None,
        error: BaseException | None = None,
        now: datetime | None = None,
        random: Callable[[], float] = random.random,
    ) -> float | None:
        """Seconds to wait before sending the request again; None if it is not to be repeated.

        Args:
            method: Method of the request.
            attempt: How often it was sent.
            status: Status of the response, if there was one.
            retry_after: The value of its Retry-After field, if any.
            error: What went wrong, if there was no response.
            now: For a Retry-After that is a date; None for the current time.
            random: Gives a number from 0 up to 1.
        """
        if attempt >= self.attempts or method not in self.methods:
            return None
        if error is not None:
            if not self._is_transient(error):
                return None
        elif status not in self.statuses:
            return None
        try:
            delay = min(self.backoff * self.factor ** (attempt - 1), self.max_delay)
        except OverflowError:  # after a thousand attempts
            delay = self.max_delay
        delay *= 1 - self.jitter * random()
        wanted = parse_retry_after(retry_after, now=now) if retry_after is not None else None
        if wanted is None:
            return delay
        if wanted > self.max_retry_after:
            return None
        return max(wanted, delay)

    def _is_transient(self, error: BaseException) -> bool:
        """Whether `error`, or what it was raised from, is one of `errors`."""
        matches = False
        cause: BaseException | None = error
        for _ in range(_LONGEST_CHAIN):
            if cause is None:
                break
            if isinstance(cause, _LASTING) and type(cause) not in self.errors:
                return False
            matches = matches or isinstance(cause, self.errors)
            cause = cause.__cause__ or getattr(cause, "real_error", None)
        return matches


def parse_retry_after(value: str, *, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After field (RFC 9110 §10.2.3) asks for, None if it cannot be read.

    Args:
        value: Its value, a number or a date; one that has passed gives 0.
        now: The current time, None to look.

    >>> parse_retry_after("120")
    120.0
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> parse_retry_after("Thu, 01 Jan 2026 12:00:05 GMT", now=noon)
    5.0
    """
    value = value.strip(" \t")
    if _SECONDS.fullmatch(value):
        return float(value)
    date = parse_date(value)
    if date is None:
        return None
    now = now or datetime.now(UTC)
    return max(0.0, (date - now).total_seconds())
