"""The course of a request through a handler: ``prepare``, the method, ``finish``.

In: a handler, the transforms of its response and the groups of the path. Out: None if the response
is complete, or a coroutine that does what has to be waited for: most handlers need none. Nothing
is raised: what escapes a handler is answered for (see `zonda.web.failures`).

`zonda.web.middleware` has the course with layers around it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from zonda.iostream import StreamClosedError
from zonda.web.errors import HTTPError
from zonda.web.failures import fail
from zonda.web.gate import check_sender

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler
    from zonda.web.transforms import OutputTransform

_METHOD_NAMES: Final = {
    method: method.lower()
    for method in ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
}
_CHANGE_NOTHING: Final = frozenset(("GET", "HEAD"))


def run(
    handler: RequestHandler,
    transforms: list[OutputTransform],
    args: Sequence[bytes] | None,
    kwargs: Mapping[str, bytes] | None,
) -> Coroutine[Any, Any, None] | None:
    """Run a handler as far as it goes without waiting.

    Args:
        handler: The handler.
        transforms: For its response.
        args: Groups of the path for its method, positional.
        kwargs: The same by name.

    Returns:
        None if that was all; otherwise a coroutine that does the rest. Plain functions need no
        coroutine at all that way.
    """
    if transforms:
        handler._transforms = transforms
    try:
        method = handler.request.method
        if method not in handler.SUPPORTED_METHODS:
            raise HTTPError(405)
        # Of this request alone, empty or not: `prepare` may change them.
        handler.path_args = list(map(handler.decode_argument, args)) if args else []
        handler.path_kwargs = (
            {name: handler.decode_argument(arg, name=name) for name, arg in kwargs.items()}
            if kwargs
            else {}
        )
        if method not in _CHANGE_NOTHING:
            settings = handler.application.settings
            if (
                "xsrf_cookies" in settings
                or "cross_origin_protection" in settings
                or method == "OPTIONS"
            ):
                check_sender(handler)
        result = handler.prepare()
        if result is not None or handler._stream_request_body:
            return _go_on_from_prepare(handler, result)
        if handler._finished:
            return None
        answer = getattr(handler, _METHOD_NAMES.get(method) or method.lower())
        if handler.path_args or handler.path_kwargs:
            result = answer(*handler.path_args, **handler.path_kwargs)
        else:
            result = answer()  # a third of the price
        if result is not None:
            return _go_on_from_method(handler, result)
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except Exception as error:
        fail(handler, error)
    return None


async def _go_on_from_prepare(handler: RequestHandler, result: Awaitable[None] | None) -> None:
    """Go on where `prepare` has to be waited for, or the body after it."""
    try:
        await through(handler, result)
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except StreamClosedError as error:
        if not handler._stream_request_body or not _is_why(error, handler.request._body_future):
            fail(handler, error)
        # Otherwise the client is gone; on_connection_close has been told.
    except Exception as error:
        fail(handler, error)
    finally:
        let_body_come(handler)


async def through(handler: RequestHandler, result: Awaitable[None] | None) -> None:
    """Go from the end of `prepare` to that of the method, with a streamed body in between.

    Args:
        handler: The handler.
        result: What `prepare` has returned.
    """
    if result is not None:
        await result
    let_body_come(handler)
    if handler._finished:
        return
    if handler._stream_request_body:
        await handler.request._body_future
        await handler._body_complete()
    answer = getattr(handler, handler.request.method.lower())
    result = answer(*handler.path_args, **handler.path_kwargs)
    if result is not None:
        await result


def _is_why(error: Exception, future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is error


async def _go_on_from_method(handler: RequestHandler, result: Awaitable[None]) -> None:
    """Go on where the method has to be waited for."""
    try:
        await result
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except Exception as error:
        fail(handler, error)


def let_body_come(handler: RequestHandler) -> None:
    """Let the body of a handler that streams it come: `data_received` gets it."""
    prepared = handler._prepared_future
    if prepared is not None and not prepared.done():
        prepared.set_result(None)
