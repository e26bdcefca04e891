"""One transfer of libcurl in the place of an HTTP/1.1 connection.

`CurlConnection` has the face of `HTTP1ClientConnection` as far as an `Exchange` sees it: requests
come in through ``send_request`` or ``start_request``, ``write`` and ``end``; what arrives goes to
the exchange. So redirects, authentication, cookies, decompression, limits and callbacks are the
same with both. libcurl has the connections, TLS, proxies and HTTP versions. Raises
`HTTPRequestError` for what curl cannot do.

libcurl reads HTTP/1 more laxly than the protocol of this project. So the lines of a head, how it
frames the content, and chunks, which libcurl leaves in, are checked here by the same rules. One
difference is left: over TLS, a server that calls its HTTP/1.1 ``HTTP/2`` is believed.
"""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import pycurl

from zonda.httpclient.connection import ExchangeEvents
from zonda.httpclient.curl_multi import CurlMulti
from zonda.httpclient.curl_upload import Upload
from zonda.httpclient.errors import (
    CurlCertificateError,
    CurlConnectError,
    CurlConnectionRefusedError,
    CurlError,
    CurlProtocolError,
    CurlProxyError,
    CurlResolveError,
    CurlStreamClosedError,
    CurlTimeoutError,
    CurlTLSError,
    HTTPProtocolError,
    HTTPRequestError,
    HTTPStreamClosedError,
    HTTPTooLargeError,
)
from zonda.httputil import HTTPHeaders, HTTPInputError
from zonda.httputil.http1 import (
    InformationalResponse,
    Limits,
    RemoteProtocolError,
    Request,
    Response,
)
from zonda.httputil.http1.chunked import ChunkedReader
from zonda.httputil.http1.framing import own_content_length, response_framing
from zonda.httputil.http1.output import head_bytes, request_line

if TYPE_CHECKING:
    from zonda.httpclient.connection import Buffer

_ERRORS: Final[dict[int, type[CurlError]]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: CurlResolveError,
    pycurl.E_COULDNT_RESOLVE_PROXY: CurlResolveError,
    pycurl.E_COULDNT_CONNECT: CurlConnectError,
    pycurl.E_INTERFACE_FAILED: CurlConnectError,
    pycurl.E_OPERATION_TIMEDOUT: CurlTimeoutError,
    pycurl.E_PARTIAL_FILE: CurlStreamClosedError,
    pycurl.E_GOT_NOTHING: CurlStreamClosedError,
    pycurl.E_SEND_ERROR: CurlStreamClosedError,
    pycurl.E_RECV_ERROR: CurlStreamClosedError,
    pycurl.E_WRITE_ERROR: CurlProtocolError,  # broken chunks; our own are not asked for here
    pycurl.E_HTTP2: CurlProtocolError,
    92: CurlProtocolError,  # CURLE_HTTP2_STREAM
    pycurl.E_FTP_WEIRD_SERVER_REPLY: CurlProtocolError,
    pycurl.E_UNSUPPORTED_PROTOCOL: CurlProtocolError,
    pycurl.E_SSL_CONNECT_ERROR: CurlTLSError,
    pycurl.E_SSL_CERTPROBLEM: CurlTLSError,
    pycurl.E_SSL_CIPHER: CurlTLSError,
    pycurl.E_SSL_CACERT_BADFILE: CurlTLSError,
    pycurl.E_SSL_ENGINE_NOTFOUND: CurlTLSError,
    pycurl.E_SSL_ISSUER_ERROR: CurlTLSError,
    pycurl.E_PEER_FAILED_VERIFICATION: CurlCertificateError,
    97: CurlProxyError,  # CURLE_PROXY
}

# What curl would add by itself, and its caller has decided about.
_ADDED: Final = ("Accept", "Content-Type", "Expect", "User-Agent")

_STATUS_LINE: Final = re.compile(
    r"(HTTP/[0-9](?:\.[0-9])?) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?"
)


