"""A resolver on c-ares (extra ``cares``): it asks the name servers itself, without threads."""

import asyncio
import socket

import pycares

from zonda.iostream.loops import current_loop
from zonda.iostream.resolvers import Addresses, Resolver, literal_address

# How often c-ares gets to look at its own clock while a query is under way, in seconds.
_TICK = 0.2


class CaresResolver(Resolver):
    """Looks names up with c-ares, on the loop it was made on.

    Host names are searched as ``/etc/resolv.conf`` says, with ``/etc/hosts`` first; other sources
    of the operating system (mDNS, LDAP) are not asked.

    Args:
        servers: addresses of name servers to ask in place of the system's.
        udp_port: their UDP port, 53 by default.
        tcp_port: their TCP port, 53 by default.
    """

    def initialize(
        self,
        servers: list[str] | None = None,
        udp_port: int | None = None,
        tcp_port: int | None = None,
    ) -> None:
        """See the class."""
        self._loop = current_loop()
        self._watched: dict[int, tuple[bool, bool]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._queries = 0
        self.channel = pycares.Channel(
            sock_state_cb=self._watch, servers=servers, udp_port=udp_port, tcp_port=tcp_port
        )

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> "asyncio.Future[Addresses]":
        """See Resolver."""
        future: asyncio.Future[Addresses] = self._loop.create_future()
        try:
            literal = literal_address(host, port, family)
        except OSError as error:
            future.set_exception(error)
            return future
        if literal is not None:
            future.set_result(literal)
            return future

        def done(result: "pycares.AddrInfoResult | None", code: int | None) -> None:
            self._queries -= 1
            if not self._queries and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if future.done():
                return
            if code is not None or result is None:
                text = pycares.errno.strerror(code) if code is not None else "no answer"
                why = text.decode("ascii") if isinstance(text, bytes) else text
                future.set_exception(
                    OSError(f"C-Ares returned error {code}: {why} while resolving {host}")
                )
                return
            found: Addresses = []
            for node in result.nodes:
                raw = node.addr[0]
                address = raw.decode("ascii") if isinstance(raw, bytes) else raw
                if node.family == socket.AF_INET6:
                    found.append((int(node.family), (address, port, 0, 0)))
                else:
                    found.append((int(node.family), (address, port)))
            future.set_result(found)

        self._queries += 1
        self.channel.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, callback=done)
        if self._queries and self._timer is None:
            self._timer = self._loop.call_later(_TICK, self._tick)
        return future

    def close(self) -> None:
        """Cancel what is under way and close the channel's sockets."""
        self.channel.cancel()
        for fd in list(self._watched):
            self._watch(fd, False, False)
        self.channel.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self, fd: int, readable: bool, writable: bool) -> None:
        was_readable, was_writable = self._watched.pop(fd, (False, False))
        if readable and not was_readable:
            self._loop.add_reader(fd, self.channel.process_fd, fd, pycares.ARES_SOCKET_BAD)
        elif was_readable and not readable:
            self._loop.remove_reader(fd)
        if writable and not was_writable:
            self._loop.add_writer(fd, self.channel.process_fd, pycares.ARES_SOCKET_BAD, fd)
        elif was_writable and not writable:
            self._loop.remove_writer(fd)
        if readable or writable:
            self._watched[fd] = (readable, writable)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK, self._tick)
        self.channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
