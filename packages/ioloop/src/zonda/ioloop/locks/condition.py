"""Notifications. In: ``notify``. Out: ``wait``, done with True, or with False when time is up."""

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.waiters import Timeout, Waiter, Waiters


def _return_false(waiter: Waiter[bool]) -> None:
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
        self._waiters: Waiters[Waiter[bool]] = Waiters()

    def __repr__(self) -> str:
        count = len(self._waiters)
        waiting = f" waiters[{count}]" if count else ""
        return f"<{type(self).__name__}{waiting}>"

    def wait(self, timeout: Timeout | None = None) -> Waiter[bool]:
        """Wait for a notification.

        Args:
            timeout: deadline or duration; None waits for ever, 0 not at all.

        Returns:
            A future: True when notified, False when the time was up first.
        """
        waiter: Waiter[bool] = Waiter(loop=own_asyncio_loop())
        waiter.give_back = self._pass_on
        self._waiters.append(waiter, timeout, _return_false)
        return waiter

    def notify(self, n: int = 1) -> None:
        """Wake the ``n`` that have waited longest, or all if they are fewer."""
        while n > 0:
            waiter = self._waiters.pop()
            if waiter is None:
                return
            waiter.grant(True)
            n -= 1

    def notify_all(self) -> None:
        """Wake everyone who waits now."""
        self._waiters.grant_all(True)

    def _pass_on(self, notified: bool) -> None:
        """The notified one was cancelled: the next gets its notification."""
        if notified:
            self.notify()
