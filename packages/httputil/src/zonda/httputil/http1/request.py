"""A `Request` from the head of one: the fields that decide about framing, routing and persistence.

In: the match of `REQUEST_HEAD`. Out: a `Request` whose headers are not split yet. Raises
`RemoteProtocolError` with the status to answer with.
"""

import re

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.events import Request
from zonda.httputil.http1.framing import request_framing
from zonda.httputil.http1.head import (
    HTTP_WHITESPACE,
    REQUEST_FRAMING,
    list_members,
)
from zonda.httputil.http1.target import check_host, target_authority


def make_request(match: re.Match[str]) -> Request:
    """The request that `match` found.

    Raises:
        RemoteProtocolError: ``Host`` missing, repeated or invalid; a target of the wrong form;
        ambiguous
            framing; an unknown transfer coding (501) or expectation (417).
    """
    method, target, minor, block = match.group(1, 2, 3, 4)
    http10 = minor == "0"
    host: str | None = None
    connection = transfer_encoding = content_length = upgrade = expect = None
    for name, value in REQUEST_FRAMING.findall("\n" + block):
        kind = len(name)  # the lengths of the six names differ
        if kind == 4:
            if host is not None:
                raise RemoteProtocolError("more than one Host field")
            host = check_host(value)
        elif kind == 10:
            connection = value if connection is None else f"{connection},{value}"
        elif kind == 14:
            content_length = [value] if content_length is None else [*content_length, value]
        elif kind == 17:
            transfer_encoding = (
                [value] if transfer_encoding is None else [*transfer_encoding, value]
            )
        elif kind == 7:
            upgrade = value if upgrade is None else f"{upgrade},{value}"
        else:
            expect = value if expect is None else f"{expect},{value}"

    if host is None and not http10:
        raise RemoteProtocolError("no Host field")
    if target[0] != "/" or method == "CONNECT":
        authority = target_authority(method, target)
        if authority is not None:  # RFC 9112 §3.2.2: it wins over the field
            host = authority

    options = () if connection is None else list_members(connection)
    keep_alive = "close" not in options and (not http10 or "keep-alive" in options)
    if "upgrade" not in options or http10:
        upgrade = None  # RFC 9110 §7.8: hop by hop, and not for HTTP/1.0
    elif upgrade is not None:
        upgrade = upgrade.strip(HTTP_WHITESPACE)

    expects = False
    if expect is not None and not http10:
        for expectation in list_members(expect):
            if expectation != "100-continue":
                raise RemoteProtocolError("unknown expectation", 417)
            expects = True

    length, chunked = request_framing(http10, transfer_encoding, content_length)
    return Request(
        method,
        target,
        HTTPHeaders.from_block(block),
        "HTTP/1.0" if http10 else "HTTP/1.1",
        host,
        length,
        chunked,
        keep_alive,
        expects,
        upgrade,
    )
