"""A tunnel through an HTTP proxy (RFC 9110 §9.3.6).

In: a stream to the proxy. Out: a stream to the server behind it, which nothing was read from.
Raises `HTTPProxyError` for everything that goes wrong; the stream is closed then.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from zonda.httpclient.accounts import Accounts
from zonda.httpclient.authentication import Attempt
from zonda.httpclient.errors import HTTPProxyError
from zonda.httpclient.proxies import Proxy
from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import (
    ClientConnection,
    ConnectionClosed,
    Data,
    InformationalResponse,
    Limits,
    ProtocolError,
    Response,
    Signal,
)
from zonda.iostream import IOStream, StreamClosedError

# A refusal has a page with it, which nobody reads.
_LIMITS: Final = Limits(body=64 * 1024)


async def open_tunnel(
    stream: IOStream,
    proxy: Proxy,
    host: str,
    port: int,
    *,
    accounts: Accounts,
    reconnect: Callable[[], Awaitable[IOStream]],
) -> IOStream:
    """Ask a proxy for a connection to a server.

    Args:
        stream: Connected to the proxy, TLS and all.
        proxy: Its credentials are sent to it, and to nobody else.
        host: Name or address of the server, without brackets.
        port: The server's.
        accounts: Where the client's authentications are kept.
        reconnect: Makes another stream to the proxy, for one that asks for credentials and then
            closes.

    Returns:
        `stream`, or the one that `reconnect` made.

    Raises:
        HTTPProxyError: The proxy refused (``proxy_code`` is its status), closed, or does not
            speak HTTP.
    """
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    attempt: Attempt | None = None
    if proxy.username is not None:
        authentication = accounts.get(proxy.auth_mode, proxy, proxy.username, proxy.password)
        attempt = authentication.begin()
    connection = ClientConnection(_LIMITS)
    try:
        while True:
            response = await _connect(stream, connection, target, attempt)
            if 200 <= response.status < 300:
                if connection.trailing_data:
                    raise HTTPProxyError("bytes ahead of the tunnel", proxy.host, proxy.port)
                return stream
            if (
                response.status != HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
                or attempt is None
                or not attempt.refused(response.headers.get_list("Proxy-Authenticate"))
            ):
                raise HTTPProxyError(
                    f"the proxy answered {response.status} {response.reason}".rstrip(),
                    proxy.host,
                    proxy.port,
                    proxy_code=response.status,
                )
            if await _skip_body(stream, connection):
                connection.start_next_cycle()
            else:
                stream.close()
                connection = ClientConnection(_LIMITS)
                stream = await reconnect()
    except (ProtocolError, StreamClosedError) as error:
        stream.close()
        message = f"the proxy broke off: {getattr(error, 'real_error', None) or error}"
        raise HTTPProxyError(message, proxy.host, proxy.port, error) from error
    except BaseException:
        stream.close()
        raise


async def _connect(
    stream: IOStream, connection: ClientConnection, target: str, attempt: Attempt | None
) -> Response:
    headers = HTTPHeaders({"Host": target})
    if attempt is not None:
        value = attempt.authorization("CONNECT", target)
        if value is not None:
            headers["Proxy-Authorization"] = value
    await stream.write(b"".join(connection.send_request("CONNECT", target, headers)))
    while True:
        event = connection.next_event()
        if isinstance(event, Response):
            return event
        if event is Signal.NEED_DATA:
            connection.receive_data(await stream.read_bytes(65536, partial=True))
        elif not isinstance(event, InformationalResponse):
            raise StreamClosedError


async def _skip_body(stream: IOStream, connection: ClientConnection) -> bool:
    """Read a refusal to its end; whether the connection can take another request."""
    if not connection.keep_alive:
        return False
    try:
        while True:
            event = connection.next_event()
            if event is Signal.NEED_DATA:
                connection.receive_data(await stream.read_bytes(65536, partial=True))
            elif isinstance(event, ConnectionClosed):
                return False
            elif not isinstance(event, Data):
                return connection.keep_alive
    except (ProtocolError, StreamClosedError):  # too long a page, or gone
        return False
