"""What a fetch needs to know before it sends a request: where to, and what.

In: a request with its client's defaults. Out: a `Hop`. Most requests say nothing but what to get;
what is to be done for those is done once for each URL (`usual_hop`, which gives None for all
others). Raises `HTTPRequestError` for what cannot be sent.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zonda.httpclient.connecting import Route, TLSSettings, tls_settings
from zonda.httpclient.exchange import Outgoing
from zonda.httpclient.fields import METHODS, usual_fields
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.target import parse_url
from zonda.httputil import HTTPHeaders
from zonda.httputil.http1.output import known_head

if TYPE_CHECKING:
    from zonda.httpclient.request import _RequestProxy


class Hop(NamedTuple):
    """A request and where it goes.

    Attributes:
        route: What shapes its connection.
        place: Whose slots it takes: scheme, host and port of the server.
        outgoing: The request itself.
    """

    route: Route
    place: Hashable
    outgoing: Outgoing


_NO_FIELDS: Final = HTTPHeaders()

# What makes a request special, and the values of one that is not.
_SPECIAL = itemgetter(
    "proxy_host",
    "network_interface",
    "allow_ipv6",
    "auth_username",
    "auth_password",
    "_body",
    "body_producer",
    "user_agent",
    "allow_nonstandard_methods",
    "expect_100_continue",
)
_NOT_SPECIAL: Final = (*[None] * 9, False)
# How a connection is secured says nothing about the request.
_USUAL_DEFAULTS: Final = frozenset(
    (
        *HTTPRequest._DEFAULTS,
        "ca_certs",
        "client_cert",
        "client_key",
        "ssl_options",
        "validate_cert",
    )
)


def is_usual(request: HTTPRequest, defaults: dict[str, Any] | None) -> bool:
    """Whether a request says nothing but what to get: `usual_fields` are its fields.

    All that a request may say is looked at with one comparison, instead of attribute by attribute.
    """
    attributes = request.__dict__
    return (
        _SPECIAL(attributes) == _NOT_SPECIAL
        and not attributes["_headers"]
        and METHODS.get(attributes["method"]) is False
        and (defaults is None or defaults.keys() <= _USUAL_DEFAULTS)
    )


def usual_hop(request: _RequestProxy, decompress: bool) -> Hop | None:
    """The hop of a request that `is_usual` and goes to its server directly, None for any other.

    Args:
        request: What was asked for.
        decompress: Whether to ask for a compressed body.
    """
    asked = request.request
    url = asked.url
    # Passwords are kept nowhere.
    if not is_usual(asked, request.defaults) or "@" in url:
        return None
    if url.startswith("http:"):
        return _made(url, asked.method, decompress, None)
    tls = tls_settings(request)
    if tls.context is None:
        return _made(url, asked.method, decompress, tls)
    return _made.__wrapped__(url, asked.method, decompress, tls)  # a context is somebody else's


@lru_cache(maxsize=256)
def _made(url: str, method: str, decompress: bool, tls: TLSSettings | None) -> Hop:
    target = parse_url(url)
    place = target[:3]
    route = Route(*place, tls if target.scheme == "https" else None)
    head = known_head(method, target.path, usual_fields(target.authority, decompress))
    return Hop(route, place, Outgoing(method, target.path, _NO_FIELDS, None, None, False, head))
