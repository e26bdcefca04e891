"""One fetch, from the request to the response that the caller gets.

A fetch goes through one or more *hops*: a request on a connection and its response. After each,
what the response says decides: answer a challenge, follow a redirect, try again, or be done. A hop
waits for a slot, then takes an idle connection or opens one; only opening one makes a task.

============  =====================================  ===========================================
waits for     ended by                               then
============  =====================================  ===========================================
a slot        `slot_granted`                         an idle connection, or a new one
a connection  the task of `_connect`                 the exchange
a response    `exchange_finished`, `-_failed`        the next hop, or the callback
a pause       a timer (`Retry`)                      the next hop
any of them   `deadline_passed`, `cancel`            what is under way is closed; the callback
============  =====================================  ===========================================

The callback is called once with an `HTTPResponse`, from the loop; never after `cancel`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from zonda.httpclient.accounts import user_of
from zonda.httpclient.callbacks import at_home
from zonda.httpclient.connecting import Route, proxy_for, route_of
from zonda.httpclient.connection import HTTP1ClientConnection
from zonda.httpclient.deadlines import Phase
from zonda.httpclient.errors import NO_RESPONSE, HTTPStreamClosedError, HTTPTimeoutError
from zonda.httpclient.exchange import Exchange
from zonda.httpclient.fields import outgoing
from zonda.httpclient.hop import Hop, usual_hop
from zonda.httpclient.pool import allowed_idle
from zonda.httpclient.redirects import can_repeat, follow
from zonda.httpclient.request import HTTPRequest, _RequestProxy
from zonda.httpclient.response import HTTPResponse
from zonda.httpclient.retry import IDEMPOTENT
from zonda.httpclient.target import Target, parse_url
from zonda.httputil import HTTPHeaders

if TYPE_CHECKING:
    from zonda.httpclient.authentication import Attempt
    from zonda.httpclient.request import StreamingCallback
    from zonda.httpclient.retry import Retry
    from zonda.httpclient.transport import Transport
    from zonda.httputil.http1 import Response

_CHALLENGES = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}


class Fetch:
    """See the module's text.

    Args:
        transport: The client's.
        request: With its client's defaults.
        callback: Takes the response.
        max_body_size: Decompressed bytes at most, None for any number.
        head_callback: Takes the head of the final response as soon as it is there.
    """

    __slots__ = (
        "_attempt", "_callback", "_connecting", "_exchange", "_has_slot", "_hop", "_marks",
        "_next", "_original", "_phase", "_proxy_attempt", "_request", "_started", "_timeout",
        "_timer", "_transport", "_tries", "_waiting", "decompress", "head_callback",
        "header_callback", "max_body_size", "streaming_callback",
    )  # fmt: skip

    def __init__(
        self,
        transport: Transport,
        request: _RequestProxy,
        callback: Callable[[HTTPResponse], object],
        max_body_size: int | None,
        head_callback: Callable[[Response], None] | None = None,
    ) -> None:
        self._transport = transport
        self._original = request.request
        self._request = request
        self._callback: Callable[[HTTPResponse], object] | None = callback
        self._hop: Hop
        self._has_slot = False
        self._waiting = False  # for a slot
        self._phase: Phase | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._exchange: Exchange | None = None
        self._attempt: Attempt | None = None  # of authentication
        self._proxy_attempt: Attempt | None = None
        self._next: Callable[[], None] | None = None  # what follows this hop
        self._timer: asyncio.TimerHandle | None = None
        self._tries = 0  # for Retry
        self._started = 0.0
        self._marks: dict[str, float] = {}
        # As of `request`, which looks like this into its defaults, but takes its time.
        attributes = request.request.__dict__
        defaults = request.defaults or {}
        timeout = attributes["request_timeout"]
        self._timeout: float = (
            defaults.get("request_timeout") if timeout is None else timeout
        ) or 0.0
        # For the exchange.
        self.max_body_size = max_body_size
        self.head_callback = head_callback and at_home(head_callback)
        streaming: StreamingCallback | None
        streaming = attributes["streaming_callback"] or defaults.get("streaming_callback")
        self.streaming_callback = None if streaming is None else at_home(streaming)
        header: Callable[[str], None] | None
        header = attributes["header_callback"] or defaults.get("header_callback")
        self.header_callback = None if header is None else at_home(header)
        decompress = attributes["decompress_response"]
        self.decompress = bool(
            defaults.get("decompress_response") if decompress is None else decompress
        )

    # -- what the client says --------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        transport = self._transport
        transport.running.add(self)
        self._started = now = transport.loop.time()
        self._begin_try(now)

    def cancel(self) -> None:
        """Stop; the callback is not called."""
        if self._callback is not None:
            self._callback = None
            self._clean_up()

    def client_closed(self) -> None:
        """See `Running`."""
        self._deliver_error(HTTPStreamClosedError("the client was closed"))

    # -- hops ------------------------------------------------------------------------------------

    def _begin_try(self, now: float) -> None:
        self._tries += 1
        if self._timeout:
            self._transport.deadlines.add(self, self._timeout, now)
        self._begin_hop(now)

    def _begin_hop(self, now: float) -> None:
        """Prepare the request, and ask for a slot."""
        transport = self._transport
        try:
            self._hop = self._prepare()
        except Exception as error:
            # Whoever called fetch() shall have its future first.
            transport.loop.call_soon(self._deliver_error, error)
            return
        if transport.slots.take(self._hop.place, self):
            self._has_slot = True
            try:
                self._find_connection(now)
            except Exception as error:
                transport.loop.call_soon(self.fail, error)
        else:
            self._waiting = True
            self._begin_phase("queue", "Timeout in request queue")

    def _prepare(self) -> Hop:
        transport = self._transport
        request = self._request
        if transport.cookies is None and not transport.proxies:
            usual = usual_hop(request, self.decompress)
            if usual is not None:
                return usual
        return self._prepare_any()

    def _prepare_any(self) -> Hop:
        """Prepare a request that may say anything."""
        transport = self._transport
        request = self._request
        target = parse_url(request.url)
        route = self._choose_route(target)
        proxy = route.proxy
        user = user_of(request.url, request.auth_username, request.auth_password)
        authorization = cookie = None
        content = request.body or b"" if request.body_producer is None else None
        path = target.path
        forwarded = proxy is not None and proxy.forwards(target.scheme)
        if forwarded:
            path = target.url
        if user is not None:
            if self._attempt is None:
                account = transport.accounts.get(request.auth_mode, target[:3], *user)
                self._attempt = account.begin()
            authorization = self._attempt.authorization(request.method, path, content)
        if transport.cookies is not None:
            cookie = transport.cookies.header(request.url)
        ready = outgoing(request, target, path, authorization, cookie)
        if proxy is not None and forwarded and proxy.username is not None:
            # The proxy reads this request: it has the whole URL, and credentials for the proxy.
            if self._proxy_attempt is None:
                account = transport.accounts.get(
                    proxy.auth_mode, proxy, proxy.username, proxy.password
                )
                self._proxy_attempt = account.begin()
            value = self._proxy_attempt.authorization(request.method, path, content)
            if value is not None:
                ready.headers["Proxy-Authorization"] = value
        return Hop(route, target[:3], ready)

    def _choose_route(self, target: Target) -> Route:
        proxy = proxy_for(self._request, target, self._transport.proxies)
        return route_of(self._request, target, proxy)

    def slot_granted(self) -> None:
        """See `Waiter`."""
        self._has_slot = True
        self._waiting = False
        if self._phase is not None:
            self._end_phase()
        self._marks["queue"] = now = self._transport.loop.time()
        try:
            self._find_connection(now)
        except Exception as error:
            self._transport.loop.call_soon(self.fail, error)

    def _find_connection(self, now: float) -> None:
        pool = self._transport.pool
        hop = self._hop
        while (connection := pool.take(hop.route, now)) is not None:
            if hop.outgoing.method in IDEMPOTENT or not connection.looks_stale():
                self._exchange_on(connection, now)
                return
            connection.close()
        self._open_connection()

    def _open_connection(self) -> None:
        transport = self._transport
        if transport.slots.in_use + len(transport.pool) > transport.slots.total:
            transport.pool.evict()
        self._begin_phase("connect", self._connect_timeout_message())
        # In a context of its own: the connection, which stays, would keep that of this request.
        self._connecting = transport.loop.create_task(self._connect(), context=Context())

    async def _connect(self) -> None:
        transport = self._transport
        try:
            stream = await transport.connector.connect(self._hop.route, self._marks)
        except Exception as error:
            self._connecting = None
            self.fail(error)
            return
        self._connecting = None
        self._end_phase()
        connection = HTTP1ClientConnection(
            stream, self._hop.route, transport.limits, transport.pool
        )
        try:
            self._exchange_on(connection, transport.loop.time())
        except Exception as error:
            self.fail(error)

    def _exchange_on(self, connection: HTTP1ClientConnection, now: float) -> None:
        if self.max_body_size is None:
            connection.allow_any_body()
        self._exchange = exchange = Exchange(self, connection, self._hop.outgoing)
        self._marks["pretransfer"] = now
        exchange.begin()

    # -- deadlines -------------------------------------------------------------------------------

    def _begin_phase(self, name: str, message: str) -> None:
        seconds = self._request.connect_timeout
        if seconds:
            self._phase = Phase(seconds, self.fail, HTTPTimeoutError(message, name))
            self._transport.deadlines.add(self._phase, seconds, self._transport.loop.time())

    def _connect_timeout_message(self) -> str:
        route = self._hop.route
        return f"Timeout while connecting to {route.host}:{route.port}"

    def _end_phase(self) -> None:
        phase, self._phase = self._phase, None
        if phase is not None:
            self._transport.deadlines.discard(phase, phase.seconds)

    def deadline_passed(self, seconds: float) -> None:
        """See `Timed`: the request's own deadline."""
        if self._connecting is not None:
            self.fail(HTTPTimeoutError(self._connect_timeout_message(), "connect"))
        elif self._waiting:
            self.fail(HTTPTimeoutError("Timeout in request queue", "queue"))
        else:
            self.fail(HTTPTimeoutError("Timeout during request"))

    # -- what the exchange says ------------------------------------------------------------------

    def is_final(self, response: Response) -> bool:
        """See `ExchangeOwner`. Decides what comes after this hop."""
        status = response.status
        transport = self._transport
        self._marks["starttransfer"] = transport.loop.time()
        cookies = transport.cookies
        if cookies is not None:
            cookies.store(self._request.url, response.headers)
        if 200 <= status < 300:
            return True
        self._next = self._after(status, response.headers)
        return self._next is None

    def _after(self, status: int, headers: HTTPHeaders) -> Callable[[], None] | None:
        """What to do after a response that is no success, None if that is the end."""
        request = self._request
        if status in _CHALLENGES and can_repeat(request.request):
            attempt = self._attempt if status == 401 else self._proxy_attempt
            if attempt is not None and attempt.refused(headers.get_list(_CHALLENGES[status])):
                return self._repeat
        if 300 <= status < 400:
            new = follow(
                request.request,
                status,
                headers,
                follow_redirects=bool(request.follow_redirects),
                max_redirects=request.max_redirects or 0,
            )
            return None if new is None else lambda: self._redirect(new)
        delay = self._retry_delay(status=status, retry_after=headers.get("Retry-After"))
        return None if delay is None else lambda: self._retry(delay)

    def _repeat(self) -> None:
        self._begin_hop(self._transport.loop.time())

    def _redirect(self, request: HTTPRequest) -> None:
        self._marks["redirect"] = now = self._transport.loop.time()
        self._request = _RequestProxy(request, self._request.defaults)
        self._attempt = self._proxy_attempt = None
        self._begin_hop(now)

    def exchange_finished(self, exchange: Exchange) -> None:
        """See `ExchangeOwner`."""
        transport = self._transport
        connection = exchange.connection
        response = exchange.response
        assert response is not None
        self._exchange = None
        marks = self._marks
        marks["total"] = now = transport.loop.time()
        if connection.reusable:
            if connection.exchanges == 1:
                connection.allowed_idle = allowed_idle(response.headers.get("Keep-Alive"))
            transport.pool.put(connection, now)
        else:
            connection.close()
        self._has_slot = False
        transport.slots.give_back(self._hop.place)
        if self._next is not None:
            next_step, self._next = self._next, None
            next_step()
            return
        callback, self._callback = self._callback, None
        if callback is None:
            return
        # Nothing else is under way any more, see `_stop`.
        transport.running.discard(self)
        if self._timeout:
            transport.deadlines.discard(self, self._timeout)
        original = self._original
        answer = HTTPResponse(
            original,
            response.status,
            response.headers,
            None,
            self._request.request.url,
            None,
            now - self._started,
            None,
            response.reason,
            original.start_time,
        )
        answer._marks = marks, self._started
        answer._body = exchange.body
        if exchange.trailers is not None:
            answer.trailers = exchange.trailers
        callback(answer)

    def exchange_failed(self, exchange: Exchange, error: Exception) -> None:
        """See `ExchangeOwner`."""
        self._exchange = None
        connection = exchange.connection
        if (
            type(error) is HTTPStreamClosedError
            and connection.exchanges > 1
            and not connection.touched
            and self._hop.outgoing.method in IDEMPOTENT
            and self._hop.outgoing.body_producer is None
        ):
            # The server closed it at the moment when it was taken from the pool. Once only, as the
            # next one is new.
            self._open_connection()
            return
        self._fail(error, unheard=exchange.response is None)

    # -- the end ---------------------------------------------------------------------------------

    def fail(self, error: Exception) -> None:
        """End this try, whatever it is waiting for."""
        exchange = self._exchange
        self._fail(error, unheard=exchange is None or exchange.response is None)

    def _fail(self, error: Exception, *, unheard: bool) -> None:
        if self._callback is None:
            return
        delay = None
        # A response that has begun may have reached the callbacks: it cannot be taken back.
        if unheard or self.streaming_callback is None:
            delay = self._retry_delay(error=error)
        self._stop()
        if delay is None:
            self._deliver_error(error)
        else:
            self._retry(delay)

    def _retry_delay(self, **what: Any) -> float | None:
        policy: Retry | None = self._request.retry
        if policy is None or not can_repeat(self._request.request):
            return None
        return policy.delay(self._request.method, self._tries, **what)

    def _retry(self, delay: float) -> None:
        if self._timeout:
            self._transport.deadlines.discard(self, self._timeout)
        self._request = _RequestProxy(self._original, self._request.defaults)
        self._attempt = self._proxy_attempt = None
        self._timer = self._transport.loop.call_later(delay, self._try_again)

    def _try_again(self) -> None:
        self._timer = None
        self._begin_try(self._transport.loop.time())

    def _deliver_error(self, error: Exception) -> None:
        now = self._transport.loop.time()
        self._marks["total"] = now
        answer = HTTPResponse(
            self._original,
            NO_RESPONSE,
            error=error,
            request_time=now - self._started,
            start_time=self._original.start_time,
        )
        answer._marks = self._marks, self._started
        self._deliver(answer)

    def _deliver(self, response: HTTPResponse) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            self._clean_up()
            callback(response)

    def _clean_up(self) -> None:
        transport = self._transport
        transport.running.discard(self)
        if self._timeout:
            transport.deadlines.discard(self, self._timeout)
        self._stop()

    def _stop(self) -> None:
        """Stop what is under way, and give everything back."""
        self._next = None
        if self._phase is not None:
            self._end_phase()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._connecting is not None:
            connecting, self._connecting = self._connecting, None
            connecting.cancel()
        if self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            exchange.abandon()
        if self._has_slot:
            self._has_slot = False
            self._transport.slots.give_back(self._hop.place)
        elif self._waiting:
            self._waiting = False
            self._transport.slots.leave(self._hop.place, self)
