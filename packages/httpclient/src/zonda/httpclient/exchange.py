"""One request and its response, on one connection.

In: a request whose head is decided (`Outgoing`) and what a connection reports. Out: the body, in
memory or piece by piece to the request's callbacks, decompressed and within its limit; then a call
of the owner, ``exchange_finished`` or ``exchange_failed``, once. What the callbacks of the request
raise ends the exchange and is what it failed with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from zonda.httpclient.errors import HTTPDecodeError, HTTPRequestError, HTTPTooLargeError
from zonda.httputil import HTTPHeaders
from zonda.httputil.decompression import Decompressor, decoder_for
from zonda.httputil.errors import BadCompressedData, OutputTooLarge
from zonda.httputil.http1 import InformationalResponse, LocalProtocolError, Request, Response
from zonda.ioloop.gen import convert_yielded

if TYPE_CHECKING:
    from zonda.httpclient.connection import HTTP1ClientConnection
    from zonda.httpclient.request import BodyProducer, StreamingCallback

CONTINUE_TIMEOUT = 1.0
"""Seconds to wait for ``100 Continue``, after which the body is sent anyway (RFC 9110 §10.1.1)."""

# Decompressed bytes handed on at once.
_CHUNK = 64 * 1024
# Bytes of the body of a redirect, say, that are read to keep its connection.
_DROP = 64 * 1024


class Outgoing(NamedTuple):
    """A request as it goes out.

    Attributes:
        method: Its method.
        target: The target of the request line.
        headers: All fields; only those that frame the body are added later.
        body: The content, if it is in memory.
        body_producer: What makes it, if not.
        expect_continue: Whether the headers say ``Expect: 100-continue``.
        head: The whole head in place of ``headers``, of a request without a body.
    """

    method: str
    target: str
    headers: HTTPHeaders
    body: bytes | None
    body_producer: BodyProducer | None
    expect_continue: bool
    head: bytes | None = None


class ExchangeOwner(Protocol):
    """Who wants the exchange, and what it wants.

    Attributes:
        streaming_callback: Takes the body.
        header_callback: Takes the lines of the head.
        head_callback: Takes the head of the final response at once, as an object.
        decompress: Whether to undo its Content-Encoding.
        max_body_size: Decompressed bytes at most.
    """

    streaming_callback: StreamingCallback | None
    header_callback: Callable[[str], None] | None
    head_callback: Callable[[Response], None] | None
    decompress: bool
    max_body_size: int | None

    def is_final(self, response: Response) -> bool:
        """Whether this is the response that the caller gets (not a redirect, say)."""

    def exchange_finished(self, exchange: Exchange) -> None:
        """It is over; ``response``, ``body`` and ``trailers`` are there."""

    def exchange_failed(self, exchange: Exchange, error: Exception) -> None:
        """It is over without a response; the connection is closed."""


class Exchange:
    """See the module's text.

    Attributes:
        connection: The connection that it runs on.
        response: The head of the response, None before it has arrived.
        collects: Whether the body is collected: nothing has to be waited for.
        trailers: Trailer fields of a chunked body; None without any.
        consumed: The Content-Encoding that was undone, None if none was.
    """

    __slots__ = (
        "_chunks",
        "_continue_timer",
        "_decoder",
        "_dropped",
        "_outgoing",
        "_owner",
        "_producer",
        "_streaming",
        "collects",
        "connection",
        "consumed",
        "response",
        "trailers",
    )

    def __init__(
        self,
        owner: ExchangeOwner,
        connection: HTTP1ClientConnection,
        outgoing: Outgoing,
    ) -> None:
        self._owner = owner
        self.connection = connection
        self._outgoing = outgoing
        self.collects = owner.streaming_callback is None
        self.response: Response | None = None
        self.trailers: HTTPHeaders | None = None
        self.consumed: str | None = None
        self._chunks: list[bytes] | None = None
        self._streaming: StreamingCallback | None = None
        self._decoder: Decompressor | None = None
        self._dropped: int | None = None  # bytes of a body that nobody wants
        self._producer: asyncio.Task[None] | None = None
        self._continue_timer: asyncio.TimerHandle | None = None

    @property
    def body(self) -> bytes:
        """What was collected of the body."""
        chunks = self._chunks
        if not chunks:
            return b""
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    # -- the request -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Send the request, or its head and then the rest.

        Raises:
            HTTPRequestError: It is not valid; nothing was sent.
        """
        try:
            self._begin()
        except LocalProtocolError as error:
            raise HTTPRequestError(str(error)) from error

    def _begin(self) -> None:
        method, target, headers, body, producer, expect_continue, head = self._outgoing
        if head is not None:
            self.connection.send_known(self, method, head)
            return
        if producer is None and not (expect_continue and body):
            self.connection.send_request(self, method, target, headers, body or b"")
            return
        length = None if producer is not None else len(body or b"")
        self.connection.start_request(self, Request(method, target, headers, content_length=length))
        if expect_continue:
            self._continue_timer = asyncio.get_running_loop().call_later(
                CONTINUE_TIMEOUT, self._send_body
            )
        else:
            self._send_body()

    def _send_body(self) -> None:
        self._stop_continue_timer()
        if self._outgoing.body_producer is not None:
            self._producer = asyncio.ensure_future(self._produce(self._outgoing.body_producer))
        else:
            self.connection.write(self._outgoing.body or b"")
            self.connection.end()

    async def _produce(self, producer: BodyProducer) -> None:
        try:
            made = producer(self.connection.write)
            if made is not None:
                await _waitable(made)
            if self._producer is not None:
                self.connection.end()
                self._producer = None
        except Exception as error:
            # A closed connection has its own reason, and perhaps a response that came before.
            if self._producer is not None and self.connection.is_open:
                self._producer = None
                self.connection.close()
                self.failed(error)

    def _stop_continue_timer(self) -> None:
        timer, self._continue_timer = self._continue_timer, None
        if timer is not None:
            timer.cancel()

    def abandon(self) -> None:
        """Drop the exchange and its connection; nobody is told."""
        self._stop_sending()
        self.connection.close()

    def _stop_sending(self) -> None:
        self._stop_continue_timer()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.cancel()

    # -- what the connection says ----------------------------------------------------------------

    def informational(self, response: InformationalResponse) -> None:
        """See `ExchangeEvents`."""
        if response.status == 101:
            raise LocalProtocolError("a fetch cannot switch protocols")
        if self._owner.header_callback is not None:
            _tell_headers(self._owner.header_callback, response)
        if response.status == 100 and self._continue_timer is not None:
            self._send_body()

    def headers_received(self, response: Response) -> None:
        """See `ExchangeEvents`."""
        self.response = response
        if self._continue_timer is not None:
            self._stop_continue_timer()  # it does not want the body
        owner = self._owner
        if owner.is_final(response):
            if owner.header_callback is not None:
                _tell_headers(owner.header_callback, response)
            self._streaming = owner.streaming_callback
        else:
            self._dropped = 0
            return
        if owner.decompress:
            coding = response.headers.get("Content-Encoding")
            if coding is not None:
                self._decompress(response, coding)
        if owner.head_callback is not None:
            owner.head_callback(response)
        if self._streaming is None:
            self._chunks = []

    def _decompress(self, response: Response, coding: str) -> None:
        try:
            decoder = decoder_for(coding, self._owner.max_body_size)
        except BadCompressedData as error:
            raise HTTPDecodeError(str(error)) from error
        if decoder is None:
            return  # as it is: the caller may know what we do not
        if self._outgoing.method != "HEAD" and response.status not in (204, 304):
            self._decoder = decoder
        del response.headers["Content-Encoding"]
        response.headers["X-Consumed-Content-Encoding"] = coding
        self.consumed = coding

    def data_received(self, data: bytes) -> Awaitable[object] | None:
        """See `ExchangeEvents`."""
        if self._dropped is not None:
            self._dropped += len(data)
            if self._dropped > _DROP:
                self.connection.close()
                self.finished(None)
            return None
        if self._decoder is not None:
            return self._decode(self._decoder, data)
        if self._streaming is not None:
            waiting = self._streaming(data)
            return waiting if waiting is None else _waitable(waiting)
        assert self._chunks is not None
        self._chunks.append(data)
        return None

    def _decode(self, decoder: Decompressor, data: bytes) -> Awaitable[object] | None:
        try:
            while True:
                piece = decoder.feed(data, _CHUNK)
                data = b""
                if piece:
                    if self._streaming is None:
                        assert self._chunks is not None
                        self._chunks.append(piece)
                    else:
                        waiting = self._streaming(piece)
                        if waiting is not None:
                            return self._decode_rest(decoder, waiting)
                if not decoder.unconsumed:
                    return None
        except BadCompressedData as error:
            raise HTTPDecodeError(str(error)) from error
        except OutputTooLarge as error:
            raise HTTPTooLargeError(str(error), self._owner.max_body_size) from error

    async def _decode_rest(self, decoder: Decompressor, waiting: Awaitable[object]) -> None:
        """As `_decode`, once a callback had to be waited for."""
        await _waitable(waiting)
        while decoder.unconsumed:
            more = self._decode(decoder, b"")
            if more is None:
                return
            await more

    def finished(self, trailers: HTTPHeaders | None) -> None:
        """See `ExchangeEvents`."""
        self.trailers = trailers
        if self._producer is not None or self._continue_timer is not None:
            self._stop_sending()
        if self._decoder is not None:
            try:
                self._decoder.finish()
            except BadCompressedData as error:
                failure = HTTPDecodeError(str(error))
                failure.__cause__ = error
                self.connection.close()
                self._owner.exchange_failed(self, failure)
                return
        self._owner.exchange_finished(self)

    def failed(self, error: Exception) -> None:
        """See `ExchangeEvents`."""
        self._stop_sending()
        self._owner.exchange_failed(self, error)


def _waitable(yielded: object) -> Awaitable[object]:
    """What a callback returned, which may be anything that a coroutine of `gen` may yield."""
    if isinstance(yielded, Awaitable):
        return yielded
    converted: Any = convert_yielded(yielded)
    return cast("Awaitable[object]", converted)


def _tell_headers(callback: Callable[[str], None], response: InformationalResponse) -> None:
    callback(f"{response.version} {response.status} {response.reason}\r\n")
    for name, value in response.headers.get_all():
        callback(f"{name}: {value}\r\n")
    callback("\r\n")
