"""An HTTP/1.1 server with routing.

`HTTPServer` takes requests from the network and hands them to a delegate: a ``zonda.web``
application, a router of `zonda.httpserver.routing`, or a function.
"""

from zonda.httpserver.context import HTTPRequestContext
from zonda.httpserver.server import HTTPServer

# The name that programs written for Tornado know.
_HTTPRequestContext = HTTPRequestContext

__all__ = ["HTTPRequestContext", "HTTPServer"]
