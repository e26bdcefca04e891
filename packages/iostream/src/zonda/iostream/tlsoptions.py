"""TLS settings: from what Tornado's users write to an ``ssl.SSLContext``.

Contexts made here speak TLS 1.2 or newer, without compression and renegotiation; a client's
verifies the certificate and the host name against the system's authorities unless told otherwise.
"""

import socket
import ssl
from typing import Any

SSLOptions = dict[str, Any] | ssl.SSLContext
"""A context, or a dict as `ssl_options_to_context` takes it."""

_KEYWORDS = frozenset({"ssl_version", "certfile", "keyfile", "cert_reqs", "ca_certs", "ciphers"})

# Made on first use: loading the system's authorities takes tens of milliseconds.
_defaults: dict[bool, ssl.SSLContext] = {}


def default_context(server_side: bool) -> ssl.SSLContext:
    """The context of a stream that was given no options."""
    context = _defaults.get(server_side)
    if context is None:
        purpose = ssl.Purpose.CLIENT_AUTH if server_side else ssl.Purpose.SERVER_AUTH
        context = _defaults[server_side] = ssl.create_default_context(purpose)
        _harden(context)
    return context


def ssl_options_to_context(
    ssl_options: SSLOptions, server_side: bool | None = None
) -> ssl.SSLContext:
    """Return the context that ``ssl_options`` describes.

    Args:
        ssl_options: a context, which is returned as it is, or a dict with any of ``certfile``,
            ``keyfile``, ``cert_reqs``, ``ca_certs``, ``ciphers`` and ``ssl_version``.
        server_side: which end the context is for. None leaves it open, with no verification
            unless ``cert_reqs`` asks for it.

    Raises:
        ValueError: an unknown key.
        OSError: a file cannot be read (``ssl.SSLError`` when it holds something else).
    """
    if isinstance(ssl_options, ssl.SSLContext):
        return ssl_options
    unknown = ssl_options.keys() - _KEYWORDS
    if unknown:
        raise ValueError(f"unknown keys in ssl_options: {sorted(unknown)}")
    version = ssl_options.get("ssl_version")
    if version is None:
        version = ssl.PROTOCOL_TLS_CLIENT if server_side is False else ssl.PROTOCOL_TLS_SERVER
    context = ssl.SSLContext(version)
    _harden(context)
    certfile = ssl_options.get("certfile")
    if certfile is not None:
        context.load_cert_chain(certfile, ssl_options.get("keyfile"))
    cert_reqs = ssl_options.get("cert_reqs")
    if cert_reqs is not None:
        if cert_reqs == ssl.CERT_NONE:
            context.check_hostname = False  # first: the module insists on this order
        context.verify_mode = cert_reqs
    ca_certs = ssl_options.get("ca_certs")
    if ca_certs is not None:
        context.load_verify_locations(ca_certs)
    elif server_side is False and context.verify_mode != ssl.CERT_NONE:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    ciphers = ssl_options.get("ciphers")
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context


def ssl_wrap_socket(
    socket: socket.socket,
    ssl_options: SSLOptions | None,
    server_hostname: str | None = None,
    server_side: bool | None = None,
    **kwargs: Any,
) -> ssl.SSLSocket:
    """Wrap a socket in TLS.

    Args:
        socket: a plain socket; it is detached.
        ssl_options: see ``ssl_options_to_context``; None for the defaults.
        server_hostname: the name to send (SNI) and, in a client, to verify.
        server_side: True for the accepting end.
        **kwargs: for ``ssl.SSLContext.wrap_socket``.
    """
    server = bool(server_side)
    if ssl_options is None:
        context = default_context(server)
    else:
        context = ssl_options_to_context(ssl_options, server)
    return context.wrap_socket(
        socket, server_side=server, server_hostname=server_hostname, **kwargs
    )


def _harden(context: ssl.SSLContext) -> None:
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if context.protocol in (
        ssl.PROTOCOL_TLS_CLIENT,
        ssl.PROTOCOL_TLS_SERVER,
    ):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
