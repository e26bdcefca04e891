"""The server's side of an HTTP/1.1 connection, without I/O.

In: bytes of the client (`ServerConnection.receive_data`) and what the application answers
(``send``, ``send_response``). Out: events (``next_event``, see `request_reader`) and buffers to
write. ``Signal.PAUSED`` holds pipelined requests back until ``start_next_cycle``. Raises
`RemoteProtocolError` for what the client did, and `LocalProtocolError`, which changes nothing.
"""

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.chunked import SMALL, Buffer, encode_chunk
from zonda.httputil.http1.content import ContentWriter
from zonda.httputil.http1.errors import LocalProtocolError
from zonda.httputil.http1.events import Data, EndOfMessage, InformationalResponse, Response
from zonda.httputil.http1.limits import DEFAULT_LIMITS, Limits
from zonda.httputil.http1.output import field_lines, status_line
from zonda.httputil.http1.request_reader import RequestReader
from zonda.httputil.http1.response import ReadyHead, ResponseHead, plain_head, response_head
from zonda.httputil.http1.states import State

_IDLE, _BODY, _DONE, _SWITCHED = State.IDLE, State.BODY, State.DONE, State.SWITCHED


class ServerConnection(RequestReader):
    """One connection of a client, as the server sees it.

    >>> connection = ServerConnection()
    >>> connection.receive_data(b"GET /hello HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n")
    >>> connection.next_event()
    <Request GET '/hello' HTTP/1.1 host='example.com'>
    >>> connection.next_event()
    <EndOfMessage trailers=None>
    >>> connection.next_event()
    <Signal.PAUSED: 'paused'>
    >>> connection.send_response(200, "OK", HTTPHeaders(), b"hi")
    [b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi']
    >>> connection.start_next_cycle()
    >>> connection.next_event()
    <Signal.NEED_DATA: 'need data'>
    """

    __slots__ = ("_writer",)

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits)
        self._writer: ContentWriter | None = None

    def close_after_response(self) -> None:
        """Make this exchange the last: its response carries ``Connection: close``.

        If the response has begun already, the connection still does not persist.
        """
        self._closing = True
        self._plain = False
        self.keep_alive = False

    def announce_close(self) -> None:
        """Say ``Connection: close`` with the next head; the exchange that has it is the last.

        A client whose response has begun without it was told to go on, and may be asking already.
        """
        if self.our_state is _IDLE:
            self.close_after_response()
        else:
            self._closing = True

    @property
    def closing(self) -> bool:
        """Whether the connection ends when the client has been told."""
        return self._closing

    def send(self, event: InformationalResponse | Response | Data | EndOfMessage) -> list[Buffer]:
        """Buffers that say `event`, to be written in order.

        The head of a response gets what its framing and persistence need and what `event.headers`
        do not have: ``Transfer-Encoding: chunked`` without a ``Content-Length`` (HTTP/1.0: the
        connection will close instead), ``Connection: close`` when it does not persist. Content in
        answer to HEAD is dropped; 1xx responses to an HTTP/1.0 client, too.

        Raises:
            LocalProtocolError: Out of order, invalid characters, or content that does not fit the
                head.
        """
        if type(event) is Data:
            if self.our_state is not _BODY or self._writer is None:
                raise LocalProtocolError("content without a response")
            return self._writer.data(event.data)
        if type(event) is EndOfMessage:
            if self.our_state is not _BODY or self._writer is None:
                raise LocalProtocolError("end of a message without a response")
            buffers = self._writer.end(event.trailers)
            self._writer = None
            self.our_state = _DONE
            return buffers
        if self.our_state is not _IDLE:
            raise LocalProtocolError("a response was sent already")
        if isinstance(event, Response):
            response = self._begin_response(event.status, event.reason, event.headers, None)
            self._writer = response.writer
            return [response.head]
        assert isinstance(event, InformationalResponse)
        return self._send_informational(event)

    def send_response(
        self, status: int, reason: str, headers: HTTPHeaders, body: Buffer
    ) -> list[Buffer]:
        """A whole response: as `send` with a head, data and the end, in one go.

        Adds ``Content-Length`` unless `headers` have it (it has to be right) or the status has no
        content. Head and body come as one buffer when the body is small.

        Raises:
            LocalProtocolError: As for `send`.
        """
        if self.our_state is not _IDLE:
            raise LocalProtocolError("a response was sent already")
        size = body.nbytes if type(body) is memoryview else len(body)
        if self._plain:
            head = plain_head(status, reason, headers, size)
            if head is not None:
                self.our_state = _DONE
                self._plain = False
                return [head + body] if size <= SMALL else [head, body]
        response = self._begin_response(status, reason, headers, size)
        if self.our_state is _BODY:
            self.our_state = _DONE
        if response.writer is not None:  # chunked at the application's wish
            return [response.head, *encode_chunk(body), b"0\r\n\r\n"]
        if not size or not response.content:
            return [response.head]
        if size <= SMALL:
            return [response.head + body]
        return [response.head, body]

    def respond(self, status: int, reason: str, headers: HTTPHeaders, body: bytes) -> bytes | None:
        """`send_response` and `start_next_cycle` in one, for what most responses are.

        Returns:
            The whole response. The next request may come: there is nothing of it yet. `None` if
            there is anything to decide or to go on with; nothing has happened then, and the other
            methods do it.
        """
        if (
            not self._plain
            or self.their_state is not _DONE
            or self._buffer
            or self._eof
            or len(body) > SMALL
            or (head := plain_head(status, reason, headers, len(body))) is None
        ):
            return None
        self.their_state = _IDLE
        self._method = None
        self._plain = False
        return head + body

    def respond_ready(self, head: ReadyHead, rest: bytes, body: bytes) -> bytes | None:
        r"""As `respond`, for a head that was made before.

        Args:
            head: From `ready_head`.
            rest: Field lines that it lacks, with their line ends: valid ones, none of framing.
            body: The content.

        >>> from zonda.httputil.http1 import ready_head
        >>> connection = ServerConnection()
        >>> _ = connection.receive_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        >>> head = ready_head(200, "OK", HTTPHeaders({"Server": "Zonda"}))
        >>> connection.respond_ready(head, b"Via: b\r\n", b"hi")
        b'HTTP/1.1 200 OK\r\nServer: Zonda\r\nVia: b\r\nContent-Length: 2\r\n\r\nhi'
        """
        length = len(body)
        size = head.size
        if (
            not self._plain
            or self.their_state is not _DONE
            or self._buffer
            or self._eof
            or length > SMALL
            or (size is not None and size != length)
        ):
            return None
        self.their_state = _IDLE
        self._method = None
        self._plain = False
        if size is None:
            return b"%b%bContent-Length: %d\r\n\r\n%b" % (head.octets, rest, length, body)
        return b"%b%b\r\n%b" % (head.octets, rest, body)

    def _begin_response(
        self, status: int, reason: str, headers: HTTPHeaders, size: int | None
    ) -> ResponseHead:
        response = response_head(
            status,
            reason,
            headers,
            size,
            method=self._method,
            http10=self._http10,
            # A client that waits for 100 may send the content or not after this: nobody could tell
            # where its next request begins (RFC 9110 §10.1.1).
            keep_alive=self.keep_alive and self._method is not None and not self._expects,
        )
        if response.tunnel:
            self._switch()
        else:
            self.our_state = _BODY
        self.keep_alive = response.keep_alive
        self._expects = self._plain = False
        return response

    def _send_informational(self, event: InformationalResponse) -> list[Buffer]:
        status = event.status
        if not 100 <= status < 200:
            raise LocalProtocolError(f"not an informational status: {status}")
        if self._http10:
            return []  # RFC 9110 §15.2: never to HTTP/1.0
        switching = status == 101
        if switching and self._upgrade is None:
            raise LocalProtocolError("101 without a request to upgrade")
        line = status_line(status, event.reason)
        pairs = [
            pair
            for pair in event.headers.get_all()
            if pair[0].lower() not in ("content-length", "transfer-encoding")
        ]
        head = f"{line}{field_lines(pairs)}\r\n".encode("latin-1")
        if switching:
            self._switch()
        self._expects = False
        return [head]

    def _switch(self) -> None:
        """Both sides go over to another protocol."""
        if self.their_state is not _DONE and (self._chunked is not None or self._remaining):
            raise LocalProtocolError("switching protocols inside a request")
        self.our_state = self.their_state = _SWITCHED
        self.keep_alive = False

    def start_next_cycle(self) -> None:
        """Make ready for the next request.

        Raises:
            LocalProtocolError: One side is not done, or the connection does not persist.
        """
        if self.our_state is not _DONE or self.their_state is not _DONE or not self.keep_alive:
            raise LocalProtocolError("the exchange is not over, or was the last")
        self.our_state = self.their_state = _IDLE
        self._method = self._upgrade = None
        self._http10 = self._plain = False
        self.keep_alive = not self._closing
