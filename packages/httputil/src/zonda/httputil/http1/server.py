"""The server's side of an HTTP/1.1 connection, without I/O.

In: bytes of the client (`ServerConnection.receive_data`) and what the application answers
(``send``, ``send_response``). Out: events (``next_event``) and buffers to write. "Not yet" is
``Signal.NEED_DATA``; ``Signal.PAUSED`` holds pipelined requests back until ``start_next_cycle``.
Raises `RemoteProtocolError`, which sticks (whatever the client sent behind its error is never
looked at), and `LocalProtocolError`, which changes nothing.
"""

from typing import Final

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.chunked import SMALL, Buffer, encode_chunk
from zonda.httputil.http1.connection import Connection
from zonda.httputil.http1.content import ContentWriter
from zonda.httputil.http1.errors import IncompleteMessage, LocalProtocolError, RemoteProtocolError
from zonda.httputil.http1.events import (
    CONNECTION_CLOSED,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    Request,
    Response,
    ServerEvent,
    Signal,
)
from zonda.httputil.http1.framing import own_content_length, request_framing
from zonda.httputil.http1.head import (
    REQUEST_FRAMING,
    REQUEST_HEAD,
    diagnose_request,
    list_members,
)
from zonda.httputil.http1.limits import DEFAULT_LIMITS, Limits
from zonda.httputil.http1.output import (
    STATUS_LINES,
    field_lines,
    head_bytes,
    status_line,
)
from zonda.httputil.http1.states import State
from zonda.httputil.http1.target import check_host, target_authority

# Module names: an attribute of an Enum class costs several times as much to look up.
_IDLE, _BODY, _DONE = State.IDLE, State.BODY, State.DONE
_SWITCHED, _CLOSED, _ERROR = State.SWITCHED, State.CLOSED, State.ERROR
_NEED_DATA, _PAUSED = Signal.NEED_DATA, Signal.PAUSED

# Empty lines in front of a request line that are ignored (RFC 9112 §2.2 asks for one at least).
_EMPTY_LINES: Final = 4

_NO_CONTENT_STATUS: Final = frozenset({204, 304})


