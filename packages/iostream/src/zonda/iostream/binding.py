"""Listening sockets: made, bound and listening, not yet accepting.

Every failure is an OSError (a name that does not resolve: ``socket.gaierror``), after which
nothing that was opened on the way is left open.
"""

import errno
import os
import socket
import stat
import sys
from typing import Any

DEFAULT_BACKLOG = 128
"""Connections that may wait to be accepted, by default."""

# Port 0 asks the system for a port for the first family; another process may hold the same number
# for the second one. So many times the whole is tried anew.
_EPHEMERAL_ATTEMPTS = 10

_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


def bind_sockets(
    port: int,
    address: str | None = None,
    family: socket.AddressFamily = socket.AF_UNSPEC,
    backlog: int = DEFAULT_BACKLOG,
    flags: int | None = None,
    reuse_port: bool = False,
) -> list[socket.socket]:
    """Listen on ``port``, with one socket for each address that ``address`` stands for.

    Args:
        port: the port; 0 lets the system choose one, the same for all families.
        address: an address, or a name for one or more; None or "" for all interfaces.
        family: ``AF_INET`` or ``AF_INET6`` for one family only.
        backlog: connections that may wait to be accepted, as for ``socket.listen``.
        flags: AI_* for ``getaddrinfo``; ``AI_PASSIVE`` by default.
        reuse_port: let several processes listen on the port (SO_REUSEPORT).

    Raises:
        ValueError: ``reuse_port`` where there is no such thing.
        OSError: an address cannot be bound.

    >>> sockets = bind_sockets(0, "127.0.0.1")
    >>> len(sockets)
    1
    >>> sockets[0].close()
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("this platform has no SO_REUSEPORT")
    if family == socket.AF_UNSPEC and not socket.has_ipv6:
        family = socket.AF_INET
    if flags is None:
        flags = socket.AI_PASSIVE
    found: list[_AddressInfo] = []
    for info in socket.getaddrinfo(address or None, port, family, socket.SOCK_STREAM, 0, flags):
        if info not in found:
            found.append(info)
    # IPv4 first: there, an ephemeral port is chosen for all.
    found.sort(key=lambda info: info[0])
    for attempt in range(_EPHEMERAL_ATTEMPTS):
        try:
            return _bind_all(found, port, address, backlog, reuse_port)
        except OSError as error:
            last = attempt == _EPHEMERAL_ATTEMPTS - 1
            if error.errno != errno.EADDRINUSE or port != 0 or len(found) < 2 or last:
                raise
    raise AssertionError("unreachable")


def _bind_all(
    found: list[_AddressInfo], port: int, address: str | None, backlog: int, reuse_port: bool
) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, where in found:
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:
                if error.errno == errno.EAFNOSUPPORT:
                    continue  # known to the resolver, unknown to the kernel
                raise
            sockets.append(sock)
            sock.setblocking(False)
            if os.name != "nt":
                # Elsewhere this lets a server restart at once; on Windows it would let
                # two servers share the port.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
                # The IPv4 half has a socket of its own.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if port == 0 and len(sockets) > 1:
                where = (where[0], sockets[0].getsockname()[1], *where[2:])
            try:
                sock.bind(where)
            except OSError as error:
                if (
                    error.errno == errno.EADDRNOTAVAIL
                    and address == "localhost"
                    and (family == socket.AF_INET6)
                ):
                    # "localhost" names ::1 on machines whose loopback has no IPv6.
                    sockets.pop().close()
                    continue
                raise
            sock.listen(backlog)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def bind_unix_socket(file: str, mode: int = 0o600, backlog: int = DEFAULT_BACKLOG) -> socket.socket:
    """Listen on a Unix socket.

    A socket file that an earlier process left behind is replaced; any other file is not.

    Args:
        file: the path; on Linux a name that begins with NUL is abstract, without a file.
        mode: permissions of the file (nobody can connect before they are set).
        backlog: as for ``bind_sockets``.

    Raises:
        ValueError: ``file`` exists and is not a socket.
        OSError: it cannot be bound.
    """
    abstract = file.startswith("\0")
    if abstract and not sys.platform.startswith("linux"):
        raise ValueError("abstract socket names need Linux")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not abstract:
            try:
                existing = os.lstat(file)
            except FileNotFoundError:
                pass
            else:
                if not stat.S_ISSOCK(existing.st_mode):
                    raise ValueError(f"File {file} exists and is not a socket")
                os.remove(file)
        sock.bind(file)
        if not abstract:
            os.chmod(file, mode)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock
