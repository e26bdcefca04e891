"""What is fetched, and how.

An `HTTPRequest` holds everything that a caller may say about one fetch; None means that the client
decides (`_RequestProxy` looks in its defaults). It is never modified by the client.
"""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zonda.httputil import HTTPHeaders, format_timestamp

if TYPE_CHECKING:
    from zonda.httpclient.retry import Retry

Fields = Mapping[str, str] | Iterable[tuple[str, str]]
"""What header fields may be given as: a mapping, or pairs of name and value."""
Write = Callable[[bytes], "Awaitable[None]"]
"""What a `BodyProducer` gets: sends a piece; its result is to be awaited."""
BodyProducer = Callable[[Write], "Awaitable[None] | None"]
"""Makes a body: called with a `Write`; the body ends when what it returns is done."""
StreamingCallback = Callable[[bytes], "Awaitable[None] | None"]
"""Takes a piece of a body; if it returns an awaitable, the next piece waits for that."""


class HTTPRequest:
    """A request.

    Args:
        url: What to fetch: ``http`` or ``https``, with a host.
        method: Method; the standard ones only, unless ``allow_nonstandard_methods``.
        headers: Further fields, or other values for those that the client would add.
        body: The content; str is encoded as UTF-8.
        auth_username: User for HTTP authentication.
        auth_password: Their password.
        auth_mode: ``"basic"`` (the default) or ``"digest"``.
        connect_timeout: Seconds to wait for a connection, 20 by default, 0 for ever. Waiting for
            a free connection and opening one are limited to as much each.
        request_timeout: Seconds for the whole fetch, the wait for a connection and redirects
            included, 20 by default, 0 for ever.
        if_modified_since: For the field ``If-Modified-Since``: a datetime, or seconds since the
            epoch.
        follow_redirects: Whether to go where 3xx responses point; True by default.
        max_redirects: How often, 5 by default; one redirect more is the response.
        user_agent: For the field ``User-Agent``.
        use_gzip: Old name of ``decompress_response``.
        network_interface: Local address to connect from (with curl also an interface's name).
        streaming_callback: Called with each piece of the body, which is not in the response then.
            If it returns an awaitable (or is a coroutine), the next piece waits for that.
        header_callback: Called with the status line, each field line and the empty line behind
            them, line ends included.
        prepare_curl_callback: Called with the ``pycurl.Curl`` object, by the curl client only.
        proxy_host: Proxy to use, with ``proxy_port``: a name or address, with ``socks5://`` or
            ``socks5h://`` in front for such a one. Empty for none, whatever the client is told.
        proxy_port: Its TCP port; to be given with ``proxy_host``.
        proxy_username: User for the proxy; None or empty for nobody.
        proxy_password: Their password; empty by default.
        proxy_auth_mode: ``"basic"`` (the default) or ``"digest"``.
        allow_nonstandard_methods: Allow any method, and any combination of method and body.
        validate_cert: Whether to verify the server's certificate and name; True by default.
        ca_certs: File of the authorities to trust, in place of the system's.
        allow_ipv6: Whether to use IPv6; True by default.
        client_key: File of the key for ``client_cert``.
        client_cert: File of the certificate to show to the server.
        body_producer: For a body that is not in memory: called with a function ``write(bytes)``
            whose result is to be awaited; the body ends when what it returns is done. It is sent
            in chunks unless the headers have a ``Content-Length``. It is called again if the
            request has to be sent again (redirects 307 and 308, authentication, ``retry``);
            if it cannot be, it has an attribute ``repeatable`` that is false.
        expect_100_continue: Send the body only when the server has agreed to take it (RFC 9110
            section 10.1.1).
        decompress_response: Ask for a compressed body and decompress it; True by default.
        ssl_options: An ``ssl.SSLContext`` or a dict (see ``ssl_options_to_context``), in place of
            ``validate_cert``, ``ca_certs``, ``client_key`` and ``client_cert``.
        retry: A `Retry`: when to try again; never by default.

    Attributes:
        start_time: When the object was made, in seconds since the epoch.

    The arguments are attributes too.

    >>> request = HTTPRequest("http://example.com/", "POST", body="caf\\u00e9")
    >>> request.body
    b'caf\\xc3\\xa9'
    """

    _DEFAULTS: ClassVar[dict[str, Any]] = {
        "connect_timeout": 20.0,
        "request_timeout": 20.0,
        "follow_redirects": True,
        "max_redirects": 5,
        "decompress_response": True,
        "proxy_password": "",
        "allow_nonstandard_methods": False,
        "validate_cert": True,
    }

    # Here, and not in each object, for what few requests have: beyond thirty attributes an object
    # costs several times as much.
    proxy_port: int | None = None
    proxy_username: str | None = None
    proxy_password: str | None = None
    proxy_auth_mode: str | None = None
    prepare_curl_callback: Callable[[Any], None] | None = None
    retry: Retry | None = None
    _headers: Fields | None

    def __init__(
        self,
        url: str,
        method: str = "GET",
        headers: Fields | None = None,
        body: bytes | str | None = None,
        auth_username: str | None = None,
        auth_password: str | None = None,
        auth_mode: str | None = None,
        connect_timeout: float | None = None,
        request_timeout: float | None = None,
        if_modified_since: float | datetime.datetime | None = None,
        follow_redirects: bool | None = None,
        max_redirects: int | None = None,
        user_agent: str | None = None,
        use_gzip: bool | None = None,
        network_interface: str | None = None,
        streaming_callback: StreamingCallback | None = None,
        header_callback: Callable[[str], None] | None = None,
        prepare_curl_callback: Callable[[Any], None] | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        proxy_username: str | None = None,
        proxy_password: str | None = None,
        proxy_auth_mode: str | None = None,
        allow_nonstandard_methods: bool | None = None,
        validate_cert: bool | None = None,
        ca_certs: str | None = None,
        allow_ipv6: bool | None = None,
        client_key: str | None = None,
        client_cert: str | None = None,
        body_producer: BodyProducer | None = None,
        expect_100_continue: bool = False,
        decompress_response: bool | None = None,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        *,
        retry: Retry | None = None,
    ) -> None:
        self._headers = headers
        if if_modified_since is not None:
            fields = self._headers = HTTPHeaders(() if headers is None else headers)
            fields["If-Modified-Since"] = format_timestamp(if_modified_since)
        self.proxy_host = proxy_host
        if proxy_port is not None:
            self.proxy_port = proxy_port
        if proxy_username is not None:
            self.proxy_username = proxy_username
        if proxy_password is not None:
            self.proxy_password = proxy_password
        if proxy_auth_mode is not None:
            self.proxy_auth_mode = proxy_auth_mode
        self.url = url
        self.method = method
        self._body: bytes | None = None
        if body is not None:
            self.body = body
        self.body_producer = body_producer
        self.auth_username = auth_username
        self.auth_password = auth_password
        self.auth_mode = auth_mode
        self.connect_timeout = connect_timeout
        self.request_timeout = request_timeout
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.user_agent = user_agent
        self.decompress_response = use_gzip if decompress_response is None else decompress_response
        self.network_interface = network_interface
        self.streaming_callback = streaming_callback
        self.header_callback = header_callback
        if prepare_curl_callback is not None:
            self.prepare_curl_callback = prepare_curl_callback
        self.allow_nonstandard_methods = allow_nonstandard_methods
        self.validate_cert = validate_cert
        self.ca_certs = ca_certs
        self.allow_ipv6 = allow_ipv6
        self.client_key = client_key
        self.client_cert = client_cert
        self.ssl_options = ssl_options
        self.expect_100_continue = expect_100_continue
        if retry is not None:
            self.retry = retry
        self.start_time = time.time()

    @property
    def headers(self) -> Any:
        """The request's fields: what was given, an empty `HTTPHeaders` if that was None."""
        # What was given, not a copy: programs keep the dict and add to it later.
        headers = self._headers
        if headers is None:
            headers = self._headers = HTTPHeaders()
        return headers

    @headers.setter
    def headers(self, value: Fields | None) -> None:
        self._headers = value

    @property
    def body(self) -> bytes | None:
        """The content; str is encoded when it is set."""
        return self._body

    @body.setter
    def body(self, value: bytes | str | None) -> None:
        if isinstance(value, str):
            value = value.encode("utf-8")
        elif not (value is None or isinstance(value, bytes | bytearray | memoryview)):
            raise TypeError(f"a body is bytes or str, not {type(value).__name__}")
        self._body = value if value is None else bytes(value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url!r}>"


class _RequestProxy:
    """A request together with its client's defaults: an attribute that is None is looked up there.

    This is what ``fetch_impl`` gets.

    >>> request = HTTPRequest("http://example.com/", request_timeout=3)
    >>> proxy = _RequestProxy(request, {"connect_timeout": 1, "request_timeout": 1})
    >>> proxy.connect_timeout, proxy.request_timeout, proxy.max_redirects
    (1, 3, None)
    """

    #: See `ResponseStream`, which has such a request; others have no use for it.
    head_callback: Callable[[Any], None] | None = None

    def __init__(self, request: HTTPRequest, defaults: dict[str, Any] | None) -> None:
        self.request = request
        self.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        if name == "request":  # a copy that has nothing yet
            raise AttributeError(name)
        value = getattr(self.request, name)
        if value is None and self.defaults is not None:
            return self.defaults.get(name)
        return value
