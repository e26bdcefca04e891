"""From a host name to the addresses it stands for.

``resolve(host, port, family)`` gives a list of ``(family, address)`` in the order to be tried,
where ``address`` is what ``socket.connect`` takes, or raises OSError (``socket.gaierror``). An
address written as one is answered at once, by every resolver: it never reaches a thread.
"""

import asyncio
import concurrent.futures
import os
import re
import socket
from collections.abc import Awaitable, Mapping
from typing import Any

from zonda.ioloop import IOLoop
from zonda.ioloop.concurrent import chain_future, dummy_executor
from zonda.ioloop.util import Configurable
from zonda.iostream.loops import current_loop

Addresses = list[tuple[int, Any]]
"""Pairs of an address family and a socket address."""

# What an address may be made of: anything else is a name.
_LITERAL = re.compile(r"[0-9.]+|[0-9a-fA-FxX.]*:[^\0]*", re.ASCII)


def is_valid_ip(ip: str) -> bool:
    """Whether ``ip`` is an IP address (IPv4 or IPv6) rather than a name.

    >>> is_valid_ip("192.0.2.1"), is_valid_ip("2001:db8::1"), is_valid_ip("example.com")
    (True, True, False)
    """
    if not ip or "\0" in ip:
        return False
    try:
        return bool(
            socket.getaddrinfo(
                ip, 0, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
            )
        )
    except socket.gaierror as error:
        if error.args[0] == socket.EAI_NONAME:
            return False
        raise
    except UnicodeError:
        return False  # too long, or no domain name by IDNA


def _look_up(
    host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC, flags: int = 0
) -> Addresses:
    # Streams only: without it each address comes once per kind of socket.
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
    except ValueError as error:
        raise _no_name(host) from error
    return [(info[0], info[4]) for info in found]


def _no_name(host: str) -> socket.gaierror:
    """The error for what cannot be a name at all (IDNA refuses it, or it holds a NUL)."""
    return socket.gaierror(socket.EAI_NONAME, f"{host!r} is no host name")


def literal_address(
    host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
) -> Addresses | None:
    """The addresses of a host written as an address; None when it is a name.

    >>> literal_address("127.0.0.1", 80)
    [(<AddressFamily.AF_INET: 2>, ('127.0.0.1', 80))]
    """
    if _LITERAL.fullmatch(host) is None:
        return None
    try:
        return _look_up(host, port, family, socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        if error.args[0] == socket.EAI_NONAME:
            return None
        raise


class Resolver(Configurable):
    """The interface; ``Resolver()`` makes the configured one, DefaultLoopResolver by default.

    ``Resolver.configure("zonda.iostream.netutil.ThreadedResolver", num_threads=4)`` chooses
    another one for the process.
    """

    @classmethod
    def configurable_base(cls) -> type["Resolver"]:
        """See Configurable."""
        return Resolver

    @classmethod
    def configurable_default(cls) -> type["Resolver"]:
        """See Configurable."""
        return DefaultLoopResolver

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[Addresses]:
        """Look up a host.

        Args:
            host: a name or an address.
            port: the port to put into the addresses.
            family: ``AF_INET`` or ``AF_INET6`` for addresses of one family only.

        Returns:
            An awaitable of a list of pairs of family and address.

        Raises:
            OSError: there is no such host, or nobody can say.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give back what the resolver holds; it must not be used any more."""


class DefaultLoopResolver(Resolver):
    """Asks the running loop (``loop.getaddrinfo``)."""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        """See Resolver."""
        literal = literal_address(host, port, family)
        if literal is not None:
            return literal
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            )
        except ValueError as error:
            raise _no_name(host) from error
        return [(info[0], info[4]) for info in found]


class DefaultExecutorResolver(Resolver):
    """Asks the operating system from a thread of the IOLoop's default executor."""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        """See Resolver."""
        literal = literal_address(host, port, family)
        if literal is not None:
            return literal
        return await IOLoop.current().run_in_executor(None, _look_up, host, port, family)


class ExecutorResolver(Resolver):
    """Asks the operating system through an executor of one's own.

    Args:
        executor: a ``concurrent.futures.Executor``; without one the look-up blocks the loop.
        close_executor: whether ``close`` shuts it down.
    """

    def initialize(
        self,
        executor: concurrent.futures.Executor | None = None,
        close_executor: bool = True,
    ) -> None:
        """See the class."""
        self.executor: concurrent.futures.Executor | None = (
            dummy_executor if executor is None else executor
        )
        self.close_executor = close_executor and executor is not None

    def close(self) -> None:
        """Shut the executor down, if it is the resolver's."""
        executor, self.executor = self.executor, None
        if self.close_executor and executor is not None:
            executor.shutdown()

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> "asyncio.Future[Addresses]":
        """See Resolver."""
        if self.executor is None:
            raise RuntimeError("the resolver is closed")
        future: asyncio.Future[Addresses] = current_loop().create_future()
        try:
            literal = literal_address(host, port, family)
        except OSError as error:
            future.set_exception(error)
            return future
        if literal is not None:
            future.set_result(literal)
        else:
            chain_future(self.executor.submit(_look_up, host, port, family), future)
        return future


class BlockingResolver(ExecutorResolver):
    """Asks the operating system and blocks the loop meanwhile."""

    def initialize(self) -> None:  # type: ignore[override]
        """See the class."""
        super().initialize()


class ThreadedResolver(ExecutorResolver):
    """Asks the operating system from a pool of threads that all such resolvers share.

    Args:
        num_threads: the pool's size; the first resolver decides.
    """

    _threadpool: "concurrent.futures.ThreadPoolExecutor | None" = None
    _threadpool_pid = -1

    def initialize(self, num_threads: int = 10) -> None:  # type: ignore[override]
        """See the class."""
        cls = ThreadedResolver
        pid = os.getpid()
        if cls._threadpool is None or cls._threadpool_pid != pid:
            # Threads do not survive a fork.
            cls._threadpool = concurrent.futures.ThreadPoolExecutor(
                num_threads, thread_name_prefix="zonda-resolver"
            )
            cls._threadpool_pid = pid
        super().initialize(executor=cls._threadpool, close_executor=False)


class OverrideResolver(Resolver):
    """Answers from a mapping first: for tests and for hosts that are not in the DNS.

    Args:
        resolver: is asked for everything else.
        mapping: from ``host``, ``(host, port)`` or ``(host, port, family)`` to a host (first
            form) or to a pair of host and port.

    >>> import asyncio
    >>> resolver = OverrideResolver(Resolver(), {("example.com", 443): ("127.0.0.1", 8443)})
    >>> async def main():
    ...     print(await resolver.resolve("example.com", 443))
    >>> asyncio.run(main())
    [(<AddressFamily.AF_INET: 2>, ('127.0.0.1', 8443))]
    """

    def initialize(self, resolver: Resolver, mapping: Mapping[Any, Any]) -> None:
        """See the class."""
        self.resolver = resolver
        self.mapping = mapping

    def close(self) -> None:
        """Close the resolver beneath."""
        self.resolver.close()

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[Addresses]:
        """See Resolver."""
        if (host, port, family) in self.mapping:
            host, port = self.mapping[(host, port, family)]
        elif (host, port) in self.mapping:
            host, port = self.mapping[(host, port)]
        elif host in self.mapping:
            host = self.mapping[host]
        return self.resolver.resolve(host, port, family)
