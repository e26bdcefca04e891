"""An application that serves while a test runs, in a thread and a loop of its own.

In: an application. Out: `LiveServer` with its URL, `LiveClient` to fetch from it, `LiveWebSocket`
to talk to it. All of them live in that thread, so that they work alike in plain tests and in
``async def`` ones, whatever runs these: inside of a running loop a call gives something to await,
elsewhere it waits and gives the result. Raises TimeoutError for what takes longer than
``get_async_test_timeout()``.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Self

from zonda.httpserver import HTTPServer
from zonda.ioloop.factory import loop_factory
from zonda.ioloop.testing import bind_unused_port, get_async_test_timeout
from zonda.web.testing.client import httpclient


class LoopThread:
    """A thread with a running loop; `close` it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="zonda-live-server", daemon=True
        )
        self._thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            started.set()
            await self._stop.wait()

        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(main())

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in the thread.

        Args:
            function: What it returns is waited for if that can be.
            *args: Its arguments.
            **kwargs: Its arguments.

        Returns:
            The result; inside of a running loop a future of it.
        """

        async def run() -> Any:
            async with asyncio.timeout(get_async_test_timeout()):
                result = function(*args, **kwargs)
                return await result if isinstance(result, Awaitable) else result

        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return future.result()
        return asyncio.wrap_future(future)

    def wait_for(self, function: Callable[..., Any], *args: Any) -> Any:
        """As `call`, but always wait: for the short things of setting up and tearing down."""

        async def run() -> Any:
            result = function(*args)
            return await result if isinstance(result, Awaitable) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(get_async_test_timeout())

    def close(self) -> None:
        """End the loop and the thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


class LiveServer:
    """An application that listens on a port of its own.

    Args:
        app: The application, or anything else that `HTTPServer` takes.
        **settings: Further arguments of `HTTPServer`, such as ``ssl_options``.

    Attributes:
        app: The application.
        host: Where it listens.
        port: Where it listens.
        url: Its address, without a slash at the end.

    >>> from urllib.request import urlopen
    >>> from zonda.web import Application, RequestHandler
    >>> class Hello(RequestHandler):
    ...     def get(self):
    ...         self.write("Hello")
    >>> with LiveServer(Application([("/", Hello)])) as server:
    ...     with urlopen(server.url + "/") as response:
    ...         print(response.read())
    b'Hello'
    """

    host = "127.0.0.1"

    def __init__(self, app: Any, **settings: Any) -> None:
        self.app = app
        sock, self.port = bind_unused_port()
        self.url = f"{'https' if settings.get('ssl_options') else 'http'}://{self.host}:{self.port}"
        self.thread = LoopThread()
        try:
            self._server: HTTPServer = self.thread.wait_for(self._start, sock, settings)
        except BaseException:
            sock.close()
            self.thread.close()
            raise

    async def _start(self, sock: Any, settings: dict[str, Any]) -> HTTPServer:
        server = HTTPServer(self.app, **settings)
        server.add_sockets([sock])
        try:
            await server.started()
        except BaseException:
            server.stop()
            raise
        return server

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path that begins with a slash; a whole URL stays."""
        return self.url + path if path.startswith("/") else path

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in the server's thread (see `LoopThread.call`)."""
        return self.thread.call(function, *args, **kwargs)

    def close(self) -> None:
        """Stop it, cutting what is left of its connections."""
        try:
            self.thread.wait_for(self._end)
        finally:
            self.thread.close()

    async def _end(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class LiveClient:
    """Fetches from a `LiveServer`.

    Args:
        server: The server.
    """

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        client = httpclient().AsyncHTTPClient
        self._client = server.thread.wait_for(lambda: client(force_instance=True))

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> Any:
        """Send a request.

        Args:
            path: A path, or a whole URL.
            raise_error: Whether a status beyond 299 is an exception.
            **kwargs: For ``AsyncHTTPClient.fetch``: ``method``, ``headers``, ``body`` ...

        Returns:
            The ``HTTPResponse``; in an ``async def`` test a future of it.
        """
        url = self._server.get_url(path)
        return self._server.call(self._client.fetch, url, raise_error=raise_error, **kwargs)

    def close(self) -> None:
        """Close its connections."""
        self._server.thread.wait_for(self._client.close)


class LiveWebSocket:
    """A WebSocket to a `LiveServer`.

    Every method gives its result, or in an ``async def`` test a future of it. It can be iterated
    over, either way, and used in ``with`` and ``async with``.

    Args:
        server: The server.
        connection: The ``WebSocketClientConnection``.
    """

    def __init__(self, server: LiveServer, connection: Any) -> None:
        self._server = server
        self.connection = connection

    @classmethod
    def connect(cls, server: LiveServer, path: str, **kwargs: Any) -> Any:
        """Open one.

        Args:
            server: The server.
            path: A path, or a whole URL.
            **kwargs: For ``websocket_connect``; ``headers`` are those of the handshake.

        Returns:
            The `LiveWebSocket`, or a future of it.
        """
        url = server.get_url(path)
        if url.startswith("http"):
            url = "ws" + url.removeprefix("http")
        headers = kwargs.pop("headers", None)

        async def connect() -> LiveWebSocket:
            module = httpclient("zonda.httpclient.websocket")
            request = httpclient().HTTPRequest(url, headers=headers)
            return cls(server, await module.websocket_connect(request, **kwargs))

        return server.call(connect)

    def read_message(self) -> Any:
        """Return the next message, ``str`` or ``bytes``; None once the connection is closed."""
        return self._server.call(self.connection.read_message)

    def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> Any:
        """Send a message; a dictionary is sent as JSON."""
        return self._server.call(self.connection.write_message, message, binary=binary)

    def ping(self, data: bytes = b"") -> Any:
        """Send a ping."""
        return self._server.call(self.connection.ping, data)

    def close(self, code: int | None = None, reason: str | None = None) -> Any:
        """Close it. The server's answer comes later: `read_message` gives None then."""
        return self._server.call(self.connection.close, code, reason)

    @property
    def close_code(self) -> int | None:
        """The code that the server has closed it with."""
        code: int | None = self.connection.close_code
        return code

    @property
    def close_reason(self) -> str | None:
        """The reason that the server has given."""
        reason: str | None = self.connection.close_reason
        return reason

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol that the server has chosen."""
        name: str | None = self.connection.selected_subprotocol
        return name

    def __iter__(self) -> Iterator[str | bytes]:
        while (message := self.read_message()) is not None:
            yield message

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self.read_message()) is not None:
            yield message

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
