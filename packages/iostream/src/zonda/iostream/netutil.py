"""Network utilities: the names of Tornado's module of this name, each from its own file here."""

from zonda.iostream.accept import add_accept_handler
from zonda.iostream.binding import bind_sockets, bind_unix_socket
from zonda.iostream.tlsoptions import ssl_options_to_context, ssl_wrap_socket

__all__ = [
    "add_accept_handler",
    "bind_sockets",
    "bind_unix_socket",
    "ssl_options_to_context",
    "ssl_wrap_socket",
]
