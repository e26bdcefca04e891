"""Network utilities: the names of Tornado's module of this name, each from its own file here."""

from zonda.ioloop.concurrent import dummy_executor
from zonda.iostream.accept import add_accept_handler
from zonda.iostream.binding import bind_sockets, bind_unix_socket
from zonda.iostream.resolvers import (
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    ThreadedResolver,
    is_valid_ip,
)
from zonda.iostream.tlsoptions import ssl_options_to_context, ssl_wrap_socket

__all__ = [
    "BlockingResolver",
    "DefaultExecutorResolver",
    "DefaultLoopResolver",
    "ExecutorResolver",
    "OverrideResolver",
    "Resolver",
    "ThreadedResolver",
    "add_accept_handler",
    "bind_sockets",
    "bind_unix_socket",
    "dummy_executor",
    "is_valid_ip",
    "ssl_options_to_context",
    "ssl_wrap_socket",
]
