"""Names that Tornado's modules have because they use them, and that programs take from there.

``from tornado.web import utf8`` works with Tornado, though ``utf8`` belongs to its module
``escape``. Zonda's modules use other things; under the drop-in they find such a name at its home
when somebody asks for it, and only then.
"""

import importlib
from collections.abc import Callable
from types import ModuleType

from zonda.tornado.older import ELSEWHERE, STANDARD

#: Where a name is at home: the module's name under ``tornado``; "" for the modules themselves.
HOMES = {
    "": (
        "escape gen httpclient httputil ioloop iostream netutil process simple_httpclient tornado"
    ),
    "concurrent": (
        "Future chain_future future_add_done_callback future_set_exc_info "
        "future_set_exception_unless_cancelled future_set_result_unless_cancelled is_future "
        "run_on_executor"
    ),
    "escape": "native_str parse_qs_bytes to_unicode url_escape url_unescape utf8",
    "http1connection": "HTTP1Connection HTTP1ConnectionParameters HTTP1ServerConnection",
    "httpclient": "AsyncHTTPClient HTTPError HTTPRequest HTTPResponse main",
    "httpserver": "HTTPServer",
    "httputil": "url_concat",
    "ioloop": "IOLoop",
    "iostream": "IOStream PipeIOStream StreamClosedError",
    "locks": "Event",
    "netutil": "Resolver add_accept_handler is_valid_ip ssl_wrap_socket",
    "platform.asyncio": "AsyncIOMainLoop",
    "process": "Subprocess",
    "queues": "Queue",
    "routing": (
        "AnyMatches DefaultHostMatches HostMatches ReversibleRouter ReversibleRuleRouter Rule"
    ),
    "tcpclient": "TCPClient",
    "tcpserver": "TCPServer",
    "util": (
        "Configurable GzipDecompressor ObjectDict basestring_type errno_from_exception "
        "exec_in import_object raise_exc_info re_unescape unicode_type"
    ),
    "web": "Application RequestHandler",
}

#: Who has names that are at home elsewhere: module under ``tornado`` -> names.
BORROWED = {
    "auth": "RequestHandler escape httpclient unicode_type url_concat",
    "autoreload": "ioloop process",
    "curl_httpclient": (
        "AsyncHTTPClient HTTPError HTTPRequest HTTPResponse gen httputil ioloop main "
        "native_str utf8"
    ),
    "escape": "unicode_type",
    "gen": (
        "IOLoop future_add_done_callback future_set_exc_info future_set_result_unless_cancelled"
    ),
    "http1connection": (
        "Future GzipDecompressor future_add_done_callback future_set_result_unless_cancelled "
        "gen httputil iostream native_str utf8"
    ),
    "httpclient": (
        "Configurable Future IOLoop future_set_exception_unless_cancelled "
        "future_set_result_unless_cancelled gen httputil native_str utf8"
    ),
    "httpserver": (
        "Configurable HTTP1ConnectionParameters HTTP1ServerConnection TCPServer httputil "
        "iostream native_str netutil"
    ),
    "httputil": "ObjectDict native_str parse_qs_bytes to_unicode unicode_type utf8",
    "ioloop": (
        "Configurable Future chain_future future_add_done_callback future_set_exc_info "
        "import_object is_future"
    ),
    "iostream": (
        "Future errno_from_exception future_set_result_unless_cancelled ioloop ssl_wrap_socket"
    ),
    "locale": "escape",
    "locks": "Future future_set_result_unless_cancelled gen ioloop",
    "log": "basestring_type unicode_type",
    "netutil": "Configurable IOLoop errno_from_exception run_on_executor",
    "options": "basestring_type exec_in native_str",
    "process": (
        "Future PipeIOStream future_set_exception_unless_cancelled "
        "future_set_result_unless_cancelled ioloop"
    ),
    "queues": "Event Future future_set_result_unless_cancelled ioloop",
    "routing": (
        "basestring_type httputil import_object re_unescape unicode_type url_escape "
        "url_unescape utf8"
    ),
    "simple_httpclient": (
        "Future HTTP1Connection HTTP1ConnectionParameters HTTPError HTTPRequest HTTPResponse "
        "IOLoop IOStream StreamClosedError TCPClient gen httputil is_valid_ip main"
    ),
    "tcpclient": "Future IOLoop future_add_done_callback gen",
    "tcpserver": "IOLoop add_accept_handler errno_from_exception gen process ssl_wrap_socket",
    "template": "ObjectDict escape exec_in unicode_type",
    "testing": (
        "Application AsyncHTTPClient AsyncIOMainLoop HTTPResponse HTTPServer IOLoop "
        "Subprocess basestring_type gen netutil raise_exc_info"
    ),
    "web": (
        "AnyMatches DefaultHostMatches Future HTTPServer HostMatches ObjectDict "
        "ReversibleRouter ReversibleRuleRouter Rule escape future_set_result_unless_cancelled "
        "gen httputil iostream tornado unicode_type utf8"
    ),
    "websocket": (
        "Future IOLoop IOStream Queue Resolver StreamClosedError TCPClient "
        "future_add_done_callback future_set_result_unless_cancelled gen httpclient httputil "
        "native_str simple_httpclient to_unicode tornado utf8"
    ),
    "wsgi": "IOLoop escape httputil tornado",
}

_home_of = {name: home for home, names in HOMES.items() for name in names.split()}
# Modules that lend now, and what they asked before.
_lending: dict[ModuleType, Callable[[str], object] | None] = {}


def lend(module: ModuleType, name: str) -> None:
    """Let ``module``, which is ``tornado.<name>``, find the names that it borrows.

    A module's own ``__getattr__`` is asked first.
    """
    borrowed = frozenset(BORROWED.get(name, "").split())
    standard = frozenset(STANDARD.get(name, "").split())
    elsewhere = ELSEWHERE.get(name, {})
    if not (borrowed or standard or elsewhere) or module in _lending:
        return
    own = vars(module).get("__getattr__")

    def find(wanted: str) -> object:
        if wanted not in borrowed:
            if own is not None:
                try:
                    return own(wanted)
                except AttributeError:
                    if wanted not in standard and wanted not in elsewhere:
                        raise
            if wanted in standard:
                return importlib.import_module(wanted)
            if wanted in elsewhere:
                where, dot, last = elsewhere[wanted].rpartition(".")
                found = importlib.import_module(where or last)
                return getattr(found, last) if dot else found
            raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")
        home = _home_of[wanted]
        if home:
            return getattr(importlib.import_module(f"tornado.{home}"), wanted)
        return importlib.import_module("tornado" if wanted == "tornado" else f"tornado.{wanted}")

    _lending[module] = own
    vars(module)["__getattr__"] = find


def take_back() -> None:
    """Undo `lend` for all modules."""
    while _lending:
        module, own = _lending.popitem()
        if own is None:
            del vars(module)["__getattr__"]
        else:
            vars(module)["__getattr__"] = own
