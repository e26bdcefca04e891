r"""The server's access log: one record for each request, however it was answered.

``HTTPServer(app, access_log="combined")`` writes lines to the logger ``zonda.access``; a function
in place of the name gets each `AccessRecord`. It sees what all applications answer, ASGI and WSGI
ones included. An ``Application`` writes a line of its own (``log_request``), which the setting
``log_function`` replaces: with both there are two.

==============  ================================================================================
``"common"``    ``192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a HTTP/1.1" 200 2326``
``"combined"``  the same with ``"referer" "user agent"`` behind it
``"json"``      an object a line: time, remote_ip, method, target, version, status, size, duration,
                host, referer, user_agent, complete
==============  ================================================================================

What is no request, because it is malformed, too large or too slow, is in there, too, with the
status of the server's answer: its first line as far as it came, ``-`` for what is not known.

Nothing a client sends can break a line or look like another field. Without ``access_log`` requests
do not pass through here at all.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.ioloop.log import access_log, app_log, printable

# Characters of a line that is no request line.
_LONGEST_LINE = 1024
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(slots=True)
class AccessRecord:
    """What there is to say about one request.

    Attributes:
        time: When it began, in seconds since 1970.
        remote_ip: The client's address, as a trusted proxy tells it.
        method: The method; empty if there was no request line with three parts.
        target: The target, as on the wire; all of the line if it had not three parts.
        version: ``HTTP/1.1``; empty likewise.
        host: The Host field.
        referer: The Referer field.
        user_agent: The User-Agent field.
        status: Of the response; 0 if there was none.
        size: Bytes of content that were given to the connection.
        duration: Seconds until the response was complete, or the client gone.
        complete: Whether the response is.
    """

    time: float
    remote_ip: str
    method: str
    target: str
    version: str
    host: str
    referer: str
    user_agent: str
    status: int = 0
    size: int = 0
    duration: float = 0.0
    complete: bool = False


AccessHook = Callable[[AccessRecord], object]
"""Called with the record of each request; its result is ignored."""


def common(record: AccessRecord) -> str:
    """Return a line in the Common Log Format."""
    moment = time.gmtime(record.time)
    day = f"{moment.tm_mday:02}/{_MONTHS[moment.tm_mon - 1]}/{moment.tm_year}"
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    line = _quoted(f"{record.method} {record.target} {record.version}".strip() or "-")
    status = record.status or "-"
    return f"{record.remote_ip} - - [{day}:{clock} +0000] {line} {status} {record.size or '-'}"


def combined(record: AccessRecord) -> str:
    """Return a line in the Combined Log Format."""
    return f"{common(record)} {_quoted(record.referer or '-')} {_quoted(record.user_agent or '-')}"


def as_json(record: AccessRecord) -> str:
    """Return a JSON object on one line."""
    fields = asdict(record)
    fields["duration"] = round(record.duration, 6)
    return json.dumps(fields)


def _quoted(text: str) -> str:
    text = printable(text.replace("\\", "\\\\"))
    return '"' + text.replace('"', '\\"') + '"'


FORMATS: dict[str, Callable[[AccessRecord], str]] = {
    "common": common,
    "combined": combined,
    "json": as_json,
}
"""Formats of a line by the name that ``access_log`` takes."""


def access_hook(wanted: str | AccessHook) -> AccessHook:
    """Return what gets the records.

    Args:
        wanted: The name of a format, or the function itself.

    Raises:
        ValueError: There is no such format.
    """
    if not isinstance(wanted, str):
        return wanted
    if wanted not in FORMATS:
        raise ValueError(f"access_log is one of {', '.join(FORMATS)} or a function, not {wanted!r}")
    line_of = FORMATS[wanted]

    def write(record: AccessRecord) -> None:
        if access_log.isEnabledFor(20):
            access_log.info("%s", line_of(record))

    return write


def hand_over(record: AccessRecord, hook: AccessHook) -> None:
    """Give a record to a hook, whose exceptions are logged."""
    try:
        hook(record)
    except Exception:
        app_log.error("Uncaught exception in the access log's hook", exc_info=True)


def refused_record(
    context: Any, received: bytes, status: int, size: int, duration: float
) -> AccessRecord:
    r"""Return the record of something that never became a request.

    Args:
        context: The connection's context.
        received: What has come of it.
        status: That it was answered with.
        size: Bytes of content in the answer.
        duration: Seconds since it began.

    >>> record = refused_record(None, b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n", 400, 0, 0.0)
    >>> record.method, record.target
    ('GET', '/a')
    """
    line = received[:_LONGEST_LINE].partition(b"\n")[0].decode("latin-1").strip("\r\n ")
    parts = line.split(" ")
    method, target, version = parts if len(parts) == 3 else ("", line, "")
    return AccessRecord(
        time.time() - duration,
        getattr(context, "remote_ip", None) or "-",
        method,
        target,
        version,
        "",
        "",
        "",
        status,
        size,
        duration,
        complete=True,
    )


class ObservedConnection(HTTPConnection):
    """A request's connection that takes note of the response. Everything else passes through.

    Args:
        connection: The connection.
        hook: Gets the record at the end.
    """

    def __init__(self, connection: HTTPConnection, hook: AccessHook) -> None:
        self._connection: Any = connection
        self.context: Any = getattr(connection, "context", None)
        self._hook = hook
        self._clock = time.monotonic()
        self.record: AccessRecord | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Send the head, and note it."""
        future: asyncio.Future[None] = self._connection.write_headers(start_line, headers, chunk)
        code = getattr(start_line, "code", 0)
        self._note(code, len(chunk or b""))
        if code == 101:
            self.over(complete=True)
        return future

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body, and note its size."""
        future: asyncio.Future[None] = self._connection.write(chunk)
        self._note(0, len(chunk))
        return future

    def write_file(self, file: Any) -> asyncio.Future[None]:
        """Send a part of a file, and note its size."""
        size = len(file)
        future: asyncio.Future[None] = self._connection.write_file(file)
        self._note(0, size)
        return future

    def respond(
        self, status: int, reason: str, headers: HTTPHeaders, body: bytes
    ) -> asyncio.Future[None]:
        """Send a whole response, and note it."""
        future: asyncio.Future[None] = self._connection.respond(status, reason, headers, body)
        self._note(status, len(body))
        self.over(complete=True)
        return future

    # Who looks for the quicker way finds that there is none: a record is made on the other one.
    respond_ready = None

    def finish(self, *args: Any) -> None:
        """Complete the response: the record is complete, too."""
        self._connection.finish(*args)
        self.over(complete=True)

    def _note(self, status: int, size: int) -> None:
        record = self.record
        if record is not None:
            if status:
                record.status = status
            if not self._connection.is_head:
                record.size += size

    def over(self, *, complete: bool) -> None:
        """Hand the record over, once."""
        record, self.record = self.record, None
        if record is not None:
            record.complete = complete
            refusal = getattr(self._connection, "refusal", None)
            if refusal is not None:  # the server has answered in place of the application
                record.status, record.size = refusal
                record.complete = True
            record.duration = time.monotonic() - self._clock
            hand_over(record, self._hook)


class ObservingDelegate(HTTPMessageDelegate):
    """Begins the record of a request, and ends it if the client goes away.

    Args:
        delegate: Gets everything.
        connection: The request's connection.
    """

    def __init__(self, delegate: HTTPMessageDelegate, connection: ObservedConnection) -> None:
        self._delegate = delegate
        self._connection = connection

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Begin the record."""
        method, target, version = start_line
        context = getattr(self._connection, "context", None)
        self._connection.record = AccessRecord(
            time.time(),
            getattr(context, "remote_ip", None) or "-",
            str(method),
            str(target),
            str(version),
            headers.get("Host", ""),
            headers.get("Referer", ""),
            headers.get("User-Agent", ""),
        )
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass on."""
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Pass on."""
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass on, and end the record unless the client is still reading."""
        self._delegate.on_connection_close()
        if self._connection.stream.closed() or self._connection.finished:
            self._connection.over(complete=False)
        else:
            gone, self._connection._connection._close_callback = (
                self._connection._connection._close_callback,
                None,
            )
            self._connection._connection.set_close_callback(lambda: self._lost(gone))

    def _lost(self, also: Callable[[], object] | None) -> None:
        if also is not None:
            also()
        self._connection.over(complete=False)
