"""Connections that wait for their next request.

A connection is found again under its `Route`: everything that shaped it. The one used last is
taken first, so that what a burst opened grows old. One timer for all closes what has been idle
for too long; a connection that the server closes leaves by itself.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zonda.httpclient.connecting import Route
    from zonda.httpclient.connection import HTTP1ClientConnection


class ConnectionPool:
    """See the module's text.

    Args:
        loop: Whose clock and timers are used.
        idle_timeout: Seconds that a connection may wait; 0 keeps none.
        max_idle: How many may wait; the oldest are closed first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, idle_timeout: float, max_idle: int) -> None:
        self._loop = loop
        self._idle_timeout = idle_timeout
        self._max_idle = max_idle
        # Both in the order in which they became idle. A route without connections stays for the
        # next one until the timer comes by.
        self._by_route: dict[Route, dict[HTTP1ClientConnection, None]] = {}
        self._expiry: dict[HTTP1ClientConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._farewell: AsyncGenerator[None, None] | None = None

    def __len__(self) -> int:
        return len(self._expiry)

    def take(self, route: Route, now: float) -> HTTP1ClientConnection | None:
        """A connection for ``route``, None if there is none; ``now`` is the loop's time."""
        connections = self._by_route.get(route)
        if connections is None:
            return None
        while connections:
            connection, _ = connections.popitem()
            expiry = self._expiry.pop(connection)
            if expiry > now and not connection.stream.closed():
                return connection
            connection.close()
        return None

    def put(self, connection: HTTP1ClientConnection, now: float) -> None:
        """Keep a connection, or close it if the pool is closed or keeps none."""
        idle = self._idle_timeout
        allowed = connection.allowed_idle
        if allowed is not None and allowed < idle:
            idle = allowed
        if idle <= 0 or self._closed or connection.stream.closed():
            connection.close()
            return
        route = connection.route
        connections = self._by_route.get(route)
        if connections is None:
            connections = self._by_route[route] = {}
        connections[connection] = None
        self._expiry[connection] = now + idle
        if len(self._expiry) > self._max_idle:
            self.evict()
        if self._timer is None:
            self._timer = self._loop.call_later(self._idle_timeout, self._sweep)
        if self._farewell is None:
            self._close_with_loop()

    def discard(self, connection: HTTP1ClientConnection) -> None:
        """Forget a connection, whether it is here or not."""
        if self._expiry.pop(connection, None) is not None:
            del self._by_route[connection.route][connection]

    def evict(self) -> None:
        """Close the connection that has been idle for longest, if there is one."""
        for connection in self._expiry:
            self.discard(connection)
            connection.close()
            return

    def close(self) -> None:
        """Close all of them, and whatever is put here later."""
        self._closed = True
        farewell, self._farewell = self._farewell, None
        if farewell is not None:
            _step(farewell.aclose())
        while self._expiry:
            self.evict()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_with_loop(self) -> None:
        # Programs forget to close their client. ``asyncio.run`` ends a loop's async generators
        # before it closes the loop: one of them, waiting for nothing, closes what is idle then.
        pool = weakref.ref(self)

        async def farewell() -> AsyncGenerator[None, None]:
            try:
                yield
            finally:
                left = pool()
                if left is not None and left._farewell is not None:
                    left._farewell = None
                    while left._expiry:
                        left.evict()

        self._farewell = farewell()
        _step(self._farewell.__anext__())

    def _sweep(self) -> None:
        self._timer = None
        now = self._loop.time()
        for connection, expiry in list(self._expiry.items()):
            if expiry <= now:
                self.discard(connection)
                connection.close()
        for route in [route for route, left in self._by_route.items() if not left]:
            del self._by_route[route]
        if self._expiry:
            # Twice within the time limit: one may stay half as long again, at most.
            self._timer = self._loop.call_later(self._idle_timeout / 2, self._sweep)


def _step(awaitable: Awaitable[None]) -> None:
    """Run something that is awaitable and does not wait."""
    try:
        awaitable.__await__().send(None)
    except (StopIteration, StopAsyncIteration):
        pass


def allowed_idle(keep_alive: str | None) -> float | None:
    """Seconds that a Keep-Alive field allows, less a second for the way."""
    if keep_alive is None:
        return None
    for parameter in keep_alive.split(","):
        name, _, value = parameter.partition("=")
        value = value.strip(' \t"')
        if name.strip(" \t").lower() == "timeout" and value.isdecimal() and len(value) < 9:
            return max(0.0, float(value) - 1.0)
    return None
