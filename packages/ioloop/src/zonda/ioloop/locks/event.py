"""A flag to wait for. In: ``set`` and ``clear``. Out: ``wait``, done while the flag is set."""

import asyncio

from zonda.ioloop.finished import finished
from zonda.ioloop.waiters import Timeout, Waiters


class Event:
    """A flag that coroutines wait for. It is clear at first.

    Example:
        >>> async def main():
        ...     event = Event()
        ...     waiting = event.wait()
        ...     event.set()
        ...     await waiting
        ...     return event
        >>> asyncio.run(main())
        <Event set>
    """

    def __init__(self) -> None:
        self._value = False
        self._waiters: Waiters[None] = Waiters()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'set' if self._value else 'clear'}>"

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._value

    def set(self) -> None:
        """Set the flag and wake everyone who waits for it."""
        if not self._value:
            self._value = True
            self._waiters.finish_all(None)

    def clear(self) -> None:
        """Clear the flag: `wait` waits again."""
        self._value = False

    def wait(self, timeout: Timeout | None = None) -> "asyncio.Future[None]":
        """Wait until the flag is set.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future of None, done already if the flag is set.

        Raises:
            TimeoutError: (in the future) the flag was not set in time.
        """
        if self._value:
            return finished(None)
        return self._waiters.wait_for(None, timeout)
