"""A web framework: applications made of request handlers.

    class MainHandler(RequestHandler):
        def get(self):
            self.write("Hello, world")

    Application([(r"/", MainHandler)]).listen(8888)

`Application` holds routes and settings; a `RequestHandler` is made for each request and answers it.
"""

from zonda.httpserver.routing import URLSpec
from zonda.ioloop.log import access_log, app_log, gen_log
from zonda.web.application import Application
from zonda.web.cors import CORS
from zonda.web.decorators import (
    _has_stream_request_body,
    addslash,
    asynchronous,
    authenticated,
    removeslash,
    stream_request_body,
)
from zonda.web.defaulthandlers import ErrorHandler, FallbackHandler, RedirectHandler
from zonda.web.errors import Finish, HTTPError, MissingArgumentError
from zonda.web.handler import RequestHandler
from zonda.web.pageparts import is_absolute
from zonda.web.signedvalues import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from zonda.web.staticfiles import StaticFileHandler
from zonda.web.transforms import GZipContentEncoding, OutputTransform
from zonda.web.uimodules import TemplateModule, UIModule
from zonda.web.uploads import UploadHandler
from zonda.web.websocket.broadcast import broadcast

url = URLSpec
"""Another name for `URLSpec`."""

__all__ = [
    "CORS",
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "Application",
    "ErrorHandler",
    "FallbackHandler",
    "Finish",
    "GZipContentEncoding",
    "HTTPError",
    "MissingArgumentError",
    "OutputTransform",
    "RedirectHandler",
    "RequestHandler",
    "StaticFileHandler",
    "TemplateModule",
    "UIModule",
    "URLSpec",
    "UploadHandler",
    "_has_stream_request_body",
    "access_log",
    "addslash",
    "app_log",
    "asynchronous",
    "authenticated",
    "broadcast",
    "create_signed_value",
    "decode_signed_value",
    "gen_log",
    "get_signature_key_version",
    "is_absolute",
    "removeslash",
    "stream_request_body",
    "url",
]
