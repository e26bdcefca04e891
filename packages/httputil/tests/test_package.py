"""The package as a whole: its names, and that it needs neither a loop nor a socket."""

import pkgutil
import subprocess
import sys
from inspect import signature

import pytest

import zonda.httputil

# The public names of tornado.httputil (6.6), with the parameters of what is called.
NAMES: dict[str, list[str] | None] = {
    "HTTPConnection": [],
    "HTTPFile": None,
    "HTTPHeaders": None,
    "HTTPInputError": None,
    "HTTPMessageDelegate": [],
    "HTTPOutputError": None,
    "HTTPServerConnectionDelegate": [],
    "HTTPServerRequest": [
        "method", "uri", "version", "headers", "body", "host", "files", "connection",
        "start_line", "server_connection",
    ],
    "HTTP_WHITESPACE": None,
    "ParseBodyConfig": ["multipart", "urlencoded"],
    "ParseMultipartConfig": ["enabled", "max_parts", "max_part_header_size"],
    "ParseUrlEncodedConfig": ["max_arguments"],
    "RequestStartLine": ["method", "path", "version"],
    "ResponseStartLine": ["version", "code", "reason"],
    "encode_username_password": ["username", "password"],
    "format_timestamp": ["ts"],
    "parse_body_arguments": ["content_type", "body", "arguments", "files", "headers", "config"],
    "parse_cookie": ["cookie"],
    "parse_multipart_form_data": ["boundary", "data", "arguments", "files", "config"],
    "parse_request_start_line": ["line"],
    "parse_response_start_line": ["line"],
    "qs_to_qsl": ["qs"],
    "set_parse_body_config": ["config"],
    "split_host_and_port": ["netloc"],
    "url_concat": ["url", "args"],
    # Not public there, and used all the same.
    "_encode_header": ["key", "pdict"],
    "_get_content_range": ["start", "end", "total"],
    "_int_or_none": ["val"],
    "_parse_header": ["line"],
    "_parse_request_range": ["range_header"],
    "responses": None,
}  # fmt: skip


def test_every_name_is_there() -> None:
    assert set(zonda.httputil.__all__) == set(NAMES)
    assert len(zonda.httputil.__all__) == len(NAMES)
    for name, parameters in NAMES.items():
        member = getattr(zonda.httputil, name)
        if parameters and not name.startswith("_"):
            assert list(signature(member).parameters)[: len(parameters)] == parameters, name


BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("asyncio", "socket", "_socket", "ssl", "_ssl", "selectors"):
            raise ImportError("blocked: " + name)
        return None

for name in [n for n in sys.modules if n.partition(".")[0] in ("asyncio", "socket", "ssl")]:
    del sys.modules[name]
sys.meta_path.insert(0, Blocked())
import importlib
importlib.import_module(sys.argv[1])
assert not {"asyncio", "socket", "ssl", "_socket", "_ssl"} & set(sys.modules)
"""


MODULES = [
    module.name for module in pkgutil.walk_packages(zonda.httputil.__path__, "zonda.httputil.")
]
EVERYTHING = "; ".join([f"importlib.import_module({name!r})" for name in MODULES])


@pytest.mark.parametrize(
    "program", [BLOCK, BLOCK.replace("importlib.import_module(sys.argv[1])", EVERYTHING)]
)
def test_nothing_in_it_needs_a_loop_or_a_socket(program: str) -> None:
    assert "zonda.httputil.request" in MODULES
    assert "zonda.httputil.http1.server" in MODULES
    assert "zonda.httputil.websocket.connection" in MODULES
    run(program)


def test_nothing_in_it_imports_a_loop_or_a_socket() -> None:
    # Nothing hides a failed import: they would be there. Only the optional libraries must not be,
    # which import what they like.
    allowed = BLOCK.replace(
        '("asyncio", "socket", "_socket", "ssl", "_ssl", "selectors")',
        '("websockets", "brotli", "backports", "compression")',
    )
    assert allowed != BLOCK
    run(allowed.replace("importlib.import_module(sys.argv[1])", EVERYTHING))


def run(program: str) -> None:
    subprocess.run(
        [sys.executable, "-c", program, "zonda.httputil"],
        check=True,
        capture_output=True,
        timeout=60,
    )
