"""Mutual exclusion. In: ``acquire`` and ``release``. Out: a future, done once the lock is yours."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from zonda.ioloop.locks.entering import READY, enter
from zonda.ioloop.locks.semaphore import BoundedSemaphore, Semaphore, _ReleasingContextManager
from zonda.ioloop.waiters import Timeout


class Lock:
    """A lock for coroutines. It begins unlocked and is not reentrant.

    Anyone may release it, not only its owner: there is no notion of one.

    Example:
        >>> async def main():
        ...     lock = Lock()
        ...     async with lock:
        ...         pass  # nobody else is in here
        ...     with await lock.acquire():
        ...         pass  # the same, with a time-out if you like
        >>> asyncio.run(main())
    """

    # What a subclass leaves alone can be done on shorter ways.
    _own_acquire = True
    _own_release = True

    def __init__(self) -> None:
        self._block = BoundedSemaphore(value=1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} _block={self._block}>"

    def acquire(self, timeout: Timeout | None = None) -> "asyncio.Future[_ReleasingContextManager]":
        """Take the lock, waiting for it if need be.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future of a context manager that releases the lock.

        Raises:
            TimeoutError: (in the future) the lock was not free in time.
        """
        return self._block.acquire(timeout)

    def release(self) -> None:
        """Unlock, or hand the lock to the one that has waited longest.

        Raises:
            RuntimeError: the lock is not locked.
        """
        block = self._block
        if block._value:
            raise RuntimeError("release of an unlocked lock")
        Semaphore.release(block)  # there is no need to ask it once more

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
        cls._own_acquire = cls.acquire is Lock.acquire
        cls._own_release = cls.release is Lock.release

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        if not self._own_acquire:
            return self._enter()
        block = self._block
        if block._value:
            block._value = 0
            return READY
        return enter(block._waiters, block)

    async def _enter(self) -> None:
        await self.acquire()

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> Coroutine[Any, Any, None]:
        block = self._block
        if block._value or not self._own_release:
            self.release()
        else:
            Semaphore.release(block)
        return READY
