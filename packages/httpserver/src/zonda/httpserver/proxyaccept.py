"""Reading PROXY headers from new connections, before TLS and HTTP see a byte.

A connection waits here until its header is complete, then goes on with the client's address in
place of the proxy's. No more than the header is taken from the socket. What is malformed, late, or
not there at all is closed, with one line in the log.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from zonda.httpserver.errors import ProxyProtocolError
from zonda.httpserver.proxyheader import LIMIT, ProxiedAddress, parse_proxy_header
from zonda.httpserver.trustedpeers import TrustedPeers
from zonda.ioloop.log import gen_log
from zonda.iostream.loops import watching_loop

Accepted = Callable[[socket.socket, Any], None]


class ProxyAcceptor:
    """Holds new connections until their headers have come.

    Args:
        peers: Whose connections begin with a header; those of others go straight on.
        timeout: Seconds a header may take.
    """

    def __init__(self, peers: TrustedPeers, timeout: float) -> None:
        self._peers = peers
        self._timeout = timeout
        self._waiting: set[_Waiting] = set()

    def take(self, sock: socket.socket, address: Any, accepted: Accepted) -> None:
        """Take a new connection, and hand it on with ``accepted``.

        Args:
            sock: The connection.
            address: As ``accept`` gave it; a unix socket's peer is trusted.
            accepted: Called with the socket and the address to go on with.
        """
        if isinstance(address, tuple) and address and address[0] not in self._peers:
            accepted(sock, address)
            return
        self._waiting.add(_Waiting(self, sock, address, accepted))

    def close(self) -> None:
        """Close what is still waiting."""
        for waiting in tuple(self._waiting):
            waiting.close()

    def __len__(self) -> int:
        return len(self._waiting)


class _Waiting:
    """One connection whose header is not complete."""

    def __init__(
        self, owner: ProxyAcceptor, sock: socket.socket, address: Any, accepted: Accepted
    ) -> None:
        self._owner = owner
        self._sock = sock
        self._address = address
        self._accepted = accepted
        self._data = b""
        self._watcher = watching_loop()
        self._watcher.add_reader(sock.fileno(), self._readable)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(owner._timeout, self._fail, "the header takes too long")

    def _readable(self) -> None:
        try:
            peeked = self._sock.recv(LIMIT, socket.MSG_PEEK)
            if not peeked:
                self._fail("the connection ended inside the header")
                return
            found = parse_proxy_header(self._data + peeked)
            if found is None:
                # All of it belongs to the header: taken out, it does not wake us again.
                self._data += self._sock.recv(len(peeked))
                return
            header, length = found
            self._sock.recv(length - len(self._data))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()  # the peer is gone
            return
        except ProxyProtocolError as error:
            self._fail(error.fault)
            return
        self._leave()
        address = self._address
        if header.source is not None:
            address = ProxiedAddress(header.source)
            address.header = header
        self._accepted(self._sock, address)

    def _leave(self) -> None:
        self._owner._waiting.discard(self)
        self._timer.cancel()
        self._watcher.remove_reader(self._sock.fileno())

    def _fail(self, why: str) -> None:
        gen_log.info("PROXY protocol, connection from %s: %s", self._address, why)
        self.close()

    def close(self) -> None:
        """Give up."""
        self._leave()
        self._sock.close()
