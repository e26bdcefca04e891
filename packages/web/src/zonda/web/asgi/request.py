"""A request out of a scope: start line and headers, as our own protocol would have found them.

A path that an outer application or proxy has mounted us under (``root_path``) is taken off: rules
are written without it. Raises `HTTPInputError` for fields that no HTTP/1.1 message could have.
"""

from urllib.parse import quote

from zonda.httpserver.asgi.types import Scope
from zonda.httputil import HTTPHeaders, RequestStartLine

# What may stand in a path without being percent-encoded (RFC 3986 §3.3).
_PATH = "/!$&'()*+,;=:@-._~"
_VERSIONS = {"1.0": "HTTP/1.0", "1.1": "HTTP/1.1"}


def read_scope(scope: Scope) -> tuple[RequestStartLine, HTTPHeaders]:
    """Return start line and headers of a request.

    Args:
        scope: Of type ``http`` or ``websocket``.

    Raises:
        HTTPInputError: A field is not valid.

    >>> scope = {"path": "/a b", "query_string": b"x", "headers": [(b"host", b"example.com")]}
    >>> read_scope(scope)[0]
    RequestStartLine(method='GET', path='/a%20b?x', version='HTTP/1.1')
    """
    headers = HTTPHeaders()
    for name, value in scope["headers"]:
        headers.add(bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
    version = _VERSIONS.get(scope.get("http_version", "1.1"), "HTTP/1.1")
    return RequestStartLine(scope.get("method", "GET"), _target(scope), version), headers


def _target(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path: str = quote(scope["path"], _PATH) if raw is None else raw.decode("latin-1")
    path = path.partition("?")[0]  # some test clients leave it in
    root = quote(scope.get("root_path") or "", _PATH).rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    query = scope.get("query_string") or b""
    return f"{path or '/'}?{query.decode('latin-1')}" if query else path or "/"
