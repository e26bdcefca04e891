"""Generators that run other generators, so that their end costs no exception.

In: a generator, sent to an idle driver. Out of each ``send``: what the generator yielded, or, once
it has ended, a future of what it returned or raised. The two are told apart by ``gi_yieldfrom`` of
the driver: None means that the generator has ended and the driver is idle again. Raises what is no
`Exception`, and is of no more use then.

A generator that ends raises `StopIteration`, and making and catching that is a third of what a
coroutine costs that need not wait. ``yield from`` takes the value without it.
"""

import asyncio
from collections.abc import Generator
from types import GeneratorType
from typing import Any, TypeAlias, cast

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.finished import finished

__all__ = ["Driver", "Return", "failed", "idle_drivers", "new_driver", "put_back"]

# A generator that is known to be one: an abstract one has no gi_yieldfrom.
Driver: TypeAlias = "GeneratorType[Any, Any, None]"

_get_running_loop = asyncio._get_running_loop


class Return(Exception):
    """Raise it in a generator coroutine to return a value; ``return value`` does the same.

    Attributes:
        value: what the coroutine's future gets.

    Example:
        >>> from zonda.ioloop.gen import coroutine
        >>> @coroutine
        ... def main():
        ...     yield asyncio.sleep(0)
        ...     raise Return(42)
        >>> async def wait():
        ...     return await main()
        >>> asyncio.run(wait())
        42
    """

    def __init__(self, value: Any = None) -> None:
        super().__init__()
        self.value = value
        # Seen from outside it is a kind of StopIteration.
        self.args = (value,)


def failed(error: BaseException) -> "asyncio.Future[Any]":
    """Make a future that has an exception; it is cancelled if that is a CancelledError.

    Example:
        >>> async def main():
        ...     return repr(failed(ValueError("no")).exception())
        >>> asyncio.run(main())
        "ValueError('no')"
    """
    future: asyncio.Future[Any] = asyncio.Future(loop=_get_running_loop() or own_asyncio_loop())
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(error)
    return future


def _drive() -> Generator[Any, Any, None]:
    # No local may refer to an outcome while the driver is idle: that would keep it alive, and be a
    # cycle where it is an exception, whose traceback refers to this frame.
    outcome: list[Any] = []
    generator = yield
    while True:
        try:
            generator = yield finished((yield from generator))
            continue
        except GeneratorExit:
            # Idle or not, it is dropped. The names below may be gone: the interpreter shuts down.
            raise
        except Return as stop:
            outcome.append(finished(stop.value))
        except (Exception, asyncio.CancelledError) as error:
            outcome.append(failed(error))
        generator = None
        generator = yield outcome.pop()


#: Drivers to take one from, with ``pop``, and to give back to with `put_back`.
idle_drivers: list[Driver] = []
_MOST_IDLE = 64


def new_driver() -> Driver:
    """Make a driver, idle.

    Example:
        >>> def generator():
        ...     return 2 * (yield 20) + 2
        >>> driver = new_driver()
        >>> driver.send(generator()), driver.gi_yieldfrom is None
        (20, False)
        >>> async def end():
        ...     return await driver.send(20)
        >>> asyncio.run(end()), driver.gi_yieldfrom is None
        (42, True)
    """
    driver = cast("Driver", _drive())
    driver.send(None)
    return driver


def put_back(driver: Driver) -> None:
    """Take a driver back that is idle again.

    Example:
        >>> driver = new_driver()
        >>> put_back(driver)
        >>> idle_drivers.pop() is driver
        True
    """
    if len(idle_drivers) < _MOST_IDLE:
        idle_drivers.append(driver)
