"""HTTP without I/O: headers, cookies, URLs, dates, forms, and the HTTP/1.1 and WebSocket protocols.

The names of this page are the everyday ones; the protocols are in `zonda.httputil.http1` and
`zonda.httputil.websocket`. Nothing in the package imports asyncio, socket or ssl.
"""

from zonda.httputil.delegates import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
)
from zonda.httputil.errors import HTTPInputError, HTTPOutputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.headers import HTTP_WHITESPACE, HTTPHeaders
from zonda.httputil.request import HTTPServerRequest
from zonda.httputil.startline import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
)
from zonda.httputil.urls import split_host_and_port

__all__ = [
    "HTTP_WHITESPACE",
    "HTTPConnection",
    "HTTPFile",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPMessageDelegate",
    "HTTPOutputError",
    "HTTPServerConnectionDelegate",
    "HTTPServerRequest",
    "RequestStartLine",
    "ResponseStartLine",
    "parse_request_start_line",
    "parse_response_start_line",
    "split_host_and_port",
]
