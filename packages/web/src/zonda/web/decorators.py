"""Decorators for handlers and their methods: who may call them, with which slash, until when."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from zonda.web.errors import HTTPError
from zonda.web.handler import RequestHandler
from zonda.web.redirects import leads_away

P = ParamSpec("P")
H = TypeVar("H", bound=RequestHandler)
Method = Callable[Concatenate[H, P], Awaitable[None] | None]

_READING = ("GET", "HEAD")


def authenticated(method: Method[H, P]) -> Method[H, P]:
    """Only for users who are logged in: others are sent to the login page.

    Somebody is logged in if `RequestHandler.current_user` is true. The login page is
    `RequestHandler.get_login_url`; it is given the way back as the argument ``next``, unless its
    URL has a query already. Requests other than GET and HEAD cannot come back by a redirect and
    get 403.
    """

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None] | None:
        if self.current_user:
            return method(self, *args, **kwargs)
        if self.request.method not in _READING:
            raise HTTPError(403)
        url = self.get_login_url()
        if "?" not in url:
            # A login page elsewhere needs to know where "here" is.
            back = self.request.full_url() if urlsplit(url).scheme else self.request.uri
            url += "?" + urlencode({"next": back})
        self.redirect(url)
        return None

    return wrapper


def addslash(method: Method[H, P]) -> Method[H, P]:
    """Redirect ``/path`` to ``/path/``, for GET and HEAD; others get 404.

    The rule must match both: ``r"/path/?"``.
    """

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None] | None:
        path = self.request.path
        if path.endswith("/"):
            return method(self, *args, **kwargs)
        _redirect_here(self, path + "/")
        return None

    return wrapper


def removeslash(method: Method[H, P]) -> Method[H, P]:
    """Redirect ``/path/`` to ``/path``, for GET and HEAD; others get 404.

    The rule must match both: ``r"/path/?"``.
    """

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None] | None:
        path = self.request.path
        if not path.endswith("/"):
            return method(self, *args, **kwargs)
        without = path.rstrip("/")
        if not without:  # the root has no other name
            return method(self, *args, **kwargs)
        _redirect_here(self, without)
        return None

    return wrapper


def asynchronous(method: Method[H, P]) -> Method[H, P]:
    """Legacy: the request is not over when the method returns, but when `finish` is called.

    A method that returns an awaitable (a coroutine under this decorator) finishes the request with
    it, as any coroutine does.
    """

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None] | None:
        self._auto_finish = False
        result = method(self, *args, **kwargs)
        return None if result is None else _finish_after(self, result)

    return wrapper


async def _finish_after(handler: RequestHandler, result: Awaitable[None]) -> None:
    await result
    if not handler._finished:
        handler.finish()


def stream_request_body(cls: type[H]) -> type[H]:
    """Class decorator: the body is not collected but given to ``data_received`` piece by piece.

    `RequestHandler.prepare` runs when the head is there (it may call
    ``request.connection.set_max_body_size``), the method when the body is complete.
    """
    if not issubclass(cls, RequestHandler):
        raise TypeError(f"expected a subclass of RequestHandler, got {cls!r}")
    cls._stream_request_body = True
    return cls


def _has_stream_request_body(cls: type[RequestHandler]) -> bool:
    # Not for new programs: elastic-apm asks.
    return cls._stream_request_body


def _redirect_here(handler: RequestHandler, path: str) -> None:
    if handler.request.method not in _READING:
        raise HTTPError(404)
    if leads_away(path):
        raise HTTPError(403, "no redirect off this site")
    query = handler.request.query
    handler.redirect(f"{path}?{query}" if query else path, permanent=True)
