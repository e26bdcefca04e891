"""A loop whose clock jumps: when nothing is left to do it is the time of the next timer at once.

In: whatever would run on another loop. Out: the same, in the same order, without the waiting.
Sockets and pipes are real: what can be read is handled before the clock jumps. What happens
elsewhere, in a thread or another process, takes no time on this clock, so that a time-out beside
it is over at once: use it for code that waits for timers and for itself.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

from zonda.ioloop.platform.asyncio import AsyncIOLoop


class _JumpingSelector(selectors.BaseSelector):
    """Asks a real selector without waiting, and lets the clock do the waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # No timer at all: only the world outside can bring something.
            return self._real.select(None)
        events = self._real.select(0)
        if not events and timeout > 0:
            self.now += timeout
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with a clock that jumps to the next timer when nothing else is to be done.

    Its ``time()`` begins at 0.

    Example:
        >>> async def nap():
        ...     await asyncio.sleep(3600)
        ...     return asyncio.get_running_loop().time()
        >>> with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        ...     round(runner.run(nap()))
        3600
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # A timer is due when the clock reaches it, not some ticks before.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Seconds since the loop was made, on its own clock."""
        return self._jumping.now

    def advance(self, seconds: float) -> None:
        """Let time pass while nothing runs. Timers that fall due run in the loop's next turn."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        self._jumping.now += seconds


class JumpingIOLoop(AsyncIOLoop):
    """An IOLoop on a `JumpingLoop`, for `AsyncTestCase.get_new_ioloop` for instance.

    Example:
        >>> io_loop = JumpingIOLoop(make_current=False)
        >>> began = io_loop.time()
        >>> _ = io_loop.call_later(86400, io_loop.stop)
        >>> io_loop.start()
        >>> round(io_loop.time() - began)
        86400
        >>> io_loop.close()
    """

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Make the loop."""
        super().initialize(asyncio_loop=JumpingLoop(), **kwargs)

    def time(self) -> float:
        """The loop's own clock: 0 is when it was made, not the epoch."""
        return self.asyncio_loop.time()
