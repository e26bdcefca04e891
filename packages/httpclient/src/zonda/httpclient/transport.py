"""What all fetches of one client share: limits, connections, deadlines, cookies, accounts.

A `Transport` belongs to one loop. ``close`` ends the fetches that are under way.
"""

from __future__ import annotations

import asyncio
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


class Transport:
    """See the module's text.

    Args:
        loop: -
        resolver: For names of hosts.
        limits: The protocol's; their ``body`` is for bodies as they come over the connection.
        max_clients: How many requests run at once.
        max_clients_per_host: How many of them to one host; None for any number.
        keep_alive: Seconds that connections may wait for the next request.
        max_buffer_size: Of each connection's stream.
        cookies: -
        proxies: Which proxy to use where a request does not say.

    Attributes:
        slots: -
        pool: -
        deadlines: -
        accounts: -
        connector: -
        loop: -
        limits: -
        cookies: -
        proxies: -
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

    def close(self) -> None:
        """Close all connections; what is under way fails."""
        for fetch in list(self.running):
            fetch.client_closed()
        self.pool.close()
        self.deadlines.close()
