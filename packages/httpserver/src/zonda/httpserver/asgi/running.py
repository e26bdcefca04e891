"""An application's call, started at the spot: a task only if it has to wait for something."""

from collections.abc import Awaitable
from types import CoroutineType

from zonda.httpserver.asgi.types import ASGIApplication, Receive, Scope, Send
from zonda.ioloop.stepping import StartedTask, start_coroutine


def start_application(
    app: ASGIApplication, scope: Scope, receive: Receive, send: Send
) -> "StartedTask[None] | None":
    """Call an application.

    Args:
        app: The application.
        scope: What it is about.
        receive: Returns the next message.
        send: Takes a message.

    Returns:
        The task that carries on; None if the application is through already.

    Raises:
        Exception: Whatever it raises before it waits.
    """
    awaitable = app(scope, receive, send)
    if type(awaitable) is not CoroutineType:
        awaitable = as_coroutine(awaitable)
    task = start_coroutine(awaitable)
    return task if isinstance(task, StartedTask) else None


async def as_coroutine(awaitable: Awaitable[None]) -> None:
    """Await something that is no coroutine, such as what a class with ``__await__`` makes."""
    await awaitable
