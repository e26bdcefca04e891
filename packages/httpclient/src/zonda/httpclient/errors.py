"""What can go wrong in a fetch.

::

    Exception
    +-- HTTPClientError (= HTTPError)       a response other than 2xx; or, code 599, none at all:
    |   +-- HTTPTimeoutError                a deadline; also the built-in TimeoutError
    |   +-- HTTPConnectError                no connection; also an OSError with its ``errno``
    |   |   +-- HTTPConnectionRefusedError  also a ConnectionRefusedError
    |   |   +-- HTTPResolveError            the name is not known; also a socket.gaierror
    |   |   +-- HTTPTLSError                the handshake failed; also an ssl.SSLError
    |   |   |   +-- HTTPCertificateError    also an ssl.SSLCertVerificationError
    |   |   +-- HTTPProxyError              the proxy refused; ``proxy_code`` is its status
    |   +-- HTTPStreamClosedError           the connection ended before the response was complete
    |   |   +-- HTTPProtocolError           ... because the server broke the rules of HTTP
    |   |   +-- HTTPDecodeError             ... or its Content-Encoding cannot be undone
    |   |   +-- HTTPTooLargeError           ... or a limit was passed
    |   +-- HTTPRedirectError               a redirect that must not be followed; also a ValueError
    |   +-- CurlError                       what the curl client failed with; kinds of it are also
    |                                       HTTPTimeoutError, HTTPTLSError and so on
    +-- ValueError
        +-- HTTPRequestError                the request can never be sent as it is
            +-- UnknownMethodError          also a KeyError

The bases from the standard library are there because programs written for Tornado catch those.
Errors of lower layers are the ``__cause__``. All of them can be pickled.
"""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zonda.httpclient.response import HTTPResponse

NO_RESPONSE = 599
"""The code of errors that are not a response."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def reason_phrase(code: int) -> str:
    """The registered phrase of a status code.

    >>> reason_phrase(404), reason_phrase(599)
    ('Not Found', 'Unknown')
    """
    return _PHRASES.get(code, "Unknown")


class HTTPClientError(Exception):
    """A fetch that did not end in a 2xx response.

    Attributes:
        code: Status code of the response, or 599 if there was none.
        message: What went wrong; the reason phrase of a response.
        response: The `HTTPResponse`, if there was one.

    >>> str(HTTPClientError(404))
    'HTTP 404: Not Found'
    """

    def __init__(
        self, code: int, message: str | None = None, response: HTTPResponse | None = None
    ) -> None:
        self.code = code
        self.message = message or reason_phrase(code)
        self.response = response
        Exception.__init__(self, code, message, response)

    def __str__(self) -> str:
        return f"HTTP {self.code}: {self.message}"

    # The response refers to its error and the error to the response: a plain repr would not end.
    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args), self._state()

    def _state(self) -> dict[str, Any]:
        return self.__dict__.copy()


HTTPError = HTTPClientError
"""Tornado's name for it."""


def _restore(kind: type[HTTPClientError], args: tuple[object, ...]) -> HTTPClientError:
    error = kind.__new__(kind)
    error.args = args
    return error


class _NoResponse(HTTPClientError):
    """Base of the errors with code 599, whose text is the message alone."""

    def __init__(self, message: str) -> None:
        HTTPClientError.__init__(self, NO_RESPONSE, message)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"HTTP {self.code}: {self.message}"


class HTTPTimeoutError(_NoResponse, TimeoutError):
    """A deadline has passed; also the built-in TimeoutError.

    Attributes:
        phase: What was waited for: ``"queue"`` (a free connection), ``"connect"``, ``"request"``
            (everything together).
    """

    def __init__(self, message: str, phase: str = "request") -> None:
        _NoResponse.__init__(self, message)
        self.phase = phase


class HTTPStreamClosedError(_NoResponse):
    """The connection ended before the response was complete.

    Attributes:
        real_error: The error of the socket, None if the peer closed in good order.
    """

    def __init__(self, message: str, real_error: BaseException | None = None) -> None:
        super().__init__(message)
        self.real_error = real_error


class HTTPProtocolError(HTTPStreamClosedError):
    """The server sent something that is not HTTP; the connection was closed for it."""


class HTTPDecodeError(HTTPStreamClosedError):
    """The body is not what its Content-Encoding says: corrupt, or cut short."""