class ServerConnection(Connection):
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

    __slots__ = (
        "_closing",
        "_empty_lines",
        "_expects",
        "_http10",
        "_known_host",
        "_request",
        "_writer",
    )

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits)
        self._closing = False
        self._empty_lines = 0
        self._expects = False
        self._http10 = False
        self._known_host: str | None = None  # the value that was found valid last
        self._request: Request | None = None
        self._writer: ContentWriter | None = None

    # -- what the client says

    def next_event(self) -> ServerEvent:
        """The next event, or a `Signal` that there is none.

        Raises:
            RemoteProtocolError: The client erred, now or before.
        """
        state = self.their_state
        if state is _IDLE:
            return self._read_head()
        if state is _BODY:
            event = self._read_content()
            if self._expects and type(event) is Data:
                self._expects = False
            return event
        if state is _ERROR:
            assert self._error is not None
            raise self._error
        if state is _CLOSED:
            return CONNECTION_CLOSED
        return _PAUSED

    def _read_head(self) -> Request | ConnectionClosed | Signal:
        end = self._find_head_end()
        if end < 0:
            return self._incomplete_head(end)
        buffer = self._buffer
        position = self._position
        if position == 0 and end == len(buffer):
            text = buffer.decode("latin-1")
        else:
            text = buffer[position:end].decode("latin-1")
        match = REQUEST_HEAD.fullmatch(text)
        if match is None:
            if self._skip_empty_lines():
                return self._read_head()
            self._fail(diagnose_request(text.encode("latin-1"), self.limits))
        method, target, minor, block = match.groups()
        limits = self.limits
        size = len(text)
        if size > limits.head or size > limits.start_line or len(block) > 2 * limits.field_count:
            # Only a head of some size can be over any of the limits.
            fields_start = match.start(4)
            if (
                size > limits.head
                or fields_start - 2 > limits.start_line
                or block.count("\n") > limits.field_count
            ):
                self._fail(diagnose_request(text.encode("latin-1"), limits))
        try:
            request = self._make_request(method, target, minor, block, text, match.start(4) - 1)
        except RemoteProtocolError as error:
            self._fail(error)
        self._request = request
        self.keep_alive = request.keep_alive and not self._closing
        if end == len(buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = end
        return request

    def _make_request(
        self, method: str, target: str, minor: str, block: str, text: str, line_end: int
    ) -> Request:
        host: str | None = None
        connection = transfer_encoding = content_length = upgrade = expect = None
        for name, value in REQUEST_FRAMING.findall(text, line_end):
            kind = len(name)  # the lengths of the six names differ
            if kind == 4:
                if host is not None:
                    raise RemoteProtocolError("more than one Host field")
                host = value.strip(" \t")
            elif kind == 10:
                connection = value if connection is None else f"{connection},{value}"
            elif kind == 14:
                content_length = [value] if content_length is None else [*content_length, value]
            elif kind == 17:
                transfer_encoding = (
                    [value] if transfer_encoding is None else [*transfer_encoding, value]
                )
            elif kind == 7:
                upgrade = value if upgrade is None else f"{upgrade},{value}"
            else:
                expect = value if expect is None else f"{expect},{value}"
        http10 = minor == "0"
        if host is None:
            if not http10:
                raise RemoteProtocolError("no Host field")
        elif host != self._known_host:
            check_host(host)
            self._known_host = host
        if target[0] != "/" or method == "CONNECT":
            authority = target_authority(method, target)
            if authority is not None:  # RFC 9112 §3.2.2: it wins over the field
                host = authority
        if connection is None:
            keep_alive = not http10
            upgrade = None
        else:
            options = list_members(connection)
            keep_alive = "close" not in options and (not http10 or "keep-alive" in options)
            if "upgrade" not in options or http10:
                upgrade = None  # RFC 9110 §7.8: hop by hop, and not for HTTP/1.0
        if upgrade is not None:
            upgrade = upgrade.strip(" \t")
        expects = False
        if expect is not None and not http10:
            for expectation in list_members(expect):
                if expectation != "100-continue":
                    raise RemoteProtocolError("unknown expectation", 417)
                expects = True
        self._http10 = http10
        if content_length is None and transfer_encoding is None:
            self._remaining = 0  # RFC 9112 §6.3 case 7, without the call
            self.their_state = _BODY
            length: int | None = 0
            chunked = False
        else:
            framing = request_framing(http10, transfer_encoding, content_length)
            self._begin_content(framing)
            length, chunked = framing
            self._expects = expects and length != 0
        return Request(
            method,
            target,
            HTTPHeaders.from_block(block),
            "HTTP/1.0" if http10 else "HTTP/1.1",
            host,
            length,
            chunked,
            keep_alive,
            expects,
            upgrade,
        )

    def _skip_empty_lines(self) -> bool:
        """Step over CRLFs in front of a request line; whether there was one."""
        position = self._position
        while self._buffer.startswith(b"\r\n", position):
            if self._empty_lines == _EMPTY_LINES:
                self._fail(RemoteProtocolError("too many empty lines before a request"))
            self._empty_lines += 1
            position += 2
        if position == self._position:
            return False
        self._scanned = 0
        self._consume(position)
        return True

    def _incomplete_head(self, verdict: int) -> Request | ConnectionClosed | Signal:
        if self._skip_empty_lines():
            return self._read_head()
        rest = self._buffer[self._position :] if verdict == -2 or self._eof else b""
        if verdict == -2:
            self._fail(diagnose_request(bytes(rest), self.limits))
        if not self._eof:
            return _NEED_DATA
        if rest:
            self._fail(IncompleteMessage("client closed inside the head of a request"))
        self.their_state = _CLOSED
        self.keep_alive = False
        return CONNECTION_CLOSED

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the content.

        False again once content arrives or a response was sent (RFC 9110 §10.1.1).
        """
        return self._expects

    # -- what we say

    def close_after_response(self) -> None:
        """Make this exchange the last: its response carries ``Connection: close``.

        If the response has begun already, the connection still does not persist.
        """
        self._closing = True
        self.keep_alive = False

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
            head, writer = self._response_head(event.status, event.reason, event.headers, None)
            self._writer = writer
            if self.our_state is _IDLE:
                self.our_state = _BODY
            return [head]
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
        size = body.nbytes if isinstance(body, memoryview) else len(body)
        head, writer = self._response_head(status, reason, headers, size)
        if self.our_state is _IDLE:
            self.our_state = _DONE
        if writer is not None:  # chunked at the application's wish
            return [head, *encode_chunk(body), b"0\r\n\r\n"]
        request = self._request
        if not size or (request is not None and request.method == "HEAD"):
            return [head]
        if size <= SMALL:
            return [head + body if type(body) is bytes else b"".join((head, body))]
        return [head, body]

    def _send_informational(self, event: InformationalResponse) -> list[Buffer]:
        status = event.status
        if not 100 <= status < 200:
            raise LocalProtocolError(f"not an informational status: {status}")
        if self._http10:
            return []  # RFC 9110 §15.2: never to HTTP/1.0
        switching = status == 101
        if switching and (self._request is None or self._request.upgrade is None):
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

    def _response_head(
        self, status: int, reason: str, headers: HTTPHeaders, size: int | None
    ) -> tuple[bytes, ContentWriter | None]:
        """The head, and a writer if content is to follow in pieces or in chunks.

        `size` is that of the content if all of it is known.
        """
        line = STATUS_LINES.get((status, reason)) or status_line(status, reason)
        if status < 200:
            raise LocalProtocolError(f"not a final status: {status}")
        pairs = headers._pairs()
        fields = headers._fields  # canonical names; _pairs() has seen to it that they are there
        request = self._request
        method = None if request is None else request.method
        keep_alive = self.keep_alive and request is not None and not self._expects
        length = headers["Content-Length"] if "Content-Length" in fields else None
        coding = headers["Transfer-Encoding"] if "Transfer-Encoding" in fields else None
        drop: list[str] = []  # names of fields that are left out
        extra = ""  # field lines that are added
        writer = None
        tunnel = False
        if status in _NO_CONTENT_STATUS:
            if size:
                raise LocalProtocolError(f"a response with status {status} has no content")
            drop.append("Transfer-Encoding")
            if status == 204:
                drop.append("Content-Length")
            elif length is not None:
                own_content_length(length)
            if size is None:
                writer = ContentWriter(0)
        elif method == "HEAD":
            if length is not None:
                own_content_length(length)
                drop.append("Transfer-Encoding")
            elif size and coding is None:
                extra = f"Content-Length: {size}\r\n"
            if size is None:
                writer = ContentWriter(0, discard=True)
        elif method == "CONNECT" and status < 300:
            if size:
                raise LocalProtocolError("a successful response to CONNECT has no content")
            tunnel = True
            drop += ("Transfer-Encoding", "Content-Length")
        elif coding is not None:
            if length is not None:
                raise LocalProtocolError("both Transfer-Encoding and Content-Length")
            if coding.lower() != "chunked":
                raise LocalProtocolError(f"transfer coding is not supported: {coding!r}")
            if not self._http10:
                writer = ContentWriter(None, chunked=True)
            else:  # does not know chunks
                drop.append("Transfer-Encoding")
                if size is not None:
                    extra = f"Content-Length: {size}\r\n"
                else:
                    keep_alive = False
                    writer = ContentWriter(None)
        elif length is not None:
            if size is None:
                writer = ContentWriter(own_content_length(length))
            elif length != str(size):
                raise LocalProtocolError(
                    f"Content-Length is {length!r}, the content has {size} bytes"
                )
        elif size is not None:
            extra = f"Content-Length: {size}\r\n"
        elif self._http10:
            keep_alive = False
            writer = ContentWriter(None)
        else:
            extra = "Transfer-Encoding: chunked\r\n"
            writer = ContentWriter(None, chunked=True)

        if "Connection" in fields or not keep_alive or self._http10:
            options = list_members(headers.get("Connection", ""))
            if "close" in options:
                keep_alive = False
            if not keep_alive or self._http10:
                options = [o for o in options if o not in ("close", "keep-alive")]
                if not tunnel:
                    options.append("keep-alive" if keep_alive else "close")
            drop.append("Connection")
            if options:
                extra += f"Connection: {', '.join(options)}\r\n"

        if drop:
            pairs = [pair for pair in pairs if pair[0] not in drop]
        head = head_bytes(line, pairs, extra)
        if tunnel:
            self._switch()
        self.keep_alive = keep_alive
        self._expects = False
        return head, writer

    def start_next_cycle(self) -> None:
        """Make ready for the next request.

        Raises:
            LocalProtocolError: One side is not done, or the connection does not persist.
        """
        if self.our_state is not _DONE or self.their_state is not _DONE or not self.keep_alive:
            raise LocalProtocolError("the exchange is not over, or was the last")
        self.our_state = self.their_state = _IDLE
        self._request = None
        self._http10 = False
        self._empty_lines = 0
        self._body_limit = self.limits.body
