"""Start and end of what a server serves, beyond its requests.

What is served may have to prepare before the first request and to clean up after the last one
(connections to a database, say). `HTTPServer` asks its application for its lifespans, starts them
when it begins to listen and stops them when its last connection is gone. Routers pass the question
on to their rules' targets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from zonda.httpserver.errors import LifespanError
from zonda.ioloop.log import app_log


class Lifespan(Protocol):
    """Something with a beginning and an end."""

    async def startup(self) -> None:
        """Return when requests may come. A second call waits for the same.

        Raises:
            LifespanError: It cannot start.
        """

    async def shutdown(self) -> None:
        """Clean up, if it was started.

        Raises:
            LifespanError: Something went wrong.
        """


@runtime_checkable
class HasLifespans(Protocol):
    """What can be asked for lifespans."""

    def lifespans(self) -> Iterator[Lifespan]:
        """Return those of this object and of everything below it."""


def lifespans_of(target: object) -> list[Lifespan]:
    """Return the lifespans of something that is served; none if it knows of none."""
    if isinstance(target, HasLifespans):
        return list(dict.fromkeys(target.lifespans()))
    return []


# Servers that use a lifespan: the last one stops it.
_users: WeakKeyDictionary[Lifespan, int] = WeakKeyDictionary()


class ServerLifespans:
    """The lifespans of what one server serves, all together.

    Args:
        target: What it serves.
    """

    def __init__(self, target: object) -> None:
        self._lifespans = lifespans_of(target)
        self._starting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, failed: Callable[[], None]) -> None:
        """Start them, one after the other, in a task of ``loop``.

        Args:
            loop: It may start to run later.
            failed: Called if one fails, after that has been logged.
        """
        for lifespan in self._lifespans:
            _users[lifespan] = _users.get(lifespan, 0) + 1
        if self._lifespans:
            self._starting = loop.create_task(self._start(failed))

    async def _start(self, failed: Callable[[], None]) -> None:
        try:
            for lifespan in self._lifespans:
                await lifespan.startup()
        except LifespanError as error:
            app_log.error("%s", error, exc_info=error.__cause__)
            failed()
            raise
        except asyncio.CancelledError:
            failed()
            raise

    async def started(self) -> None:
        """Wait until all have started.

        Raises:
            LifespanError: One has failed.
        """
        if self._starting is not None:
            await asyncio.shield(self._starting)

    def end(self) -> None:
        """Stop them, the last one first, in a task; nothing to do where none is started."""
        if self._starting is None or self._stopping is not None:
            return
        self._stopping = asyncio.get_running_loop().create_task(self._stop())

    async def stopped(self) -> None:
        """Stop them, and wait for it."""
        self.end()
        if self._stopping is not None:
            await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        assert self._starting is not None
        await asyncio.wait([self._starting])
        if not self._starting.cancelled():
            self._starting.exception()  # logged already
        for lifespan in reversed(self._lifespans):
            users = _users[lifespan] = _users[lifespan] - 1
            if users:
                continue
            try:
                await lifespan.shutdown()
            except LifespanError as error:
                app_log.error("%s", error, exc_info=error.__cause__)