class HTTPTooLargeError(HTTPStreamClosedError):
    """The head or the body (after decompression) is larger than allowed.

    Attributes:
        limit: The limit that was passed, in bytes, if it is known.
    """

    def __init__(self, message: str, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit


class HTTPConnectError(_NoResponse, OSError):
    """No connection could be made.

    Attributes:
        host: Whom we tried to reach (the proxy, if that is what failed).
        port: Their TCP port; None if it is not known.
        errno: Number of the operating system's error, None if there was none.
        strerror: Its text, or the message.
    """

    def __init__(
        self,
        message: str,
        host: str | None = None,
        port: int | None = None,
        cause: BaseException | None = None,
    ) -> None:
        _NoResponse.__init__(self, message)
        self.host = host
        self.port = port
        self.errno = getattr(cause, "errno", None)
        self.strerror = getattr(cause, "strerror", None) or message

    def _state(self) -> dict[str, Any]:
        return {**self.__dict__, "errno": self.errno, "strerror": self.strerror}


class HTTPConnectionRefusedError(HTTPConnectError, ConnectionRefusedError):
    """Nobody listens there."""


class HTTPResolveError(HTTPConnectError, socket.gaierror):
    """The host name could not be resolved."""


class HTTPTLSError(HTTPConnectError, ssl.SSLError):
    """The TLS handshake failed."""


class HTTPCertificateError(HTTPTLSError, ssl.SSLCertVerificationError):
    """The server's certificate is not valid, or not for this host."""


class HTTPProxyError(HTTPConnectError):
    """The proxy did not make the connection.

    Attributes:
        proxy_code: Status code of its answer to CONNECT, or its SOCKS reply, None without one.
    """

    def __init__(
        self,
        message: str,
        host: str | None = None,
        port: int | None = None,
        cause: BaseException | None = None,
        proxy_code: int | None = None,
    ) -> None:
        super().__init__(message, host, port, cause)
        self.proxy_code = proxy_code


class HTTPRedirectError(_NoResponse, ValueError):
    """A redirect that must not be followed: to another scheme, or to no valid URL.

    Attributes:
        location: The value of the Location field.
    """

    def __init__(self, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.location = location


class HTTPRequestError(ValueError):
    """The request can never be sent as it is: its URL, method, fields or body are not valid."""


class UnknownMethodError(HTTPRequestError, KeyError):
    """A method beyond the standard ones, without ``allow_nonstandard_methods``.

    Attributes:
        method: That method.
    """

    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.method = method

    def __str__(self) -> str:
        return f"unknown method {self.method}"


class CurlError(HTTPClientError):
    """A transfer that libcurl gave up.

    Most have a type that is also the one which the usual client would have raised.

    Attributes:
        errno: libcurl's number of the error, one of ``pycurl.E_*``.
    """

    errno: int | None

    def __init__(self, errno: int, message: str) -> None:
        HTTPClientError.__init__(self, NO_RESPONSE, message)
        self.errno = errno

    def _state(self) -> dict[str, Any]:
        return {**self.__dict__, "errno": self.errno}


class CurlTimeoutError(CurlError, HTTPTimeoutError):
    """It took too long to connect."""

    phase = "connect"


class CurlStreamClosedError(CurlError, HTTPStreamClosedError):
    """The connection ended before the response was complete."""

    real_error = None


class CurlProtocolError(CurlStreamClosedError, HTTPProtocolError):
    """The server sent something that is not HTTP."""


class _CurlConnectError(CurlError, HTTPConnectError):
    """No connection. The attribute ``strerror`` has libcurl's text."""

    host: str | None = None
    port: int | None = None

    def __init__(self, errno: int, message: str) -> None:
        CurlError.__init__(self, errno, message)
        self.strerror = message


class CurlConnectError(_CurlConnectError):
    """No connection could be made."""


class CurlConnectionRefusedError(_CurlConnectError, HTTPConnectionRefusedError):
    """Nobody listens there."""


class CurlResolveError(_CurlConnectError, HTTPResolveError):
    """The host name could not be resolved."""


class CurlTLSError(_CurlConnectError, HTTPTLSError):
    """The TLS handshake failed."""


class CurlCertificateError(CurlTLSError, HTTPCertificateError):
    """The server's certificate is not valid, or not for this host."""


class CurlProxyError(_CurlConnectError, HTTPProxyError):
    """The proxy did not make the connection.

    Attributes:
        proxy_code: Status code of its answer to CONNECT, None without one.
    """

    proxy_code: int | None = None
