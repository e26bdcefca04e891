"""Legacy: functions that answer through a ``callback`` argument, called as if they gave a future.

In: a function with an argument ``callback``. Out: the same function, which returns a future that
ends when the function calls ``callback``, with what that was given. Programs of Tornado 3 and 4
have such functions; new ones return futures, or are coroutines.
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from zonda.ioloop.errors import ReturnValueIgnoredError
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.util.argreplacer import ArgReplacer


def return_future(f: Callable[..., object]) -> Callable[..., "asyncio.Future[Any]"]:
    """Make a function with an argument ``callback`` return a future.

    The function is given a callback of ours. Whoever calls it may pass one too, which is then
    called with the result in a later turn of the loop; an exception is the future's, and logged.

    Args:
        f: Takes ``callback`` as an argument of that name, and returns None. What it raises
            becomes the future's exception, unless it has called back before: then it is raised.

    Raises:
        ReturnValueIgnoredError: In the future: the function returned something, which nobody
            would receive.

    Example:
        >>> @return_future
        ... def double(number, callback):
        ...     asyncio.get_running_loop().call_soon(callback, 2 * number)
        >>> async def main():
        ...     return await double(21)
        >>> asyncio.run(main())
        42
    """
    replacer = ArgReplacer(f, "callback")

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = own_asyncio_loop().create_future()

        results: tuple[Any, ...] = ()

        def resolve(*given: Any) -> None:
            nonlocal results
            if not future.cancelled():
                future.set_result(given[0] if given else None)
                results = given

        callback, positional, kwargs = replacer.replace(resolve, args, kwargs)
        if callable(callback):

            def pass_on(future: "asyncio.Future[Any]") -> None:
                if not future.cancelled():
                    future.result()  # raises for the loop to log: nobody may look at the future
                    callback(*results)

            future.add_done_callback(pass_on)
        try:
            if f(*positional, **kwargs) is not None:
                raise ReturnValueIgnoredError(
                    f"{f.__qualname__} is decorated with return_future, and returned a value; "
                    "pass it to callback"
                )
        except Exception as error:
            if future.done():
                raise
            future.set_exception(error)
        return future

    return wrapper
