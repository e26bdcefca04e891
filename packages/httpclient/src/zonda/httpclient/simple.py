"""The client over Zonda's own streams, Tornado's ``simple_httpclient``.

`SimpleAsyncHTTPClient` is what `AsyncHTTPClient()` makes unless another implementation is
configured. Connections are kept and used again; the work is done by `Fetch`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zonda.httpclient.client import AsyncHTTPClient
from zonda.httpclient.errors import HTTPStreamClosedError, HTTPTimeoutError
from zonda.httpclient.fetching import Fetch
from zonda.httpclient.proxies import Proxies
from zonda.httpclient.transport import Transport
from zonda.httputil.http1 import Limits
from zonda.ioloop.log import gen_log
from zonda.iostream.netutil import OverrideResolver, Resolver

if TYPE_CHECKING:
    from zonda.httpclient.cookies import Cookies
    from zonda.httpclient.request import HTTPRequest
    from zonda.httpclient.response import HTTPResponse

__all__ = ["HTTPStreamClosedError", "HTTPTimeoutError", "SimpleAsyncHTTPClient", "gen_log"]

_MIB = 1024 * 1024


class SimpleAsyncHTTPClient(AsyncHTTPClient):
    """See `AsyncHTTPClient`; these are the arguments of this implementation.

    Args:
        max_clients: Requests at once; others wait in a queue, hosts taking turns.
        hostname_mapping: Names to look up in place of others, see `OverrideResolver`.
        max_buffer_size: Bytes of a body in memory at most, 100 MiB.
        resolver: For names of hosts; by default one of the client's own.
        defaults: For attributes that a request leaves None.
        max_header_size: Bytes of a response's head at most, 64 KiB by default.
        max_body_size: Bytes of a body at most, decompressed, also of one that is streamed;
            ``max_buffer_size`` by default, and no limit for `stream`.
        max_clients_per_host: Requests to one host at once; None for any number.
        keep_alive: Seconds that a connection is kept open for the next request; 0 for never.
        cookies: A `Cookies` to take and send cookies; without one, there are none.
        proxies: Which proxy to use where a request does not say: a URL, a mapping, a `Proxies`,
            ``"environment"`` for what its variables say (`Proxies.from_setting`); None for none.
    """

    _calls_back_at_the_end = True

    max_clients: int
    max_buffer_size: int
    max_header_size: int | None
    max_body_size: int | None

    def initialize(  # type: ignore[override]
        self,
        max_clients: int = 100,
        hostname_mapping: Mapping[Any, str] | None = None,
        max_buffer_size: int = 100 * _MIB,
        resolver: Resolver | None = None,
        defaults: dict[str, Any] | None = None,
        max_header_size: int | None = None,
        max_body_size: int | None = None,
        *,
        max_clients_per_host: int | None = None,
        keep_alive: float = 60.0,
        cookies: Cookies | None = None,
        proxies: Proxies | Mapping[str, str] | str | None = None,
    ) -> None:
        """Set the instance up."""
        super().initialize(defaults=defaults)
        self.max_clients = max_clients
        self.max_buffer_size = max_buffer_size
        self.max_header_size = max_header_size
        self.max_body_size = max_body_size
        self._own_resolver = Resolver() if resolver is None else None
        used = resolver or self._own_resolver
        assert used is not None
        if hostname_mapping is not None:
            used = OverrideResolver(resolver=used, mapping=dict(hostname_mapping))
        self.resolver = used
        largest = max_buffer_size if max_body_size is None else max_body_size
        head = Limits().head if max_header_size is None else max_header_size
        self._transport = Transport(
            self.io_loop.asyncio_loop,
            used,
            Limits(head=head, start_line=min(head, Limits().start_line), body=largest),
            max_clients,
            max_clients_per_host,
            keep_alive,
            max_buffer_size,
            cookies,
            Proxies.from_setting(proxies),
        )
        self._largest = largest

    def close(self) -> None:
        """See `AsyncHTTPClient`."""
        if not self._closed:
            super().close()
            if self._shared_as is not None:
                self._transport.drain(self._close_resolver)
            else:
                self._close_now()

    def _close_now(self) -> None:
        super().close()
        self._transport.close()
        self._close_resolver()

    def _close_resolver(self) -> None:
        resolver, self._own_resolver = self._own_resolver, None
        if resolver is not None:
            resolver.close()

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], object]) -> Fetch:
        """See `AsyncHTTPClient`."""
        # What `stream` reads is nowhere kept: no limit but one that was asked for.
        head_callback = getattr(request, "head_callback", None)
        limit = self._largest if head_callback is None else self.max_body_size
        fetch = Fetch(
            self._transport,
            request,  # type: ignore[arg-type]  # a _RequestProxy; Tornado declares it like this
            callback,
            limit,
            head_callback,
        )
        fetch.start()
        return fetch
