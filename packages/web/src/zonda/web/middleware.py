"""Middleware: what runs around the handlers of an application, whichever they are.

The setting ``middleware`` is a list of coroutine functions. Each is called with the handler and
with a function that runs the rest: the next one, and in the end the handler's `prepare` and method.

    async def timing(handler, proceed):
        started = time.perf_counter()
        await proceed()
        handler.set_header("Server-Timing", f"app;dur={1000 * (time.perf_counter() - started):.1f}")

    Application(handlers, middleware=[timing])

- The first in the list is the outermost.
- What a handler raises comes out of ``proceed``: it can be turned into another exception, or into a
  response.
- Not to call ``proceed``, after ``handler.write(...)`` or by raising `HTTPError`, is to answer in
  the handler's place.
- The response is finished after all of them, so that they can set headers; unless a handler
  finishes it itself (``finish``, ``render``, ``redirect``), or an error does. What shall change
  every response without exception is a transform (the argument ``transforms`` of `Application`).

An application without middleware pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from zonda.web.course import let_body_come, through
from zonda.web.errors import HTTPError
from zonda.web.failures import fail
from zonda.web.gate import check_sender

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler
    from zonda.web.transforms import OutputTransform

Proceed = Callable[[], Awaitable[None]]
"""Runs what is inside: further middleware and the handler."""
Middleware = Callable[[Any, Proceed], Awaitable[None]]
"""Called with the handler and a `Proceed` to await."""


async def run_inside(
    middleware: Sequence[Middleware],
    handler: RequestHandler,
    transforms: list[OutputTransform],
    args: Sequence[bytes],
    kwargs: Mapping[str, bytes],
) -> None:
    """Run a handler with middleware around it, to the end of its response.

    Args:
        middleware: The outermost first.
        handler: The handler.
        transforms: For its response.
        args: Groups of the path for its method, positional.
        kwargs: The same by name.
    """
    handler._transforms = transforms
    try:
        if handler.request.method not in handler.SUPPORTED_METHODS:
            raise HTTPError(405)
        handler.path_args = [handler.decode_argument(arg) for arg in args]
        handler.path_kwargs = {
            name: handler.decode_argument(arg, name=name) for name, arg in kwargs.items()
        }
        check_sender(handler)
        proceed: Proceed = partial(_innermost, handler)
        for layer in reversed(middleware):
            proceed = partial(layer, handler, proceed)
        await proceed()
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except Exception as error:
        fail(handler, error)
    finally:
        let_body_come(handler)


async def _innermost(handler: RequestHandler) -> None:
    await through(handler, handler.prepare())
