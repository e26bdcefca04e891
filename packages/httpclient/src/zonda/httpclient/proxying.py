"""From a connection to a proxy to one that a request can be sent on.

In: a stream to the proxy and where the request goes. Out: a stream, to the server or (for requests
in absolute form) to the proxy. Raises `HTTPProxyError`, and the errors of a TLS handshake with the
proxy; the stream is closed then.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable

from zonda.httpclient.accounts import Accounts
from zonda.httpclient.errors import HTTPProxyError
from zonda.httpclient.proxies import Proxy
from zonda.httpclient.tunnel import open_tunnel
from zonda.iostream import IOStream
from zonda.iostream.netutil import Resolver, is_valid_ip


async def open_through(
    proxy: Proxy,
    connect: Callable[[], Awaitable[IOStream]],
    scheme: str,
    host: str,
    port: int,
    *,
    accounts: Accounts,
    resolver: Resolver,
    proxy_context: Callable[[], ssl.SSLContext],
    tunnel: bool = False,
) -> IOStream:
    """Connect to a server, or as far as a proxy that forwards.

    Args:
        proxy: The proxy.
        connect: Makes a plain connection to it.
        scheme: Of the request's URL.
        host: Its host, without brackets.
        port: -
        accounts: Where the client's authentications are kept.
        resolver: For ``socks5``, which wants an address.
        proxy_context: For TLS with the proxy itself (``https``).
        tunnel: Go to the server even if the proxy would forward: for protocols other than HTTP.

    Raises:
        HTTPProxyError: No connection.
    """
    if proxy.is_socks:
        try:
            from zonda.httpclient.socks import open_socks  # noqa: PLC0415 - the extra "socks"
        except ImportError as error:
            raise HTTPProxyError(
                "a SOCKS proxy needs python-socks: pip install zonda-httpclient[socks]",
                proxy.host,
                proxy.port,
                error,
            ) from error
        if proxy.scheme == "socks5" and not is_valid_ip(host):
            found = await resolver.resolve(host, port, socket.AF_UNSPEC)
            host = found[0][1][0]
        return await open_socks(await connect(), proxy, host, port)

    async def to_proxy() -> IOStream:
        stream = await connect()
        if proxy.scheme == "https":
            return await stream.start_tls(
                False, ssl_options=proxy_context(), server_hostname=proxy.host
            )
        return stream

    stream = await to_proxy()
    if proxy.forwards(scheme) and not tunnel:
        return stream
    return await open_tunnel(stream, proxy, host, port, accounts=accounts, reconnect=to_proxy)
