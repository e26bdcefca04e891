"""What ``application(...)`` is: ASGI's coroutine, and the callback that Tornado's server took.

Servers ask ``inspect.iscoroutinefunction`` whether an object is an ASGI application, so that is
what it has to look like; a program that wraps an application as Tornado allows calls it with a
complete request and does not await what it gets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zonda.httputil import HTTPServerRequest

if TYPE_CHECKING:
    from zonda.web.application import Application

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Entry:
    """A coroutine function to those who look at it, that answers requests of `HTTPServer` too."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        # This is what makes it a function for `inspect`, and a coroutine function for servers.
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__

    def __get__(self, instance: Application | None, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, application: Application, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and isinstance(args[0], HTTPServerRequest):
            delegate: Any = application.find_handler(args[0])
            return delegate.execute()
        return self._function(application, *args, **kwargs)


def takes_requests_too(function: _Function) -> _Function:
    """Make an application's ASGI method run a handler if it is called with a complete request."""
    return cast(_Function, _Entry(function))
