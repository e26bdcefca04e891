"""Names of Tornado's modules that are neither public nor its own, and those it had once.

Programs take the standard library's modules from there (``tornado.web.time``, mostly to patch it in
a test), ask for classes that are private, or were written for a release that still had the name.
`zonda.tornado.borrowed` lends all of them where somebody asks.
"""

import socket

from zonda.iostream.netutil import bind_sockets

#: Modules of the standard library that each of Tornado's modules has.
STANDARD = {
    "auth": "base64 binascii hashlib hmac re time urllib uuid warnings",
    "autoreload": "functools importlib os pkgutil signal subprocess sys traceback types weakref",
    "concurrent": "asyncio functools sys types typing",
    "curl_httpclient": "collections functools inspect logging re threading time",
    "escape": "binascii html json re typing urllib",
    "gen": (
        "asyncio builtins collections concurrent contextvars datetime functools sys types typing"
    ),
    "http1connection": "asyncio logging re types zlib",
    "httpclient": "datetime functools ssl time weakref",
    "httpserver": "socket ssl typing",
    "httputil": (
        "calendar collections copy dataclasses datetime email http re time typing unicodedata "
        "warnings"
    ),
    "ioloop": ("asyncio datetime functools math numbers os random sys time typing warnings"),
    "iostream": "asyncio collections errno io numbers os re socket ssl sys typing",
    "locale": "codecs csv datetime gettext glob os re",
    "locks": "collections datetime types",
    "log": "curses logging sys",
    "netutil": "asyncio concurrent errno functools os socket ssl stat sys",
    "options": "datetime numbers os re sys textwrap",
    "platform.asyncio": (
        "asyncio atexit concurrent contextvars errno functools select socket sys threading "
        "typing warnings"
    ),
    "process": "asyncio multiprocessing os signal subprocess sys time",
    "queues": "collections datetime heapq",
    "routing": "re",
    "simple_httpclient": "base64 collections copy functools re socket ssl sys time urllib",
    "tcpclient": "asyncio datetime functools numbers socket ssl",
    "tcpserver": "errno os socket ssl",
    "template": "datetime linecache os posixpath re threading typing",
    "testing": "asyncio functools inspect logging os re signal socket sys typing unittest warnings",
    "util": "array asyncio os re typing warnings zlib",
    "web": (
        "asyncio base64 binascii datetime email functools gzip hashlib hmac http "
        "mimetypes numbers os re socket stat string sys threading time traceback types urllib "
        "warnings"
    ),
    "websocket": "abc asyncio base64 functools hashlib logging os struct sys warnings zlib",
    "wsgi": "concurrent sys typing",
}

#: Module under ``tornado`` -> name -> where what it stands for is, here or elsewhere. The names of
#: private classes are those that instrumentation and extensions look for.
ELSEWHERE = {
    "concurrent": {"TracebackFuture": "asyncio.Future"},
    "escape": {"_unicode": "zonda.httputil.escape.to_unicode"},
    "httpserver": {
        "_CallableAdapter": "zonda.httpserver.callback.CallableAdapter",
        "_ProxyAdapter": "zonda.httpserver.proxy.ProxyDelegate",
    },
    "httputil": {"_normalize_header": "zonda.httputil.field_names.canonical_name"},
    "log": {"_unicode": "zonda.httputil.escape.to_unicode"},
    "netutil": {"TCPServer": "zonda.iostream.tcpserver.TCPServer"},
    "options": {
        "_unicode": "zonda.httputil.escape.to_unicode",
        "enable_pretty_logging": "zonda.ioloop.log.enable_pretty_logging",
        "logging": "logging",
    },
    "routing": {
        "_CallableAdapter": "zonda.httpserver.callback.CallableAdapter",
        "_RoutingDelegate": "zonda.httpserver.routing.router._RoutingDelegate",
    },
    "simple_httpclient": {"_unicode": "zonda.httputil.escape.to_unicode"},
    "testing": {"get_unused_port": "zonda.tornado.older.get_unused_port"},
    "util": {
        "PY3": "zonda.tornado.older.PY3",
        "b": "zonda.tornado.older.b",
        "u": "zonda.tornado.older.u",
    },
    "web": {
        "_ARG_DEFAULT": "zonda.web.arguments.REQUIRED",
        "_ApplicationRouter": "zonda.web.application.ApplicationRouter",
        "_HandlerDelegate": "zonda.web.delegate.HandlerDelegate",
        "_UIModuleNamespace": "zonda.web.uimodules.ModuleNamespace",
        "_time_independent_equals": "hmac.compare_digest",
        "_unicode": "zonda.httputil.escape.to_unicode",
    },
}

# Tornado 2 to 4, for programs that ran on Python 2 as well.
PY3 = True


def b(text: str) -> bytes:
    """Return a literal as bytes.

    >>> b("a")
    b'a'
    """
    return text.encode("latin-1")


def u(text: str) -> str:
    """Return a literal as text."""
    return text


def get_unused_port() -> int:
    """Return a port on the loopback that was free a moment ago; `bind_unused_port` is better."""
    [listener, *_] = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    with listener:
        port: int = listener.getsockname()[1]
        return port
