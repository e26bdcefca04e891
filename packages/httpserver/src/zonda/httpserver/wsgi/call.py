"""One request of a WSGI application: from delegate calls to a thread and back.

The application runs in one call of the executor, from its first line to ``close``. What it emits
goes into a short queue that the loop empties into the connection; above `WINDOW` bytes the thread
waits. It is started when a small request is complete, otherwise as soon as it is worth it (see
`zonda.httpserver.asgi.http`, which has the same rules).

An executor that runs its functions in the loop's own thread, as the default one does, may not wait
for anything: then the whole body is collected first, in a file where it is large, and between two
pieces of the response the loop goes on.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import IO, Any

from zonda.httpserver.datecache import http_date
from zonda.httpserver.disconnect import is_lost
from zonda.httpserver.wsgi.body import READ_AHEAD, BodyPipe
from zonda.httpserver.wsgi.response import Head, WSGIApplication, WSGIResponse, run_application
from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.ioloop.log import app_log, gen_log, printable
from zonda.iostream import StreamClosedError

#: Bytes of a response that may wait for the connection.
WINDOW = 256 * 1024
#: Larger bodies are collected in a file, where they have to be collected.
SPOOL = 1024 * 1024

_WITHOUT_BODY = frozenset(("GET", "HEAD"))


class WSGICall(HTTPMessageDelegate):
    """Runs an application for one request.

    Args:
        app: The application.
        environ: Its environment, except ``wsgi.input``.
        request: The request.
        executor: Runs it.
        ended: Called with the status (0: none) when all is over.
    """

    def __init__(
        self,
        app: WSGIApplication,
        environ: dict[str, Any],
        request: HTTPServerRequest,
        executor: Executor,
        ended: Callable[[WSGICall, int], None],
    ) -> None:
        self.app = app
        self.environ = environ
        self.request = request
        self._connection: Any = request.connection
        self._executor = executor
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._response = WSGIResponse(self._emit, request.method == "HEAD")
        # The body, before the application is started and if it runs in this thread.
        self._task: asyncio.Task[None] | None = None  # held: the loop itself would not
        self._spool: IO[bytes] | None = None
        self._collected: list[bytes] = []
        self._size = 0
        self._complete = False
        # Afterwards.
        self._pipe: BodyPipe | None = None
        self._room: asyncio.Future[None] | None = None
        self._started = False
        self._in_place = False
        # The response.
        self._status = 0
        self._finished = False
        self._gone = False
        self._change = threading.Condition()
        self._queue: list[tuple[Head | None, bytes, bool]] = []
        self._queued = 0
        self._over = False

    # -- what the server says --------------------------------------------------------------------

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> asyncio.Future[None] | None:
        """Start the application now if it has to see the body as it comes."""
        if self.request.method in _WITHOUT_BODY:
            return None
        expects = "Expect" in headers
        if expects or "Transfer-Encoding" in headers:
            if expects:
                self._room = self._loop.create_future()
            self._start()
            if self._in_place:
                self._read_on()  # it is wanted: nothing begins before it is complete
        return self._room

    def data_received(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Keep a piece of the body, or pass it on."""
        self._size += len(chunk)
        if self._pipe is not None:
            full = self._pipe.feed(chunk)
        else:
            self._collect(chunk)
            full = False
            if not self._started and self._size > READ_AHEAD:
                self._start()
                full = self._pipe is not None
        if full and not self._finished:
            self._room = self._loop.create_future()
            return self._room
        return None

    def _collect(self, chunk: bytes) -> None:
        if self._spool is not None:
            self._spool.write(chunk)
            return
        self._collected.append(chunk)
        if self._size > SPOOL:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _end
            self._spool.writelines(self._collected)
            self._collected.clear()

    def finish(self) -> None:
        """The request is complete."""
        self._complete = True
        if self._pipe is not None:
            self._pipe.feed_eof()
        elif not self._started:
            self._start()
        elif self._in_place:
            self._run_in_place()

    def on_connection_close(self) -> None:
        """The client is gone: let nobody wait for it."""
        if not is_lost(self._connection):
            # It has only finished sending, and gets its answer; we are told when it is really gone.
            self._connection.set_close_callback(self._lost)
            return
        self._lost()

    def _lost(self) -> None:
        self._gone = True
        if self._pipe is not None:
            self._pipe.fail()
        with self._change:
            self._change.notify_all()
        if self._in_place and not self._complete:
            self._end()  # it will not begin
        elif not self._started:
            self._end()

    def _read_on(self) -> None:
        """The application wants more of the body."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # -- the application -------------------------------------------------------------------------

    def run_whole(self, body: bytes) -> None:
        """Run it for a request that has been collected by somebody else."""
        self._collected = [body] if body else []
        self._size = len(body)
        self._complete = True
        self._start()

    def _start(self) -> None:
        self._started = True
        try:
            future = self._executor.submit(self._in_thread)
        except RuntimeError as error:  # it has been shut down
            self._failed(error)
            self._end()
            return
        if future.done() and future.result() is False:
            self._in_place = True
            if self._complete:
                self._run_in_place()
        else:
            self._give_pipe()

    def _give_pipe(self) -> None:
        """Connect the thread, which may be waiting for this already."""
        pipe = BodyPipe(self._loop, self._read_on)
        for chunk in self._collected:
            pipe.feed(chunk)
        self._collected.clear()
        if self._complete:
            pipe.feed_eof()
        with self._change:
            self._pipe = pipe
            self._change.notify_all()

    def _in_thread(self) -> bool:
        """Run the application, unless this is the loop's thread."""
        if threading.get_ident() == self._loop_thread:
            return False
        with self._change:
            while self._pipe is None:
                self._change.wait()
        error: BaseException | None = None
        try:
            if self._gone:  # while it waited for a thread
                raise StreamClosedError
            with self._pipe.reader as reader:
                self.environ["wsgi.input"] = reader
                for _ in run_application(self.app, self.environ, self._response):
                    pass
        except BaseException as raised:
            error = raised
        try:
            self._loop.call_soon_threadsafe(self._thread_ended, error)
        except RuntimeError:
            pass  # the loop is closed: nobody is interested any more
        return True

    def _thread_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._failed(error)
        self._end()

    def _run_in_place(self) -> None:
        body: IO[bytes]
        if self._spool is not None:
            body = self._spool
            body.seek(0)
        else:
            body = io.BytesIO(b"".join(self._collected))
        self.environ["wsgi.input"] = body
        steps = run_application(self.app, self.environ, self._response)
        try:
            for _ in steps:
                if self._room is not None or self._gone:
                    # The client reads more slowly than the application writes: only now a task.
                    task = self._loop.create_task(self._run_slowly(steps))
                    task.add_done_callback(self._slow_ended)
                    self._task = task
                    return
        except BaseException as error:
            self._failed(error)
            if not isinstance(error, Exception):
                self._end()
                raise
        self._end()

    async def _run_slowly(self, steps: Any) -> None:
        try:
            while True:
                if self._room is not None:
                    await self._room
                    self._room = None
                else:
                    await asyncio.sleep(0)  # others want the loop, too
                if self._gone:
                    return
                next(steps)
        except StopIteration:
            pass
        finally:
            steps.close()

    def _slow_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._abort()
        elif (error := task.exception()) is not None:
            self._failed(error)
        self._end()

    # -- the response ----------------------------------------------------------------------------

    def _emit(self, head: Head | None, data: bytes, last: bool) -> None:
        """Take a piece of the response, in whatever thread the application runs."""
        if self._in_place:
            if self._gone:
                raise StreamClosedError
            future = self._write(head, data, last)
            if future is not None and not future.done():
                self._room = future
            return
        with self._change:
            while self._queued > WINDOW and not self._gone:
                self._change.wait()
            if self._gone:
                raise StreamClosedError
            self._queue.append((head, data, last))
            self._queued += len(data)
            if len(self._queue) > 1:
                return  # the loop has been told
        try:
            self._loop.call_soon_threadsafe(self._flush)
        except RuntimeError as error:  # it is closed
            raise StreamClosedError from error

    def _flush(self) -> None:
        with self._change:
            queue, self._queue = self._queue, []
        head, _, last = queue[0]
        last = queue[-1][2]
        data = queue[0][1] if len(queue) == 1 else b"".join([piece for _, piece, _ in queue])
        if self._finished:
            self._written(len(data))
            return
        try:
            future = self._write(head, data, last)
        except Exception as error:
            self._failed(error)
            future = None
        if future is None or future.done():
            self._written(len(data))
        else:
            future.add_done_callback(lambda _: self._written(len(data)))

    def _written(self, size: int) -> None:
        with self._change:
            self._queued -= size
            self._change.notify_all()

    def _write(self, head: Head | None, data: bytes, last: bool) -> asyncio.Future[None] | None:
        connection = self._connection
        future: asyncio.Future[None] | None = None
        if head is None:
            if data:
                future = connection.write(data)
        else:
            self._status = head.status
            headers = head.headers
            if "Date" not in headers:
                headers["Date"] = http_date()
            if "Content-Type" not in headers and (data or self._would_have_content(head)):
                headers["Content-Type"] = "text/html; charset=UTF-8"
            respond = getattr(connection, "respond", None) if last else None
            if respond is not None:
                self._finished = True
                if self._response.is_head:
                    return self._respond_without_content(head)
                future = respond(head.status, head.reason, headers, data)
                return future  # noqa: RET504 - for its type
            start_line = ResponseStartLine("HTTP/1.1", head.status, head.reason)
            future = connection.write_headers(start_line, headers, data)
        if last:
            self._finished = True
            connection.finish()
        return future

    def _would_have_content(self, head: Head) -> bool:
        """Whether this is the head that a GET in place of a HEAD would have got with content."""
        return (
            self._response.is_head
            and head.status not in (204, 304)
            and head.headers.get("Content-Length") != "0"
        )

    def _respond_without_content(self, head: Head) -> asyncio.Future[None]:
        """Say what content there would be, and send none."""
        start_line = ResponseStartLine("HTTP/1.1", head.status, head.reason)
        future: asyncio.Future[None] = self._connection.write_headers(start_line, head.headers)
        self._connection.finish()
        return future

    def _failed(self, error: BaseException) -> None:
        """Log what has gone wrong, and end the response as well as that can be done."""
        if self._gone and isinstance(error, StreamClosedError):
            gen_log.info("%s: the client is gone", self._summary())
            return
        app_log.error("Uncaught exception in WSGI application, %s", self._summary(), exc_info=error)
        if self._finished or self._gone:
            return
        self._finished = True
        if self._status or self._queue:
            self._abort()
            return
        body = b"Internal Server Error"
        fields = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Date": http_date(),
        }
        self._status = 500
        start_line = ResponseStartLine("HTTP/1.1", 500, "Internal Server Error")
        self._connection.write_headers(start_line, HTTPHeaders(fields), body)
        self._connection.finish()

    def _abort(self) -> None:
        """Half a response must not look like a whole one."""
        stream = getattr(self._connection, "stream", None)
        if stream is not None:
            stream.abort()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._spool is not None:
            self._spool.close()
        self._response.end()  # or the two would hold each other until the garbage is collected
        self._ended(self, self._status)

    def _summary(self) -> str:
        request = self.request
        return f"{request.method} {printable(request.uri)} ({request.remote_ip})"
