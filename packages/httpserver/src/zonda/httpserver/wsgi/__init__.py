"""WSGI applications (PEP 3333) on `zonda.httpserver.HTTPServer`.

    executor = ThreadPoolExecutor(16)
    server = HTTPServer(WSGIContainer(application, executor))

With an executor each request runs in one of its threads from beginning to end; request and response
bodies stream through it with back-pressure both ways. Without one the application runs in the
loop's own thread, which suits only what never waits.
"""

from zonda.httpserver.wsgi.container import WSGIContainer
from zonda.httpserver.wsgi.environ import to_wsgi_str
from zonda.ioloop.concurrent import dummy_executor
from zonda.ioloop.log import access_log

__all__ = ["WSGIContainer", "access_log", "dummy_executor", "to_wsgi_str"]
