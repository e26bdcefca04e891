"""Streams over TLS.

OpenSSL works on the socket itself (``ssl.SSLSocket``), so bytes are copied once on the way in
and once on the way out. What is written before the handshake is over goes out after it; nothing is
delivered before.

A peer that finishes without a ``close_notify`` alert may have been cut off by somebody on the
way: ``truncated`` is True then. Protocols that know the length of what they read need not
care; one that reads until the end does (RFC 9112 section 9.8).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Self

from zonda.ioloop.log import gen_log
from zonda.iostream.errors import StreamClosedError
from zonda.iostream.sockets import IOStream
from zonda.iostream.tlsoptions import SSLOptions, ssl_wrap_socket
from zonda.iostream.writebuffer import Buffer

# The longest record (RFC 8446 section 5.1). Reads ask for at least as much: then nothing decrypted
# ever waits inside OpenSSL, where no event would tell of it.
_RECORD = 16384

# Bytes that one write hands to OpenSSL before the loop gets its turn.
_WRITE_AT_ONCE = 256 * 1024

# Records per readable event: as many bytes as one recv of a plain stream.
_RECORDS_PER_EVENT = 4


class SSLIOStream(IOStream):
    """A stream over TLS.

    Args:
        socket: plain or already an ``ssl.SSLSocket`` (made with ``do_handshake_on_connect=False``);
            connected, or not yet (see ``connect``).
        ssl_options: a context or a dict (``ssl_options_to_context``) for a plain socket; by default
            a client that verifies.
        server_side: for a plain socket that is connected: this is the accepting end.
        server_hostname: for a plain socket that is connected: the server's name.
        max_buffer_size: the most bytes kept for reads; more closes the stream. 100 MiB by default.
        read_chunk_size: bytes for one read, at least a record (16 KiB). 64 KiB by default.
        max_write_buffer_size: the most bytes queued for writing; more is a
            StreamBufferFullError. None, the default, for no limit.

    Attributes:
        truncated: the peer's data ended without ``close_notify``.
    """

    __slots__ = (
        "_handshake_future",
        "_handshaking",
        "_notified",
        "_read_wants_write",
        "_ssl_options",
        "_write_wants_read",
        "truncated",
    )

    _fills_directly = False
    can_send_files = False

    def __init__(
        self,
        socket: socket.socket,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        *,
        ssl_options: SSLOptions | None = None,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        super().__init__(socket, max_buffer_size, read_chunk_size, max_write_buffer_size)
        self.read_chunk_size = max(self.read_chunk_size, _RECORD)
        self.truncated = False
        self._ssl_options = ssl_options
        self._server_hostname = server_hostname
        self._handshaking = True
        self._handshake_future: asyncio.Future[Any] | None = None
        self._notified = False  # our close_notify is out
        self._read_wants_write = False
        self._write_wants_read = False
        self._blocked = True
        try:
            socket.getpeername()
        except OSError:
            return  # connect() comes next
        self._begin_handshake(server_side)

    # -- handshake ---------------------------------------------------------------------------

    def connect(
        self,
        address: "tuple[Any, ...] | str | bytes",
        server_hostname: "str | Callable[[], object] | None" = None,
        callback: "Callable[[], object] | str | None" = None,
    ) -> "asyncio.Future[Self]":
        """Connect and do the handshake; the future resolves after it.

        Args:
            address: see IOStream.
            server_hostname: the name that is sent (SNI) and that the certificate must be for.
            callback: see IOStream.
        """
        if server_hostname is None:
            server_hostname = self._server_hostname
        return super().connect(address, server_hostname, callback)

    def wait_for_handshake(
        self, callback: "Callable[[Self], object] | None" = None
    ) -> "asyncio.Future[Self]":
        """Return a future of the stream itself, done when the handshake is.

        After it the peer's certificate, the protocol chosen by ALPN and so on can be asked of
        ``socket``. A failure is StreamClosedError with the cause in ``real_error``.

        Raises:
            RuntimeError: somebody else waits already.
        """
        if self._handshake_future is not None:
            raise RuntimeError("Already waiting")
        future: asyncio.Future[Self] = self._loop.create_future()
        if callback is not None:
            self._call_with_result(future, callback)
        if self._closed:
            future.set_exception(StreamClosedError(real_error=self.error))
            future.exception()
        elif not self._handshaking:
            future.set_result(self)
        else:
            self._handshake_future = future
        return future

    def _secured(self) -> "asyncio.Future[Self]":
        """As ``wait_for_handshake``, but failing with what failed the handshake itself."""
        future: asyncio.Future[Self] = self._loop.create_future()

        def done(waited: "asyncio.Future[Self]") -> None:
            if future.done():
                return
            if waited.cancelled() or waited.exception() is not None:
                future.set_exception(self.error or StreamClosedError())
                future.exception()
            else:
                future.set_result(self)

        future.add_done_callback(self._close_if_cancelled)
        self.wait_for_handshake().add_done_callback(done)
        return future

    def _connected(self) -> None:
        # The TCP connection stands. The future of connect() waits for the handshake.
        self._begin_handshake(False)

    def _begin_handshake(self, server_side: bool) -> None:
        sock = self.socket
        if not isinstance(sock, ssl.SSLSocket):
            try:
                sock = ssl_wrap_socket(
                    sock,
                    self._ssl_options,
                    server_hostname=self._server_hostname,
                    server_side=server_side,
                    do_handshake_on_connect=False,
                )
            except (OSError, ValueError) as error:
                self._handshake_failed(error)
                return
            self.socket = sock
        # A cut must be told apart from an end (SSLSocket hides the difference by default).
        sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]  # typeshed lacks it
        self._handshake()

    def _handshake(self) -> None:
        sock = self.socket
        assert isinstance(sock, ssl.SSLSocket)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._stop_writer()
            if not self._reader_on:
                self._start_reader()
            return
        except ssl.SSLWantWriteError:
            # Not while readable too: that would spin if the peer sends and does not read.
            self._stop_reader()
            if not self._writer_on:
                self._start_writer()
            return
        except (OSError, ValueError) as error:
            self._handshake_failed(error)
            return
        self._stop_writer()
        self._handshaking = False
        self._recv = sock.read
        self._send = self._encrypt
        for future in (self._connecting, self._handshake_future):
            if future is not None and not future.done():
                future.set_result(self)
        self._connecting = self._handshake_future = None
        self._established()

    def _handshake_failed(self, error: Exception) -> None:
        # A peer that leaves or resets is no news; one that speaks something else, or whose
        # certificate is not good, is worth one line.
        if isinstance(error, ssl.SSLError | ValueError) and not isinstance(
            error, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            try:
                peer: object = self.socket.getpeername()
            except OSError:
                peer = "(not connected)"
            gen_log.warning("SSL Error on %s %s: %s", self.fileno(), peer, error)
        self.close(error)

    def _can_register(self) -> bool:
        return not self._handshaking and super()._can_register()

    def _ready_to_write(self) -> bool:
        return not self._handshaking and super()._ready_to_write()

    # -- reading and writing -----------------------------------------------------------------

    def _on_readable(self) -> None:
        if self._handshaking:
            self._handshake()
            return
        if self._held:
            self._rest_reader()
            return
        for _ in range(_RECORDS_PER_EVENT):
            try:
                data = self._recv(self.read_chunk_size)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLWantWriteError:
                self._read_wants_write = True
                if not self._writer_on:
                    self._start_writer()
                break
            except ssl.SSLZeroReturnError:
                data = b""
            except ssl.SSLEOFError:
                self.truncated = True
                data = b""
            except (OSError, ValueError) as error:
                self._read_failed(error if isinstance(error, OSError) else OSError(str(error)))
                return
            if not data:
                self._on_eof()
                return
            if self._deliver is None:
                self._pulled(data)
            else:
                self._feed(data)
            # A record that is not full is mostly the last one.
            if len(data) < _RECORD or self._held:
                break
        if self._write_wants_read and not self._closed:
            self._write_wants_read = False
            self._flush()

    def _on_writable(self) -> None:
        if self._handshaking:
            self._handshake()
            return
        if self._read_wants_write:
            self._read_wants_write = False
            self._on_readable()
            if self._closed:
                return
        super()._on_writable()

    def _encrypt(self, data: Buffer) -> int:
        sock = self.socket
        assert isinstance(sock, ssl.SSLSocket)
        size = len(data)
        if not size:
            return 0  # OpenSSL would write an empty record
        sent = 0
        try:
            sent = sock.write(data)
            if sent < size:
                # OpenSSL writes one record at a time.
                rest = memoryview(data)
                while sent < size and sent < _WRITE_AT_ONCE:
                    sent += sock.write(rest[sent:])
        except ssl.SSLWantWriteError:
            if not sent:
                raise BlockingIOError from None
        except ssl.SSLWantReadError:
            # Renegotiation (TLS 1.2): the peer's turn.
            self._write_wants_read = True
            if not self._reader_on:
                self._start_reader()
            if not sent:
                raise BlockingIOError from None
        return sent

    def _send_many(self, buffers: Sequence[Buffer]) -> int:
        # One record for several small buffers. After a "not yet" OpenSSL wants to see the
        # same bytes again, perhaps with more behind them: so it is with a prefix of the queue.
        first = buffers[0]
        if len(first) >= _RECORD or len(buffers) == 1:
            return self._send(first)
        parts: list[Buffer] = []
        space = _RECORD
        for buffer in buffers:
            if len(buffer) >= space:
                parts.append(memoryview(buffer)[:space])
                break
            parts.append(buffer)
            space -= len(buffer)
        return self._send(b"".join(parts))

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """See BaseIOStream."""
        try:
            return self.socket.recv_into(buf)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return None

    def write_to_fd(self, data: memoryview) -> int:
        """See BaseIOStream."""
        return self._encrypt(data)

    # -- the end -----------------------------------------------------------------------------

    def _shutdown_write(self) -> None:
        # No FIN below it: the alert is what ends the data, and an answer still comes this way.
        self._notify()

    def _notify(self) -> None:
        """Send close_notify, once and without waiting for the peer's."""
        sock = self.socket
        if self._notified or self._handshaking or not isinstance(sock, ssl.SSLSocket):
            return
        self._notified = True
        try:
            sock.unwrap()
        except (OSError, ValueError):
            # SSLWantReadError: ours is out and the peer's is not here yet. Anything else:
            # the connection cannot carry it any more.
            pass

    def close_fd(self) -> None:
        """See BaseIOStream."""
        if self.error is None:
            self._notify()
        super().close_fd()

    def _lost(self) -> None:
        future, self._handshake_future = self._handshake_future, None
        if future is not None and not future.done():
            future.set_exception(StreamClosedError(real_error=self.error))
            future.exception()
        super()._lost()


IOStream._tls_stream = SSLIOStream
