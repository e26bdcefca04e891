"""Queues between coroutines on one loop, first in first out, by priority, or last in first out.

In: ``put``. Out: ``get``, a future of an item. A ``put`` that finds the queue full and a ``get``
that finds it empty stand in line, first come first served, each operation at O(1) amortised (plus
O(log n) for a heap) however long the line is. An item granted to a ``get`` whose task is
cancelled before it could take it goes to the next in line, or back to where it was. An item is
also never lost by a cancelled ``put``: it was either accepted, or the task still has it.

``timeout`` is a deadline on the loop's clock (``IOLoop.time()``, seconds since the epoch), or a
``timedelta`` from now; 0 means not to wait. Not for use between threads.

Raises: `QueueFull`, `QueueEmpty` from the ``_nowait`` methods, ``TimeoutError`` in the futures.
"""

import asyncio
import heapq
from collections import deque
from typing import Any, Generic, TypeVar

from zonda.ioloop.finished import Unmade, finished
from zonda.ioloop.waiter import Waiter
from zonda.ioloop.waiters import Timeout, Waiters

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull"]

_T = TypeVar("_T")


class QueueEmpty(Exception):
    """Raised by `Queue.get_nowait` when the queue has no items.

    Example:
        >>> Queue().get_nowait()
        Traceback (most recent call last):
        zonda.ioloop.queues.QueueEmpty
    """


class QueueFull(Exception):
    """Raised by `Queue.put_nowait` when the queue has ``maxsize`` items.

    Example:
        >>> queue = Queue(maxsize=1)
        >>> queue.put_nowait("a")
        >>> queue.put_nowait("b")
        Traceback (most recent call last):
        zonda.ioloop.queues.QueueFull
    """


class _QueueIterator(Generic[_T]):
    def __init__(self, q: "Queue[_T]") -> None:
        self.q = q

    async def __anext__(self) -> _T:
        queue = self.q
        # Spare the future that nobody would look at, unless a subclass wants to hear of it.
        if queue._queue and queue._own_get:
            return queue._take()
        return await queue.get()


