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
            ambiguous framing; an unknown transfer coding (501) or expectation (417).
    """
    method, target, minor, block = match.group(1, 2, 3, 4)
    http10 = minor == "0"
    hosts: list[str] = []
    connection: list[str] = []
    coding: list[str] = []
    lengths: list[str] = []
    upgrades: list[str] = []
    expectations: list[str] = []
    by_length = {4: hosts, 10: connection, 14: lengths, 17: coding, 7: upgrades, 6: expectations}
    for name, value in REQUEST_FRAMING.findall("\n" + block):
        by_length[len(name)].append(value)  # the lengths of the six names differ

    if len(hosts) > 1:
        raise RemoteProtocolError("more than one Host field")
    host = check_host(hosts[0]) if hosts else None
    if host is None and not http10:
        raise RemoteProtocolError("no Host field")
    if target[0] != "/" or method == "CONNECT":
        authority = target_authority(method, target)
        if authority is not None:  # RFC 9112 §3.2.2: it wins over the field
            host = authority

    options = list_members(",".join(connection)) if connection else []
    keep_alive = "close" not in options and (not http10 or "keep-alive" in options)
    upgrade = None
    if upgrades and "upgrade" in options and not http10:
        # RFC 9110 §7.8: hop by hop, and not for HTTP/1.0.
        upgrade = ",".join(upgrades).strip(HTTP_WHITESPACE)

    expects = False
    if expectations and not http10:
        for expectation in list_members(",".join(expectations)):
            if expectation != "100-continue":
                raise RemoteProtocolError("unknown expectation", 417)
            expects = True

    length, chunked = request_framing(http10, coding or None, lengths or None)
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
