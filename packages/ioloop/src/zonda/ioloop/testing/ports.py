"""Ports for tests. In: an address. Out: a listening socket on a port that nobody uses."""

import socket


def bind_unused_port(
    reuse_port: bool = False, address: str = "127.0.0.1"
) -> tuple[socket.socket, int]:
    """Listen on a port of the system's choice.

    Args:
        reuse_port: let other sockets listen on the same port (``SO_REUSEPORT``).
        address: of IPv4 or IPv6; a host name stands for the first address it has.

    Returns:
        The socket, listening and not blocking, and its port. The caller closes it.

    Raises:
        OSError: the address cannot be bound.

    Example:
        >>> sock, port = bind_unused_port()
        >>> sock.getsockname() == ("127.0.0.1", port)
        True
        >>> sock.close()
    """
    found = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, sockaddr = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(sockaddr)
        sock.listen(128)
    except BaseException:
        sock.close()
        raise
    return sock, sock.getsockname()[1]
