"""``@coroutine``: generators as coroutines.

In: a function that yields what it waits for (futures, awaitables, lists and dicts of these). Out:
a function that returns a future. The function runs at once, in a copy of the caller's context,
up to the first yield that really has to wait. Nothing it raises reaches the caller directly: the
future has it.
"""

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar, overload

from zonda.ioloop.concurrent import AnyFuture, is_future
from zonda.ioloop.finished import Unmade, finished
from zonda.ioloop.gen.driver import Return, failed, idle_drivers, new_driver
from zonda.ioloop.gen.runner import go_on

__all__ = ["coroutine", "is_coroutine_function", "maybe_future"]

_T = TypeVar("_T")
_P = ParamSpec("_P")


@overload
def coroutine(
    func: Callable[_P, Generator[Any, Any, _T]],
) -> "Callable[_P, asyncio.Future[_T]]": ...


@overload
def coroutine(func: Callable[_P, _T]) -> "Callable[_P, asyncio.Future[_T]]": ...


def coroutine(func: Callable[..., Any]) -> "Callable[..., asyncio.Future[Any]]":
    """Make a coroutine of a generator function.

    ``yield`` waits for a future and gives back its result or raises its exception. Native
    coroutines can be yielded and the futures returned here awaited, so both styles mix freely. A
    function without ``yield`` works too: its future is done when it is returned.

    Cancelling the future cancels what the generator waits for.

    Raises (in the future):
        BadYieldError: something was yielded that cannot be waited for.

    Example:
        >>> @coroutine
        ... def add(a, b):
        ...     yield asyncio.sleep(0)
        ...     return a + b
        >>> async def main():
        ...     return await add(1, 2)
        >>> asyncio.run(main())
        3
    """
    # Names of this function's own are quicker to look up than those of the module.
    copy_context = contextvars.copy_context
    take_driver, put_driver_back = idle_drivers.pop, idle_drivers.append
    wrapper: Callable[..., asyncio.Future[Any]]

    if inspect.isgeneratorfunction(func):
        # Calling it runs nothing yet, so that only the first step has to enter the context.
        def wrapper(*args: Any, **kwargs: Any) -> asyncio.Future[Any]:
            try:
                generator = func(*args, **kwargs)
            except Exception as error:  # the arguments do not fit
                return failed(error)
            try:
                driver: Any = take_driver()
            except IndexError:
                driver = new_driver()
            context = copy_context()
            yielded = context.run(driver.send, generator)
            if driver.gi_yieldfrom is None:
                put_driver_back(driver)
                return yielded  # type: ignore[no-any-return]
            try:
                return context.run(go_on, driver, context, yielded)
            finally:
                del yielded  # a traceback may refer to this frame: leave no cycle

    else:

        def wrapper(*args: Any, **kwargs: Any) -> asyncio.Future[Any]:
            context = copy_context()
            try:
                result = context.run(func, *args, **kwargs)
            except (Return, StopIteration) as stop:
                return finished(stop.value)
            except (Exception, asyncio.CancelledError) as error:
                return failed(error)
            # The cheap question first: the other one goes through the abstract base class.
            if not hasattr(result, "send") or not isinstance(result, Generator):
                future: Unmade[Any] = Unmade()
                future._value = result
                return future
            driver = new_driver()
            yielded = context.run(driver.send, result)
            try:
                return context.run(go_on, driver, context, yielded)
            finally:
                del yielded  # a traceback may refer to this frame: leave no cycle

    functools.update_wrapper(wrapper, func)
    wrapper.__tornado_coroutine__ = True  # type: ignore[attr-defined]
    return wrapper


def is_coroutine_function(func: Any) -> bool:
    """Tell whether a function was decorated with `coroutine`.

    Example:
        >>> is_coroutine_function(coroutine(len)), is_coroutine_function(len)
        (True, False)
    """
    return getattr(func, "__tornado_coroutine__", False)


def maybe_future(x: Any) -> AnyFuture[Any]:
    """Return ``x`` if it is a future, else a future whose result it is.

    Example:
        >>> async def main():
        ...     return await maybe_future(42)
        >>> asyncio.run(main())
        42
    """
    return x if is_future(x) else finished(x)
