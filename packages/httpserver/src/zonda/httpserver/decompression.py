"""Request bodies that come compressed (``decompress_request``).

The head goes on without ``Content-Encoding``, whose value is kept in
``X-Consumed-Content-Encoding``; the pieces go on decoded, and their size counts against the limit
of the body: a small body cannot become a large one. A body that is corrupt, truncated or followed
by something else raises `HTTPInputError`; a coding not known here is left to the application.
"""

from collections.abc import Awaitable

from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from zonda.httputil.decompression import Decompressor, decoder_for


class DecompressingDelegate(HTTPMessageDelegate):
    """Decodes a body on its way to another delegate.

    Args:
        delegate: Gets everything.
        request_conn: Its ``max_body_size``, if it has one, bounds the decoded body.
        limit: Most bytes of a decoded body otherwise; None for any number.
        chunk_size: The largest piece that is passed on, in bytes.
    """

    def __init__(
        self,
        delegate: HTTPMessageDelegate,
        request_conn: HTTPConnection,
        limit: int | None,
        chunk_size: int,
    ) -> None:
        self._delegate = delegate
        self._connection = request_conn
        self._limit = limit
        self._chunk_size = chunk_size
        self._coding = ""
        self._decoder: Decompressor | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Take the coding out of the head."""
        coding = headers.get("Content-Encoding", "")
        if coding and decoder_for(coding) is not None:
            self._coding = coding
            headers["X-Consumed-Content-Encoding"] = coding
            del headers["Content-Encoding"]
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass on what a piece decodes to."""
        if not self._coding:
            return self._delegate.data_received(chunk)
        if self._decoder is None:
            # Only now: the application may have changed the limit when it saw the head.
            limit = getattr(self._connection, "max_body_size", None)
            self._decoder = decoder_for(self._coding, self._limit if limit is None else limit)
            assert self._decoder is not None
        return self._deliver(self._decoder, chunk)

    def _deliver(self, decoder: Decompressor, chunk: bytes) -> Awaitable[None] | None:
        while True:
            data = decoder.feed(chunk, self._chunk_size)
            chunk = b""
            if data:
                waiting = self._delegate.data_received(data)
                if waiting is not None:
                    return self._deliver_rest(decoder, waiting)
            if not decoder.unconsumed:
                return None

    async def _deliver_rest(self, decoder: Decompressor, waiting: Awaitable[None] | None) -> None:
        while waiting is not None:
            await waiting
            waiting = self._deliver(decoder, b"") if decoder.unconsumed else None

    def finish(self) -> None:
        """Check that the body was complete."""
        if self._decoder is not None:
            self._decoder.finish()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass on."""
        self._delegate.on_connection_close()
