"""A client that blocks, for scripts and for threads.

In and out as with `AsyncHTTPClient`, without the futures. It has a loop of its own, which runs in
the caller's thread during a fetch - or, where that thread runs a loop already, in another one
while the caller waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, TypeVar

from zonda.httpclient.client import AsyncHTTPClient
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.response import HTTPResponse
from zonda.ioloop import IOLoop

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


class HTTPClient:
    """A client that blocks until the response is there.

    Connections are kept between fetches. Threads that share one take turns.

    Args:
        async_client_class: What does the work, `AsyncHTTPClient` by default.
        **kwargs: For its constructor.

    >>> with HTTPClient() as client:
    ...     try:
    ...         client.fetch("http://localhost:1/")
    ...     except OSError as error:
    ...         print(type(error).__name__)
    HTTPConnectionRefusedError
    """

    def __init__(
        self,
        async_client_class: Callable[..., AsyncHTTPClient] | None = None,
        **kwargs: Any,
    ) -> None:
        self._closed = True  # until all is there
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._io_loop = IOLoop(make_current=False)
        make = AsyncHTTPClient if async_client_class is None else async_client_class

        async def make_client() -> AsyncHTTPClient:
            # Its own whatever is asked for: the loop is closed with it.
            return make(**{**kwargs, "force_instance": True})

        try:
            self._async_client = self._run(make_client)
        except BaseException:
            self._io_loop.close()
            raise
        self._closed = False

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and the loop."""
        if self._closed:
            return
        self._closed = True

        async def close_client() -> None:
            self._async_client.close()
            await asyncio.sleep(0)  # what was closed tells whom it has to

        self._run(close_client)
        self._io_loop.close()
        if self._executor is not None:
            self._executor.shutdown()

    def fetch(self, request: str | HTTPRequest, **kwargs: Any) -> HTTPResponse:
        """Send a request and wait for the response.

        Args:
            request: A URL, or a request.
            **kwargs: For `HTTPRequest`, if ``request`` is a URL; or ``raise_error``.

        Raises:
            HTTPClientError: As with `AsyncHTTPClient.fetch`.
            RuntimeError: The client is closed.
        """
        if self._closed:
            raise RuntimeError("fetch() called on closed HTTPClient")

        async def fetch() -> HTTPResponse:
            return await self._async_client.fetch(request, **kwargs)

        return self._run(fetch)

    def _run(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        def run() -> T:
            with self._lock:
                result: T = self._io_loop.run_sync(function)
                return result

        if asyncio._get_running_loop() is None:
            return run()
        # A thread has one running loop at most.
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "zonda-httpclient")
        return self._executor.submit(run).result()
