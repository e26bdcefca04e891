"""The HTTP server: accepted streams in, requests for an application out."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

from zonda.httpserver.accesslog import (
    AccessHook,
    ObservedConnection,
    ObservingDelegate,
    access_hook,
    hand_over,
    refused_record,
)
from zonda.httpserver.callback import CallableAdapter, RequestCallback
from zonda.httpserver.connection import HTTP1ServerConnection, StartMessage
from zonda.httpserver.context import HTTPRequestContext
from zonda.httpserver.counters import Counters
from zonda.httpserver.deadlines import DeadlineTimer
from zonda.httpserver.decompression import DecompressingDelegate
from zonda.httpserver.lifespan import ServerLifespans
from zonda.httpserver.parameters import DEFAULT_CHUNK_SIZE, HTTP1ConnectionParameters
from zonda.httpserver.proxy import ProxyDelegate
from zonda.httpserver.proxyaccept import ProxyAcceptor
from zonda.httpserver.refusal import refusal_size
from zonda.httpserver.routing.router import Router
from zonda.httpserver.timedconnection import PATIENCE
from zonda.httpserver.trustedpeers import TrustedPeers
from zonda.httpserver.upgrades import Forget, Upgraded
from zonda.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
)
from zonda.ioloop.util import Configurable
from zonda.iostream import IOStream
from zonda.iostream.loops import current_loop
from zonda.iostream.tcpserver import TCPServer
from zonda.iostream.tlsoptions import SSLOptions

# Seconds that a drain gives those who have just connected, or just been answered, to ask.
_PATIENCE = 1.0


class HTTPServer(TCPServer, Configurable, HTTPServerConnectionDelegate):
    """A non-blocking HTTP/1.1 server.

    It is started as any `TCPServer`: ``listen(port)``; ``bind(port)`` and ``start(n)`` for several
    processes; or ``add_sockets`` with sockets of your own.

    Args:
        request_callback: An `HTTPServerConnectionDelegate` (an ``Application``, a ``Router``) or a
            function that takes an `HTTPServerRequest`.
        no_keep_alive: Close connections after each response.
        xheaders: Believe ``X-Real-Ip``/``X-Forwarded-For`` and ``X-Scheme``/``X-Forwarded-Proto``.
            Only behind a proxy that sets them: anybody can send them.
        ssl_options: An `ssl.SSLContext`, or a dictionary of its options, to serve HTTPS. With a
            dictionary clients that ask are told ``http/1.1`` (ALPN).
        protocol: ``"http"`` or ``"https"`` for requests to show when a proxy decrypts and says
            nothing.
        decompress_request: Decode gzip bodies; their decoded size counts against the limit.
        chunk_size: Largest piece of a body the application gets at a time (64 KiB, or 256 KiB of
            large ones).
        max_header_size: Largest head in bytes (64 KiB).
        idle_connection_timeout: Seconds that a connection may wait for its next request (75).
        body_timeout: Seconds that a body may take in all (no limit).
        max_body_size: Largest body in bytes (``max_buffer_size``, which is 100 MiB).
        max_buffer_size: What a stream may buffer, in bytes.
        trusted_downstream: Proxies' addresses to pass over in ``X-Forwarded-For``.
        header_timeout: Seconds from a request's first byte to the end of its head (60).
        read_timeout: Seconds without a byte of a body that is under way (60).
        write_timeout: Seconds without the peer taking a byte of a response (60).
        min_body_rate: Bytes a second that a body has to come with, on average, after its first ten
            seconds (240).
        max_connections: How many connections may be open at once, WebSockets included; the others
            wait in the backlog of the listening socket (no limit).
        forwarded: Believe ``Forwarded`` (RFC 7239), in place of the ``X-`` fields where both are.
        trusted_proxies: Addresses and networks whose fields are believed with ``xheaders`` and
            ``forwarded``; by default everybody's.
        proxy_protocol: Connections begin with a PROXY header, version 1 or 2, even before TLS:
            True for all connections, or addresses and networks for those from there. True only
            where nobody but the proxy can connect.
        access_log: ``"common"``, ``"combined"`` or ``"json"``, or a function that gets each
            `AccessRecord` (see `zonda.httpserver.accesslog`); by default the server keeps none.

    Attributes:
        draining: Whether `drain` was called.
        counters: What it has done so far, in numbers (see `Counters`).
    """

    draining = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # `Configurable` has called `initialize` already; `TCPServer.__init__` runs from there.
        pass

    def initialize(
        self,
        request_callback: HTTPServerConnectionDelegate | RequestCallback,
        no_keep_alive: bool = False,
        xheaders: bool = False,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        protocol: str | None = None,
        decompress_request: bool = False,
        chunk_size: int | None = None,
        max_header_size: int | None = None,
        idle_connection_timeout: float | None = None,
        body_timeout: float | None = None,
        max_body_size: int | None = None,
        max_buffer_size: int | None = None,
        trusted_downstream: Iterable[str] | None = None,
        header_timeout: float | None = 60.0,
        read_timeout: float | None = 60.0,
        write_timeout: float | None = 60.0,
        min_body_rate: float | None = 240.0,
        max_connections: int | None = None,
        forwarded: bool = False,
        trusted_proxies: Iterable[str] | None = None,
        proxy_protocol: bool | Iterable[str] = False,
        access_log: str | AccessHook | None = None,
    ) -> None:
        """Take the arguments of the class: what `Configurable` calls in place of ``__init__``."""
        self.request_callback = request_callback
        self.xheaders = xheaders
        self.protocol = protocol
        self.forwarded = forwarded
        self._trusted_proxies = None if trusted_proxies is None else TrustedPeers(trusted_proxies)
        self._proxy_acceptor: ProxyAcceptor | None = None
        if proxy_protocol:
            peers = TrustedPeers(None if proxy_protocol is True else proxy_protocol)
            self._proxy_acceptor = ProxyAcceptor(peers, header_timeout or 60.0)
        self._access_hook = None if access_log is None else access_hook(access_log)
        self.trusted_downstream = trusted_downstream
        if max_connections is not None and max_connections < 1:
            raise ValueError(f"max_connections is 1 at least, not {max_connections}")
        self.max_connections = max_connections
        self.conn_params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            chunk_size=chunk_size,
            max_header_size=max_header_size,
            header_timeout=header_timeout,
            max_body_size=max_body_size if max_body_size is not None else max_buffer_size,
            body_timeout=body_timeout,
            decompress=decompress_request,
            idle_timeout=75.0 if idle_connection_timeout is None else idle_connection_timeout,
            read_timeout=read_timeout,
            write_timeout=write_timeout,
            min_body_rate=min_body_rate,
        )
        TCPServer.__init__(
            self,
            ssl_options=ssl_options,
            max_buffer_size=max_buffer_size,
            read_chunk_size=chunk_size,
        )
        self._announce_protocol()
        self._limits = self.conn_params.limits()
        self._connections: set[HTTP1ServerConnection] = set()
        self._upgraded: set[Upgraded] = set()
        self.counters = Counters(self._connections, self._upgraded)
        self._forget_upgraded = self._forget  # one for all connections
        self._timer: DeadlineTimer | None = None
        self._all_closed: asyncio.Future[None] | None = None
        self._lifespans: ServerLifespans | None = None
        # What connections call for each request, with its head, where nothing has to be put in
        # between them and a router.
        self._start_message: StartMessage | None = None
        if (
            isinstance(request_callback, Router)
            and type(request_callback).start_request is Router.start_request
            and type(self).start_request is HTTPServer.start_request
            and not (xheaders or forwarded or decompress_request or access_log)
        ):
            self._start_message = request_callback.start_message

    def set_ssl_options(self, ssl_options: SSLOptions) -> None:
        """Serve new connections with another certificate; see `TCPServer.set_ssl_options`."""
        super().set_ssl_options(ssl_options)
        self._announce_protocol()

    def _announce_protocol(self) -> None:
        """Tell clients that ask what is spoken (ALPN, RFC 7301), but not in a context of yours."""
        if isinstance(self.ssl_options, dict):
            assert self._ssl_context is not None
            self._ssl_context.set_alpn_protocols(["http/1.1"])

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """The class whose implementation can be configured."""
        return HTTPServer

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """The implementation used when none is configured."""
        return HTTPServer

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept on these sockets, and start the application if it has a lifespan.

        If it fails to start, that is logged and the server stops; see `started`.
        """
        super().add_sockets(sockets)
        if self._lifespans is None:
            self._lifespans = ServerLifespans(self.request_callback)
            self._lifespans.begin(current_loop(), self.stop)

    async def started(self) -> None:
        """Wait until the application has started; requests that come before wait for it, too.

        Raises:
            LifespanError: It has failed to.
        """
        if self._lifespans is not None:
            await self._lifespans.started()

    def stop(self) -> None:
        """Accept no more; connections go on. The application stops when the last one is gone."""
        super().stop()
        if asyncio._get_running_loop() is not None:
            self._end_if_all_closed()

    def _end_if_all_closed(self) -> None:
        if (
            self._stopped
            and self._lifespans is not None
            and not (self._connections or self._upgraded)
        ):
            self._lifespans.end()

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        if self._proxy_acceptor is None:
            super()._handle_connection(connection, address)
        else:
            self._proxy_acceptor.take(connection, address, super()._handle_connection)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a new connection."""
        context = HTTPRequestContext(stream, address, self.protocol, self.trusted_downstream)
        stream.set_nodelay(True)
        timer = self._timer
        if timer is None:
            timer = self._timer = DeadlineTimer(asyncio.get_running_loop())
        self.counters.connections += 1
        connection = HTTP1ServerConnection(
            stream, self.conn_params, context, timer, self._limits, self.counters
        )
        self._connections.add(connection)
        limit = self.max_connections
        if limit is not None and len(self._connections) + len(self._upgraded) >= limit:
            self.pause_accepting()
        connection.start_serving(self, self._start_message)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return the delegate for a new request."""
        callback = self.request_callback
        observed: ObservedConnection | None = None
        if self._access_hook is not None:
            request_conn = observed = ObservedConnection(request_conn, self._access_hook)
        if isinstance(callback, HTTPServerConnectionDelegate):
            delegate = callback.start_request(server_conn, request_conn)
        else:
            delegate = CallableAdapter(callback, request_conn)
        if self.conn_params.decompress:
            delegate = DecompressingDelegate(
                delegate,
                request_conn,
                self._limits.body,
                self.conn_params.chunk_size or DEFAULT_CHUNK_SIZE,
            )
        if observed is not None:
            delegate = ObservingDelegate(delegate, observed)
        if self.xheaders or self.forwarded:
            delegate = ProxyDelegate(
                delegate, request_conn, self.xheaders, self.forwarded, self._trusted_proxies
            )
        return delegate

    def request_refused(
        self, context: object, received: bytes, status: int, duration: float
    ) -> None:
        """A connection has answered something that never became a request.

        Args:
            context: The connection's.
            received: What has come of it.
            status: Of the answer.
            duration: Seconds since it began.
        """
        if self._access_hook is not None:
            size = refusal_size(status)
            hand_over(refused_record(context, received, status, size, duration), self._access_hook)

    def on_close(self, server_conn: object) -> None:
        """A connection is gone."""
        self._connections.discard(server_conn)
        if isinstance(self.request_callback, HTTPServerConnectionDelegate):
            self.request_callback.on_close(server_conn)
        self._tell_if_all_closed()

    def adopt(self, connection: Upgraded) -> Forget:
        """Look after a connection that has switched protocols (see `Upgraded`).

        Returns:
            What to call when it is over.
        """
        self._upgraded.add(connection)
        if self._all_closed is not None and not self._all_closed.done():
            # It began when all others had been told already.
            asyncio.get_running_loop().call_soon(connection.drain)
        return self._forget_upgraded

    def _forget(self, connection: Upgraded) -> None:
        self._upgraded.discard(connection)
        self._tell_if_all_closed()

    def _tell_if_all_closed(self) -> None:
        if self._paused and len(self._connections) + len(self._upgraded) < (
            self.max_connections or 0
        ):
            self.resume_accepting()
        if self._stopped:
            self._end_if_all_closed()
        waiting = self._all_closed
        if waiting is not None and not (self._connections or self._upgraded or waiting.done()):
            waiting.set_result(None)

    async def _wait_until_all_closed(self) -> None:
        if self._connections or self._upgraded:
            waiting = self._all_closed
            if waiting is None or waiting.done():
                waiting = self._all_closed = asyncio.get_running_loop().create_future()
            await asyncio.shield(waiting)  # there may be several who wait

    async def close_all_connections(self) -> None:
        """Close every connection at once, also those with a request under way.

        `drain` is the gentle way.
        """
        if self._proxy_acceptor is not None:
            self._proxy_acceptor.close()
        while self._connections:
            await next(iter(self._connections)).close()
        for connection in tuple(self._upgraded):
            connection.abort()
        await self._wait_until_all_closed()
        if self._stopped and self._lifespans is not None:
            await self._lifespans.stopped()

    async def drain(self, timeout: float | None = 30.0) -> None:
        """Stop accepting, let running requests finish, then close.

        Connections that have been idle for a while are closed now, the others when they have not
        asked for anything within a second; requests get their responses with ``Connection: close``.
        Whoever waits in the backlog of the listening sockets is accepted first: closing these would
        reset their connections. WebSockets are told that the server is going away (1001).

        Args:
            timeout: Seconds after which the rest is closed at once; None waits for ever.
        """
        for acceptor in self._acceptors.values():
            acceptor.accept_backlog()
        self.stop()
        self.draining = True
        now = asyncio.get_running_loop().time()
        if self._timer is not None:
            self._timer.now = now
        for connection in self._connections:
            connection.protocol.announce_close()
        # Requests that have arrived already are read in between, so that what is idle then is idle.
        for _ in range(2):
            await asyncio.sleep(0)
        if self._proxy_acceptor is not None:
            self._proxy_acceptor.close()  # those who have not even said where they come from
        for connection in tuple(self._connections):
            connection.drain(now - PATIENCE)
        for upgraded in tuple(self._upgraded):
            upgraded.drain()
        patience = asyncio.get_running_loop().call_later(_PATIENCE, self._drain_the_idle, now)
        try:
            async with asyncio.timeout(timeout):
                await self._wait_until_all_closed()
        except TimeoutError:
            await self.close_all_connections()
        finally:
            patience.cancel()
        if self._lifespans is not None:
            await self._lifespans.stopped()

    def _drain_the_idle(self, since: float) -> None:
        # Those who were told in the meantime that they may ask once more get some longer.
        for connection in tuple(self._connections):
            connection.drain(since)
