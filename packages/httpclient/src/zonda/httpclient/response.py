"""What a fetch gives back.

An `HTTPResponse` holds the head and, unless it was streamed, the body of a response, or the error
that came in place of one (code 599). ``rethrow`` raises what is in ``error``.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from zonda.httpclient.errors import HTTPClientError, reason_phrase
from zonda.httputil import HTTPHeaders

if TYPE_CHECKING:
    from zonda.httpclient.request import HTTPRequest

_HALF_A_TICK = 0.0005


class HTTPResponse:
    """A response.

    Args:
        request: The request that it answers.
        code: Status code; 599 for an error without a response.
        headers: Its fields.
        buffer: Its body.
        effective_url: Where it came from, after redirects.
        error: In place of the error that ``code`` implies.
        request_time: Seconds from the start of the fetch to its end, time in the queue included.
        time_info: Seconds by phase; see `AsyncHTTPClient.fetch`.
        reason: Reason phrase; the registered one by default.
        start_time: When the fetch began, in seconds since the epoch.

    Attributes:
        request: The request that it answers.
        code: Status code; 599 for an error without a response.
        reason: Reason phrase.
        headers: Its fields, an `HTTPHeaders`.
        effective_url: Where it came from, after redirects.
        error: An exception if the response is not 2xx, else None.
        request_time: Seconds that the fetch took, time in the queue included; None if unknown.
        start_time: When the fetch began, in seconds since the epoch; None if unknown.
        trailers: Trailer fields of a chunked body, None without any.

    >>> from zonda.httpclient.request import HTTPRequest
    >>> response = HTTPResponse(HTTPRequest("http://example.com/"), 404)
    >>> response.reason, response.body, response.error
    ('Not Found', b'', HTTP 404: Not Found)
    """

    error: BaseException | None = None

    # Class attributes where nearly all responses have the same value: they cost nothing to set.
    trailers: HTTPHeaders | None = None
    _error_is_response_code = False
    _buffer: BytesIO | None = None
    _body: bytes | None = None
    _time_info: dict[str, float] | None = None
    _marks: tuple[dict[str, float], float] | None = None

    def __init__(
        self,
        request: HTTPRequest,
        code: int,
        headers: HTTPHeaders | None = None,
        buffer: BytesIO | None = None,
        effective_url: str | None = None,
        error: BaseException | None = None,
        request_time: float | None = None,
        time_info: dict[str, float] | None = None,
        reason: str | None = None,
        start_time: float | None = None,
    ) -> None:
        self.request = request
        self.code = code
        self.reason = reason or reason_phrase(code)
        self.headers = HTTPHeaders() if headers is None else headers
        if buffer is not None:
            self._buffer = buffer
        self.effective_url = request.url if effective_url is None else effective_url
        if error is not None:
            self.error = error
        elif code < 200 or code >= 300:
            self._error_is_response_code = True
            self.error = HTTPClientError(code, message=self.reason, response=self)
        self.start_time = start_time
        self.request_time = request_time
        if time_info is not None:
            self._time_info = time_info

    @property
    def time_info(self) -> dict[str, float]:
        """Seconds by phase; empty if unknown."""
        info = self._time_info
        if info is None:
            # Made when somebody asks, from the times of the fetch and of its start.
            info = self._time_info = {}
            if self._marks is not None:
                marks, started = self._marks
                for name, mark in marks.items():
                    info[name] = mark - started
                if info.get("total") == 0:
                    # Within one tick of uvloop's clock, a millisecond. Programs divide by this.
                    info["total"] = _HALF_A_TICK
        return info

    @time_info.setter
    def time_info(self, value: dict[str, float]) -> None:
        self._time_info = value

    @property
    def buffer(self) -> BytesIO | None:
        """The body as a file, None if there was no response."""
        # Made when somebody asks: most ask for the body.
        if self._buffer is None and self._body is not None:
            self._buffer = BytesIO(self._body)
        return self._buffer

    @buffer.setter
    def buffer(self, value: BytesIO | None) -> None:
        self._buffer = value
        self._body = None

    @property
    def body(self) -> bytes:
        """The body, decompressed; empty if there is none or it was streamed."""
        if self._body is None:
            if self._buffer is None:
                return b""  # not kept: there is no buffer
            self._body = self._buffer.getvalue()
        return self._body

    def rethrow(self) -> None:
        """Raise ``error``, if there is one."""
        if self.error is not None:
            raise self.error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code} {self.reason!r} {self.effective_url!r}>"
