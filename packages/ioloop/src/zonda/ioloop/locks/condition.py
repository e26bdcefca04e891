"""Notifications. In: ``notify``. Out: ``wait``, done with True, or with False when time is up."""

import asyncio

from zonda.ioloop.waiter import Waiter
from zonda.ioloop.waiters import Timeout, Waiters


def _return_false(waiter: asyncio.Future[bool]) -> None:
    waiter.set_result(False)


class Condition:
    """Lets coroutines wait until another one notifies them.

    Unlike ``threading.Condition`` it has no lock: nothing else runs between two awaits.

    Example:
        >>> import asyncio, datetime
        >>> async def main():
        ...     condition = Condition()
        ...     first, second = condition.wait(), condition.wait(datetime.timedelta(milliseconds=1))
        ...     condition.notify()
        ...     return await first, await second
        >>> asyncio.run(main())
        (True, False)
    """

    def __init__(self) -> None:
        self._waiters: Waiters[bool] = Waiters()

    def __repr__(self) -> str:
        count = self._waiters.alive()
        waiting = f" waiters[{count}]" if count else ""
        return f"<{type(self).__name__}{waiting}>"

    def wait(self, timeout: Timeout | None = None) -> asyncio.Future[bool]:
        """Wait for a notification.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future: True when notified, False when the time was up first.
        """
        if timeout is not None:
            return self._waiters.wait_for(self, timeout, _return_false)
        # The same, spelled out.
        waiter: Waiter[bool] = Waiter()
        waiter._owner = self
        waiter._inner = None
        line = self._waiters
        if len(line) >= line._sweep_at:
            line.sweep()
        line.append(waiter)
        return waiter

    def notify(self, n: int = 1) -> None:
        """Wake the ``n`` that have waited longest, or all if they are fewer."""
        line = self._waiters
        while n > 0 and line:
            if line.popleft().grant(True):
                n -= 1

    def notify_all(self) -> None:
        """Wake everyone who waits now."""
        self._waiters.finish_all(True)

    def _take_back(self, value: bool) -> None:
        """The notified one was cancelled: the next gets its notification."""
        if value:  # else it was told that its time is up
            self.notify()
