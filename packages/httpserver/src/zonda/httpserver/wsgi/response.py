"""The response of a WSGI application: ``start_response``, ``write`` and the iterable (PEP 3333).

No I/O and no threads in here: what is to be sent is handed to an `emit` function as pieces, the
first of them with the head. `run_application` is the course of a request as a generator, which
rests after each piece of the iterable; whoever drives it may wait there. Closing the generator, or
an exception anywhere, calls the iterable's ``close``.

`ApplicationProtocolError` is raised for what an application may not do.
"""

import re
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, NamedTuple
from wsgiref.util import is_hop_by_hop

from zonda.httpserver.errors import ApplicationProtocolError
from zonda.httputil import HTTPHeaders, HTTPInputError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
"""What ``sys.exc_info()`` returns."""
Write = Callable[[bytes], object]
"""What ``start_response`` returns: sends a piece of the body."""
StartResponse = Callable[..., Write]
"""PEP 3333's ``start_response(status, headers, exc_info=None)``."""
WSGIApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
"""An application as PEP 3333 has it."""

_LENGTH = re.compile(r"[0-9]{1,18}")
_STATUS = re.compile(r"([2-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")


class Head(NamedTuple):
    """Status, reason and headers."""

    status: int
    reason: str
    headers: HTTPHeaders


# A piece: the head if it is the first, content, and whether it is the last.
Emit = Callable[[Head | None, bytes, bool], None]


class WSGIResponse:
    """What an application says in answer to one request.

    Args:
        emit: Gets the pieces, in order.
        is_head: The request is a HEAD: there is no content to be sent.
    """

    def __init__(self, emit: Emit, is_head: bool) -> None:
        self._emit = emit
        self.is_head = is_head
        self._head: Head | None = None
        self._left: int | None = None  # bytes that Content-Length says are still to come
        self.started = False  # the head is out
        self.complete = False
        self.no_content = False  # whatever comes is dropped

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Write:
        """Take status and headers: what the application is called with.

        Args:
            status: Code and reason.
            response_headers: Pairs of names and values.
            exc_info: Given when these replace others because of an error.

        Returns:
            A function that writes a piece of the body at once.

        Raises:
            ApplicationProtocolError: They are malformed, hop-by-hop, or there were some already.
            BaseException: That of ``exc_info``, if the head is out already.
        """
        if exc_info is not None:
            try:
                if self.started and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle
        elif self._head is not None:
            raise _fault("called start_response a second time without exc_info")
        match = _STATUS.fullmatch(status) if type(status) is str else None
        if match is None:
            raise _fault(f"gave {status!r} as status")
        head = Head(int(match[1]), match[2] or "", _headers(response_headers))
        if self.is_head or head.status in (204, 304):
            self.no_content = True
        else:
            length = head.headers.get("Content-Length")
            if length is not None and _LENGTH.fullmatch(length) is None:
                raise _fault(f"gave {length!r} as Content-Length")
            self._left = None if length is None else int(length)
        self._head = head
        return self.write

    def write(self, data: bytes) -> None:
        """Send a piece of the body; an empty one does nothing.

        Raises:
            ApplicationProtocolError: There is no head yet, it is no bytes, or more than announced.
        """
        if not isinstance(data, bytes):
            raise _fault(f"gave {type(data).__name__} instead of bytes")
        if data:
            self._send(data, last=False)

    def write_all(self, pieces: list[bytes] | tuple[bytes, ...]) -> None:
        """Send all of a body that is there at once: its length is known then.

        Raises:
            ApplicationProtocolError: As `write`.
        """
        for data in pieces:
            if not isinstance(data, bytes):
                raise _fault(f"gave {type(data).__name__} instead of bytes")
        body = b"".join(pieces)
        head = self._head
        if head is not None and not self.started and self._left is None:
            if head.status not in (204, 304) and "Content-Length" not in head.headers:
                head.headers["Content-Length"] = str(len(body))
            if not self.no_content:
                self._left = len(body)
        self._send(body, last=True)

    def finish(self) -> None:
        """The application is through.

        Raises:
            ApplicationProtocolError: It has not called start_response, or has sent less than it
                announced.
        """
        if self.complete:
            return
        head = self._head
        if head is not None and not (self.started or self.no_content) and self._left is None:
            head.headers["Content-Length"] = "0"
        self._send(b"", last=True)

    def end(self) -> None:
        """The call is over: let go of who takes the pieces, and refuse what may still come."""
        self._emit = _too_late

    def _send(self, data: bytes, last: bool) -> None:
        head = self._head
        if head is None:
            raise _fault("did not call start_response before its first content")
        if self.complete:
            if data and not self.no_content:
                raise _fault("sent more content than it announced")
            return
        if self.no_content:
            data, last = b"", True
        excess = False
        if self._left is not None:
            excess = len(data) > self._left
            data = data[: self._left]
            self._left -= len(data)
            if last and self._left:
                raise _fault(f"sent {self._left} bytes less than it announced")
            last = not self._left
        first = None if self.started else head
        self.started = True
        self.complete = last
        self._emit(first, data, last)
        if excess:
            raise _fault("sent more content than it announced")


def run_application(
    app: WSGIApplication, environ: dict[str, Any], response: WSGIResponse
) -> Generator[None, None, None]:
    """Run an application for one request; rest after each piece of content.

    Args:
        app: The application.
        environ: Its environment.
        response: Where its answer goes.

    Raises:
        ApplicationProtocolError: It breaks its interface.
        BaseException: Whatever it raises.
    """
    iterable = app(environ, response.start_response)
    try:
        if isinstance(iterable, (list, tuple)):
            response.write_all(iterable)
        else:
            for data in iterable:
                response.write(data)
                if response.complete and response.no_content:
                    break
                yield
            response.finish()
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()


def _headers(pairs: list[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    if type(pairs) is not list:
        raise _fault(f"gave its headers as {type(pairs).__name__}, not as a list")
    for name, value in pairs:
        if type(name) is not str or type(value) is not str:
            raise _fault(f"gave {name!r}: {value!r} as a header; both have to be str")
        if is_hop_by_hop(name):
            raise _fault(f"set {name}, which is between server and client")
        try:
            headers.add(name, value.strip(" \t"))
        except HTTPInputError as error:
            raise _fault(f"gave an invalid header: {error}") from error
    return headers


def _too_late(head: Head | None, data: bytes, last: bool) -> None:
    raise _fault("sent content after it had returned")


def _fault(what: str) -> ApplicationProtocolError:
    return ApplicationProtocolError("WSGI", what)
