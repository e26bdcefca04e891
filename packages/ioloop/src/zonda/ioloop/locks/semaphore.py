"""Permits. In: ``acquire`` and ``release``. Out: a future that is done once a permit is yours."""

import asyncio
from types import TracebackType

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.waiters import Timeout, Waiter, Waiters, fail_with_timeout


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

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError(f"a semaphore cannot begin with {value} permits")
        self._value = value
        self._waiters: Waiters[Waiter[_ReleasingContextManager]] = Waiters()

    def __repr__(self) -> str:
        state = f"unlocked,value:{self._value}" if self._value else "locked"
        count = len(self._waiters)
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
        loop = own_asyncio_loop()
        if self._value > 0:
            self._value -= 1
            done: asyncio.Future[_ReleasingContextManager] = asyncio.Future(loop=loop)
            done.set_result(_ReleasingContextManager(self))
            return done
        waiter: Waiter[_ReleasingContextManager] = Waiter(loop=loop)
        waiter.give_back = self._take_back
        self._waiters.append(waiter, timeout, fail_with_timeout)
        return waiter

    def release(self) -> None:
        """Return a permit; it goes to the one that has waited longest, if anyone waits."""
        waiter = self._waiters.pop()
        if waiter is None:
            self._value += 1
        else:
            # Handed over, never up for grabs: a newcomer cannot overtake the line.
            waiter.grant(_ReleasingContextManager(self))

    def _take_back(self, permit: _ReleasingContextManager) -> None:
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

    async def __aenter__(self) -> None:
        if self._value > 0:
            self._value -= 1
        else:
            await self.acquire()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.release()


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
        super().release()
