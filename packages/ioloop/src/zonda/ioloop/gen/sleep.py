"""Waiting for time to pass.

In: seconds. Out: a future that is done then. It costs a timer and no task; cancelling the future
removes the timer.
"""

import asyncio
from typing import Any

from zonda.ioloop.factory import own_asyncio_loop

__all__ = ["sleep"]


class Sleep(asyncio.Future[None]):
    """The future of a timer."""

    __slots__ = ("timer",)

    # Each refers to the other; whichever comes first, the end or a cancellation, unties them.
    timer: asyncio.TimerHandle | None

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the timer too: it may be a long one."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return super().cancel(msg)

    def wake(self) -> None:
        """End the sleep."""
        self.timer = None
        if not self.done():
            self.set_result(None)


def sleep(duration: float) -> "asyncio.Future[None]":
    """Return a future that is done after ``duration`` seconds (at once if that is not positive).

    Example:
        >>> async def main():
        ...     await sleep(0.001)
        ...     return "awake"
        >>> asyncio.run(main())
        'awake'
    """
    loop = own_asyncio_loop()
    future = Sleep(loop=loop)
    future.timer = loop.call_later(duration if duration > 0 else 0, future.wake)
    return future
