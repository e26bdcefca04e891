"""Waking the task that waits for a future without a turn of the loop.

In: a future that is not done. Out: the callback that wakes the task and the context for it, taken
away from the future, so that whoever resolves it can call them at once; None where that may not be
done, and the future is left as it was: something else waits too, or a task runs now.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

Waiter = tuple[Callable[[asyncio.Future[Any]], object], Context]


def take_waiter(future: "asyncio.Future[Any]") -> Waiter | None:
    """Take the one task that waits for ``future`` from it; see the module's text."""
    # There is no public name for these, and to collect them in an ``add_done_callback`` of our
    # own costs every read what this saves a few.
    callbacks: list[Waiter] | None = getattr(future, "_callbacks", None)
    if callbacks is None or len(callbacks) != 1:
        return None
    waiter = callbacks[0]
    wake_up, _ = waiter
    if (
        not isinstance(getattr(wake_up, "__self__", None), asyncio.Task)
        or asyncio.current_task() is not None
    ):
        return None
    future.remove_done_callback(wake_up)
    return waiter
