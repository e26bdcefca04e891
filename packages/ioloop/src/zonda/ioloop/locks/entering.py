"""What ``async with`` does with a permit: at the spot if there is one, else in the line.

In: the line, and the semaphore it belongs to. Out: coroutines of None. Nobody sees the future that
such a coroutine waits for, and the coroutine itself sees what becomes of it. So it is a plain
future, which asyncio handles fastest, and what does not arrive is given back from here.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, cast

from zonda.ioloop.waiter import IN_LINE, Owner
from zonda.ioloop.waiters import Waiters

__all__ = ["READY", "Ready", "enter", "let_in"]

Future = asyncio.Future


class _NoLoop:
    """Of a loop all that the constructor of a future wants."""

    def get_debug(self) -> bool:
        """Return False."""
        return False


class Ready(asyncio.Future[None], Coroutine[Any, Any, None]):
    """A coroutine of None that never suspends and has no state: one is enough for all.

    That it is a future lets ``await`` go from C to C: a fifth of what an ``__await__`` written in
    Python costs. Nobody else takes it for one.

    Example:
        >>> async def main():
        ...     return await READY, asyncio.iscoroutine(READY), asyncio.isfuture(READY)
        >>> asyncio.run(main())
        (None, True, False)
    """

    _asyncio_future_blocking: Any = None  # that is, asyncio.isfuture says no

    def send(self, value: object, /) -> NoReturn:
        """Finish at once."""
        raise StopIteration

    def throw(self, *args: Any) -> NoReturn:
        """Raise what is thrown in."""
        raise args[0]

    def close(self) -> None:
        """Do nothing: there is nothing to interrupt."""


READY: Final = Ready(loop=cast("asyncio.AbstractEventLoop", _NoLoop()))
READY.set_result(None)


async def enter(line: Waiters[Any], owner: Owner[None]) -> None:
    """Wait in line for a permit; `let_in` ends the wait.

    Example:
        >>> from zonda.ioloop.locks import Semaphore
        >>> async def main():
        ...     line = Waiters()
        ...     entering = asyncio.create_task(enter(line, Semaphore()))
        ...     await asyncio.sleep(0)
        ...     print(let_in(line.popleft()))
        ...     await entering
        >>> asyncio.run(main())
        True
    """
    turn: asyncio.Future[None] = Future()
    if len(line) >= line._sweep_at:
        line.sweep()
    line.append(turn)  # type: ignore[arg-type]
    try:
        await turn
    except BaseException:
        if not turn.cancel() and not turn.cancelled() and _mark(turn) is not IN_LINE:
            owner._take_back(None)
        raise


def let_in(turn: asyncio.Future[None]) -> bool:
    """Give a permit to one that has come to the head of the line; False: it is dead.

    Example:
        >>> async def main():
        ...     gone = asyncio.Future()
        ...     gone.cancel()
        ...     return let_in(gone), let_in(asyncio.Future())
        >>> asyncio.run(main())
        (False, True)
    """
    if turn.done():
        return False
    try:
        turn.set_result(None)
    except RuntimeError:
        # The loop was closed under the task, and the permit goes to another: not back as well.
        turn._cancel_message = IN_LINE  # type: ignore[attr-defined]
        return False
    return True


def _mark(turn: asyncio.Future[None]) -> object:
    return turn._cancel_message  # type: ignore[attr-defined]
