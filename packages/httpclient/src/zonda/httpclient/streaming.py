"""A response that is read piece by piece: ``async with client.stream(url) as response``.

In: a request and a function that fetches. Out: the head, then chunks. What nobody takes is held, up
to `HELD` bytes and a chunk; then the connection is not read any more. Leaving the block before the
end closes the connection. Errors are those of a fetch.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Self

from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httputil import HTTPHeaders, ResponseStartLine, parse_response_start_line

if TYPE_CHECKING:
    from types import TracebackType

    from zonda.httpclient.response import HTTPResponse
    from zonda.httputil.http1 import Response

Fetcher = Callable[[_RequestProxy, None, bool], "asyncio.Future[HTTPResponse]"]


HELD = 256 * 1024
"""Bytes that may wait for whoever reads before the server has to."""


class _StreamedRequest(_RequestProxy):
    """A request of which an implementation that can tells the head at once.

    Attributes:
        head_callback: Takes a `Response` event: the head of the final response.
    """

    def __init__(
        self,
        request: HTTPRequest,
        defaults: dict[str, Any] | None,
        head_callback: Callable[[Response], None],
    ) -> None:
        super().__init__(request, defaults)
        self.head_callback = head_callback


class ResponseStream:
    """See the module's text, and `AsyncHTTPClient.stream`.

    Attributes:
        code: Status code.
        reason: Reason phrase.
        headers: The fields of the head.
        response: The `HTTPResponse`, without a body, once all has been read; None before.
    """

    def __init__(
        self, request: HTTPRequest, defaults: dict[str, Any] | None, fetcher: Fetcher
    ) -> None:
        self._request = request
        self._defaults = defaults
        self._fetcher = fetcher
        self._future: asyncio.Future[HTTPResponse] | None = None
        self._changed = asyncio.Event()  # something below is new
        self._taken: asyncio.Future[None] | None = None  # done when all of it was
        self._chunks: deque[bytes] = deque()
        self._size = 0  # of those
        self._lines: list[str] = []
        self.code = 0
        self.reason = ""
        self.headers = HTTPHeaders()
        self.response: HTTPResponse | None = None

    async def __aenter__(self) -> Self:
        """Send the request and wait for the head of the response."""
        request = copy.copy(self._request)
        request.streaming_callback = self._take_chunk
        header_callback = self._request.header_callback

        def take_line(line: str) -> None:
            self._take_line(line)
            if header_callback is not None:
                header_callback(line)

        request.header_callback = take_line
        proxy = _StreamedRequest(request, self._defaults, self._take_head)
        self._future = self._fetcher(proxy, None, False)
        self._future.add_done_callback(lambda _: self._changed.set())
        try:
            while not (self.code or self._chunks or self._future.done()):
                await self._wait()
            if not self.code:
                self._read_lines()
            if not self.code:
                self._finish(self._future.result())  # or raise what it failed with
        except BaseException:
            self._future.cancel()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        future = self._future
        if future is not None and not future.done():
            if self._taken is not None:
                self._taken.cancel()
            future.cancel()
        elif future is not None and not future.cancelled():
            future.exception()  # whoever wanted to know has asked

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece of the body, never empty.

        Raises:
            HTTPClientError: The connection broke, a deadline has passed, and so on.
        """
        future = self._future
        if future is None:
            raise RuntimeError("use it in an async with statement")
        while True:
            if self._chunks:
                chunk = self._chunks.popleft()
                self._size -= len(chunk)
                if not self._size and self._taken is not None and not self._taken.done():
                    self._taken.set_result(None)
                    self._taken = None
                return chunk
            if future.done():
                self._finish(future.result())
                raise StopAsyncIteration
            await self._wait()

    async def read(self) -> bytes:
        """All that is left of the body."""
        return b"".join([chunk async for chunk in self])

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _finish(self, response: HTTPResponse) -> None:
        self.response = response
        self.code, self.reason, self.headers = response.code, response.reason, response.headers

    # -- what the fetch says ---------------------------------------------------------------------

    def _take_head(self, head: Response) -> None:
        self.code, self.reason, self.headers = head.status, head.reason, head.headers
        self._changed.set()

    def _take_line(self, line: str) -> None:
        if line.startswith("HTTP/"):
            self._lines.clear()  # what was before was informational, or a redirect
        self._lines.append(line)

    def _read_lines(self) -> None:
        """The head, from an implementation that tells lines only."""
        if self._lines:
            start: ResponseStartLine = parse_response_start_line(self._lines[0].strip())
            self.code, self.reason = start.code, start.reason
            self.headers = HTTPHeaders.parse("".join(self._lines[1:]))

    def _take_chunk(self, chunk: bytes) -> asyncio.Future[None] | None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._changed.set()
        if self._size < HELD:
            return None
        self._taken = asyncio.get_running_loop().create_future()
        return self._taken
