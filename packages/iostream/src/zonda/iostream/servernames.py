"""Several certificates on one port: which one is shown depends on the name that is asked for.

In: a table from server names to TLS contexts. Out: one context, for a server's ``ssl_options``. A
client says the name in the clear at the beginning of the handshake (SNI, RFC 6066 §3). Raises
``ValueError`` for a name that cannot be asked for.
"""

import re
import ssl
from collections.abc import Mapping

from zonda.iostream.tlsoptions import SSLOptions, ssl_options_to_context

_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def by_server_name(names: Mapping[str, SSLOptions], default: SSLOptions) -> ssl.SSLContext:
    """Make a context that answers each client with the certificate of the name it asks for.

    Args:
        names: server names, ``"example.com"`` or ``"*.example.com"`` (exactly one label in place
            of the asterisk; the exact name comes first), and the settings of each. The table is
            copied: for a new certificate make a new context (``TCPServer.set_ssl_options``), or
            call ``load_cert_chain`` of the old one.
        default: the settings for clients that ask for no name, or for one that is not there.

    Raises:
        ValueError: a name that is neither of the two.

    Example:
        >>> context = by_server_name({"*.example.com": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)},
        ...                          default=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        >>> callable(context.sni_callback)
        True
    """
    contexts = {}
    for name, options in names.items():
        if not _NAME.fullmatch(name.lower()):
            raise ValueError(f"not a server name: {name!r}")
        contexts[name.lower()] = ssl_options_to_context(options, server_side=True)
    fallback = ssl_options_to_context(default, server_side=True)

    def choose(sock: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is None:
            return
        name = name.lower()
        parent = name.partition(".")[2]
        context = contexts.get(name) or contexts.get(f"*.{parent}")
        if context is not None:
            sock.context = context

    fallback.sni_callback = choose
    return fallback
