"""From a request to a connected stream: name, address, proxy, TLS.

In: a `Route`, which holds everything that shapes a connection and nothing else (it is what pooled
connections are found by), and a resolver. Out: an open stream that nothing was read from. Raises
`HTTPConnectError` and its kinds, `HTTPTimeoutError`; a cancellation closes whatever was under way.
`open_stream` does all of it for a request: protocols that begin with HTTP start there.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import ssl
from collections.abc import Hashable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from zonda.httpclient.accounts import Accounts
from zonda.httpclient.errors import (
    HTTPCertificateError,
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPRequestError,
    HTTPResolveError,
    HTTPTimeoutError,
    HTTPTLSError,
)
from zonda.httpclient.proxies import Proxies, Proxy, proxy_of_request
from zonda.httpclient.relay import relay
from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.socks import open_socks
from zonda.httpclient.target import Target, parse_url
from zonda.httpclient.tunnel import open_tunnel
from zonda.iostream.netutil import Resolver, is_valid_ip, ssl_options_to_context
from zonda.iostream.tcpclient import TCPClient

if TYPE_CHECKING:
    from zonda.iostream import IOStream

SSLSettings = dict[str, Any] | ssl.SSLContext
"""A context, or a dict as ``ssl_options_to_context`` takes it."""


class TLSSettings(NamedTuple):
    """How a connection is secured.

    Attributes:
        context: One that was given, which is used as it is; its identity counts.
        options: Items of a dict that was given, sorted.
        validate_cert: Whether to verify the server's certificate and name; True by default.
        ca_certs: File of the authorities to trust; None for the system's.
        client_cert: File of the certificate to show to the server; None for none.
        client_key: File of its key; None if it is in the same file.
    """

    context: ssl.SSLContext | None = None
    options: tuple[tuple[str, Hashable], ...] | None = None
    validate_cert: bool = True
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


class Route(NamedTuple):
    """What shapes a connection: requests with equal routes may share one.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        host: Name or address.
        port: The server's TCP port.
        tls: For ``https``.
        proxy: The proxy with its credentials, if there is one.
        source: Local address.
        family: Address family.
    """

    scheme: str
    host: str
    port: int
    tls: TLSSettings | None = None
    proxy: Proxy | None = None
    source: str | None = None
    family: socket.AddressFamily = socket.AF_UNSPEC


_DEFAULT_TLS = TLSSettings()
_TLS_NAMES = ("ssl_options", "validate_cert", "ca_certs", "client_cert", "client_key")
_TLS_ATTRIBUTES = itemgetter(*_TLS_NAMES)


def route_of(
    request: HTTPRequest | _RequestProxy, target: Target, proxy: Proxy | None = None
) -> Route:
    """The route of a request to ``target``.

    Raises:
        HTTPRequestError: Settings that are none, such as a source that is no address.
    """
    source = request.network_interface
    if source and not is_valid_ip(source):
        raise HTTPRequestError(
            f"Unrecognized IPv4 or IPv6 address for network_interface, got {source!r}"
        )
    tls = tls_settings(request) if target.scheme == "https" else None
    family = socket.AF_INET if request.allow_ipv6 is False else socket.AF_UNSPEC
    return Route(target.scheme, target.host, target.port, tls, proxy, source or None, family)


def tls_settings(request: HTTPRequest | _RequestProxy) -> TLSSettings:
    """How a request wants its connection to be secured."""
    defaults = None
    if isinstance(request, _RequestProxy):
        defaults = request.defaults
        request = request.request
    values = _TLS_ATTRIBUTES(request.__dict__)
    if defaults is not None:
        values = tuple(
            [
                defaults.get(name) if value is None else value
                for name, value in zip(_TLS_NAMES, values, strict=True)
            ]
        )
    if values == (None, True, None, None, None):
        return _DEFAULT_TLS
    given, validate_cert, ca_certs, client_cert, client_key = values
    if isinstance(given, ssl.SSLContext):
        return TLSSettings(given)
    if given is not None:
        return TLSSettings(None, tuple(sorted(given.items())))
    settings = TLSSettings(
        None,
        None,
        validate_cert is not False,
        ca_certs or None,
        client_cert or None,
        client_key or None,
    )
    return _DEFAULT_TLS if settings == _DEFAULT_TLS else settings


class Contexts:
    """SSL contexts by the settings that they were made from.

    A file that has changed since makes a new context: certificates are renewed while programs run.
    """

    def __init__(self) -> None:
        self._made: dict[TLSSettings, tuple[ssl.SSLContext, list[tuple[int, int]]]] = {}

    def get(self, settings: TLSSettings) -> ssl.SSLContext:
        """The context for ``settings``.

        Raises:
            OSError: A file cannot be read, or holds something else.
            ValueError: Settings that are none.
        """
        if settings.context is not None:
            return settings.context
        names = [settings.ca_certs, settings.client_cert, settings.client_key]
        if settings.options is not None:
            options = dict(settings.options)
            names += [str(options[k]) for k in ("ca_certs", "certfile", "keyfile") if k in options]
        state = [(s.st_mtime_ns, s.st_size) for s in map(os.stat, filter(None, names))]
        found = self._made.get(settings)
        if found is not None and found[1] == state:
            return found[0]
        context = _make_context(settings)
        self._made[settings] = context, state
        return context


def _make_context(settings: TLSSettings) -> ssl.SSLContext:
    if settings.options is not None:
        return ssl_options_to_context(dict(settings.options), server_side=False)
    options: dict[str, Any] = {}
    if not settings.validate_cert:
        options["cert_reqs"] = ssl.CERT_NONE
    if settings.ca_certs is not None:
        options["ca_certs"] = settings.ca_certs
    if settings.client_cert is not None:
        options["certfile"] = settings.client_cert
        options["keyfile"] = settings.client_key
    context = ssl_options_to_context(options, server_side=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Clocked(Resolver):
    """Another resolver, with a look at the clock when it has answered."""

    def initialize(self, resolver: Resolver, marks: dict[str, float]) -> None:
        self._resolver = resolver
        self._marks = marks

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        found = await self._resolver.resolve(host, port, family)
        self._marks["namelookup"] = asyncio.get_running_loop().time()
        return found

    def close(self) -> None:
        pass  # it is somebody else's


class Connector:
    """Makes connections; holds what they share.

    Args:
        resolver: For names of hosts and proxies.
        accounts: For proxies that want credentials.
        max_buffer_size: Of the streams.
    """

    def __init__(
        self, resolver: Resolver, accounts: Accounts, max_buffer_size: int | None = None
    ) -> None:
        self._resolver = resolver
        self._accounts = accounts
        self._max_buffer_size = max_buffer_size
        self._contexts = Contexts()

    async def connect(
        self, route: Route, marks: dict[str, float], tunnel: bool = False
    ) -> IOStream:
        """Open a connection.

        Args:
            route: Where to, and how.
            marks: Takes the loop's time when the name was resolved (``namelookup``), the
                connection made (``connect``) and the TLS handshake done (``appconnect``).
            tunnel: Go through an HTTP proxy by a tunnel even where it would forward requests.

        Raises:
            HTTPConnectError: It cannot be opened.
        """
        proxy = route.proxy
        host, port = (route.host, route.port) if proxy is None else (proxy.host, proxy.port)
        stream = None
        try:
            # First, as it may fail and is the one step without the network.
            context = None if route.tls is None else self._contexts.get(route.tls)
            stream = await self._connect_first(route, host, port, marks)
            if proxy is not None:
                if proxy.is_socks:
                    stream = await open_socks(stream, proxy, route.host, route.port, self._resolver)
                elif tunnel or not proxy.forwards(route.scheme):
                    stream = await open_tunnel(
                        stream,
                        proxy,
                        route.host,
                        route.port,
                        accounts=self._accounts,
                        reconnect=lambda: self._connect_first(route, host, port, marks),
                    )
                    if proxy.scheme == "https" and context is not None:
                        stream = relay(stream)
                host, port = route.host, route.port
            if context is not None:
                stream = await self._start_tls(stream, context, route.host)
                marks["appconnect"] = asyncio.get_running_loop().time()
        except BaseException as error:
            if stream is not None:
                stream.close()
            if not isinstance(error, OSError | ValueError):
                raise
            real = getattr(error, "real_error", None) or error
            raise _refusal(real, host, port, "connect" in marks) from error
        return stream

    async def _connect_first(
        self, route: Route, host: str, port: int, marks: dict[str, float]
    ) -> IOStream:
        """A stream to the server or proxy, which has nothing but TCP, or TLS to the proxy."""
        stream = await TCPClient(_Clocked(self._resolver, marks)).connect(
            host, port, route.family, None, self._max_buffer_size, route.source
        )
        marks["connect"] = asyncio.get_running_loop().time()
        stream.set_nodelay(True)
        if route.proxy is not None and route.proxy.scheme == "https":
            return await self._start_tls(stream, self._contexts.get(_DEFAULT_TLS), host)
        return stream

    async def _start_tls(self, stream: IOStream, context: ssl.SSLContext, host: str) -> IOStream:
        # The old stream gives its socket to the new one, which closes it when it fails.
        return await stream.start_tls(
            False, ssl_options=context, server_hostname=host.removesuffix(".")
        )


def _refusal(
    error: BaseException, host: str, port: int, in_handshake: bool = False
) -> HTTPConnectError:
    """The error of this package for one of the layers below."""
    kind: type[HTTPConnectError]
    if isinstance(error, HTTPConnectError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = HTTPCertificateError
    elif isinstance(error, ssl.SSLError):
        kind = HTTPTLSError
    elif isinstance(error, socket.gaierror):
        kind = HTTPResolveError
    elif isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        kind = HTTPConnectionRefusedError
    else:
        kind = HTTPTLSError if in_handshake else HTTPConnectError
    code = getattr(error, "errno", None)
    if isinstance(code, int) and code in errno.errorcode and kind is not HTTPResolveError:
        text = os.strerror(code)
    else:
        text = re.sub(r"^\[Errno -?[0-9]+\] ", "", str(error)) or type(error).__name__
    return kind(f"{text} ({host}:{port})", host, port, error)


def proxy_for(
    request: HTTPRequest | _RequestProxy, target: Target, proxies: Proxies | None
) -> Proxy | None:
    """The proxy for a request: its own, or that of the client's setting.

    An empty ``proxy_host`` means a direct connection whatever the setting says.

    Raises:
        HTTPRequestError: Its own is none.
    """
    host = request.proxy_host
    if host is None:
        return proxies.choose(target.scheme, target.host, target.port) if proxies else None
    return proxy_of_request(
        host,
        request.proxy_port,
        request.proxy_username,
        request.proxy_password,
        request.proxy_auth_mode,
    )


async def open_stream(
    request: HTTPRequest | _RequestProxy,
    *,
    resolver: Resolver | None = None,
    proxies: Proxies | None = None,
    max_buffer_size: int | None = None,
) -> tuple[IOStream, Target, Route]:
    """Connect for a request, and leave speaking to the caller.

    Args:
        request: Its URL (``http``, ``https``), TLS and proxy settings, ``connect_timeout``,
            ``network_interface`` and ``allow_ipv6`` count.
        resolver: By default one of its own.
        proxies: Which proxy to use where the request does not say.
        max_buffer_size: Of the stream.

    Returns:
        The stream, what the URL says, and the route. A request for ``http`` over an HTTP proxy
        goes through a tunnel here.

    Raises:
        HTTPConnectError: No connection.
        HTTPTimeoutError: ``connect_timeout`` has passed.
        HTTPRequestError: The request is not valid.
    """
    if isinstance(request, HTTPRequest):
        request = _RequestProxy(request, HTTPRequest._DEFAULTS)
    target = parse_url(request.url)
    route = route_of(request, target, proxy_for(request, target, proxies))
    own = Resolver() if resolver is None else resolver
    limits = [limit for limit in (request.connect_timeout, request.request_timeout) if limit]
    try:
        async with asyncio.timeout(min(limits, default=None)):
            stream = await Connector(own, Accounts(), max_buffer_size).connect(route, {}, True)
    except TimeoutError as error:
        raise HTTPTimeoutError("Timeout while connecting", "connect") from error
    finally:
        if resolver is None:
            own.close()
    return stream, target, route
