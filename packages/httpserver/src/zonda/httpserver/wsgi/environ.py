"""The environment of a WSGI application: a request as CGI variables (PEP 3333, RFC 3875 §4.1).

In: an `HTTPServerRequest` whose head is there. Out: a plain dictionary without ``wsgi.input``. Text
is "native strings": each character stands for one octet.

Fields whose name has an underscore are left out: ``X_Forwarded_For`` and ``X-Forwarded-For`` would
be one variable, and a proxy in front strips or sets only the latter. So is ``Proxy``, which
means nothing here, but as HTTP_PROXY is a setting to whatever reads the system's environment.
"""

import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from zonda.httputil import HTTPServerRequest
from zonda.httputil.urls import split_host_and_port

_PORTS = {"http": 80, "https": 443}


def to_wsgi_str(s: bytes) -> str:
    """Return octets as PEP 3333 wants them in a str: one character each.

    >>> to_wsgi_str("é".encode())
    'Ã©'
    """
    assert isinstance(s, bytes)
    return s.decode("latin-1")


def make_environ(request: HTTPServerRequest, script_name: str, multithread: bool) -> dict[str, Any]:
    """Return the variables of a request.

    Args:
        request: The request.
        script_name: Where the application is mounted, percent-decoded octets, no slash at the end;
            the request's path begins with it.
        multithread: Whether the application may run in several threads at once.
    """
    path = to_wsgi_str(unquote_to_bytes(request.path.encode("latin-1")))
    host, port = split_host_and_port(request.host)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path[len(script_name) :],
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.uri,
        "REMOTE_ADDR": request.remote_ip or "",
        "SERVER_NAME": host.removesuffix(":") or "127.0.0.1",
        "SERVER_PORT": str(port or _PORTS.get(request.protocol, 80)),
        "SERVER_PROTOCOL": request.version,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.protocol,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        # The end of wsgi.input is the end of the body, whether it came with a length or in chunks.
        "wsgi.input_terminated": True,
    }
    headers = request.headers
    for name, value in headers.items():
        if name == "Content-Type":
            environ["CONTENT_TYPE"] = value
        elif name == "Content-Length":
            environ["CONTENT_LENGTH"] = value
        elif "_" not in name and name != "Proxy":
            if name == "Cookie":  # several are one (RFC 9113 §8.2.3)
                value = "; ".join(headers.get_list(name))
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
