"""The requests of a server's connection: bytes of the client in, events out.

In: what the client sends (`RequestReader.receive_data`, or `receive_request` where it may be one
whole request). Out: events (``next_event``). "Not yet" is ``Signal.NEED_DATA``; ``Signal.PAUSED``
holds pipelined requests back. Raises `RemoteProtocolError`, which sticks: whatever the client sent
behind its error is never looked at.
"""

import re
from typing import Final

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.chunked import ChunkedReader
from zonda.httputil.http1.connection import Connection
from zonda.httputil.http1.errors import IncompleteMessage, RemoteProtocolError
from zonda.httputil.http1.events import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    ConnectionClosed,
    Data,
    Request,
    ServerEvent,
    Signal,
)
from zonda.httputil.http1.head import ORIGIN_REQUEST_LINE, REQUEST_HEAD, diagnose_request
from zonda.httputil.http1.known_fields import LONGEST, KnownFields
from zonda.httputil.http1.limits import DEFAULT_LIMITS, Limits
from zonda.httputil.http1.one_piece import request_with_content
from zonda.httputil.http1.request import make_request
from zonda.httputil.http1.states import State
from zonda.httputil.http1.target import KNOWN_HOSTS, check_host
from zonda.httputil.startline import RequestStartLine

# Module names: an attribute of an Enum class costs several times as much to look up.
_IDLE, _BODY, _DONE = State.IDLE, State.BODY, State.DONE
_CLOSED, _ERROR = State.CLOSED, State.ERROR
_NEED_DATA, _PAUSED = Signal.NEED_DATA, Signal.PAUSED

# Up to this many bytes a buffer is decoded in the hope that a whole head is in it.
_AT_ONCE: Final = 8 * 1024

# Empty lines in front of a request line that are ignored (RFC 9112 §2.2 asks for one at least).
_EMPTY_LINES: Final = 4

_new_headers: Final = HTTPHeaders.__new__
_new_tuple: Final = tuple.__new__


