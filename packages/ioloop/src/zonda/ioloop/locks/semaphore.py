"""Permits. In: ``acquire`` and ``release``. Out: a future that is done once a permit is yours."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from zonda.ioloop.finished import finished
from zonda.ioloop.locks.entering import READY, enter, let_in
from zonda.ioloop.waiters import Timeout, Waiters

Future = asyncio.Future


class _ReleasingContextManager:
    """What ``acquire`` gives: releases the permit at the end of a ``with`` block."""

    __slots__ = ("_semaphore",)

    def __init__(self, semaphore: "Semaphore") -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self._semaphore.release()


class Semaphore:
    """A number of permits. Those who find none stand in line for the next one released.

    Args:
        value: permits at the start.

    Raises:
        ValueError: ``value`` is negative.

    Example:
        >>> async def main():
        ...     semaphore = Semaphore(2)
        ...     async with semaphore:
        ...         with await semaphore.acquire():
        ...             print(semaphore)
        >>> asyncio.run(main())  # doctest: +ELLIPSIS
        <zonda.ioloop.locks.semaphore.Semaphore object at 0x... [locked]>
    """

    _own_acquire = True

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError(f"a semaphore cannot begin with {value} permits")
        self._value = value
        self._waiters: Waiters[Any] = Waiters()

    def __repr__(self) -> str:
        state = f"unlocked,value:{self._value}" if self._value else "locked"
        count = self._waiters.alive()
        if count:
            state += f",waiters:{count}"
        return f"<{object.__repr__(self)[1:-1]} [{state}]>"

    def acquire(self, timeout: Timeout | None = None) -> "asyncio.Future[_ReleasingContextManager]":
        """Take a permit, waiting for one if need be.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future of a context manager that releases the permit: ``with await
            semaphore.acquire():``. Or call `release` yourself.

        Raises:
            TimeoutError: (in the future) there was none in time.
        """
        if self._value > 0:
            self._value -= 1
            return finished(_ReleasingContextManager(self))
        return self._waiters.wait_for(self, timeout)

    def release(self) -> None:
        """Return a permit; it goes to the one that has waited longest, if anyone waits."""
        line = self._waiters
        while line:
            # Handed over, never up for grabs: a newcomer cannot overtake the line.
            waiter = line.popleft()
            if type(waiter) is Future:
                if let_in(waiter):  # an "async with"
                    return
            elif waiter.grant(_ReleasingContextManager(self)):
                return
        self._value += 1

    def _take_back(self, value: _ReleasingContextManager | None) -> None:
        """Release a permit whose new owner was cancelled before it knew."""
        self.release()

    def __enter__(self) -> None:
        raise RuntimeError(f"{type(self).__name__} needs 'async with' instead of 'with'")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.__enter__()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._own_acquire = cls.acquire is Semaphore.acquire

    def __aenter__(self) -> Coroutine[Any, Any, Any]:
        # Spare the futures that nobody would look at, unless a subclass wants to hear of it.
        if not self._own_acquire:
            return self._enter()
        if self._value > 0:
            self._value -= 1
            return READY
        return enter(self._waiters, self)

    async def _enter(self) -> None:
        await self.acquire()

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> Coroutine[Any, Any, None]:
        self.release()
        return READY


class BoundedSemaphore(Semaphore):
    """A semaphore that may not be released more often than it was acquired.

    Example:
        >>> BoundedSemaphore(1).release()
        Traceback (most recent call last):
        ValueError: released more often than acquired: there are only 1 permits
    """

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def release(self) -> None:
        """Return a permit.

        Raises:
            ValueError: all permits have been returned already.
        """
        if self._value >= self._initial_value:
            raise ValueError(
                f"released more often than acquired: there are only {self._initial_value} permits"
            )
        Semaphore.release(self)  # super() would cost as much as the test above
