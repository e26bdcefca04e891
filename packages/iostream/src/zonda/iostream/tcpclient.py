"""A TCP client: a host and a port in, a connected stream out."""

import asyncio
import datetime
import functools
import socket
from typing import Any

from zonda.iostream.racing import Attempt, interleave, race
from zonda.iostream.resolvers import Addresses, Resolver
from zonda.iostream.sockets import IOStream
from zonda.iostream.tlsoptions import SSLOptions


class TCPClient:
    """Connects to hosts by name, trying all their addresses (RFC 8305).

    Args:
        resolver: looks the names up; by default one of its own, closed with the client.

    >>> import asyncio
    >>> from zonda.iostream.netutil import bind_sockets
    >>> async def main():
    ...     (listener,) = bind_sockets(0, "127.0.0.1")
    ...     stream = await TCPClient().connect("127.0.0.1", listener.getsockname()[1])
    ...     print(stream)
    ...     stream.close()
    ...     listener.close()
    >>> asyncio.run(main())
    <zonda.iostream.sockets.IOStream open>
    """

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._own_resolver = resolver is None
        self.resolver = Resolver() if resolver is None else resolver

    def close(self) -> None:
        """Close the resolver, if it is the client's own."""
        if self._own_resolver:
            self.resolver.close()

    async def connect(
        self,
        host: str,
        port: int,
        af: socket.AddressFamily = socket.AF_UNSPEC,
        ssl_options: SSLOptions | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
        timeout: float | datetime.timedelta | None = None,
    ) -> IOStream:
        """Connect.

        Args:
            host: a name or an address.
            port: the port.
            af: ``AF_INET`` or ``AF_INET6`` to use addresses of that family only.
            ssl_options: makes it a TLS connection, verified for ``host`` unless they say
                otherwise.
            max_buffer_size: for the stream.
            source_ip: the address to connect from.
            source_port: the port to connect from.
            timeout: seconds, or a timedelta, for all of it: looking up, connecting, handshake.

        Returns:
            The stream, an SSLIOStream with ``ssl_options``.

        Raises:
            StreamClosedError: no address could be connected; ``real_error`` is the last error.
            OSError: the name cannot be resolved, or the source cannot be bound.
            TimeoutError: ``timeout`` has passed. Whatever was under way is closed.
            TypeError: ``timeout`` is neither.
        """
        if isinstance(timeout, datetime.timedelta):
            seconds: float | None = timeout.total_seconds()
        elif timeout is None or isinstance(timeout, int | float):
            seconds = timeout
        else:
            raise TypeError(f"Unsupported timeout {timeout!r}")
        async with asyncio.timeout(seconds):
            found: Addresses = await self.resolver.resolve(host, port, af)
            if source_ip is not None:
                family = socket.AF_INET6 if ":" in source_ip else socket.AF_INET
                found = [pair for pair in found if pair[0] == family]
            stream = await race(
                interleave(found),
                functools.partial(self._attempt, max_buffer_size, source_ip, source_port),
            )
            if ssl_options is None:
                return stream
            # The old stream gives its socket to the new one, which closes it when it fails;
            # a cancellation (the timeout is one) has to be passed on.
            handshake = stream.start_tls(
                False, ssl_options=ssl_options, server_hostname=host.removesuffix(".")
            )
            return await handshake

    def _attempt(
        self,
        max_buffer_size: int | None,
        source_ip: str | None,
        source_port: int | None,
        family: int,
        address: Any,
    ) -> Attempt:
        sock = socket.socket(family)
        try:
            if source_ip is not None or source_port is not None:
                anywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"
                sock.bind((source_ip or anywhere, source_port or 0))
            stream = IOStream(sock, max_buffer_size=max_buffer_size)
        except BaseException:
            sock.close()
            raise
        return stream, stream.connect(address)
