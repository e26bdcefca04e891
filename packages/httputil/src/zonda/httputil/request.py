"""`HTTPServerRequest`: one request as handlers see it.

In: the start line, headers and body that a protocol delivered, and the connection they came from.
Out: plain attributes, and others (path, query, arguments, cookies, files and so on) that are worked
out when first asked for. Raises `HTTPInputError`: at construction for a Host that is missing,
repeated or invalid and for a query with too many fields; at the first access for a form that cannot
be parsed.
"""

import time
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from zonda.httputil.cookies import cookie_jar
from zonda.httputil.delegates import HTTPConnection
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.form_config import ParseBodyConfig, get_parse_body_config
from zonda.httputil.forms import FORM_TYPE, parse_body_arguments, parse_urlencoded
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.shared_fields import SharedFields
from zonda.httputil.startline import RequestStartLine
from zonda.httputil.urls import parse_authority, split_host_and_port

if TYPE_CHECKING:
    from asyncio import Future

_T = TypeVar("_T")


class _Lazy(Generic[_T]):
    """An attribute worked out at the first access, and an ordinary one from then on.

    Unlike `functools.cached_property` it stores through setattr: writing to ``__dict__`` would make
    the instance build that dict, which costs more than most of these attributes.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, request: None, owner: type) -> "_Lazy[_T]": ...
    @overload
    def __get__(self, request: object, owner: type) -> _T: ...
    def __get__(self, request: object | None, owner: type) -> "_Lazy[_T] | _T":
        if request is None:
            return self
        value = self.compute(request)
        setattr(request, self.name, value)
        return value

    if TYPE_CHECKING:

        def __set__(self, request: object, value: _T) -> None: ...


class HTTPServerRequest:
    """One HTTP request. All attributes can be set, and others added.

    Args:
        method: Deprecated like `uri`, `version` and `host`: pass `start_line` and a Host header.
        uri: The request target as on the wire.
        version: ``HTTP/1.0`` or ``HTTP/1.1``.
        headers: The header fields; a mapping that is no `HTTPHeaders` is copied into one. The Host
            of headers that are still an unread validated block (`HTTPHeaders.from_block`) is
            checked when `host` is first asked for: the protocol that validated the block has
            checked it.
        body: The body; empty while it is being streamed. One that is given here is not parsed, as
            in Tornado: who makes a request by hand fills `body_arguments` and `files` too, with
            `parse_body_arguments`.
        host: Overrides what the Host header says.
        files: Uploaded files, when somebody else has parsed the body.
        connection: The `HTTPConnection` to answer on. If it has a `context`, that one's `remote_ip`
            and `protocol` become the request's.
        start_line: Method, target and version.
        server_connection: Opaque object that stands for the connection the request came on.
        parse_config: Limits for the query and for form bodies, None for those of
            `set_parse_body_config`.

    Attributes:
        remote_ip: Address of the client, None if unknown.
        protocol: ``http`` or ``https``.

    Raises:
        HTTPInputError: The Host is missing (except in HTTP/1.0), repeated or invalid, or the query
            has more fields than allowed.

    >>> request = HTTPServerRequest(
    ...     start_line=RequestStartLine("GET", "/search?q=zonda", "HTTP/1.1"),
    ...     headers=HTTPHeaders({"Host": "example.com:8080", "Cookie": "a=1"}),
    ... )
    >>> request.path, request.arguments, request.cookies["a"].value, request.host_name
    ('/search', {'q': [b'zonda']}, '1', 'example.com')
    """

    method: str
    uri: str
    version: str
    headers: HTTPHeaders
    body: bytes
    connection: HTTPConnection | None
    server_connection: object
    _body_future: "Future[None]"
    _cookies: SimpleCookie

    # Most requests keep these: a default on the class costs nothing per request.
    remote_ip: str | None = None
    protocol: str = "http"
    parse_config: ParseBodyConfig | None = None
    _finish_time: float | None = None
    _form_parsed = False

    def __init__(
        self,
        method: str | None = None,
        uri: str | None = None,
        version: str = "HTTP/1.0",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        host: str | None = None,
        files: dict[str, list[HTTPFile]] | None = None,
        connection: HTTPConnection | None = None,
        start_line: RequestStartLine | None = None,
        server_connection: object | None = None,
        *,
        parse_config: ParseBodyConfig | None = None,
    ) -> None:
        if start_line is not None:
            self.method, uri, self.version = start_line
            self.uri = uri
        else:
            self.method = method or "GET"
            self.uri = uri = uri or "/"
            self.version = version
        if headers.__class__ is not HTTPHeaders and not isinstance(headers, HTTPHeaders):
            headers = HTTPHeaders(headers or ())
        self.headers = headers
        self.body = body or b""  # None, too
        self.connection = connection
        self.server_connection = server_connection
        self._start_time = time.time()
        if connection is not None:
            # Copied now: the connection's context changes from request to request behind a proxy.
            context = getattr(connection, "context", None)
            if context is not None:
                self.remote_ip = getattr(context, "remote_ip", None)
                self.protocol = getattr(context, "protocol", "http")
        if host is not None:
            self.host = host
        elif headers._block is None:
            self.host  # noqa: B018 - the first access checks it
        if files is not None:
            self.files = files
        if body:  # its maker's to parse, into these
            self.body_arguments = {}
            if files is None:
                self.files = {}
        if parse_config is not None:
            self.parse_config = parse_config
        if "?" in uri:
            self._bound_query(uri, parse_config or get_parse_body_config())
        elif uri[:1] == "/":
            self.path = uri  # as the lazy one would find out, in ten times as long

    @staticmethod
    def _received(
        start_line: RequestStartLine,
        headers: HTTPHeaders,
        connection: HTTPConnection,
        server_connection: object,
    ) -> "HTTPServerRequest":
        # What the constructor makes of a head that a protocol has validated, for routers: without
        # a look at arguments that are never there. The Host is checked already.
        self = _new_request(HTTPServerRequest)
        self.method, uri, self.version = start_line
        self.uri = uri
        self.headers = headers
        self.body = b""
        self.connection = connection
        self.server_connection = server_connection
        self._start_time = _time()
        context = connection.context
        if context is not None:
            self.remote_ip = context.remote_ip
            self.protocol = context.protocol
        # As the lazy ones would find out, in ten times as long.
        if uri[0] == "/":
            self.path, mark, self.query = uri.partition("?")
            if mark:
                self._bound_query(uri, get_parse_body_config())
        elif "?" in uri:
            self._bound_query(uri, get_parse_body_config())
        return self

    def _bound_query(self, uri: str, config: ParseBodyConfig) -> None:
        if uri.count("&") >= config.urlencoded.max_arguments:
            self.query_arguments  # noqa: B018 - too many fields, unless most are in the path

    @_Lazy
    def host(self) -> str:
        """The authority the request is for: of an absolute target, else the Host header.

        ``127.0.0.1`` for a request of HTTP/1.0 that names none.
        """
        authority, _ = _split_target(self.uri)
        if authority is not None:
            parse_authority(authority)
            return authority
        values = self.headers.get_list("Host")
        if len(values) > 1:
            raise HTTPInputError("more than one Host header")
        if values and (values[0] or self.version != "HTTP/1.0"):
            parse_authority(values[0])
            return values[0]
        if self.version != "HTTP/1.0":
            raise HTTPInputError("no Host header")
        return "127.0.0.1"

    @_Lazy
    def host_name(self) -> str:
        """`host` without the port, in lower case."""
        return split_host_and_port(self.host.lower())[0].removesuffix(":")

    @_Lazy
    def path(self) -> str:
        """The target up to the query, still percent-encoded."""
        uri = self.uri
        if uri[:1] != "/":
            _, uri = _split_target(uri)
        return uri.partition("?")[0]

    @_Lazy
    def query(self) -> str:
        """The target behind the first question mark."""
        return self.uri.partition("?")[2]

    @_Lazy
    def query_arguments(self) -> dict[str, list[bytes]]:
        """Fields of the query: text names to their values, percent-decoded bytes.

        Raises:
            HTTPInputError: More fields than `parse_config` allows.
        """
        query = self.query
        if not query:
            return {}
        config = self.parse_config or get_parse_body_config()
        return parse_urlencoded(query, config.urlencoded)

    @_Lazy
    def body_arguments(self) -> dict[str, list[bytes]]:
        """Fields of a form in the body, as in `query_arguments`.

        Raises:
            HTTPInputError: The body is a form, and malformed or over a limit.
        """
        if not self.body:
            return {}
        self._parse_body()
        arguments: dict[str, list[bytes]] = vars(self).get("body_arguments", {})
        return arguments

    @_Lazy
    def files(self) -> dict[str, list[HTTPFile]]:
        """Uploaded files of a form in the body, by field name.

        Raises:
            HTTPInputError: The body is a form, and malformed or over a limit.
        """
        self._parse_body()
        files: dict[str, list[HTTPFile]] = vars(self).get("files", {})
        return files

    @_Lazy
    def arguments(self) -> dict[str, list[bytes]]:
        """`query_arguments` and `body_arguments` in one; the lists are its own.

        Raises:
            HTTPInputError: As with these two.
        """
        arguments = {}
        for name, values in self.query_arguments.items():
            arguments[name] = values.copy()
        if self.body:  # spares most requests a lazy attribute
            _extend(arguments, self.body_arguments)
        return arguments

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies as morsels. What is not a valid cookie is left out."""
        try:
            return self._cookies
        except AttributeError:
            # One field, says RFC 6265; several, says RFC 9113, and gateways pass them on.
            self._cookies = cookie_jar("; ".join(self.headers.get_list("Cookie")))
            return self._cookies

    @cookies.setter
    def cookies(self, cookies: SimpleCookie) -> None:
        self._cookies = cookies

    def full_url(self) -> str:
        """The URL of the request, put together from `protocol`, `host` and the target."""
        target = _split_target(self.uri)[1]
        return f"{self.protocol}://{self.host}{target}"

    def request_time(self) -> float:
        """Seconds the request has taken, up to now or to its end."""
        end = self._finish_time
        return (time.time() if end is None else end) - self._start_time

    def get_ssl_certificate(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The client's TLS certificate, None if there is none.

        Args:
            binary_form: DER bytes instead of the dict of `ssl.SSLSocket.getpeercert`.
        """
        # Looked up by name: what a connection's stream and socket are is none of this package's
        # business.
        stream = getattr(self.connection, "stream", None)
        getpeercert = getattr(getattr(stream, "socket", None), "getpeercert", None)
        if getpeercert is None:
            return None
        try:
            certificate: dict[str, Any] | bytes | None = getpeercert(binary_form=binary_form)
        except (OSError, ValueError):  # ssl.SSLError is an OSError; ValueError: no handshake yet
            return None
        return certificate

    def _parse_body(self) -> None:
        # For the server, once the body is complete, so that a malformed form is answered before a
        # handler runs. Cheap when there is no form.
        if self._form_parsed or not self.body:
            return
        block = getattr(self.headers, "_block", None)
        if type(block) is SharedFields and block.no_form:
            self._form_parsed = True  # as was found out the last time
            return
        content_type = self.headers.get("Content-Type")
        if content_type is None or FORM_TYPE.match(content_type) is None:
            self._form_parsed = True
            if type(block) is SharedFields:
                block.no_form = True
            return
        arguments: dict[str, list[bytes]] = {}
        files: dict[str, list[HTTPFile]] = {}
        parse_body_arguments(
            content_type, self.body, arguments, files, self.headers, config=self.parse_config
        )
        self._form_parsed = True
        known = vars(self)
        if arguments:
            _extend(known.setdefault("body_arguments", {}), arguments)
            if "arguments" in known:
                _extend(known["arguments"], arguments)
        if files:
            _extend(known.setdefault("files", {}), files)

    def __repr__(self) -> str:
        names = ("protocol", "host", "method", "uri", "version", "remote_ip")
        arguments = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{type(self).__name__}({arguments})"


_new_request = HTTPServerRequest.__new__
_time = time.time


def _split_target(uri: str) -> tuple[str | None, str]:
    """Authority, None but in absolute-form, and the rest of a request target (RFC 9112 §3.2)."""
    if uri[:1] == "/":
        return None, uri
    scheme, separator, rest = uri.partition("://")
    if not separator or not scheme.isalnum():
        return None, uri  # "*", or the host and port of CONNECT
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    target = rest[end:]
    return rest[:end], target if target[:1] == "/" else "/" + target


def _extend(into: dict[str, list[_T]], more: dict[str, list[_T]]) -> None:
    for name, values in more.items():
        into.setdefault(name, []).extend(values)
