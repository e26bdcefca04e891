"""Futures in the order in which they finish.

In: futures, by position or by name. Out: a `WaitIterator`, whose ``next`` returns a future of the
next result. Raises ``ValueError`` for a mixture of both kinds and ``RuntimeError`` for ``next``
after the last one.
"""

import asyncio
import collections
from typing import Any, Self

from zonda.ioloop.concurrent import AnyFuture, chain_future
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.yieldable import Moment, convert_yielded

__all__ = ["WaitIterator"]


class WaitIterator:
    """Hands out the results of futures as they come.

    Args:
        *args: futures (or other yieldables); `current_index` is then a position.
        **kwargs: the same by name; `current_index` is then a name.

    Attributes:
        current_index: which of the arguments the last result came from.
        current_future: that future.

    Raises:
        ValueError: futures of both kinds, positional and by name.

    Example:
        >>> async def main():
        ...     results = []
        ...     waiting = WaitIterator(slow=asyncio.sleep(0.01, 1), fast=asyncio.sleep(0, 2))
        ...     async for result in waiting:
        ...         results.append((waiting.current_index, result))
        ...     return results
        >>> asyncio.run(main())
        [('fast', 2), ('slow', 1)]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("WaitIterator takes futures by position or by name, not both")
        self.current_index: str | int | None = None
        self.current_future: AnyFuture[Any] | None = None
        named = list(kwargs.items()) if kwargs else list(enumerate(args))
        self._loop = own_asyncio_loop()
        # The same future may have been given twice: it counts once, under its last name.
        self._unfinished: dict[AnyFuture[Any], str | int] = {}
        self._finished: collections.deque[AnyFuture[Any]] = collections.deque()
        self._running: asyncio.Future[Any] | None = None
        for index, child in named:
            future = convert_yielded(child)
            if isinstance(future, Moment):
                done: asyncio.Future[Any] = self._loop.create_future()
                done.set_result(None)
                future = done
            self._unfinished[future] = index
        for future in list(self._unfinished):
            if future.done():
                self._finished.append(future)
            elif isinstance(future, asyncio.Future):
                future.add_done_callback(self._child_done)
            else:
                future.add_done_callback(self._child_done_in_thread)

    def done(self) -> bool:
        """Return whether `next` has handed out everything."""
        if self._finished or self._unfinished:
            return False
        self.current_index = self.current_future = None
        return True

    def next(self) -> "asyncio.Future[Any]":
        """Return a future of the next result (or exception).

        Raises:
            RuntimeError: there is none left, or the last one handed out is not done yet.
        """
        if self._running is not None and not self._running.done():
            raise RuntimeError("the future of the last next() is not done yet")
        if not self._unfinished:
            raise RuntimeError("WaitIterator has no futures left")
        self._running = self._loop.create_future()
        running = self._running
        if self._finished:
            self._hand_out(self._finished.popleft())
        return running

    def _child_done(self, future: AnyFuture[Any]) -> None:
        if self._running is not None and not self._running.done():
            self._hand_out(future)
        else:
            self._finished.append(future)

    def _child_done_in_thread(self, future: AnyFuture[Any]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._child_done, future)
        except RuntimeError:
            pass  # the loop was closed

    def _hand_out(self, future: AnyFuture[Any]) -> None:
        assert self._running is not None
        chain_future(future, self._running)
        self._running = None
        self.current_future = future
        self.current_index = self._unfinished.pop(future)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> "asyncio.Future[Any]":
        if self.done():
            raise StopAsyncIteration
        return self.next()
