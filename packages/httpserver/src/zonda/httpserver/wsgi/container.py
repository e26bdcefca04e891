"""`WSGIContainer`: a WSGI application as something that `HTTPServer` and routers serve."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from zonda.httpserver.callback import CallableAdapter
from zonda.httpserver.lifespan import Lifespan
from zonda.httpserver.routing.router import Router
from zonda.httpserver.wsgi.call import WSGICall
from zonda.httpserver.wsgi.environ import make_environ
from zonda.httpserver.wsgi.response import WSGIApplication
from zonda.httputil import HTTPMessageDelegate, HTTPServerRequest
from zonda.httputil.escape import url_unescape
from zonda.ioloop.concurrent import dummy_executor
from zonda.ioloop.log import access_log


class WSGIContainer(Router):
    """Serves a WSGI application (PEP 3333).

    It goes where a router goes, ``HTTPServer(WSGIContainer(app))`` or the target of a rule beside
    handlers, and where a function of a request goes (``FallbackHandler``), which has the whole body
    collected before.

    Args:
        wsgi_application: The application, a callable of an environment and ``start_response``.
        executor: Runs it; a pool of threads keeps the loop free and streams bodies both ways. By
            default it runs in the loop's thread: nothing else happens while it works or waits.
        threads: Make such a pool of so many threads, and end it with the server.
        script_name: Where it is mounted, without a slash at the end; requests outside are left to
            the rules behind it.

    Raises:
        ValueError: Both an executor and a number of threads.

    >>> def app(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [b"Hello"]
    >>> container = WSGIContainer(app)
    """

    def __init__(
        self,
        wsgi_application: WSGIApplication,
        executor: Executor | None = None,
        *,
        threads: int | None = None,
        script_name: str = "",
    ) -> None:
        if executor is not None and threads is not None:
            raise ValueError("either an executor or a number of threads")
        self.wsgi_application = wsgi_application
        self._own_pool: ThreadPoolExecutor | None = None
        if threads is not None:
            executor = self._own_pool = ThreadPoolExecutor(threads, "wsgi")
        self.executor: Executor = dummy_executor if executor is None else executor
        self.script_name = script_name.rstrip("/")
        self._calls: dict[WSGICall, asyncio.Future[None] | None] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._idle: asyncio.Future[None] | None = None

    # -- requests --------------------------------------------------------------------------------

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate for a request, None if it is outside ``script_name``."""
        if not self._is_inside(request):
            return None
        kind = type(self)
        if (
            kind.__call__ is not WSGIContainer.__call__
            or kind.handle_request is not WSGIContainer.handle_request
        ):
            assert request.connection is not None
            return CallableAdapter(self, request.connection)  # overridden: it sees whole requests
        return self._call_for(request)

    def _is_inside(self, request: HTTPServerRequest) -> bool:
        root = self.script_name
        if not root:
            return True
        path = str(url_unescape(request.path, encoding="latin-1", plus=False))
        return path == root or path.startswith(root + "/")

    def _call_for(self, request: HTTPServerRequest) -> WSGICall:
        environ = self.environ(request)
        call = WSGICall(self.wsgi_application, environ, request, self.executor, self._call_ended)
        self._calls[call] = None
        return call

    def __call__(self, request: HTTPServerRequest) -> None:
        """Answer a request whose body is complete."""
        task = asyncio.ensure_future(self.handle_request(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def handle_request(self, request: HTTPServerRequest) -> None:
        """Answer a request whose body is complete; return when the application is through."""
        call = self._call_for(request)
        done = self._calls[call] = asyncio.get_running_loop().create_future()
        call.run_whole(request.body)
        await asyncio.shield(done)

    def environ(self, request: HTTPServerRequest) -> dict[str, Any]:
        """Return the environment for a request: a hook; ``wsgi.input`` is put in later.

        Args:
            request: The request, perhaps without its body.
        """
        root = self.script_name if self._is_inside(request) else ""
        return make_environ(request, root, self.executor is not dummy_executor)

    def _call_ended(self, call: WSGICall, status: int) -> None:
        done = self._calls.pop(call)
        if done is not None and not done.done():
            done.set_result(None)
        if not self._calls and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        if status:
            self._log(status, call)

    def _log(self, status: int, call: WSGICall) -> None:
        level = 20 if status < 400 else 30 if status < 500 else 40
        if access_log.isEnabledFor(level):
            elapsed = 1000.0 * call.request.request_time()
            access_log.log(level, "%d %s %.2fms", status, call._summary(), elapsed)

    # -- life ------------------------------------------------------------------------------------

    def lifespans(self) -> Iterator[Lifespan]:
        """This container: its threads end with the server."""
        yield self

    async def startup(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Wait until the application is through with its requests, and end the threads."""
        if self._calls:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        if self._own_pool is not None:
            self._own_pool.shutdown(wait=False)
