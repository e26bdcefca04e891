"""What an application has as long as it runs: connections to a database, background tasks.

The setting ``lifespan`` is a function of the application that returns an async context manager:

    @asynccontextmanager
    async def with_database(application):
        async with connect() as application.settings["db"]:
            yield

    Application(handlers, lifespan=with_database)

It is entered once, before the first request is handled, and left after the last: by the server
that ``listen`` makes, by an ASGI server, or by ``async with application``. All of it runs in one
task, so that task groups may span it. A program that ends by ``asyncio.run`` leaves it on its way
out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from zonda.httpserver.errors import LifespanError
from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.ioloop.log import app_log

if TYPE_CHECKING:
    from zonda.web.application import Application

LifespanFactory = Callable[["Application"], AbstractAsyncContextManager[object]]
"""Makes the context manager that an application runs in."""


class ApplicationLifespan:
    """Enters and leaves the context manager of one application.

    Args:
        application: The application.
        factory: The setting.

    Attributes:
        held: How many ``async with`` blocks there are around it: a server that ends inside of one
            does not end the lifespan.
    """

    def __init__(self, application: Application, factory: LifespanFactory) -> None:
        self.held = 0
        self._application = application
        self._factory = factory
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._stop: asyncio.Event | None = None

    @property
    def ready(self) -> bool:
        """Whether it has been entered, and not left."""
        started = self._started
        return started is not None and started.done() and started.exception() is None

    async def startup(self) -> None:
        """Enter, once however often this is called, and return when requests may come.

        Raises:
            LifespanError: It has raised; its exception is the cause.
        """
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._stop = asyncio.Event()
            self._task = loop.create_task(self._run(self._started, self._stop))
        await asyncio.shield(self._started)

    async def shutdown(self) -> None:
        """Leave, if it has been entered and is not held. It may be entered again.

        Raises:
            LifespanError: It has raised; its exception is the cause.
        """
        if self.held:
            return
        task, self._task, self._started = self._task, None, None
        if task is None or self._stop is None:
            return
        self._stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _run(self, started: asyncio.Future[None], stop: asyncio.Event) -> None:
        try:
            async with self._factory(self._application):
                started.set_result(None)
                try:
                    await stop.wait()
                except asyncio.CancelledError:
                    # The loop is being closed, or a task group has failed: time to clean up, not
                    # to skip it.
                    pass
        except asyncio.CancelledError:
            if not started.done():
                started.cancel()
            raise
        except Exception as error:
            if started.done():
                if stop.is_set():
                    raise LifespanError("shutdown", repr(error)) from error
                # Nobody is waiting who could be told.
                app_log.error("Uncaught exception in the application's lifespan", exc_info=error)
                return
            failure = LifespanError("startup", repr(error))
            failure.__cause__ = error
            started.set_exception(failure)
            started.exception()  # whoever waits gets it; perhaps nobody does


class NotYet(HTTPMessageDelegate):
    """A request that has come before the application is ready: it waits.

    Args:
        application: The application.
        request: The request.
        find: Finds the delegate as soon as it is.
    """

    def __init__(
        self,
        lifespan: ApplicationLifespan,
        request: HTTPServerRequest,
        find: Callable[[HTTPServerRequest], HTTPMessageDelegate],
    ) -> None:
        self._lifespan = lifespan
        self._request = request
        self._find = find
        self._delegate: HTTPMessageDelegate | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None]:
        """Hold the body back until the application is ready."""
        return self._headers_received(start_line, headers)

    async def _headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        await self._lifespan.startup()
        self._delegate = self._find(self._request)
        waiting = self._delegate.headers_received(start_line, headers)
        if waiting is not None:
            await waiting

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass a piece of the body on."""
        assert self._delegate is not None
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Pass on that the request is complete."""
        assert self._delegate is not None
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass on that the client is gone."""
        if self._delegate is not None:
            self._delegate.on_connection_close()
