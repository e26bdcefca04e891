"""Tasks that wait for a future: waking one without a turn of the loop, learning that one left.

``take_waiter`` takes the callback that wakes the task, and the context for it, away from a future
that is not done, so that whoever resolves the future can call them at once. It returns None where
that may not be done, and the future is left as it was: something else waits too, or a task runs
now.

``guard_wakeups`` is for who cannot do that: it tells of tasks that were cancelled when the future
was resolved already, and so never see the result.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

WakeUp: type[object] = type(len)
"""What asyncio's tasks put into the futures that they wait for: a bound method, made in C."""

Waiter = tuple[Callable[[asyncio.Future[Any]], object], Context]


def take_waiter(future: "asyncio.Future[Any]", loop: asyncio.AbstractEventLoop) -> Waiter | None:
    """Take the one task that waits for ``future`` on ``loop`` from it; see the module's text."""
    # There is no public name for these, and to collect them in an ``add_done_callback`` of our
    # own costs every read what this saves a few.
    callbacks: list[Waiter] | None = future._callbacks
    if callbacks is None or len(callbacks) != 1:
        return None
    waiter = callbacks[0]
    wake_up = waiter[0]
    if (
        not isinstance(getattr(wake_up, "__self__", None), asyncio.Task)
        or asyncio.current_task(loop) is not None
    ):
        return None
    future.remove_done_callback(wake_up)
    return waiter


def guard_wakeups(future: "asyncio.Future[Any]", unseen: Callable[[], object]) -> None:
    """Call ``unseen`` before a waiting task gets a cancellation in place of the result.

    Args:
        future: not done yet; its result is set next.
        unseen: called from the loop, for each such task.
    """
    callbacks: list[Waiter] | None = future._callbacks
    if not callbacks or not any(type(each) is WakeUp for each, _ in callbacks):
        return

    def guarded(wake_up: Callable[[asyncio.Future[Any]], object]) -> Callable[..., object]:
        def wake(future: asyncio.Future[Any]) -> None:
            # A task that has been cancelled and whose future would not be: asyncio tells it so
            # in its next step, which is now. There is no public name for this.
            if wake_up.__self__._must_cancel:  # type: ignore[attr-defined]
                unseen()
            wake_up(future)

        return wake

    # All of them anew: they are called in this order.
    for callback, _ in callbacks:
        future.remove_done_callback(callback)
    for callback, context in callbacks:
        if isinstance(getattr(callback, "__self__", None), asyncio.Task):
            callback = guarded(callback)
        future.add_done_callback(callback, context=context)
