"""From a routed request to a handler: collects the body, makes the handler, runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from zonda.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.shared_fields import SharedFields
from zonda.ioloop.log import app_log
from zonda.ioloop.stepping import start_coroutine
from zonda.web.course import run
from zonda.web.errors import HTTPError
from zonda.web.handler import RequestHandler

if TYPE_CHECKING:
    from zonda.web.application import Application

_execute = RequestHandler._execute


class HandlerDelegate(HTTPMessageDelegate):
    """Runs one handler for one request.

    Args:
        application: The application.
        request: The request, its head complete.
        handler_class: The class of handler to make.
        handler_kwargs: For its ``initialize``.
        path_args: Groups of the path for the method, positional.
        path_kwargs: The same by name.
    """

    __slots__ = (
        "_chunks",
        "application",
        "handler",
        "handler_class",
        "handler_kwargs",
        "path_args",
        "path_kwargs",
        "request",
    )

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest,
        handler_class: type[RequestHandler],
        handler_kwargs: dict[str, Any] | None,
        path_args: list[bytes] | None,
        path_kwargs: dict[str, bytes] | None,
    ) -> None:
        self.application = application
        self.request = request
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs
        self.path_args = path_args
        self.path_kwargs = path_kwargs
        self.handler: RequestHandler | None = None
        self._chunks: list[bytes] | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Start a handler that streams its body; others wait for the whole of it."""
        if self.handler_class._stream_request_body:
            self.request._body_future = asyncio.get_running_loop().create_future()
            return self.execute()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep a piece of the body, or pass it on."""
        if self.handler_class._stream_request_body:
            assert self.handler is not None
            return self.handler.data_received(chunk)
        if self._chunks is None:
            self._chunks = [chunk]
        else:
            self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        """The request is complete."""
        request = self.request
        if self.handler_class._stream_request_body:
            if not request._body_future.done():
                request._body_future.set_result(None)
            return
        if self._chunks is not None:
            body = b"".join(self._chunks)
            self._chunks = None
            self._execute_with(body)
        else:
            self.execute()

    def whole_message(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        body: bytes,
    ) -> bool:
        """Run the handler in one step, unless it wants to see more of them."""
        if type(self) is not HandlerDelegate or self.handler_class._stream_request_body:
            return False
        if body:
            block = headers._block
            # What the client has sent before, with fields that are known to go with no form.
            if type(block) is not SharedFields or not block.no_form:
                self._execute_with(body)
                return True
            self.request.body = body
        self.execute()
        return True

    def on_connection_close(self) -> None:
        """The client is gone."""
        self._chunks = None
        handler = self.handler
        if handler is not None and not handler._finished:
            try:
                handler.on_connection_close()
            except Exception:
                app_log.error("Uncaught exception in on_connection_close", exc_info=True)

    def _execute_with(self, body: bytes) -> None:
        """Run the handler of a request with a body, if that is what the request says."""
        request = self.request
        request.body = body
        try:
            request._parse_body()
        except HTTPInputError as error:
            request._form_parsed = True  # the error page may ask for arguments: those of the query
            self._refuse(error)
            return
        self.execute()

    def execute(self) -> Awaitable[None] | None:
        """Make the handler and run it.

        Returns:
            None, or for a handler that streams its body something to wait for before the body:
            the end of ``prepare``.
        """
        application = self.application
        request = self.request
        handler_class = self.handler_class
        if self.handler_kwargs:
            handler = handler_class(application, request, **self.handler_kwargs)
        else:
            handler = handler_class(application, request)
        self.handler = handler
        prepared = None
        if handler_class._stream_request_body:
            prepared = handler._prepared_future = asyncio.get_running_loop().create_future()
        transforms = application.transforms
        made = [transform(request) for transform in transforms] if transforms else []
        try:
            # Each request has a context of its own, before and after it has to wait.
            context = copy_context()
            if handler_class._execute is _execute and not application.middleware:
                rest = context.run(run, handler, made, self.path_args, self.path_kwargs)
            else:
                args, kwargs = self.path_args or (), self.path_kwargs or {}
                rest = context.run(handler._execute, made, *args, **kwargs)
                if isinstance(rest, asyncio.Future):  # overridden by a gen.coroutine
                    rest.add_done_callback(self._executed)
                    return prepared
            if rest is not None:
                task = start_coroutine(rest, context)
                if task is not None:  # it has to wait for something
                    task.add_done_callback(self._executed)
        except asyncio.CancelledError:
            self._cancelled(handler)
        return prepared

    def _refuse(self, error: HTTPInputError) -> None:
        """Answer for a malformed form: with the handler's own error page, in place of its method.

        Middleware and transforms (CORS) see it as they see any other error.
        """
        handler = self.handler_class(self.application, self.request, **(self.handler_kwargs or {}))
        self.handler = handler
        refuse = partial(_refuse_body, error)
        # The check would look for its token in the form.
        handler.check_xsrf_cookie = handler.prepare = refuse  # type: ignore[method-assign]
        made = [transform(self.request) for transform in self.application.transforms]
        context = copy_context()
        # Not as it is overridden: a WebSocket's has no use for a body, and would not look at it.
        rest = RequestHandler._execute(handler, made)
        task = start_coroutine(rest, context)
        if task is not None:
            task.add_done_callback(self._executed)

    def _cancelled(self, handler: RequestHandler) -> None:
        """Somebody has cancelled the handler; its client is still waiting."""
        if not handler._finished:
            handler.send_error(503)

    def _executed(self, task: asyncio.Future[None]) -> None:
        """A handler that had to wait is through."""
        handler = self.handler
        assert handler is not None
        if task.cancelled():
            self._cancelled(handler)
        elif (error := task.exception()) is not None:
            # `_execute` handles what a handler raises: this is an override's own fault.
            app_log.error("Uncaught exception in _execute", exc_info=error)
            if not handler._finished:
                handler._abort()


def _refuse_body(error: HTTPInputError) -> NoReturn:
    raise HTTPError(error.status, "Invalid body: %s", error) from error
