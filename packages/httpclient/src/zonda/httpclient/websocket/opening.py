"""The opening handshake of a client: a request in, a stream that speaks WebSocket out.

Connecting, proxies, TLS and the fields of the request are those of any fetch. An answer other than
101 is an `HTTPClientError` with the response, its body included; nothing is followed. Raises that,
its kinds, and `HandshakeError` for a 101 that does not fit.
"""

from __future__ import annotations

import asyncio
import copy
from io import BytesIO
from typing import TYPE_CHECKING

from zonda.httpclient.accounts import user_of
from zonda.httpclient.connecting import open_stream
from zonda.httpclient.errors import (
    HTTPClientError,
    HTTPProtocolError,
    HTTPRequestError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTooLargeError,
)
from zonda.httpclient.fields import outgoing
from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.response import HTTPResponse
from zonda.httputil import HTTPHeaders
from zonda.httputil.credentials import format_basic
from zonda.httputil.http1 import (
    ClientConnection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    RemoteProtocolError,
    Response,
    Signal,
)
from zonda.httputil.websocket import Agreement, ClientHandshake, DeflateOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zonda.iostream import IOStream
    from zonda.iostream.netutil import Resolver

# Most of the body of a refusal that is kept.
_MAX_BODY = 1024 * 1024

_SCHEMES = {"ws": "http", "wss": "https"}


async def open_websocket(
    request: HTTPRequest,
    subprotocols: Sequence[str] | None,
    deflate: DeflateOptions | None,
    resolver: Resolver | None,
) -> tuple[IOStream, HTTPHeaders, InformationalResponse, Agreement]:
    """Connect, and shake hands.

    Args:
        request: Its URL has the scheme ``ws`` or ``wss``, its method is GET.
        subprotocols: What to offer; None for what the request's own fields offer.
        deflate: Compression to offer.
        resolver: For the host's name.

    Returns:
        The stream, on which the first byte read is the server's first frame; the fields that were
        sent; the response; what was agreed on.
    """
    scheme, colon, rest = request.url.partition("://")
    if not colon or scheme.lower() not in _SCHEMES:
        raise HTTPRequestError(f"the URL of a WebSocket begins with ws:// or wss://: {request.url}")
    if request.method != "GET":
        raise HTTPRequestError(f"a WebSocket handshake is a GET, not {request.method}")
    headers = HTTPHeaders(request.headers)
    if subprotocols is None:
        lines = headers.get_list("Sec-WebSocket-Protocol")
        subprotocols = [name.strip() for line in lines for name in line.split(",") if name.strip()]
    handshake = ClientHandshake(subprotocols, deflate)
    for name, value in handshake.headers().get_all():
        headers[name] = value
    wire = copy.copy(request)
    wire.url = f"{_SCHEMES[scheme.lower()]}://{rest}"
    wire.headers = headers
    wire.decompress_response = False
    proxy = _RequestProxy(wire, HTTPRequest._DEFAULTS)
    stream, target, _ = await open_stream(proxy, resolver=resolver)
    try:
        stream.set_nodelay(True)
        user = user_of(wire.url, request.auth_username, request.auth_password)
        authorization = None if user is None else format_basic(*user)
        out = outgoing(proxy, target, target.path, authorization, None)
        opening = _Opening(stream)
        try:
            async with asyncio.timeout(proxy.request_timeout or None):
                answer, body = await opening.ask(target.path, out.headers)
        except TimeoutError as error:
            raise HTTPTimeoutError("Timeout during request", "request") from error
        if isinstance(answer, Response):
            _refused(request, answer, body)
        agreement = handshake.read_response(101, answer.headers)
        stream.set_sink(None)
        stream.unread(body)
    except BaseException:
        stream.close()
        raise
    return stream, out.headers, answer, agreement


def _refused(request: HTTPRequest, answer: Response, body: bytes) -> None:
    response = HTTPResponse(
        request, answer.status, answer.headers, BytesIO(body), reason=answer.reason
    )
    error = HTTPClientError(answer.status, answer.reason, response)
    response.error = error
    raise error


class _Opening:
    """The one HTTP exchange, as the stream's sink."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._protocol = ClientConnection()
        self._answer: asyncio.Future[tuple[InformationalResponse, bytes]] = (
            asyncio.get_running_loop().create_future()
        )
        self._refusal: Response | None = None
        self._body = bytearray()

    async def ask(self, target: str, headers: HTTPHeaders) -> tuple[InformationalResponse, bytes]:
        """Send the request; return the answer with its body, or what follows behind a 101."""
        buffers = self._protocol.send_request("GET", target, headers)
        self._stream.set_sink(self)
        self._stream.send_buffers(buffers)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        if self._answer.done():
            self._body += data  # behind a 101, read before anybody could take over
            return
        self._protocol.receive_data(data)
        self._pump()

    def eof_received(self) -> None:
        if not self._answer.done():
            self._protocol.receive_data(b"")
            self._pump()
        if not self._answer.done():
            self.connection_lost(None)

    def connection_lost(self, error: BaseException | None) -> None:
        if not self._answer.done():
            closed = HTTPStreamClosedError("the server closed the connection", error)
            self._answer.set_exception(closed)

    def pause_writing(self) -> None:
        pass  # there is one request, and it is small

    def resume_writing(self) -> None:
        pass

    def _pump(self) -> None:
        try:
            while not self._answer.done():
                event = self._protocol.next_event()
                if isinstance(event, Signal | ConnectionClosed):
                    return
                self._take(event)
        except RemoteProtocolError as error:
            failure = HTTPProtocolError(str(error))
            failure.__cause__ = error
            self._answer.set_exception(failure)

    def _take(self, event: InformationalResponse | Data | EndOfMessage) -> None:
        if isinstance(event, Response):
            self._refusal = event
        elif isinstance(event, Data):
            self._body += event.data
            if len(self._body) > _MAX_BODY:
                self._answer.set_exception(HTTPTooLargeError("the refusal is too long"))
        elif isinstance(event, EndOfMessage):
            assert self._refusal is not None
            self._answer.set_result((self._refusal, bytes(self._body)))
        elif event.status == 101:
            self._stream.pause_reading()
            self._answer.set_result((event, self._protocol.trailing_data))
