"""An HTTP client: asynchronous, with connections that are kept, and a blocking face.

`AsyncHTTPClient` fetches an `HTTPRequest` and gives an `HTTPResponse`; `HTTPClient` does so and
waits. Errors are `HTTPClientError` and its kinds (`zonda.httpclient.errors`).
"""

from zonda.httpclient.authentication import BasicAuthentication, DigestAuthentication
from zonda.httpclient.blocking import HTTPClient
from zonda.httpclient.client import AsyncHTTPClient
from zonda.httpclient.command import main
from zonda.httpclient.cookies import Cookies
from zonda.httpclient.errors import (
    HTTPCertificateError,
    HTTPClientError,
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPDecodeError,
    HTTPError,
    HTTPProtocolError,
    HTTPProxyError,
    HTTPRedirectError,
    HTTPRequestError,
    HTTPResolveError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTLSError,
    HTTPTooLargeError,
)
from zonda.httpclient.proxies import Proxies
from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.response import HTTPResponse
from zonda.httpclient.retry import Retry
from zonda.httpclient.streaming import ResponseStream

__all__ = [
    "AsyncHTTPClient",
    "BasicAuthentication",
    "Cookies",
    "DigestAuthentication",
    "HTTPCertificateError",
    "HTTPClient",
    "HTTPClientError",
    "HTTPConnectError",
    "HTTPConnectionRefusedError",
    "HTTPDecodeError",
    "HTTPError",
    "HTTPProtocolError",
    "HTTPProxyError",
    "HTTPRedirectError",
    "HTTPRequest",
    "HTTPRequestError",
    "HTTPResolveError",
    "HTTPResponse",
    "HTTPStreamClosedError",
    "HTTPTLSError",
    "HTTPTimeoutError",
    "HTTPTooLargeError",
    "Proxies",
    "ResponseStream",
    "Retry",
    "_RequestProxy",
    "main",
]
