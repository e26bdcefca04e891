"""Names outside the public surface that well-known programs use; found by reading their sources."""

import importlib

import pytest

from zonda.tornado.names import MODULES
from zonda.web import RequestHandler

# module, name, who
NAMES = [
    ("gen", "chain_future", "motor"),
    ("httpclient", "HTTPRequest._DEFAULTS", "jupyter"),
    ("httpclient", "_RequestProxy", "opentelemetry"),
    ("httpserver", "HTTPRequest", "jupyter_server"),
    ("httpserver", "_HTTPRequestContext", "flower"),
    ("httputil", "urlencode", "jupyterhub"),
    ("ioloop", "IOLoop._ioloop_for_asyncio", "panel, octoprint"),
    ("iostream", "_ERRNO_CONNRESET", "webssh"),
    ("iostream", "IOStream._total_write_index", "distributed"),
    ("iostream", "IOStream._write_buffer", "distributed"),
    ("options", "options._options", "flower"),
    ("routing", "_RuleList", "type annotations"),
    ("tcpserver", "TCPServer._handle_connection", "thrift"),
    ("web", "RequestHandler._execute", "jupyter_server, opentelemetry, sentry"),
    ("web", "RequestHandler._unimplemented_method", "tornado-swagger"),
    ("web", "StaticFileHandler._static_hashes", "jupyter_server"),
    ("web", "_has_stream_request_body", "elastic-apm"),
]


@pytest.mark.parametrize(("module", "name", "who"), NAMES, ids=lambda value: str(value))
def test_name(module: str, name: str, who: str) -> None:
    found: object = importlib.import_module(MODULES[f"tornado.{module}"])
    for part in name.split("."):
        found = getattr(found, part)


@pytest.mark.parametrize("name", ["_current_user", "_locale", "_xsrf_token"])
def test_what_is_not_there_before_it_is_known(name: str) -> None:
    assert not hasattr(RequestHandler, name)  # jupyterhub asks for _xsrf_token this way
