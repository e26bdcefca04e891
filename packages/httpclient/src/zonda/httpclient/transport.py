"""What all fetches of one client share: limits, connections, deadlines, cookies, accounts.

A `Transport` belongs to one loop. ``close`` ends the fetches that are under way, ``drain`` waits
for their ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from zonda.httpclient.accounts import Accounts
from zonda.httpclient.connecting import Connector
from zonda.httpclient.deadlines import Deadlines
from zonda.httpclient.pool import ConnectionPool
from zonda.httpclient.slots import Slots

if TYPE_CHECKING:
    from zonda.httpclient.cookies import Cookies
    from zonda.httpclient.proxies import Proxies
    from zonda.httputil.http1 import Limits
    from zonda.iostream.netutil import Resolver


class Running(Protocol):
    """A fetch that is under way."""

    def client_closed(self) -> None:
        """End at once."""


class _Draining(set[Running]):
    """What is still under way, and what to do as soon as nothing is."""

    def __init__(self, running: Iterable[Running], empty: Callable[[], object]) -> None:
        super().__init__(running)
        self._empty = empty

    def discard(self, fetch: object) -> None:
        """Count one less."""
        super().discard(fetch)
        if not self:
            self._empty()


class Transport:
    """See the module's text.

    Args:
        loop: The loop that everything runs on.
        resolver: For names of hosts.
        limits: The protocol's; their ``body`` is for bodies as they come over the connection.
        max_clients: How many requests run at once.
        max_clients_per_host: How many of them to one host; None for any number.
        keep_alive: Seconds that connections may wait for the next request.
        max_buffer_size: Of each connection's stream.
        cookies: Where cookies are kept between requests; None keeps none.
        proxies: Which proxy to use where a request does not say.

    Attributes:
        slots: Who may run, and who waits for that.
        pool: Connections that wait for the next request.
        deadlines: The time limits of the fetches.
        accounts: Authentications that are remembered from one request to the next.
        connector: Opens connections.
        loop: The loop.
        limits: The protocol's limits.
        cookies: Where cookies are kept; None for nowhere.
        proxies: Which proxy to use where a request does not say; None for none.
        running: The fetches under way.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        resolver: Resolver,
        limits: Limits,
        max_clients: int,
        max_clients_per_host: int | None,
        keep_alive: float,
        max_buffer_size: int,
        cookies: Cookies | None,
        proxies: Proxies | None,
    ) -> None:
        self.loop = loop
        self.limits = limits
        self.cookies = cookies
        self.proxies = proxies
        self.slots = Slots(max_clients, max_clients_per_host)
        self.pool = ConnectionPool(loop, keep_alive, max_clients)
        self.deadlines = Deadlines(loop)
        self.accounts = Accounts()
        self.connector = Connector(resolver, self.accounts, max_buffer_size)
        self.running: set[Running] = set()

    def drain(self, then: Callable[[], object]) -> None:
        """Keep no connection any more, let what is under way end, close, and call ``then``."""

        def ended() -> None:
            self.close()
            then()

        self.pool.close()
        if self.running:
            # A fetch says that it ends before it has given everything back: a turn later it has.
            self.running = _Draining(self.running, lambda: self.loop.call_soon(ended))
        else:
            ended()

    def close(self) -> None:
        """Close all connections; what is under way fails."""
        for fetch in list(self.running):
            fetch.client_closed()
        self.pool.close()
        self.deadlines.close()
