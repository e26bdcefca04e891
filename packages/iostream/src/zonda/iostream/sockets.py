"""Streams over sockets (TCP and Unix)."""

import asyncio
import errno
import os
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from zonda.iostream.errors import StreamClosedError
from zonda.iostream.filerange import FileRange
from zonda.iostream.hangup import watch_hangup
from zonda.iostream.reading import ReadInto
from zonda.iostream.stream import BaseIOStream
from zonda.iostream.writebuffer import Buffer

_Socket = socket.socket

HANGUP_DELAY = 0.5
"""Seconds without reading after which a stream with a sink is watched for a reset."""

if TYPE_CHECKING:
    from zonda.iostream.tls import SSLIOStream


class IOStream(BaseIOStream):
    """A stream over a socket, which it makes non-blocking and owns from then on.

    Args:
        socket: connected, or not yet (see ``connect``).
        max_buffer_size: the most bytes kept for reads; more closes the stream. 100 MiB by default.
        read_chunk_size: bytes for one read. 64 KiB by default.
        max_write_buffer_size: the most bytes queued for writing; more is a
            StreamBufferFullError. None, the default, for no limit.

    >>> import asyncio, socket
    >>> async def main():
    ...     ours, theirs = map(IOStream, socket.socketpair())
    ...     await ours.write(b"hello\\nworld")
    ...     ours.close()
    ...     print(await theirs.read_until(b"\\n"), await theirs.read_until_close())
    >>> asyncio.run(main())
    b'hello\\n' b'world'
    """

    __slots__ = ("socket",)

    _connecting: "asyncio.Future[Any] | None" = None

    def __init__(
        self,
        socket: _Socket,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        self.socket: _Socket = socket
        socket.setblocking(False)
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size)
        self._recv = socket.recv
        self._send = socket.send

    def fileno(self) -> int:
        """See BaseIOStream."""
        return self.socket.fileno()

    def close_fd(self) -> None:
        """See BaseIOStream."""
        self.socket.close()

    def get_fd_error(self) -> Exception | None:
        """See BaseIOStream."""
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return OSError(code, errno.errorcode.get(code, str(code))) if code else None

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """See BaseIOStream."""
        try:
            return self.socket.recv_into(buf)
        except BlockingIOError:
            return None

    def read_into(
        self,
        buf: bytearray | memoryview,
        partial: "bool | Callable[[int], object]" = False,
        callback: "Callable[[int], object] | None" = None,
    ) -> "asyncio.Future[int]":
        """See BaseIOStream; a large buffer is filled by the operating system itself."""
        future = super().read_into(buf, partial, callback)
        read = self._read
        if (
            isinstance(read, ReadInto)
            and self._fills_directly
            and len(read.target) - read.filled >= self.read_chunk_size
        ):
            self._recv = self._fill
        return future

    # Whether the socket's recv_into can be used behind the back of everything else.
    _fills_directly: ClassVar[bool] = True

    def _fill(self, size: int) -> bytes:
        """Stand in for ``socket.recv`` while a large ``read_into`` is pending."""
        read = self._read
        if not isinstance(read, ReadInto) or read.future.done():
            self._recv = self.socket.recv
            return self._recv(size)
        count = self.socket.recv_into(read.target[read.filled :])
        if not count:
            return b""
        if read.fill(count):
            self._recv = self.socket.recv
            self._finish_read()
        raise BlockingIOError  # there is nothing to deliver any more

    def write_to_fd(self, data: memoryview) -> int:
        """See BaseIOStream."""
        return self.socket.send(data)

    def _send_many(self, buffers: Sequence[Buffer]) -> int:
        if len(buffers) == 1:
            first = cast("Buffer | FileRange", buffers[0])
            if isinstance(first, FileRange):
                return first.send_to(self.socket)
            return self._send(first)
        return self.socket.sendmsg(buffers)

    can_send_files: ClassVar[bool] = hasattr(os, "sendfile")
    """Whether `send_files` works on this kind of stream and system."""

    def send_files(self, buffers: "Sequence[Buffer | FileRange]") -> None:
        """As `send_buffers`, where some of the buffers are parts of files.

        These go from the file to the socket without being read, a bounded number of bytes in a
        turn of the loop. The stream closes them: when they are out, and when it is closed.

        Raises:
            StreamClosedError: `write_eof` came first.
        """
        try:
            # The queue takes them as they are: `_send_many` gets each of them alone.
            self._enqueue(buffers)  # type: ignore[arg-type]
        finally:
            if self._closed or self._write_error is not None or self._eof_wanted:
                for each in buffers:
                    if isinstance(each, FileRange):
                        each.close()

    def _shutdown_write(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def set_nodelay(self, value: bool) -> None:
        """Send small writes at once (TCP_NODELAY) instead of gathering them."""
        if self.socket.family in (socket.AF_INET, socket.AF_INET6):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(value))

    def abort(self) -> None:
        """Close at once; a TCP peer sees a reset."""
        if not self._closed and self.socket.family in (socket.AF_INET, socket.AF_INET6):
            linger = struct.pack("ii", 1, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        super().abort()

    def _rest_reader(self) -> None:
        super()._rest_reader()
        # With a sink only: others learn of the end when they read. TCP only: a Unix socket hangs
        # up with data still to be read. And not for the short pauses of backpressure.
        if (
            self._sink is not None
            and self._unwatch_hangup is None
            and self.socket.family in (socket.AF_INET, socket.AF_INET6)
        ):
            self._unwatch_hangup = self._loop.call_later(HANGUP_DELAY, self._watch_hangup).cancel

    def _watch_hangup(self) -> None:
        self._unwatch_hangup = watch_hangup(self._watcher, self.fileno(), self._hung_up)

    def _hung_up(self) -> None:
        self._unwatch_hangup = None
        self.close(self.get_fd_error())

    # -- TLS ---------------------------------------------------------------------------------

    # tls.py puts its class here: its arrow points to this module, not back.
    _tls_stream: "ClassVar[type[SSLIOStream]]"

    def start_tls(
        self,
        server_side: bool,
        ssl_options: "dict[str, Any] | ssl.SSLContext | None" = None,
        server_hostname: str | None = None,
    ) -> "asyncio.Future[SSLIOStream]":
        """Turn the connection into a TLS one.

        This stream gives its socket away and is closed from then on; its close callback goes to
        the new stream.

        Args:
            server_side: which end of the handshake this is.
            ssl_options: a context or a dict, see ``netutil.ssl_options_to_context``; by default a
                context that verifies the server.
            server_hostname: the server's name, sent and verified; by default the one given to
                ``connect``.

        Returns:
            A future of the new stream, which fails with what failed the handshake.

        Raises:
            ValueError: a read or a write is pending, or data has been read and not taken.
        """
        buffer = self._read_buffer
        if (
            self.reading()
            or self.writing()
            or self._connecting is not None
            or (buffer is not None and buffer.size)
        ):
            raise ValueError("IOStream is not idle; cannot convert to SSL")
        if self._closed:
            raise StreamClosedError(real_error=self.error)
        close_callback, self._close_callback = self._close_callback, None
        self._stop_reader()
        self._stop_writer()
        self._stop_watching_hangup()
        self._closed = self._blocked = self._held = True
        if server_hostname is None and not server_side:
            server_hostname = self._server_hostname
        stream = self._tls_stream(
            self.socket,
            self.max_buffer_size,
            self.read_chunk_size,
            self.max_write_buffer_size,
            ssl_options=ssl_options,
            server_side=server_side,
            server_hostname=server_hostname,
        )
        stream.set_close_callback(close_callback)
        return stream._secured()

    # -- connecting --------------------------------------------------------------------------

    def connect(
        self,
        address: "tuple[Any, ...] | str | bytes",
        server_hostname: "str | Callable[[], object] | None" = None,
        callback: "Callable[[], object] | str | None" = None,
    ) -> "asyncio.Future[Self]":
        """Connect the socket without blocking.

        What is written meanwhile is sent once the connection stands.

        Args:
            address: as for ``socket.connect``; a host given by name is looked up and blocks, so
                that one wants a literal address here (TCPClient resolves names).
            server_hostname: used by SSLIOStream, and by ``start_tls`` when it is given none.
            callback: called from the loop once connected (the API of Tornado 4).

        Returns:
            A future of the stream itself; a failure is StreamClosedError with the operating
            system's error in ``real_error``.
        """
        if callable(server_hostname) or isinstance(callback, str):
            server_hostname, callback = callback, server_hostname
        assert server_hostname is None or isinstance(server_hostname, str)
        if self._closed:
            raise StreamClosedError(real_error=self.error)
        future: asyncio.Future[Self] = self._loop.create_future()
        if callback is not None:
            assert not isinstance(callback, str)
            plain = callback
            self._call_with_result(future, lambda _: plain())
        future.add_done_callback(self._close_if_cancelled)
        self._server_hostname = server_hostname
        self._connecting = future
        self._blocked = True
        self._writer_on = True
        try:
            self.socket.connect(address)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._writer_on = False
            self.close(error)
            return future
        self._watcher.add_writer(self.fileno(), self._on_connect)
        return future

    def _close_if_cancelled(self, future: "asyncio.Future[Any]") -> None:
        if future.cancelled():
            self.close()

    _server_hostname: str | None = None

    def _can_register(self) -> bool:
        return self._connecting is None

    def _ready_to_write(self) -> bool:
        return self._connecting is None

    def _on_connect(self) -> None:
        error = self.get_fd_error()
        if error is not None:
            self.close(error)
            return
        self._stop_writer()
        self._connected()

    def _connected(self) -> None:
        future, self._connecting = self._connecting, None
        self._established()
        if future is not None and not future.done():
            future.set_result(self)

    def _established(self) -> None:
        """Do what waited for the connection: queued writes, and reading."""
        if self._queue is not None:
            self._flush()
        else:
            self._blocked = False
            self._queue_is_out()
        if not (self._closed or self._held or self._reader_on or self._eof):
            self._start_reader()

    def _lost(self) -> None:
        future = self._connecting
        if future is not None:
            self._connecting = None
            if not future.done():
                future.set_exception(StreamClosedError(real_error=self.error))
                future.exception()
        super()._lost()
