"""HTTP without I/O: headers, cookies, URLs, dates, forms, and the HTTP/1.1 and WebSocket protocols.

The names of this page are the everyday ones; the protocols are in `zonda.httputil.http1` and
`zonda.httputil.websocket`. Nothing in the package imports asyncio, socket or ssl.
"""

# Not ours, but jupyterhub takes it from here.
from urllib.parse import urlencode as urlencode

from zonda.httputil.cookies import parse_cookie
from zonda.httputil.credentials import encode_username_password
from zonda.httputil.dates import format_timestamp
from zonda.httputil.delegates import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
)
from zonda.httputil.errors import HTTPInputError, HTTPOutputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.form_config import (
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    set_parse_body_config,
)
from zonda.httputil.forms import parse_body_arguments, parse_multipart_form_data
from zonda.httputil.headers import HTTP_WHITESPACE, HTTPHeaders

# The names with an underscore are not for new programs: some that were written for Tornado use
# them.
from zonda.httputil.parameters import format_parameters as _encode_header
from zonda.httputil.parameters import parse_parameters as _parse_header
from zonda.httputil.ranges import format_content_range as _get_content_range
from zonda.httputil.ranges import int_or_none as _int_or_none
from zonda.httputil.ranges import parse_single_range as _parse_request_range
from zonda.httputil.request import HTTPServerRequest
from zonda.httputil.startline import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
    responses,
)
from zonda.httputil.urls import qs_to_qsl, split_host_and_port, url_concat

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
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "ParseUrlEncodedConfig",
    "RequestStartLine",
    "ResponseStartLine",
    "_encode_header",
    "_get_content_range",
    "_int_or_none",
    "_parse_header",
    "_parse_request_range",
    "encode_username_password",
    "format_timestamp",
    "parse_body_arguments",
    "parse_cookie",
    "parse_multipart_form_data",
    "parse_request_start_line",
    "parse_response_start_line",
    "qs_to_qsl",
    "responses",
    "set_parse_body_config",
    "split_host_and_port",
    "url_concat",
]