class CurlConnection:
    """See the module's text.

    Args:
        multi: What runs the transfer.
        easy: A ``pycurl.Curl`` with everything set that is not part of the request: TLS, proxy,
            time-outs.
        url: What to request.
        prepare: Called with `easy` when all is set.
        release: Called with `easy` when it is free again.
        limits: Of heads, informational responses, and bodies as they come over the connection.
        tunnelled: Whether it goes to a secure server through a proxy.

    Attributes:
        exchanges: 1: it is not used twice.
        touched: Whether something was received.
        times: Seconds from the start to the end of each phase, once it is over.
    """

    exchanges = 1
    reusable = False
    allowed_idle = None

    def __init__(
        self,
        multi: CurlMulti,
        easy: Any,
        url: str,
        prepare: Callable[[Any], object] | None,
        release: Callable[[Any], None],
        limits: Limits,
        tunnelled: bool,
    ) -> None:
        self._multi = multi
        self._easy: Any = easy
        self._url = url
        self._prepare = prepare
        self._release = release
        self._limits = limits
        self._tunnelled = tunnelled
        self._informational = 0
        self._exchange: ExchangeEvents | None = None
        self._failure: Exception | None = None  # why we stopped it
        self.touched = False
        self.times: dict[str, float] = {}
        self._upload: Upload | None = None  # of a body that comes in pieces
        # The response.
        self._head: list[str] = []
        self._head_size = 0
        self._method = ""
        self._response: Response | None = None
        self._trailers: list[str] = []
        self._chunks: ChunkedReader | None = None
        self._rest = b""  # of what was received, for the next look at the chunks
        self._received = 0
        self._waiting: asyncio.Future[Any] | None = None
        self._holding = False  # we have told curl to wait

    # -- life ------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the transfer is under way."""
        return self._easy is not None

    def close(self) -> None:
        """Stop it; the exchange is not told."""
        self._exchange = None
        if self._failure is None:
            self._failure = HTTPStreamClosedError("Connection closed")
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.cancel()
        self._multi.later(self._free)

    def _free(self) -> None:
        easy, self._easy = self._easy, None
        if easy is not None:
            self._multi.remove(easy)
            self._release(easy)
        if self._upload is not None:
            self._upload.abandon()

    # -- sending ---------------------------------------------------------------------------------

    def send_request(
        self, exchange: ExchangeEvents, method: str, target: str, headers: HTTPHeaders, body: bytes
    ) -> None:
        """Begin an exchange with a request that is complete."""
        easy = self._easy
        if body or method in ("POST", "PUT", "PATCH"):
            self._refuse_head(method)
            easy.setopt(pycurl.POST, 1)
            easy.setopt(pycurl.POSTFIELDS, body)
            easy.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
        elif method == "HEAD":
            easy.setopt(pycurl.NOBODY, 1)
        self._start(exchange, method, headers)

    def start_request(self, exchange: ExchangeEvents, request: Request) -> None:
        """Begin an exchange with the head of a request; `write` and `end` bring the body."""
        headers = request.headers
        length = headers.get("Content-Length")
        announced = request.content_length if length is None else own_content_length(length)
        self._refuse_head(request.method)
        self._upload = Upload(announced, lambda: self._multi.later(self._resume))
        self._easy.setopt(pycurl.UPLOAD, 1)
        self._easy.setopt(pycurl.INFILESIZE_LARGE, -1 if announced is None else announced)
        self._easy.setopt(pycurl.READFUNCTION, self._upload.read)
        self._start(exchange, request.method, headers)

    def _refuse_head(self, method: str) -> None:
        if method == "HEAD":
            raise HTTPRequestError("curl sends no body with HEAD")

    def _start(self, exchange: ExchangeEvents, method: str, headers: HTTPHeaders) -> None:
        easy = self._easy
        self._exchange = exchange
        self._method = method
        easy.setopt(pycurl.URL, self._url)
        # Nothing goes to curl that could not go over a connection of ours.
        head_bytes(request_line(method, "/", "HTTP/1.1"), headers.get_all(), "")
        if method != "HEAD":
            easy.setopt(pycurl.CUSTOMREQUEST, method)
        lines = []
        for name, value in headers.get_all():
            if name not in ("Content-Length", "Transfer-Encoding"):  # curl frames the body
                lines.append(f"{name}: {value}" if value else f"{name};")
        lines.extend(f"{name}:" for name in _ADDED if name not in headers)
        easy.setopt(pycurl.HTTPHEADER, [line.encode("latin-1") for line in lines])
        easy.setopt(pycurl.HEADERFUNCTION, self._guarded(self._header_line))
        easy.setopt(pycurl.WRITEFUNCTION, self._guarded(self._body))
        easy.setopt(pycurl.HTTP_TRANSFER_DECODING, 0)
        if self._prepare is not None:
            self._prepare(easy)
        self._multi.add(easy, self._done)

    def write(self, data: Buffer) -> asyncio.Future[None]:
        """Send a piece of the body; the future is done when the next one may follow.

        Raises:
            LocalProtocolError: More than was announced.
            HTTPStreamClosedError: It is over.
        """
        if not self.is_open or self._upload is None:
            raise HTTPStreamClosedError("Connection closed")
        return self._upload.write(data)

    def end(self) -> None:
        """End the body.

        Raises:
            LocalProtocolError: Less than was announced.
        """
        if self._upload is not None:
            self._upload.end()

    def _resume(self) -> None:
        if self._easy is not None:
            self._multi.resume(self._easy)

    # -- receiving -------------------------------------------------------------------------------

    def _guarded(self, function: Callable[[bytes], int | None]) -> Callable[[bytes], int | None]:
        """`function` with its errors kept: pycurl would print them."""

        def call(data: bytes) -> int | None:
            if self._failure is not None or self._exchange is None:
                return -1
            try:
                return function(data)
            except Exception as error:
                self._keep(error)
                return -1

        return call

    def _keep(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error

    def _header_line(self, raw: bytes) -> None:
        self.touched = True
        if not raw.endswith(b"\r\n"):
            raise HTTPProtocolError("bare line end in the head of the response")
        line = raw[:-2].decode("latin-1")
        self._head_size += len(raw)
        if self._head_size > self._limits.head:
            raise HTTPTooLargeError("head of the response is too large", self._limits.head)
        if self._response is not None:
            if line:
                self._trailers.append(line)
            return
        if line:
            if line[0] in " \t" and len(self._head) > 1:  # folded (RFC 9112 §5.2)
                self._head[-1] += " " + line.strip(" \t")
            else:
                self._head.append(line)
            return
        head, self._head = self._head, []
        if not head:
            return
        match = _STATUS_LINE.fullmatch(head[0])
        if match is None:
            raise HTTPProtocolError("malformed status line")
        version, status, reason = match[1], int(match[2]), match[3] or ""
        if len(head) > self._limits.field_count + 1:
            raise HTTPTooLargeError(f"more than {self._limits.field_count} field lines")
        headers = _fields(head[1:])
        exchange = self._exchange
        assert exchange is not None
        if status < 200:
            self._informational += 1
            if self._informational > self._limits.informational:
                raise HTTPProtocolError(
                    f"more than {self._limits.informational} informational responses"
                )
            exchange.informational(InformationalResponse(status, reason, headers, version))
            return
        if version.startswith("HTTP/1."):
            self._check_framing(status, version == "HTTP/1.0", headers)
        elif self._url.startswith("http:") and self._prepare is None:
            raise HTTPProtocolError(f"HTTP version {version[5:]} is not supported")
        self._response = Response(status, reason, headers, version)
        exchange.headers_received(self._response)
        self._check_length(headers, status)

    def _check_framing(self, status: int, http10: bool, headers: HTTPHeaders) -> None:
        codings = headers.get_list("Transfer-Encoding") or None
        lengths = headers.get_list("Content-Length") or None
        try:
            framing = response_framing(self._method, status, http10, codings, lengths)
        except RemoteProtocolError as error:
            raise HTTPProtocolError(error.message) from error
        if framing.chunked:
            self._chunks = ChunkedReader(self._limits)

    def _check_length(self, headers: HTTPHeaders, status: int) -> None:
        length = headers.get("Content-Length", "").partition(",")[0]
        limit = self._limits.body
        if (
            limit is not None
            and self._method != "HEAD"
            and status not in (204, 304)
            and length.isdecimal()
            and int(length[:20]) > limit
        ):
            raise HTTPTooLargeError("body of the response is too large", limit)

    def _body(self, data: bytes) -> int | None:
        if self._waiting is not None:
            self._holding = True
            paused: int = pycurl.WRITEFUNC_PAUSE
            return paused
        if self._chunks is not None:
            data = self._read_chunks(self._chunks, data)
            if not data:
                return None
        self._received += len(data)
        limit = self._limits.body
        if limit is not None and self._received > limit:
            raise HTTPTooLargeError("body of the response is too large", limit)
        assert self._exchange is not None
        waiting = self._exchange.data_received(data)
        if waiting is not None:
            self._wait(waiting)
        return None

    def _read_chunks(self, chunks: ChunkedReader, data: bytes) -> bytes:
        data = self._rest + data
        try:
            content, position = chunks.read(data, 0, self._limits.body)
        except RemoteProtocolError as error:
            kind = HTTPTooLargeError if error.status == 413 else HTTPProtocolError
            raise kind(error.message) from error
        self._rest = data[position:]
        return content

    def _wait(self, waiting: Awaitable[object]) -> None:
        future = asyncio.ensure_future(waiting)
        if future.done():
            future.result()
            return
        self._waiting = future
        future.add_done_callback(self._waited)

    def _waited(self, future: asyncio.Future[Any]) -> None:
        if self._waiting is not future:
            if not future.cancelled():
                future.exception()  # of an exchange that is over
            return
        self._waiting = None
        try:
            future.result()
        except asyncio.CancelledError:
            self._fail(HTTPStreamClosedError("the streaming callback was cancelled"))
            return
        except Exception as error:
            self._fail(error)
            return
        if self._easy is None:
            self._finish()  # it was over while the callback was busy
        elif self._holding:
            self._holding = False
            self._multi.later(self._resume)

    # -- the end ---------------------------------------------------------------------------------

    def _done(self, number: int, text: str) -> None:
        easy = self._easy
        if easy is None:
            return
        self.times = _times(easy)
        error = self._failure
        if error is None and number:
            error = self._error(number, text)
        self._free()
        if error is not None:
            self._fail(error)
        elif self._waiting is None:
            self._finish()

    def _error(self, number: int, text: str) -> CurlError:
        kind = _ERRORS.get(number, CurlError)
        proxy_code = self._easy.getinfo(pycurl.HTTP_CONNECTCODE)
        # What breaks off before there is TLS is the proxy's doing.
        in_tunnel = self._tunnelled and not self._easy.getinfo(pycurl.APPCONNECT_TIME)
        if proxy_code >= 300 or (in_tunnel and issubclass(kind, CurlStreamClosedError)):
            error = CurlProxyError(number, text)
            error.proxy_code = proxy_code or None
            return error
        refused = self._easy.getinfo(pycurl.OS_ERRNO) == errno.ECONNREFUSED
        if kind is CurlConnectError and refused:
            kind = CurlConnectionRefusedError
        return kind(number, text)

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if self._response is None:  # curl does not mind an end within the head
            exchange.failed(HTTPStreamClosedError("Connection closed"))
            return
        try:
            trailers = self._end()
        except HTTPStreamClosedError as error:
            exchange.failed(error)
            return
        exchange.finished(trailers)

    def _end(self) -> HTTPHeaders | None:
        """Check that nothing is missing; the trailers, if there are any."""
        chunks = self._chunks
        if chunks is None:
            return _fields(self._trailers) if self._trailers else None
        if not chunks.done:
            self._read_chunks(chunks, b"")  # it may have found a fault behind some content
            raise HTTPStreamClosedError("Connection closed")
        return chunks.trailers

    def _fail(self, error: Exception) -> None:
        exchange = self._exchange
        self._failure = error
        self.close()
        if exchange is not None:
            exchange.failed(error)


def _fields(lines: list[str]) -> HTTPHeaders:
    headers = HTTPHeaders()
    try:
        for line in lines:
            headers.parse_line(line)
    except HTTPInputError as error:
        raise HTTPProtocolError(str(error)) from error
    return headers


def _times(easy: Any) -> dict[str, float]:
    names = {
        "namelookup": pycurl.NAMELOOKUP_TIME,
        "connect": pycurl.CONNECT_TIME,
        "appconnect": pycurl.APPCONNECT_TIME,
        "pretransfer": pycurl.PRETRANSFER_TIME,
        "starttransfer": pycurl.STARTTRANSFER_TIME,
    }
    return {name: easy.getinfo(number) for name, number in names.items()}
