"""One HTTP request of an ASGI application: delegate calls in, messages out, and the reverse.

The application is started when the request is complete, so that it finds all of it in one message
and, if it does not wait for anything else, costs no task. A body that is larger than `READ_AHEAD`
is streamed: the application starts with what is there, and the rest waits for its ``receive``. So
does a body that comes in chunks or that the client wants to be asked for (``Expect``): the
application starts with the head, and ``100 Continue`` is sent when it first asks.

``send`` returns at once unless the client reads more slowly than the application writes. It raises
`StreamClosedError`, an OSError, when the client is gone.
"""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import Any

from zonda.httpserver.asgi.fields import response_fields
from zonda.httpserver.asgi.heads import PHRASES, known_head
from zonda.httpserver.asgi.running import as_coroutine
from zonda.httpserver.asgi.types import ASGIApplication, Message
from zonda.httpserver.datecache import date_line
from zonda.httpserver.disconnect import comes_from_disconnect, is_lost
from zonda.httpserver.errors import ApplicationProtocolError
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.ioloop.log import app_log, gen_log
from zonda.ioloop.stepping import StartedTask, start_coroutine
from zonda.iostream import StreamClosedError

#: Bytes of a body that may wait for the application.
READ_AHEAD = 64 * 1024

_WITHOUT_BODY = frozenset(("GET", "HEAD"))

# What the application has said.
_NOTHING, _START, _BODY, _TRAILERS, _DONE = range(5)
_CONTENT_MAY_COME = frozenset((_START, _BODY))

_ERROR_PAGE = b"Internal Server Error"


