"""An HTTP/1.1 server with routing.

`HTTPServer` takes requests from the network and hands them to a delegate: a ``zonda.web``
application, a router of `zonda.httpserver.routing`, or a function.
"""

from zonda.httpserver.context import HTTPRequestContext
from zonda.httpserver.server import HTTPServer
from zonda.httputil import HTTPServerRequest

# Names that programs written for Tornado know.
HTTPRequest = HTTPServerRequest
_HTTPRequestContext = HTTPRequestContext

__all__ = ["HTTPRequestContext", "HTTPServer"]
