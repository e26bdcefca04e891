"""The callbacks of a request, run as the program that gave them expects it.

A callback in, one that does the same out. Nothing is raised that it does not raise itself.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


def at_home(callback: Callable[[T], Any]) -> Callable[[T], Any]:
    """The callback, run with the context variables of whoever calls this function.

    The loop runs what reads a connection with those of whoever has opened it. If the callback is a
    coroutine, it is a task with the same variables.
    """
    context = copy_context()

    def call(argument: T) -> Any:
        made = context.run(callback, argument)
        if asyncio.iscoroutine(made):
            return asyncio.get_running_loop().create_task(made, context=context.copy())
        return made

    return call
