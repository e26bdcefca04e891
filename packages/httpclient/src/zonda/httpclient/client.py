"""The face of the package: `AsyncHTTPClient`, whatever implementation is behind it.

In: URLs or `HTTPRequest` objects. Out: futures of `HTTPResponse`, or of the errors in `errors`.
An implementation supplies ``fetch_impl(request, callback)``: it gets a `_RequestProxy` (defaults
are looked up there), and calls ``callback`` with an `HTTPResponse` from the loop, once; one for an
error has code 599 and an ``error``. It may return an object with a method ``cancel()``, which is
called when nobody wants the response any more.

Where the pieces of the usual implementation plug in::

    SimpleAsyncHTTPClient (simple)
      Transport (transport)         what all fetches share: Slots, ConnectionPool, Deadlines,
                                    Accounts, Cookies, Proxies, Connector
      Fetch (fetching)              one fetch: follow (redirects), Retry, challenges
        Outgoing (fields)           the head of a request
        Route, Connector            connecting: proxies, tunnel, socks, TLS
        Exchange (exchange)         one request and response: bodies, decompression, callbacks
          HTTP1ClientConnection     (connection) the driver
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.response import HTTPResponse
from zonda.httpclient.streaming import ResponseStream
from zonda.ioloop import IOLoop
from zonda.ioloop.util import Configurable, import_object
from zonda.iostream.waking import take_waiter

if TYPE_CHECKING:
    from types import TracebackType

_SIMPLE = "zonda.httpclient.simple.SimpleAsyncHTTPClient"


def _instances(io_loop: IOLoop) -> dict[type, AsyncHTTPClient]:
    """The shared instances of a loop."""
    kept: dict[type, AsyncHTTPClient] = io_loop.__dict__.setdefault("_http_clients", {})
    return kept


class FetchFuture(asyncio.Future[HTTPResponse]):
    """The future of a fetch; cancelling it stops the fetch."""

    # What runs until it is done, with a method `cancel`; and whether 404, say, is an exception.
    __slots__ = ("raise_error", "running")

    running: Any
    raise_error: bool

    def cancel(self, msg: Any | None = None) -> bool:
        """Stop the fetch: its connection is closed, or its place in the queue is free."""
        # Not by a done callback, which would cost every fetch a turn of the loop.
        cancelled = super().cancel(msg)
        running, self.running = self.running, None
        if cancelled and running is not None:
            running.cancel()
        return cancelled

    def deliver(self, response: HTTPResponse) -> None:
        """End with a response, or with its error."""
        self.running = None
        if self.done():
            return  # cancelled
        error = response.error
        if error is not None and (self.raise_error or not response._error_is_response_code):
            self.set_exception(error)
        else:
            self.set_result(response)

    def deliver_at_once(self, response: HTTPResponse) -> None:
        """The same; a task that waits for the response runs before this returns.

        That saves it a turn of the loop. To be called where nothing is left to be done.
        """
        error = response.error
        if self.done() or (
            error is not None and (self.raise_error or not response._error_is_response_code)
        ):
            self.deliver(response)
            return
        self.running = None
        waiter = take_waiter(self, self.get_loop())
        self.set_result(response)
        if waiter is not None:
            wake_up, context = waiter
            context.run(wake_up, self)


class AsyncHTTPClient(Configurable):
    """A client that does not block.

    There is one instance for each IOLoop, which all calls return; it keeps connections open for
    later requests. Settings are given to `configure`, or to the constructor together with
    ``force_instance``.

    Args:
        force_instance: Make a new instance. It should be closed, or used in a ``with`` or ``async
            with`` statement.
        **kwargs: For the implementation, see `SimpleAsyncHTTPClient`.

    >>> async def main():
    ...     async with AsyncHTTPClient(force_instance=True) as client:
    ...         try:
    ...             response = await client.fetch("http://localhost:1/")
    ...         except ConnectionRefusedError as error:
    ...             print(f"{type(error).__name__}, code {error.code}")
    >>> asyncio.run(main())
    HTTPConnectionRefusedError, code 599
    """

    def __new__(cls, force_instance: bool = False, **kwargs: Any) -> Self:
        """The instance of this loop, or a new one."""
        if force_instance:
            return super().__new__(cls, **kwargs)
        # Kept by the loop itself: an instance refers to its loop, and both go together.
        known = _instances(IOLoop.current())
        instance = known.get(cls)
        if instance is None:
            instance = known[cls] = super().__new__(cls, **kwargs)
            instance._shared_as = cls
        return instance  # type: ignore[return-value]

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """See `Configurable`."""
        return AsyncHTTPClient

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """See `Configurable`."""
        # By name: the implementation is a subclass of this class.
        implementation: type[Configurable] = import_object(_SIMPLE)
        return implementation

    @classmethod
    def configure(cls, impl: str | type[Configurable] | None, **kwargs: Any) -> None:
        """Choose the implementation, or the settings, of instances made from now on.

        Args:
            impl: A subclass or its dotted name; None for the usual one.
            **kwargs: For its constructor; ``defaults`` is a dict for attributes of requests.
        """
        super().configure(impl, **kwargs)

    def initialize(self, defaults: dict[str, Any] | None = None) -> None:
        """Set the instance up.

        Args:
            defaults: For attributes that a request leaves None, over `HTTPRequest._DEFAULTS`.
        """
        self.io_loop = IOLoop.current()
        self.defaults = dict(HTTPRequest._DEFAULTS)
        if defaults is not None:
            self.defaults.update(defaults)
        self._closed = False
        self._shared_as: type | None = None
        self._loop = self.io_loop.asyncio_loop

    def close(self) -> None:
        """Close all connections. Later fetches raise RuntimeError, those under way fail.

        Seldom needed for the shared instance: the loop's end closes it. Others may be using it,
        and whoever closes it cannot know: what they have under way goes on to its end.
        """
        if self._closed:
            return
        self._closed = True
        if self._shared_as is not None:
            known = _instances(self.io_loop)
            if known.get(self._shared_as) is self:
                del known[self._shared_as]

    def _close_now(self) -> None:
        """Close, although others may be using it: their loop ends, too."""
        self.close()

    def fetch(
        self,
        request: str | HTTPRequest,
        callback: Callable[[HTTPResponse], object] | bool | None = None,
        raise_error: bool = True,
        **kwargs: Any,
    ) -> asyncio.Future[HTTPResponse]:
        """Send a request.

        Args:
            request: A URL, or a request.
            callback: Called from the loop with the response, errors included
                (``response.error``); nothing is raised then. (The API of Tornado 4; today's has
                ``raise_error`` in this place, which works too.)
            raise_error: Whether a response other than 2xx is raised as `HTTPClientError`. If not,
                it is returned; errors without a response are raised all the same.
            **kwargs: For `HTTPRequest`, if ``request`` is a URL.

        Returns:
            A future. Cancelling it (a task that waits for it) stops the fetch. ``time_info`` of
            the response has the seconds from the start of the fetch to the end of each phase that
            it had: ``namelookup``, ``connect``, ``appconnect`` (TLS), ``redirect`` (the last one),
            ``pretransfer`` (the request was sent), ``starttransfer`` (its head arrived) and
            ``total``. With curl all are there, 0 for a phase that it did not have.

        Raises:
            RuntimeError: The client is closed.
            ValueError: ``kwargs`` together with an `HTTPRequest`.
        """
        if not isinstance(request, HTTPRequest):
            request = HTTPRequest(request, **kwargs)
        elif kwargs:
            raise ValueError("kwargs can't be used if request is an HTTPRequest object")
        proxy = _RequestProxy(request, self.defaults)
        if isinstance(callback, bool):
            return self._fetch(proxy, None, callback)
        return self._fetch(proxy, callback, raise_error)

    #: Whether `fetch_impl` calls back where any code may run, be it that of the caller.
    _calls_back_at_the_end = False

    def _fetch(
        self,
        request: _RequestProxy,
        callback: Callable[[HTTPResponse], object] | None,
        raise_error: bool,
    ) -> FetchFuture:
        if self._closed:
            raise RuntimeError("fetch() called on closed AsyncHTTPClient")
        future = FetchFuture(loop=self._loop)
        future.raise_error = raise_error
        future.running = None
        if callback is not None:
            deliver = self._delivery(future, callback)
        elif self._calls_back_at_the_end:
            deliver = future.deliver_at_once
        else:
            deliver = future.deliver
        running = self.fetch_impl(request, deliver)  # type: ignore[arg-type]
        if running is not None and not future.done():
            future.running = running
        return future

    def _delivery(
        self, future: FetchFuture, callback: Callable[[HTTPResponse], object]
    ) -> Callable[[HTTPResponse], None]:
        """What gives a response to a callback, and no error to anybody."""
        context = copy_context()

        def deliver(response: HTTPResponse) -> None:
            future.running = None
            if not future.done():
                self.io_loop.add_callback(context.run, callback, response)
                future.set_result(response)

        return deliver

    def fetch_impl(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], object]
    ) -> object:
        """Do the work; an implementation overrides this. See the module's text."""
        raise NotImplementedError

    def stream(self, request: str | HTTPRequest, **kwargs: Any) -> ResponseStream:
        """Send a request, and read the response piece by piece.

        The head is there as soon as it has arrived. What is not read holds the server back. No
        status is an error here, and ``request_timeout`` limits all of it, 0 being no limit.

        Args:
            request: A URL, or a request.
            **kwargs: For `HTTPRequest`, if ``request`` is a URL.

        Returns:
            An asynchronous context manager::

                async with client.stream(url, request_timeout=0) as response:
                    async for chunk in response:
                        ...
        """
        if not isinstance(request, HTTPRequest):
            request = HTTPRequest(request, **kwargs)
        elif kwargs:
            raise ValueError("kwargs can't be used if request is an HTTPRequest object")
        return ResponseStream(request, self.defaults, self._fetch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        # What was closed tells whom it has to from the loop: once more, and it is done.
        await asyncio.sleep(0)
