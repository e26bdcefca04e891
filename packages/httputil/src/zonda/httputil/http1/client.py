"""The client's side of an HTTP/1.1 connection, without I/O.

In: requests (``send``, ``send_request``) and bytes of the server (``receive_data``). Out: buffers
to write and events (``next_event``). "Not yet" is ``Signal.NEED_DATA``; ``Signal.PAUSED`` means
that the exchange is over. One request at a time: the next one follows `start_next_cycle`. Raises
`RemoteProtocolError`, which sticks, and `LocalProtocolError`, which changes nothing.
"""

from typing import Final

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.chunked import SMALL, Buffer, encode_chunk
from zonda.httputil.http1.connection import Connection
from zonda.httputil.http1.content import ContentWriter
from zonda.httputil.http1.errors import (
    IncompleteMessage,
    LocalProtocolError,
    RemoteProtocolError,
)
from zonda.httputil.http1.events import (
    CONNECTION_CLOSED,
    ClientEvent,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    Request,
    Response,
    Signal,
)
from zonda.httputil.http1.framing import own_content_length, response_framing
from zonda.httputil.http1.head import (
    HTTP_WHITESPACE,
    RESPONSE_FRAMING,
    RESPONSE_HEAD,
    diagnose_response,
    list_members,
    unfold,
)
from zonda.httputil.http1.limits import DEFAULT_LIMITS, Limits
from zonda.httputil.http1.output import head_bytes, request_line
from zonda.httputil.http1.states import State
from zonda.httputil.http1.target import check_host, target_authority
from zonda.httputil.shared_fields import SharedFields

_IDLE, _BODY, _DONE = State.IDLE, State.BODY, State.DONE
_SWITCHED, _CLOSED, _ERROR = State.SWITCHED, State.CLOSED, State.ERROR
_NEED_DATA, _PAUSED = Signal.NEED_DATA, Signal.PAUSED

# Methods whose requests are expected to have content: an absent one is announced (RFC 9110 §8.6).
_WITH_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})
# Bytes of the longest head that is kept for `receive_whole`.
_LONGEST_KNOWN: Final = 2048


class _KnownHead:
    """The head of a response to `method` that had nothing about framing but a length."""

    __slots__ = ("fields", "head", "length", "method", "reason", "size", "status")

    def __init__(
        self, method: str, head: bytes, length: int, status: int, reason: str, fields: SharedFields
    ) -> None:
        self.method = method
        self.head = head
        self.length = length
        self.size = len(head) + length
        self.status = status
        self.reason = reason
        self.fields = fields