class RequestReader(Connection):
    """The input side of `ServerConnection`; not used by itself.

    It notes what a response has to know of the request.
    """

    __slots__ = (
        "_at_once",
        "_closing",
        "_empty_lines",
        "_expects",
        "_few_fields",
        "_http10",
        "_known",
        "_method",
        "_plain",
        "_seen",
        "_upgrade",
    )

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits)
        self._at_once = min(_AT_ONCE, limits.head, limits.start_line)
        self._few_fields = 4 * limits.field_count  # that many bytes cannot hold too many fields
        self._closing = False
        self._empty_lines = 0
        self._expects = False
        self._known: KnownFields | None = None  # fields that came more than once
        self._seen: str | None = None  # the fields of the last request that had other fields
        # What a response has to know of the request.
        self._method: str | None = None
        self._http10 = False
        self._upgrade: str | None = None
        # There is a request, and no response yet: HTTP/1.1, persistent, no HEAD or CONNECT, no
        # upgrade, not waiting for 100.
        self._plain = False

    def next_event(self) -> ServerEvent:
        """The next event, or a `Signal` that there is none.

        Raises:
            RemoteProtocolError: The client erred, now or before.
        """
        state = self.their_state
        if state is _IDLE:
            return self._read_head()
        if state is _BODY:
            if self._remaining == 0:
                self.their_state = _DONE
                return END_OF_MESSAGE
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

    def receive_request(self, data: bytes) -> tuple[RequestStartLine, HTTPHeaders, bytes] | None:
        r"""Take in `data` if they are one whole request, as usual as most are.

        That is `receive_data` and some calls of `next_event` in one, without the events: for a
        driver that has read `data` while there was no request. The request is HTTP/1.1, its target
        in origin form, and its fields say nothing unusual about the connection.

        Returns:
            Start line, fields and content. `None` if `data` are anything else, or there is
            something before them: nothing has happened then, and they go to `receive_data`.

        >>> from zonda.httputil.http1 import ServerConnection
        >>> connection = ServerConnection()
        >>> connection.receive_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")[0]
        RequestStartLine(method='GET', path='/', version='HTTP/1.1')
        >>> connection.respond(200, "OK", HTTPHeaders({"Server": "Zonda"}), b"hi")
        b'HTTP/1.1 200 OK\r\nServer: Zonda\r\nContent-Length: 2\r\n\r\nhi'
        """
        if self.their_state is not _IDLE or self._buffer or self._eof:
            return None
        known = self._known
        content = b""
        block = ""
        start = 0 if known is None else len(data) - known.total
        if start > 0 and data.startswith(known.octets, start):  # type: ignore[union-attr]
            # The fields of the request before. If what precedes them is a request line, and only
            # that, this is all there is.
            assert known is not None
            match = ORIGIN_REQUEST_LINE.fullmatch(data[:start].decode("latin-1"))
            if match is None or start + known.size > self._at_once:
                return None
            if known.content_length:
                limit = self.limits.body
                if limit is not None and known.content_length > limit:
                    return None
                content = data[start + known.size :]
            method, target = match.groups()
        elif len(data) <= self._at_once and data.endswith(b"\r\n\r\n"):
            # `_at_once` is within the limits for the size of a head.
            match = REQUEST_HEAD.fullmatch(data.decode("latin-1"))
            if match is None:
                return None
            method, target, minor, block, raw_host, unusual = match.groups()
            host = KNOWN_HOSTS.get(raw_host)
            if host is None and raw_host is not None:
                try:
                    host = check_host(raw_host)
                except RemoteProtocolError:
                    return None
            if (
                unusual
                or host is None
                or target[0] != "/"
                or minor != "1"
                or method == "CONNECT"
                or (len(block) > self._few_fields and block.count("\n") > self.limits.field_count)
            ):
                return None
            known = None
            if block == self._seen:
                known = self._known = KnownFields(data[match.start(4) :], block, host)
            elif len(block) <= LONGEST - 2:
                self._seen = block
        elif (found := request_with_content(data, self.limits, self._at_once)) is not None:
            request, block, start, end = found
            method, target = request.method, request.target
            known = None
            if block == self._seen:
                known = KnownFields(data[start:end], block, request.host, request.content_length)
                self._known = known
            elif len(block) <= LONGEST - 2:
                self._seen = block
            content = data[end:]
        else:
            return None
        headers = _new_headers(HTTPHeaders)
        headers._block = block if known is None else known.fields
        self.their_state = _DONE
        self._method = method
        self._plain = method != "HEAD" and not self._closing
        # As RequestStartLine(...), which is a function in Python around this.
        return _new_tuple(RequestStartLine, (method, target, "HTTP/1.1")), headers, content

    def forget_fields(self) -> None:
        """Let go of what is kept in the hope that the client repeats its fields."""
        self._known = self._seen = None

    def _read_head(self) -> Request | ConnectionClosed | Signal:
        buffer, position = self._buffer, self._position
        limits = self.limits
        if not self._scanned:  # a head that comes in pieces is not looked at for each of them
            known = self._known
            start = 0 if known is None else buffer.find(b"\n", position) + 1
            if start and buffer.startswith(known.octets, start):  # type: ignore[union-attr]
                assert known is not None
                match = ORIGIN_REQUEST_LINE.fullmatch(buffer[position:start].decode("latin-1"))
                size = start - position
                if (
                    match is not None
                    and size - 2 <= limits.start_line
                    and size + known.size <= limits.head
                ):
                    method, target = match.groups()
                    request = known.request(method, target)
                    if known.total != known.size:
                        return self._begin_request(request, start + known.size)
                    # What it would come to for a request without content, and nothing unusual.
                    self._consume(start + known.size)
                    self._method = method
                    self._empty_lines = 0
                    self.their_state = _BODY
                    self._plain = method != "HEAD" and not self._closing
                    return request
            if not position and len(buffer) <= self._at_once:
                # It is all there, mostly: no search for its end, no copy.
                match = REQUEST_HEAD.match(buffer.decode("latin-1"))
                if match is not None:
                    method, target, minor, block, raw_host, unusual = match.groups()
                    if len(block) <= self._few_fields or block.count("\n") <= limits.field_count:
                        host = KNOWN_HOSTS.get(raw_host)
                        if (
                            unusual
                            or host is None
                            or target[0] != "/"
                            or minor != "1"
                            or method == "CONNECT"
                            or block == self._seen
                        ):
                            return self._begin_new(match, match.start(4), match.end())
                        # Again what it would come to without content, and nothing unusual.
                        if len(block) <= LONGEST - 2:
                            self._seen = block
                        headers = _new_headers(HTTPHeaders)  # as from_block does
                        headers._block = block
                        self._consume(match.end())
                        self._method = method
                        self._http10 = False
                        self._upgrade = None
                        self._empty_lines = 0
                        self.their_state = _BODY
                        self._plain = method != "HEAD" and not self._closing
                        return Request(method, target, headers, "HTTP/1.1", host)
        end = self._find_head_end()
        if end < 0:
            return self._incomplete_head(end)
        head = bytes(buffer[position:end])
        match = REQUEST_HEAD.fullmatch(head.decode("latin-1"))
        if (
            match is None
            or match[4].count("\n") > limits.field_count
            or match.start(4) - 2 > limits.start_line
            or len(head) > limits.head
        ):
            if self._skip_empty_lines():
                return self._read_head()
            self._fail(diagnose_request(head, limits))
        return self._begin_new(match, position + match.start(4), end)

    def _begin_new(self, match: re.Match[str], start: int, end: int) -> Request:
        """Begin a request whose fields, from `start` to `end`, are not known."""
        try:
            request = make_request(match)
        except RemoteProtocolError as error:
            self._fail(error)
        block = match[4]
        if block != self._seen:
            # Kept when it comes again: of fields that are always new there is nothing to gain.
            self._seen = block if len(block) <= LONGEST - 2 else None
        elif (
            request.keep_alive
            and request.version == "HTTP/1.1"
            and request.target[0] == "/"
            and request.method != "CONNECT"
        ):
            self._known = KnownFields(
                bytes(self._buffer[start:end]),
                block,
                request.host,
                request.content_length,
                request.chunked,
                request.keep_alive,
                request.expect_continue,
                request.upgrade,
            )
        return self._begin_request(request, end)

    def _begin_request(self, request: Request, end: int) -> Request:
        self._method = request.method
        self._http10 = request.version == "HTTP/1.0"
        self._upgrade = request.upgrade
        self._empty_lines = 0
        if end == len(self._buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = end
        self._body_limit = self.limits.body
        self.keep_alive = request.keep_alive and not self._closing
        self.their_state = _BODY
        self._received = 0
        self._remaining = length = request.content_length
        if length != 0:
            self._expects = request.expect_continue
            if request.chunked:
                self._chunked = ChunkedReader(self.limits)
        self._plain = (
            self.keep_alive
            and not self._expects
            and not self._http10
            and self._upgrade is None
            and request.method not in ("HEAD", "CONNECT")
        )
        return request

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
        return self._expects and self._position == len(self._buffer)
