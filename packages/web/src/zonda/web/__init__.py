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
from zonda.web.defaulthandlers import ErrorHandler
from zonda.web.errors import Finish, HTTPError, MissingArgumentError
from zonda.web.handler import RequestHandler, stream_request_body
from zonda.web.transforms import OutputTransform

url = URLSpec
"""Another name for `URLSpec`."""

__all__ = [
    "Application",
    "ErrorHandler",
    "Finish",
    "HTTPError",
    "MissingArgumentError",
    "OutputTransform",
    "RequestHandler",
    "URLSpec",
    "access_log",
    "app_log",
    "gen_log",
    "stream_request_body",
    "url",
]