class Queue(Generic[_T]):
    """A queue of producers and consumers, first in first out.

    ``async for item in queue`` gets items for ever.

    A subclass may keep its items in another way: override ``_init``, ``_put`` and ``_get``, which
    act on ``_queue``.

    Args:
        maxsize: items the queue holds before `put` waits; 0 for any number.

    Raises:
        TypeError: ``maxsize`` is None.
        ValueError: it is negative.

    Example:
        >>> async def main():
        ...     queue = Queue(maxsize=2)
        ...     async def consumer():
        ...         async for item in queue:
        ...             print(item)
        ...             queue.task_done()
        ...     task = asyncio.create_task(consumer())
        ...     for item in "abc":
        ...         await queue.put(item)
        ...     await queue.join()
        ...     task.cancel()
        >>> asyncio.run(main())
        a
        b
        c
    """

    # deque, list or whatever a subclass makes it.
    _queue: Any = None
    # What a subclass leaves alone can be done on shorter ways: get; the order, _put and _get; and
    # that of a deque.
    _own_get = True
    _own_order = True
    _fifo = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._own_get = cls.get is Queue.get
        cls._own_order = cls.__module__ == __name__
        cls._fifo = (cls._init, cls._put, cls._get) == (Queue._init, Queue._put, Queue._get)

    def __init__(self, maxsize: int = 0) -> None:
        if maxsize is None:
            raise TypeError("maxsize cannot be None: 0 stands for any number of items")
        if maxsize < 0:
            raise ValueError(f"maxsize cannot be negative, got {maxsize}")
        self._maxsize = maxsize
        self._init()
        self._getters: Waiters[_T] = Waiters()
        self._putters: Waiters[None] = Waiters()
        self._unfinished_tasks = 0
        self._joiners: Waiters[None] = Waiters()

    @property
    def maxsize(self) -> int:
        """How many items the queue holds at most; 0 for any number."""
        return self._maxsize

    def qsize(self) -> int:
        """How many items are in the queue now."""
        return len(self._queue)

    def empty(self) -> bool:
        """Whether the queue has no items."""
        return not self._queue

    def full(self) -> bool:
        """Whether the queue has ``maxsize`` items."""
        return 0 < self._maxsize <= self.qsize()

    def put(self, item: _T, timeout: Timeout | None = None) -> "asyncio.Future[None]":
        """Put an item in, waiting for room if need be.

        Args:
            item: anything.
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future of None, done once the item is in the queue or with a consumer.

        Raises:
            TimeoutError: (in the future) there was no room in time.
        """
        if 0 < self._maxsize <= self.qsize():
            # It waits with the item, which it has until it is granted that it is in.
            putter = self._putters.wait_for(None, timeout)
            if type(putter) is not asyncio.Future:
                putter._got = item  # type: ignore[attr-defined]
            return putter
        self._add(item)
        done: Unmade[None] = Unmade()
        done._value = None
        return done

    def put_nowait(self, item: _T) -> None:
        """Put an item in at once.

        Raises:
            QueueFull: there is no room.
        """
        if 0 < self._maxsize <= self.qsize():
            raise QueueFull
        if self._fifo and not self._getters:
            # `_add`, spelled out.
            self._queue.append(item)
            self._unfinished_tasks += 1
        else:
            self._add(item)

    def get(self, timeout: Timeout | None = None) -> "asyncio.Future[_T]":
        """Take an item out, waiting for one if need be.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future of the item.

        Raises:
            TimeoutError: (in the future) there was none in time.
        """
        if self._queue:
            done: Unmade[_T] = Unmade()
            done._value = self._take()
            return done
        if timeout is not None:
            return self._getters.wait_for(self, timeout)
        # The same, spelled out.
        getter: Waiter[_T] = Waiter()
        getter._owner = self
        getter._inner = None
        line = self._getters
        if len(line) >= line._sweep_at:
            line.sweep()
        line.append(getter)
        return getter

    def get_nowait(self) -> _T:
        """Take an item out at once.

        Raises:
            QueueEmpty: there is none.
        """
        if not self._queue:
            raise QueueEmpty
        if self._fifo and not self._putters:
            return self._queue.popleft()  # type: ignore[no-any-return] # `_take`, spelled out
        return self._take()

    def task_done(self) -> None:
        """Say that an item got from the queue has been dealt with.

        Raises:
            ValueError: called more often than items were put in.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() was called more often than items were put in")
        self._unfinished_tasks -= 1
        if self._joiners and not self._unfinished_tasks:
            self._joiners.finish_all(None)

    def join(self, timeout: Timeout | None = None) -> "asyncio.Future[None]":
        """Wait until `task_done` was called for each item that was put in.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Raises:
            TimeoutError: (in the future) there is still work to do.
        """
        if self._unfinished_tasks:
            return self._joiners.wait_for(None, timeout)
        return finished(None)

    def __aiter__(self) -> _QueueIterator[_T]:
        return _QueueIterator(self)

    def _init(self) -> None:
        self._queue = deque()

    def _get(self) -> _T:
        item: _T = self._queue.popleft()
        return item

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    def _unget(self, item: _T) -> None:
        """Put an item back where it will be the next to be got, as far as the order allows."""
        if type(self)._put is Queue._put:
            self._queue.appendleft(item)
        else:
            self._put(item)

    def _add(self, item: _T) -> None:
        """Take in an item there is room for."""
        line = self._getters
        while line:
            getter = line.popleft()
            if not (self._own_order or getter.done()):
                # By way of the subclass's _put and _get: they may do something to the item.
                self._put(item)
                item = self._get()
            if getter.grant(item):
                break
        else:
            self._put(item)
        self._unfinished_tasks += 1

    def _take(self) -> _T:
        """Give out an item there is."""
        line = self._putters
        # An item that was given back may have made the queue one longer than it should be.
        while line and self.qsize() <= self._maxsize:
            putter = line.popleft()
            item = putter._got
            if putter.grant(None):
                self._put(item)
                self._unfinished_tasks += 1
                break
        return self._get()

    def _take_back(self, item: _T) -> None:
        """An item's new owner was cancelled before it knew: pass it on or back."""
        line = self._getters
        while line:
            if line.popleft().grant(item):
                return
        self._unget(item)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {hex(id(self))} {self._format()}>"

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._format()}>"

    def _format(self) -> str:
        parts = [f"maxsize={self._maxsize!r}"]
        if self._queue:
            parts.append(f"queue={self._queue!r}")
        for name, line in (("getters", self._getters), ("putters", self._putters)):
            count = line.alive()
            if count:
                parts.append(f"{name}[{count}]")
        if self._unfinished_tasks:
            parts.append(f"tasks={self._unfinished_tasks}")
        return " ".join(parts)


class PriorityQueue(Queue[_T]):
    """A queue that gives out the least item first. Items must be comparable: tuples, often.

    Example:
        >>> queue = PriorityQueue()
        >>> for item in (1, "low"), (0, "high"):
        ...     queue.put_nowait(item)
        >>> queue.get_nowait()
        (0, 'high')
    """

    def _init(self) -> None:
        self._queue = []

    def _put(self, item: _T) -> None:
        heapq.heappush(self._queue, item)

    def _get(self) -> _T:
        item: _T = heapq.heappop(self._queue)
        return item


class LifoQueue(Queue[_T]):
    """A queue that gives out the newest item first.

    Example:
        >>> queue = LifoQueue()
        >>> for item in "abc":
        ...     queue.put_nowait(item)
        >>> queue.get_nowait()
        'c'
    """

    def _init(self) -> None:
        self._queue = []

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    def _get(self) -> _T:
        item: _T = self._queue.pop()
        return item
