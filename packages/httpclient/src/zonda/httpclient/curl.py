"""The client over libcurl, Tornado's ``curl_httpclient``: the extra ``curl``.

Choose it with ``AsyncHTTPClient.configure("zonda.httpclient.curl.CurlAsyncHTTPClient")``. It
behaves as the usual client does, errors included, and brings what only libcurl has: HTTP/2 and
HTTP/3, other kinds of proxies, ``prepare_curl_callback``. Raises ImportError on import if pycurl
is missing.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

try:
    import pycurl
except ImportError as error:
    raise ModuleNotFoundError(
        "the curl client needs pycurl: pip install zonda-httpclient[curl]", name="pycurl"
    ) from error

from zonda.httpclient.client import AsyncHTTPClient
from zonda.httpclient.connecting import Route, proxy_for
from zonda.httpclient.curl_connection import CurlConnection
from zonda.httpclient.curl_multi import CurlMulti
from zonda.httpclient.errors import CurlError, HTTPRequestError
from zonda.httpclient.fetching import Fetch
from zonda.httpclient.hop import Hop
from zonda.httpclient.proxies import Proxies
from zonda.httpclient.transport import Transport
from zonda.httputil.http1 import Limits
from zonda.ioloop.log import app_log
from zonda.iostream.netutil import Resolver

if TYPE_CHECKING:
    from zonda.httpclient.cookies import Cookies
    from zonda.httpclient.exchange import Exchange
    from zonda.httpclient.proxies import Proxy
    from zonda.httpclient.request import HTTPRequest, _RequestProxy
    from zonda.httpclient.response import HTTPResponse
    from zonda.httpclient.target import Target

__all__ = ["CurlAsyncHTTPClient", "CurlError", "app_log"]

_MIB = 1024 * 1024

_PROXY_TYPES: Final = {
    "http": pycurl.PROXYTYPE_HTTP,
    "https": 2,  # CURLPROXY_HTTPS
    "socks5": pycurl.PROXYTYPE_SOCKS5,
    "socks5h": pycurl.PROXYTYPE_SOCKS5_HOSTNAME,
}
_AUTHENTICATION: Final = {
    None: pycurl.HTTPAUTH_BASIC,
    "basic": pycurl.HTTPAUTH_BASIC,
    "digest": pycurl.HTTPAUTH_DIGEST,
}
_SUPPRESS_CONNECT_HEADERS: Final = 265  # an option that pycurl has no name for
# Items of ssl_options that libcurl has an option for.
_SSL_OPTIONS: Final = frozenset({"ca_certs", "certfile", "keyfile", "cert_reqs", "ciphers"})
_NOT_IN_INTERFACE: Final = re.compile(r"[^0-9A-Za-z_.:\-]")


class CurlAsyncHTTPClient(AsyncHTTPClient):
    """See `AsyncHTTPClient`; these are the arguments of this implementation.

    Args:
        max_clients: Requests at once; others wait in a queue, hosts taking turns.
        defaults: For attributes that a request leaves None.
        max_body_size: Bytes of a body at most, decompressed, also of one that is streamed; 100
            MiB by default.
        max_header_size: Bytes of a response's head at most, 64 KiB by default.
        max_clients_per_host: Requests to one host at once; None for any number.
        cookies: A `Cookies` to take and send cookies; without one, there are none.
        proxies: Which proxy to use where a request does not say, as for the usual client. The
            environment counts only with ``"environment"``.

    >>> import asyncio
    >>> async def main():
    ...     async with CurlAsyncHTTPClient(force_instance=True) as client:
    ...         try:
    ...             await client.fetch("http://localhost:1/")
    ...         except CurlError as error:
    ...             print(error.code, error.errno == pycurl.E_COULDNT_CONNECT)
    >>> asyncio.run(main())
    599 True
    """

    def initialize(  # type: ignore[override]
        self,
        max_clients: int = 10,
        defaults: dict[str, Any] | None = None,
        max_body_size: int | None = None,
        *,
        max_header_size: int | None = None,
        max_clients_per_host: int | None = None,
        cookies: Cookies | None = None,
        proxies: Proxies | Mapping[str, str] | str | None = None,
    ) -> None:
        """Set the instance up."""
        super().initialize(defaults=defaults)
        self.max_clients = max_clients
        self.max_body_size = 100 * _MIB if max_body_size is None else max_body_size
        limits = Limits(body=self.max_body_size)
        if max_header_size is not None:
            limits = Limits(
                head=max_header_size,
                start_line=min(max_header_size, limits.start_line),
                body=self.max_body_size,
            )
        loop = self.io_loop.asyncio_loop
        self._transport = CurlTransport(
            CurlMulti(loop),
            loop,
            Resolver(),  # for nobody: libcurl has its own
            limits,
            max_clients,
            max_clients_per_host,
            0,
            self.max_body_size,
            cookies,
            Proxies.from_setting(proxies),
        )

    def close(self) -> None:
        """See `AsyncHTTPClient`."""
        if not self._closed:
            super().close()
            self._transport.close()

    def fetch_impl(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], object]
    ) -> CurlFetch:
        """See `AsyncHTTPClient`."""
        fetch = CurlFetch(
            self._transport,
            request,  # type: ignore[arg-type]  # a _RequestProxy; Tornado declares it like this
            callback,
            self.max_body_size,
            getattr(request, "head_callback", None),
        )
        fetch.start()
        return fetch

    def handle_callback_exception(self, callback: Callable[..., object]) -> None:
        """Log the exception that is being handled, and that `callback` raised."""
        app_log.error("Exception in callback %r", callback, exc_info=True)


class CurlTransport(Transport):
    """What all fetches of one client share: `Transport`, and libcurl.

    Args:
        multi: Runs the transfers, and keeps connections.
        *args: For `Transport`.
    """

    def __init__(self, multi: CurlMulti, *args: Any) -> None:
        super().__init__(*args)
        self.multi = multi
        self._free: list[Any] = []
        self._closed = False

    def take_easy(self) -> Any:
        """A ``pycurl.Curl`` with nothing set."""
        return self._free.pop() if self._free else pycurl.Curl()

    def give_back(self, easy: Any) -> None:
        """Keep a ``pycurl.Curl`` for later, with nothing of the request left in it."""
        if self._closed:
            easy.close()
            return
        easy.reset()
        self._free.append(easy)

    def close(self) -> None:
        """Close all connections; what is under way fails."""
        self._closed = True
        super().close()
        self.multi.close()
        for easy in self._free:
            easy.close()
        self._free.clear()


class CurlFetch(Fetch):
    """A `Fetch` whose exchanges are transfers of libcurl."""

    __slots__ = ("_proxy", "_target")

    _transport: CurlTransport

    def _choose_route(self, target: Target) -> Route:
        # Not the whole truth, but all that the rest of a fetch needs: connections are libcurl's.
        self._target = target
        self._proxy = proxy_for(self._request, target, self._transport.proxies)
        return Route(target.scheme, target.host, target.port)

    def _prepare(self) -> Hop:
        return self._prepare_any()  # libcurl writes the head

    def _find_connection(self, now: float) -> None:
        transport = self._transport
        request = self._request
        prepare = request.prepare_curl_callback
        easy = transport.take_easy()
        try:
            _configure(easy, request, self._target, self._proxy)
        except BaseException:
            transport.give_back(easy)
            raise
        connection = CurlConnection(
            transport.multi,
            easy,
            self._target.url,
            prepare,
            # Nobody knows what a callback has done that reset() does not undo (cookies, say).
            transport.give_back if prepare is None else lambda used: used.close(),
            transport.limits,
            self._proxy is not None and self._target.scheme == "https",
        )
        try:
            self._exchange_on(connection, now)  # type: ignore[arg-type]
        except BaseException:
            connection.close()
            raise

    def exchange_finished(self, exchange: Exchange) -> None:
        """See `ExchangeOwner`."""
        times: dict[str, float] = exchange.connection.times  # type: ignore[attr-defined]
        marks = self._marks
        latest = begun = marks["pretransfer"]
        # libcurl leaves some out now and then, and its clock has smaller steps than some loops'.
        now = self._transport.loop.time()
        for name in ("namelookup", "connect", "appconnect", "pretransfer", "starttransfer"):
            if times.get(name):
                latest = min(max(latest, begun + times[name]), now)
                marks[name] = latest
        marks["pretransfer"] = max(marks["pretransfer"], marks.get("connect", 0.0))
        marks["starttransfer"] = max(marks["starttransfer"], marks["pretransfer"])
        # Programs that use curl expect all of them, 0 for a phase that there was not.
        for name in ("queue", "namelookup", "connect", "appconnect", "redirect"):
            marks.setdefault(name, self._started)
        super().exchange_finished(exchange)


def _configure(easy: Any, request: _RequestProxy, target: Target, proxy: Proxy | None) -> None:
    """Everything but the request itself.

    Raises:
        HTTPRequestError: Something that curl cannot do.
    """
    easy.setopt(pycurl.NOSIGNAL, 1)
    easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    easy.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    easy.setopt(pycurl.PATH_AS_IS, 1)
    easy.setopt(pycurl.BUFFERSIZE, 65536)
    easy.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    if request.connect_timeout:
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(1000 * request.connect_timeout)))
    if request.allow_ipv6 is False:
        easy.setopt(pycurl.IPRESOLVE, pycurl.IPRESOLVE_V4)
    if request.network_interface:
        if _NOT_IN_INTERFACE.search(request.network_interface):
            raise HTTPRequestError(f"no network_interface: {request.network_interface!r}")
        easy.setopt(pycurl.INTERFACE, request.network_interface)
    if target.scheme == "https":
        _configure_tls(easy, request)
    _configure_proxy(easy, proxy)


def _configure_tls(easy: Any, request: _RequestProxy) -> None:
    options = request.ssl_options
    if options is None:
        options = {
            "ca_certs": request.ca_certs,
            "certfile": request.client_cert,
            "keyfile": request.client_key,
            "cert_reqs": ssl.CERT_REQUIRED if request.validate_cert else ssl.CERT_NONE,
        }
    if not isinstance(options, dict) or set(options) - _SSL_OPTIONS:
        raise HTTPRequestError(
            f"ssl_options for curl is a dict with {', '.join(sorted(_SSL_OPTIONS))}"
        )
    verify = options.get("cert_reqs", ssl.CERT_REQUIRED) != ssl.CERT_NONE
    easy.setopt(pycurl.SSL_VERIFYPEER, 1 if verify else 0)
    easy.setopt(pycurl.SSL_VERIFYHOST, 2 if verify else 0)
    if options.get("ca_certs"):
        easy.setopt(pycurl.CAINFO, options["ca_certs"])
    else:
        _trust_the_usual(easy, pycurl.CAINFO, pycurl.CAPATH)
    if options.get("certfile"):
        easy.setopt(pycurl.SSLCERT, options["certfile"])
    if options.get("keyfile"):
        easy.setopt(pycurl.SSLKEY, options["keyfile"])
    if options.get("ciphers"):
        easy.setopt(pycurl.SSL_CIPHER_LIST, options["ciphers"])


def _trust_the_usual(easy: Any, file_option: int, path_option: int) -> None:
    # A libcurl out of a wheel was built for another system. Trust what Python trusts.
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        easy.setopt(file_option, paths.cafile)
    if paths.capath is not None:
        easy.setopt(path_option, paths.capath)


def _configure_proxy(easy: Any, proxy: Proxy | None) -> None:
    # Both set in any case: libcurl would look into the environment.
    easy.setopt(pycurl.NOPROXY, "")
    if proxy is None:
        easy.setopt(pycurl.PROXY, "")
        return
    easy.setopt(pycurl.PROXY, f"[{proxy.host}]" if ":" in proxy.host else proxy.host)
    easy.setopt(pycurl.PROXYPORT, proxy.port)
    easy.setopt(pycurl.PROXYTYPE, _PROXY_TYPES[proxy.scheme])
    if proxy.scheme == "https":
        _trust_the_usual(easy, pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH)
    if proxy.username is not None:
        easy.setopt(pycurl.PROXYAUTH, _AUTHENTICATION[proxy.auth_mode])
        easy.setopt(pycurl.PROXYUSERNAME, proxy.username.encode())
        easy.setopt(pycurl.PROXYPASSWORD, (proxy.password or "").encode())