class ClientConnection(Connection):
    """One connection to a server, as the client sees it.

    >>> connection = ClientConnection()
    >>> connection.send_request("GET", "/", HTTPHeaders({"Host": "example.com"}))
    [b'GET / HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n']
    >>> connection.receive_data(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
    >>> connection.next_event()
    <Response 200 'OK' HTTP/1.1>
    >>> connection.next_event()
    <Data 2 bytes>
    >>> connection.next_event()
    <EndOfMessage trailers=None>
    >>> connection.keep_alive
    True
    """

    __slots__ = ("_informational", "_known", "_method", "_upgrade", "_writer")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits)
        self._informational = 0  # 1xx responses to the current request
        self._known: _KnownHead | None = None
        self._method: str | None = None  # of the request that waits for its response
        self._upgrade = False  # it offers to switch protocols
        self._writer: ContentWriter | None = None

    # -- what we say

    def send(self, event: Request | Data | EndOfMessage) -> list[Buffer]:
        """Buffers that say `event`, to be written in order.

        How the content of a request is framed follows its headers; without ``Content-Length`` and
        ``Transfer-Encoding`` there, it follows ``event.content_length`` (`None`: chunked), and the
        field is added. ``Host`` is added from ``event.host``.

        Raises:
            LocalProtocolError: Out of order, invalid characters, a target or ``Host`` that is none,
                or content that does not fit the head.
        """
        if type(event) is Data:
            if self.our_state is not _BODY or self._writer is None:
                raise LocalProtocolError("content without a request")
            return self._writer.data(event.data)
        if type(event) is EndOfMessage:
            if self.our_state is not _BODY or self._writer is None:
                raise LocalProtocolError("end of a message without a request")
            buffers = self._writer.end(event.trailers)
            self._writer = None
            self.our_state = _DONE
            return buffers
        assert type(event) is Request
        head, self._writer = self._request_head(event, None)
        self.our_state = _BODY
        return [head]

    def send_request(
        self, method: str, target: str, headers: HTTPHeaders, body: Buffer = b""
    ) -> list[Buffer]:
        """A whole request in one go, its head and content in one buffer if the content is small.

        Adds ``Content-Length`` where it is needed; if `headers` have it, it has to be right.

        Raises:
            LocalProtocolError: As for `send`.
        """
        size = body.nbytes if isinstance(body, memoryview) else len(body)
        request = Request(method, target, headers, content_length=size)
        head, writer = self._request_head(request, size)
        buffers: list[Buffer]
        if writer is not None:
            buffers = [head, *encode_chunk(body), b"0\r\n\r\n"]
        elif not size:
            buffers = [head]
        elif size <= SMALL:
            buffers = [b"".join((head, body))]
        else:
            buffers = [head, body]
        self.our_state = _DONE
        return buffers

    def send_known(self, method: str, head: bytes) -> None:
        """A request without content whose head was made before: `send_request`, made cheap.

        Args:
            method: Its method.
            head: From `known_head`; to be written as it is.

        Raises:
            LocalProtocolError: Out of order.
        """
        if self.our_state is not _IDLE or self.their_state is not _IDLE:
            raise LocalProtocolError("not the time for a request")
        self.our_state = _DONE
        self.keep_alive = True
        self._method = method
        self._upgrade = False

    def _request_head(
        self, request: Request, size: int | None
    ) -> tuple[bytes, ContentWriter | None]:
        """The head, and a writer if content is to follow in pieces or in chunks.

        `size` is that of the content if all of it is known.
        """
        if self.our_state is not _IDLE:
            raise LocalProtocolError("a request was sent already")
        if self.their_state is not _IDLE:
            raise LocalProtocolError("the server has closed the connection")
        method = request.method
        target = request.target
        http10 = request.version == "HTTP/1.0"
        line = request_line(method, target, request.version)
        headers = request.headers
        extra = self._check_routing(request)
        length = headers.get("Content-Length")
        coding = headers.get("Transfer-Encoding")
        writer = None
        if coding is not None:
            if length is not None:
                raise LocalProtocolError("both Transfer-Encoding and Content-Length")
            if coding.lower() != "chunked":
                raise LocalProtocolError(f"transfer coding is not supported: {coding!r}")
            if http10:
                raise LocalProtocolError("Transfer-Encoding in an HTTP/1.0 request")
            writer = ContentWriter(None, chunked=True)
        elif length is not None:
            announced = own_content_length(length)
            if size is None:
                writer = ContentWriter(announced)
            elif announced != size:
                raise LocalProtocolError(
                    f"Content-Length is {announced}, the content has {size} bytes"
                )
        elif size is None and (request.chunked or request.content_length is None):
            if http10:
                raise LocalProtocolError("an HTTP/1.0 request needs a Content-Length")
            extra += "Transfer-Encoding: chunked\r\n"
            writer = ContentWriter(None, chunked=True)
        else:
            announced = (request.content_length or 0) if size is None else size
            if announced or method in _WITH_CONTENT:
                extra += f"Content-Length: {announced}\r\n"
            if size is None:
                writer = ContentWriter(announced)
        options = list_members(headers.get("Connection", ""))
        head = head_bytes(line, headers._pairs(), extra)
        self.keep_alive = "close" not in options and (not http10 or "keep-alive" in options)
        self._method = method
        self._upgrade = not http10 and "upgrade" in options and "Upgrade" in headers
        return head, writer

    def _check_routing(self, request: Request) -> str:
        """Check target and ``Host``; the field line to add for the latter, if any."""
        hosts = request.headers.get_list("Host")
        try:
            target_authority(request.method, request.target)
            for host in hosts:
                check_host(host)
            if not hosts and request.host is not None:
                check_host(request.host)
                return f"Host: {request.host}\r\n"
        except RemoteProtocolError as error:
            raise LocalProtocolError(str(error)) from error
        if len(hosts) > 1 or (not hosts and request.version != "HTTP/1.0"):
            raise LocalProtocolError("a request needs exactly one Host field")
        return ""

    # -- what the server says

    def receive_whole(self, data: bytes) -> tuple[Response, bytes] | None:
        """A whole response, if `data` is one whose head is that of the last one, to the byte.

        So it is when a program asks for the same again and again: servers' heads differ in
        ``Date`` at most, which changes once a second. Nothing is looked at twice then.

        Args:
            data: What would be given to `receive_data`.

        Returns:
            The response and its content, and the exchange is over; None and no change for anything
            else, which has to go to `receive_data`.
        """
        known = self._known
        if (
            known is None
            or len(data) != known.size
            or not data.startswith(known.head)
            or known.method != self._method
            or self.their_state is not _IDLE
            or self._buffer
            or self._eof
        ):
            return None
        limit = self._body_limit
        if limit is not None and known.length > limit:
            return None
        self.their_state = _DONE
        response = Response(known.status, known.reason, HTTPHeaders.from_shared(known.fields))
        return response, data[len(known.head) :]

    def next_event(self) -> ClientEvent:
        """The next event, or a `Signal` that there is none.

        Raises:
            RemoteProtocolError: The server erred, now or before.
        """
        state = self.their_state
        if state is _IDLE:
            return self._read_head()
        if state is _BODY:
            event = self._read_content()
            if self._position != len(self._buffer) and self.their_state is _DONE:
                self.keep_alive = False  # bytes that belong to nothing we asked for
            return event
        if state is _ERROR:
            assert self._error is not None
            raise self._error
        if state is _CLOSED:
            return CONNECTION_CLOSED
        return _PAUSED

    def _read_head(self) -> InformationalResponse | ConnectionClosed | Signal:
        method = self._method
        if method is None and self._position != len(self._buffer):
            self._fail(RemoteProtocolError("a response without a request"))
        end = self._find_head_end()
        if end < 0 or method is None:
            return self._incomplete_head(end)
        limits = self.limits
        raw = bytes(self._buffer[self._position : end])
        match = RESPONSE_HEAD.fullmatch(raw.decode("latin-1"))
        if match is None:
            match = RESPONSE_HEAD.fullmatch(unfold(raw.decode("latin-1")))
        if (
            match is None
            or match[4].count("\n") > limits.field_count
            or match.start(4) - 2 > limits.start_line
            or len(raw) > limits.head
        ):
            self._fail(diagnose_response(raw, limits))
        try:
            response = self._make_response(
                raw, method, match[1] == "0", int(match[2]), match[3] or "", match[4]
            )
        except RemoteProtocolError as error:
            self._fail(error)
        self._consume(end)
        return response

    def _make_response(
        self, raw: bytes, method: str, http10: bool, status: int, reason: str, block: str
    ) -> InformationalResponse:
        connection: list[str] = []
        coding: list[str] = []
        lengths: list[str] = []
        by_length = {10: connection, 14: lengths, 17: coding}
        found = RESPONSE_FRAMING.findall("\n" + block)
        if len(found) == 1 and len(found[0][0]) == 14 and not http10:
            # Nothing but a length, as most have it: what follows says the same, more slowly.
            digits = found[0][1].strip(HTTP_WHITESPACE)
            if (
                digits.isdecimal()
                and digits.isascii()
                and len(digits) < 18
                and status >= 200
                and status not in (204, 304)
                and method not in ("HEAD", "CONNECT")
            ):
                self._received = 0
                self._remaining = length = int(digits)
                self._chunked = None
                self.their_state = _BODY
                reason = reason.strip(HTTP_WHITESPACE)
                if len(raw) > _LONGEST_KNOWN:
                    return Response(status, reason, HTTPHeaders.from_block(block))
                fields = SharedFields(block)
                self._known = _KnownHead(method, raw, length, status, reason, fields)
                return Response(status, reason, HTTPHeaders.from_shared(fields))
        for name, value in found:
            by_length[len(name)].append(value)  # the lengths of the three names differ
        headers = HTTPHeaders.from_block(block)
        version = "HTTP/1.0" if http10 else "HTTP/1.1"
        reason = reason.strip(HTTP_WHITESPACE)
        if status < 200:
            self._informational += 1
            if self._informational > self.limits.informational:
                raise RemoteProtocolError(
                    f"more than {self.limits.informational} informational responses"
                )
            if status == 101:
                if not self._upgrade or self.our_state is not _DONE:
                    raise RemoteProtocolError("101 to a request that offered no upgrade")
                self._switch()
            return InformationalResponse(status, reason, headers, version)
        framing = response_framing(method, status, http10, coding or None, lengths or None)
        options = list_members(",".join(connection)) if connection else []
        if "close" in options or (http10 and "keep-alive" not in options):
            self.keep_alive = False
        if method == "CONNECT" and status < 300:
            self._switch()
        else:
            if framing.length is None and not framing.chunked:
                self.keep_alive = False
            self._begin_content(framing)
        return Response(status, reason, headers, version)

    def _switch(self) -> None:
        self.our_state = self.their_state = _SWITCHED
        self.keep_alive = False

    def _incomplete_head(self, verdict: int) -> ConnectionClosed | Signal:
        rest = self._buffer[self._position :] if verdict == -2 or self._eof else b""
        if verdict == -2:
            self._fail(diagnose_response(bytes(rest), self.limits))
        if not self._eof:
            return _NEED_DATA
        self.keep_alive = False
        if rest:
            self._fail(IncompleteMessage("server closed inside the head of a response"))
        self.their_state = _CLOSED
        return CONNECTION_CLOSED

    def start_next_cycle(self) -> None:
        """Make ready for the next request.

        Raises:
            LocalProtocolError: One side is not done, or the connection does not persist.
        """
        if self.our_state is not _DONE or self.their_state is not _DONE or not self.keep_alive:
            raise LocalProtocolError("the exchange is not over, or was the last")
        self.our_state = self.their_state = _IDLE
        self._method = None
        self._upgrade = False
        self._informational = 0
        self._body_limit = self.limits.body
