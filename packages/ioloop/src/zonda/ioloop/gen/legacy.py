"""Coroutines of Tornado's callback generation. Legacy: write ``async def`` instead.

In: a generator function decorated with `engine`. It yields a `Task` (the call of a function that
takes a ``callback``); or it makes callbacks with ``yield Callback(key)`` and fetches what they were
called with by ``yield Wait(key)`` or ``yield WaitAll(keys)``. An engine may yield everything else a
coroutine may. Out: an engine returns nothing; its errors are logged. What a callback was called
with comes back as the one positional argument, None without any, or `Arguments` of several.

`Callback`, `Wait` and `WaitAll` work in engines only, where their keys live. Raises, in the engine:
``KeyReuseError``, ``UnknownKeyError``; and ``LeakedCallbackError`` when it ends with callbacks it
never waited for.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

from zonda.ioloop.errors import (
    KeyReuseError,
    LeakedCallbackError,
    ReturnValueIgnoredError,
    UnknownKeyError,
)
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.gen.coroutine import coroutine
from zonda.ioloop.gen.driver import failed
from zonda.ioloop.gen.multi import multi_future
from zonda.ioloop.log import app_log
from zonda.ioloop.yieldable import convert_yielded

__all__ = ["Arguments", "Callback", "Task", "Wait", "WaitAll", "engine"]


class Arguments(NamedTuple):
    """What a callback was called with, where that was more than one positional argument.

    Example:
        >>> async def main():
        ...     return await Task(lambda callback: callback(1, 2, colour="red"))
        >>> asyncio.run(main())
        Arguments(args=(1, 2), kwargs={'colour': 'red'})
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Keys:
    """The callbacks of one engine: a future for each key that waits to be fetched."""

    def __init__(self) -> None:
        self.futures: dict[Hashable, asyncio.Future[Any]] = {}

    def make(self, key: Hashable) -> Callable[..., None]:
        if key in self.futures:
            raise KeyReuseError(f"key {key!r} is already pending")
        callback, self.futures[key] = _callback_and_future()
        return callback

    def fetch(self, key: Hashable) -> "asyncio.Future[Any]":
        try:
            return self.futures.pop(key)
        except KeyError:
            raise UnknownKeyError(f"key {key!r} is not pending") from None


_keys: contextvars.ContextVar[_Keys | None] = contextvars.ContextVar("zonda_engine", default=None)


def _engine_keys() -> _Keys:
    keys = _keys.get()
    if keys is None:
        raise RuntimeError("gen.Callback and gen.Wait work in gen.engine functions only")
    return keys


def _callback_and_future() -> "tuple[Callable[..., None], asyncio.Future[Any]]":
    loop = own_asyncio_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any) -> None:
        if not future.done():
            future.set_result(value)

    def callback(*args: Any, **kwargs: Any) -> None:
        value: Any
        if kwargs or len(args) > 1:
            value = Arguments(args, kwargs)
        else:
            value = args[0] if args else None
        # A library's callback may come from any thread.
        if asyncio._get_running_loop() is loop:
            settle(value)
        else:
            loop.call_soon_threadsafe(settle, value)

    return callback, future


def engine(func: Callable[..., Any]) -> Callable[..., None]:
    """Make a callback-style coroutine of a generator function: nobody can wait for it.

    It runs at once, up to its first wait. An exception that leaves it is logged.

    Example:
        >>> def fetch(text, callback):
        ...     asyncio.get_running_loop().call_soon(callback, text.upper())
        >>> async def main():
        ...     done = asyncio.Event()
        ...     @engine
        ...     def run():
        ...         print((yield Task(fetch, "one")))
        ...         fetch("two", callback=(yield Callback("key")))
        ...         print((yield Wait("key")))
        ...         done.set()
        ...     run()
        ...     await done.wait()
        >>> asyncio.run(main())
        ONE
        TWO
    """
    inner = coroutine(func)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        keys = _Keys()
        context = contextvars.copy_context()
        context.run(_keys.set, keys)
        future = context.run(inner, *args, **kwargs)
        finish = functools.partial(_finish, func, keys)
        if future.done():
            finish(future)
        else:
            future.add_done_callback(finish)

    return wrapper


def _finish(func: Callable[..., Any], keys: _Keys, future: "asyncio.Future[Any]") -> None:
    """Report what nobody else can: how an engine ended."""
    if future.cancelled():
        return
    error = future.exception()
    if error is None and future.result() is not None:
        error = ReturnValueIgnoredError(
            f"@gen.engine functions cannot return values: {future.result()!r}"
        )
    if error is None and keys.futures:
        error = LeakedCallbackError(f"finished without waiting for callbacks {[*keys.futures]!r}")
    if error is not None:
        app_log.error("Exception in gen.engine function %r", func, exc_info=error)


def Task(func: Callable[..., Any], *args: Any, **kwargs: Any) -> "asyncio.Future[Any]":
    """Call a function that takes a ``callback`` and return a future of what that is called with.

    Works in any coroutine.

    Example:
        >>> def fetch(text, callback):
        ...     callback(text.upper())
        >>> async def main():
        ...     return await Task(fetch, "one")
        >>> asyncio.run(main())
        'ONE'
    """
    callback, future = _callback_and_future()
    try:
        func(*args, callback=callback, **kwargs)
    except Exception as error:
        return failed(error)
    return future


class Callback:
    """Yield it in an engine to get a function; `Wait` for the same key gets what it is called with.

    Args:
        key: any hashable value.

    Raises (at the yield):
        KeyReuseError: a callback with that key has not been waited for yet.
        RuntimeError: not in an engine.

    Example:
        >>> @engine
        ... def run():
        ...     callback = yield Callback("key")
        ...     callback("called")
        ...     print((yield Wait("key")))
        >>> async def main():
        ...     run()
        >>> asyncio.run(main())
        called
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key


class Wait:
    """Yield it in an engine to get what the `Callback` of a key was called with.

    Args:
        key: the key.

    Raises (at the yield):
        UnknownKeyError: there is no callback with that key.
        RuntimeError: not in an engine.

    Example:
        >>> @engine
        ... def run():
        ...     try:
        ...         yield Wait("key")
        ...     except UnknownKeyError as error:
        ...         print(error)
        >>> async def main():
        ...     run()
        >>> asyncio.run(main())
        key 'key' is not pending
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key


class WaitAll:
    """Yield it in an engine to `Wait` for several keys; the results come as a list.

    Args:
        keys: the keys, in the order of the results.

    Example:
        >>> @engine
        ... def run():
        ...     for key in "abc":
        ...         (yield Callback(key))(key.upper())
        ...     print((yield WaitAll("abc")))
        >>> async def main():
        ...     run()
        >>> asyncio.run(main())
        ['A', 'B', 'C']
    """

    def __init__(self, keys: Iterable[Hashable]) -> None:
        self.keys = list(keys)


@convert_yielded.register
def _make_callback(yielded: Callback) -> "asyncio.Future[Callable[..., None]]":
    future: asyncio.Future[Callable[..., None]] = own_asyncio_loop().create_future()
    future.set_result(_engine_keys().make(yielded.key))
    return future


@convert_yielded.register
def _wait(yielded: Wait) -> "asyncio.Future[Any]":
    return _engine_keys().fetch(yielded.key)


@convert_yielded.register
def _wait_all(yielded: WaitAll) -> "asyncio.Future[Any]":
    keys = _engine_keys()
    return multi_future([keys.fetch(key) for key in yielded.keys])
