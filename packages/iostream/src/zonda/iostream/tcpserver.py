"""A TCP server: listening sockets in, a stream for each connection out."""

import asyncio
import contextvars
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from types import CoroutineType
from typing import Any

from zonda.ioloop.log import app_log
from zonda.ioloop.process import fork_processes
from zonda.iostream.accept import Acceptor
from zonda.iostream.binding import DEFAULT_BACKLOG, bind_sockets
from zonda.iostream.errors import StreamClosedError
from zonda.iostream.sockets import IOStream
from zonda.iostream.tls import SSLIOStream
from zonda.iostream.tlsoptions import SSLOptions, ssl_options_to_context


class TCPServer:
    """Accepts connections and hands each, as a stream, to ``handle_stream``.

    There are three ways to start: ``listen``; ``bind`` and ``start(n)``, which can fork; and
    ``bind_sockets`` with ``add_sockets`` for everything else.

    Args:
        ssl_options: an ``ssl.SSLContext`` (or a dict of the arguments of ``ssl.wrap_socket``) makes
            it a TLS server.
        max_buffer_size: passed to the streams, see BaseIOStream.
        read_chunk_size: passed to the streams.

    Raises:
        KeyError: ``ssl_options`` is a dict without a ``certfile``.
        ValueError: it names a file that does not exist.

    >>> class Echo(TCPServer):
    ...     async def handle_stream(self, stream, address):
    ...         while True:
    ...             await stream.write(await stream.read_until(b"\\n"))
    """

    def __init__(
        self,
        ssl_options: SSLOptions | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
    ) -> None:
        self.ssl_options = ssl_options
        self.max_buffer_size = max_buffer_size
        self.read_chunk_size = read_chunk_size
        self._sockets: dict[int, socket.socket] = {}
        self._acceptors: dict[int, Acceptor] = {}
        self._paused = False
        self._pending_sockets: list[socket.socket] = []
        self._started = False
        self._stopped = False
        # What handles a connection, and which; the loop itself holds tasks weakly.
        self._tasks: dict[asyncio.Future[None], IOStream] = {}
        # One of each for all of them, in place of one for each.
        self._context = contextvars.copy_context()
        self._on_handled: Callable[[asyncio.Future[None]], None] | None = None
        self._ssl_context: ssl.SSLContext | None = None
        if ssl_options is not None:
            self._ssl_context = _server_context(ssl_options)

    def listen(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Accept on ``port`` from now on; can be called more than once. See ``bind_sockets``."""
        self.add_sockets(bind_sockets(port, address, family, backlog, flags, reuse_port))

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept on these listening sockets, which belong to the server from then on."""
        self._on_handled = self._handled
        for sock in sockets:
            self._sockets[sock.fileno()] = sock
            self._acceptors[sock.fileno()] = acceptor = Acceptor(sock, self._handle_connection)
            if self._paused:
                acceptor.pause()

    def add_socket(self, socket: socket.socket) -> None:
        """Accept on one listening socket."""
        self.add_sockets([socket])

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Bind, without accepting before ``start``. See ``bind_sockets``."""
        sockets = bind_sockets(port, address, family, backlog, flags, reuse_port)
        if self._started:
            self.add_sockets(sockets)
        else:
            self._pending_sockets.extend(sockets)

    def start(self, num_processes: int | None = 1, max_restarts: int | None = None) -> None:
        """Accept on what was bound.

        Args:
            num_processes: processes to fork first: None or a number up to 0 for one per core, 1
                for none. The loop must not have been used before forking.
            max_restarts: how many dead children are replaced in all, see ``fork_processes``.

        Raises:
            RuntimeError: it was started already.
        """
        if self._started:
            raise RuntimeError("the server was started already")
        self._started = True
        if num_processes != 1:
            fork_processes(num_processes, max_restarts)
        sockets, self._pending_sockets = self._pending_sockets, []
        self.add_sockets(sockets)

    def stop(self) -> None:
        """Accept no more and close the listening sockets; connections go on."""
        if self._stopped:
            return
        self._stopped = True
        self._on_handled = None  # it leads back to the server
        for fd, sock in self._sockets.items():
            self._acceptors.pop(fd).stop()
            sock.close()
        for sock in self._pending_sockets:
            sock.close()
        self._pending_sockets.clear()

    def pause_accepting(self) -> None:
        """Leave new connections in the backlog until `resume_accepting`: there are enough."""
        self._paused = True
        for acceptor in self._acceptors.values():
            acceptor.pause()

    def resume_accepting(self) -> None:
        """Accept again after `pause_accepting`."""
        self._paused = False
        for acceptor in self._acceptors.values():
            acceptor.resume()

    def set_ssl_options(self, ssl_options: SSLOptions) -> None:
        """Use other TLS settings for connections from now on: a renewed certificate, say.

        Connections that exist keep theirs.

        Args:
            ssl_options: as for the constructor.

        Raises:
            KeyError, ValueError: as for the constructor; the old settings stay then.
            RuntimeError: this is no TLS server.
        """
        if self._ssl_context is None:
            raise RuntimeError("this server was made without ssl_options")
        self._ssl_context = _server_context(ssl_options)
        self.ssl_options = ssl_options

    def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:
        """Handle a connection; to be overridden, as a plain function or a coroutine.

        Exceptions are logged to the application log and close the stream; StreamClosedError is the
        usual end of a coroutine and is not logged.
        """
        raise NotImplementedError

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        try:
            stream = self._make_stream(connection)
        except OSError:
            connection.close()  # reset before TLS could begin
            return
        try:
            result = self.handle_stream(stream, address)
        except Exception:
            app_log.error("Error in connection callback", exc_info=True)
            stream.close()
            return
        if result is not None:
            # A task, not one around another: connections wait here, by the thousand.
            loop = stream._loop
            task: asyncio.Future[None]
            if isinstance(result, CoroutineType):
                task = loop.create_task(result, name="handle_stream")  # not a name for each
            else:
                task = asyncio.ensure_future(result, loop=loop)
            self._tasks[task] = stream
            task.add_done_callback(self._on_handled or self._handled, context=self._context)

    def _handled(self, task: "asyncio.Future[None]") -> None:
        stream = self._tasks.pop(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StreamClosedError):
            app_log.error("Exception in callback: handle_stream", exc_info=error)
            stream.close()

    def _make_stream(self, connection: socket.socket) -> IOStream:
        if self._ssl_context is not None:
            return SSLIOStream(
                connection,
                max_buffer_size=self.max_buffer_size,
                read_chunk_size=self.read_chunk_size,
                ssl_options=self._ssl_context,
                server_side=True,
            )
        stream = IOStream(
            connection,
            max_buffer_size=self.max_buffer_size,
            read_chunk_size=self.read_chunk_size,
        )
        stream._inline = 1  # clients mostly speak first, and have spoken
        return stream


def _server_context(ssl_options: SSLOptions) -> ssl.SSLContext:
    if isinstance(ssl_options, dict):
        if "certfile" not in ssl_options:
            raise KeyError('missing key "certfile" in ssl_options')
        for key in ("certfile", "keyfile"):
            file = ssl_options.get(key)
            if file is not None and not os.path.exists(file):
                raise ValueError(f'{key} "{file}" does not exist')
    return ssl_options_to_context(ssl_options, server_side=True)