class HTTPCycle(HTTPMessageDelegate):
    """Runs an application for one request.

    Args:
        app: The application.
        scope: The request's scope.
        connection: Where the response goes.
        tasks: Holds the application's task while it waits: the loop itself would not.
    """

    __slots__ = (
        "_complete",
        "_connection",
        "_fields",
        "_gone",
        "_pieces",
        "_room",
        "_said",
        "_size",
        "_started",
        "_status",
        "_tasks",
        "_told",
        "_trailers",
        "_waiters",
        "_wanted",
        "app",
        "scope",
    )

    def __init__(
        self,
        app: ASGIApplication,
        scope: dict[str, Any],
        connection: HTTPConnection,
        tasks: set[asyncio.Future[None]],
    ) -> None:
        self.app = app
        self.scope = scope
        self._connection: Any = connection
        self._tasks = tasks
        self._pieces: list[bytes] = []  # of the body, not yet received by the application
        self._size = 0
        self._complete = False  # the body is
        self._told = False  # and the application knows
        self._started = False
        self._gone = False  # the client is
        self._said = _NOTHING
        self._status: int  # of the response; set with `_fields` when its start is said
        self._fields: Any
        self._trailers: HTTPHeaders | None = None  # not None: some are to follow
        self._waiters: list[asyncio.Future[None]] | None = None
        self._room: asyncio.Future[None] | None = None
        self._wanted: asyncio.Future[None] | None = None

    # -- what the server says --------------------------------------------------------------------

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> asyncio.Future[None] | None:
        """Start the application now if it has to see the body as it comes."""
        if self.scope["method"] in _WITHOUT_BODY:
            return None  # nearly always; the few that have one nevertheless wait for it
        expects = "expect" in headers
        if expects or "transfer-encoding" in headers:
            if expects:
                self._wanted = asyncio.get_running_loop().create_future()
            self._run()
        return self._wanted

    def whole_message(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        body: bytes,
    ) -> bool:
        """Run the application for a request that is there, unless it has a large body."""
        if body:
            if len(body) > READ_AHEAD:
                return False
            self._pieces.append(body)
        self._complete = True
        self._run()
        return True

    def data_received(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Keep a piece of the body, or tell the application of it."""
        if self._said == _DONE:
            return None
        self._pieces.append(chunk)
        self._size += len(chunk)
        if self._waiters is not None:
            self._wake()
        if self._size > READ_AHEAD:
            self._room = asyncio.get_running_loop().create_future()
            if not self._started:
                self._run()
        return self._room

    def finish(self) -> None:
        """The request is complete."""
        self._complete = True
        if self._waiters is not None:
            self._wake()
        if not self._started:
            self._run()

    def on_connection_close(self) -> None:
        """Tell the application, when it asks, that the client is gone."""
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # -- the application -------------------------------------------------------------------------

    def _run(self) -> None:
        self._started = True
        try:
            call = self.app(self.scope, self.receive, self.send)
            task = start_coroutine(call if type(call) is CoroutineType else as_coroutine(call))
        except Exception as error:
            self._failed(error)
            return
        except asyncio.CancelledError:
            self._failed(None)
            return
        if isinstance(task, StartedTask):  # it has to wait for something
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        elif self._said != _DONE:
            self._stopped_short()

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._failed(None)
        elif (error := task.exception()) is not None:
            self._failed(error)
        elif self._said != _DONE:
            self._stopped_short()

    def _stopped_short(self) -> None:
        if self._gone:
            # It has noticed, and has nothing to say any more.
            self._said = _DONE
            self._abort()
            return
        self._failed(ApplicationProtocolError("ASGI", "returned without completing its response"))

    def _failed(self, error: BaseException | None) -> None:
        """Log what has escaped the application (None: it was cancelled) and end the response."""
        what = f"{self.scope['method']} {self.scope['raw_path'].decode('latin-1')!r}"
        if error is None:
            gen_log.info("ASGI application cancelled in %s", what)
        elif self._gone and comes_from_disconnect(error):
            gen_log.info("%s: the client is gone", what)
        else:
            app_log.error("Uncaught exception in ASGI application, %s", what, exc_info=error)
        said, self._said = self._said, _DONE
        self._pieces.clear()
        self._wake()
        if self._gone and is_lost(self._connection):
            return
        if said < _BODY:
            self._respond(500, [(b"content-type", b"text/plain; charset=utf-8")], _ERROR_PAGE)
        elif said != _DONE:
            self._abort()

    def _abort(self) -> None:
        """Cut the connection: half a response must not look like a whole one."""
        stream = getattr(self._connection, "stream", None)
        if stream is not None:
            stream.abort()

    # -- receive ---------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next message: the body, piece by piece, then the disconnect."""
        while True:
            if self._gone or self._said == _DONE:
                return {"type": "http.disconnect"}
            pieces = self._pieces
            if pieces or (self._complete and not self._told):
                body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                if pieces:
                    self._pieces = []
                    self._size = 0
                    if self._room is not None:
                        room, self._room = self._room, None
                        room.set_result(None)
                self._told = complete = self._complete
                return {"type": "http.request", "body": body, "more_body": not complete}
            waiter = asyncio.get_running_loop().create_future()
            if self._waiters is None:
                self._waiters = [waiter]
            else:
                self._waiters.append(waiter)
            if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                if not wanted.done():
                    wanted.set_result(None)
            await waiter

    # -- send ------------------------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        """Take a message of the application.

        Raises:
            StreamClosedError: The client is gone.
            ApplicationProtocolError: This message may not come now, or is of no known type.
            HTTPOutputError: It may not be sent: forbidden characters, a wrong length.
        """
        if self._gone and is_lost(self._connection):
            raise StreamClosedError
        kind = message["type"]
        said = self._said
        future: asyncio.Future[None] | None
        if kind == "http.response.body" and said in _CONTENT_MAY_COME:
            body = message.get("body", b"")
            if message.get("more_body", False):
                future = self._head(body) if said == _START else self._connection.write(body)
                self._said = _BODY
            elif self._trailers is not None:
                future = self._head(body) if said == _START else self._connection.write(body)
                self._said = _TRAILERS
            elif said == _START:
                future = self._respond(self._status, self._fields, body)
            else:
                future = self._connection.write(body) if body else None
                self._end()
        elif kind == "http.response.start" and said == _NOTHING:
            self._status = message["status"]
            self._fields = message.get("headers", ())
            if message.get("trailers", False):
                self._trailers = HTTPHeaders()
            self._said = _START
            return  # it goes out with the first piece of the body
        else:
            future = self._seldom(kind, message)
        if future is not None and not future.done():
            await future

    def _seldom(self, kind: str, message: Message) -> asyncio.Future[None] | None:
        """Take a message of an extension."""
        said = self._said
        if kind == "http.response.trailers" and said == _TRAILERS:
            assert self._trailers is not None
            for name, value in message.get("headers", ()):
                self._trailers.add(name.decode("latin-1"), value.decode("latin-1"))
            if not message.get("more_trailers", False):
                self._end()
            return None
        if kind == "http.response.early_hint" and said == _NOTHING:
            hints = HTTPHeaders()
            for link in message.get("links", ()):
                hints.add("Link", link.decode("latin-1"))
            start_line = ResponseStartLine("HTTP/1.1", 103, "Early Hints")
            early: asyncio.Future[None] = self._connection.write_headers(start_line, hints)
            return early
        raise ApplicationProtocolError("ASGI", f"sent {kind!r} out of order")

    def _head(self, body: bytes) -> asyncio.Future[None]:
        """Send the head of a response whose end is not known yet."""
        start_line = ResponseStartLine("HTTP/1.1", self._status, PHRASES.get(self._status, ""))
        future: asyncio.Future[None] = self._connection.write_headers(
            start_line, response_fields(self._fields), body
        )
        return future

    def _respond(self, status: int, fields: Any, body: bytes) -> asyncio.Future[None]:
        """Send a whole response in one write."""
        connection = self._connection
        fields = tuple(fields)
        known = known_head(status, fields)
        if known is not None:
            respond_ready = getattr(connection, "respond_ready", None)
            if respond_ready is not None:
                head, lacks_date = known
                sent: asyncio.Future[None] | None = respond_ready(
                    head, date_line() if lacks_date else b"", body
                )
                if sent is not None:
                    self._said = _DONE
                    if self._waiters is not None:
                        self._wake()
                    return sent
        headers = response_fields(fields)
        reason = PHRASES.get(status, "")
        respond = getattr(connection, "respond", None)
        future: asyncio.Future[None]
        if respond is not None:
            future = respond(status, reason, headers, body)
            self._said = _DONE
            if self._waiters is not None:
                self._wake()
            return future
        if "Content-Length" not in headers:
            headers["Content-Length"] = str(len(body))
        future = connection.write_headers(
            ResponseStartLine("HTTP/1.1", status, reason), headers, body
        )
        self._end()
        return future

    def _end(self) -> None:
        self._said = _DONE
        if self._trailers:
            self._connection.finish(self._trailers)
        else:
            self._connection.finish()
        self._wake()
