"""Connections through a SOCKS5 proxy (RFC 1928), by python-socks: the extra ``socks``.

In: a stream to the proxy. Out: a stream to the server behind it. Raises `HTTPProxyError` for
everything that goes wrong; the old stream is closed in any case.
"""

import asyncio
import contextlib
import socket

from zonda.httpclient.errors import HTTPProxyError
from zonda.httpclient.proxies import Proxy
from zonda.iostream import IOStream
from zonda.iostream.netutil import Resolver, is_valid_ip

# Deadlines are the caller's. This one, which cannot be switched off, is never reached.
_NEVER = 86400.0


class _Connected:
    """Stands for a proxy in front of the proxy: it "connects" by giving a connected socket.

    So the connection to the proxy is made as all others are: by our resolver, all addresses in
    turn, from the right source.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    async def connect(
        self, dest_host: str, dest_port: int, timeout: float | None = None
    ) -> socket.socket:
        return self._socket


async def open_socks(
    stream: IOStream, proxy: Proxy, host: str, port: int, resolver: Resolver
) -> IOStream:
    """Ask a proxy for a connection to a server.

    Args:
        stream: Connected to the proxy.
        proxy: Its host, port and credentials.
        host: Name or address of the server, without brackets.
        port: The server's.
        resolver: For a name, if it is not the proxy that looks it up (``socks5``).

    Returns:
        A new stream on the old one's connection.

    Raises:
        HTTPProxyError: The proxy refused (``proxy_code`` is its reply), closed, or does not speak
            SOCKS5; or python-socks is not installed.
        OSError: The name cannot be resolved.
    """
    try:
        from python_socks import ProxyError, ProxyType  # noqa: PLC0415 - the extra "socks"
        from python_socks.async_.asyncio import Proxy as SocksClient  # noqa: PLC0415 - the same
    except ImportError as error:
        stream.close()
        raise HTTPProxyError(
            "a SOCKS proxy needs python-socks: pip install zonda-httpclient[socks]",
            proxy.host,
            proxy.port,
            error,
        ) from error
    if proxy.scheme == "socks5" and not is_valid_ip(host):
        found = await resolver.resolve(host, port, socket.AF_UNSPEC)
        host = found[0][1][0]
    max_buffer_size = stream.max_buffer_size
    with contextlib.closing(stream.socket.dup()) as sock:
        stream.close()
        sock.setblocking(False)
        client = SocksClient(
            ProxyType.SOCKS5,
            proxy.host,
            proxy.port,
            username=proxy.username,
            password=proxy.password,
            rdns=True,
            forward=_Connected(sock),  # type: ignore[arg-type,unused-ignore]
            loop=asyncio.get_running_loop(),
        )
        try:
            await client.connect(host, port, timeout=_NEVER)
        except ProxyError as error:
            raise HTTPProxyError(
                f"the proxy refused: {error}", proxy.host, proxy.port, error, error.error_code
            ) from error
        except (OSError, ValueError) as error:
            raise HTTPProxyError(
                f"the proxy broke off: {error}", proxy.host, proxy.port, error
            ) from error
        connected = IOStream(socket.socket(fileno=sock.detach()), max_buffer_size=max_buffer_size)
    connected.set_nodelay(True)
    return connected
