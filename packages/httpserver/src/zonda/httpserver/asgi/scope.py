"""The scope of a request: what an ASGI application is told before anything else.

In: a start line, headers and the connection. Out: a dictionary as "HTTP & WebSocket ASGI Message
Format" has it. ``path`` is percent-decoded and, as everywhere in ASGI, includes ``root_path``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from zonda.httpserver.asgi.fields import asgi_fields
from zonda.httpserver.asgi.types import SPEC_VERSION
from zonda.httputil import HTTPConnection, HTTPHeaders

Address = tuple[str, int | None]
"""Host and port; None in place of a port for a Unix socket."""

HTTP_EXTENSIONS: dict[str, dict[str, Any]] = {
    "http.response.trailers": {},
    "http.response.early_hint": {},
}
"""Extensions in the scope of requests."""
WEBSOCKET_EXTENSIONS: dict[str, dict[str, Any]] = {"websocket.http.response": {}}
"""Extensions in the scope of WebSockets."""
_ASGI = {"version": "3.0", "spec_version": SPEC_VERSION}
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}


def http_scope(
    connection: HTTPConnection,
    method: str,
    path: str,
    query: str,
    version: str,
    headers: HTTPHeaders,
    root_path: str,
    state: dict[str, Any],
) -> dict[str, Any]:
    """Return the scope of an HTTP request.

    Args:
        connection: The request's connection; its ``context`` tells scheme and addresses.
        method: The method.
        path: The target up to the query, as on the wire.
        query: The rest of the target, without the question mark.
        version: ``"HTTP/1.1"``.
        headers: The fields.
        root_path: Where the application is mounted.
        state: What the application keeps for its requests (it is copied).
    """
    context = getattr(connection, "context", None)
    if context is None:
        client = server = None
        scheme = "http"
    else:
        # The same for all requests of a connection, unless a proxy says otherwise; asked for once,
        # because the server's own address costs a call of the system.
        known = context.__dict__.get("asgi_addresses")
        if known is None:
            known = context.__dict__["asgi_addresses"] = _addresses(connection)
        client, server = known
        if context.remote_ip is not context._orig_remote_ip:
            client = (context.remote_ip, 0)
        scheme = context.protocol
    raw_path = path.encode("latin-1")
    if "%" in path or not path.isascii():
        path = unquote_to_bytes(raw_path).decode("utf-8", "replace")
    return {
        "type": "http",
        "asgi": _ASGI.copy(),
        "http_version": version[5:],
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": raw_path,
        "query_string": query.encode("latin-1"),
        "root_path": root_path,
        "headers": asgi_fields(headers),
        "client": client,
        "server": server,
        "state": state.copy(),
        "extensions": HTTP_EXTENSIONS.copy(),
    }


def websocket_scope(scope: dict[str, Any], subprotocols: list[str]) -> dict[str, Any]:
    """Turn the scope of the request into that of the WebSocket which it asks for."""
    del scope["method"]
    scope["type"] = "websocket"
    scope["scheme"] = _WEBSOCKET_SCHEMES[scope["scheme"]]
    scope["subprotocols"] = subprotocols
    scope["extensions"] = WEBSOCKET_EXTENSIONS.copy()
    return scope


def _addresses(connection: Any) -> tuple[Address | None, Address | None]:
    peer = connection.context.address
    client = server = None
    if isinstance(peer, tuple) and len(peer) >= 2:
        client = (str(peer[0]), int(peer[1]))
    try:
        own = connection.stream.socket.getsockname()
    except (AttributeError, OSError):  # no stream, or it is closed already
        return client, None
    if isinstance(own, tuple):
        server = (own[0], own[1])
    elif own:
        server = (own.decode("utf-8", "replace") if isinstance(own, bytes) else own, None)
    return client, server
