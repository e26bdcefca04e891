"""The head of a request: what the caller said, and what goes without saying.

In: a request with its client's defaults, and its target. Out: an `Outgoing` whose fields are
complete but for those that frame the body. The request is not modified. Raises `HTTPRequestError`
for combinations that make no sense, ValueError for fields that cannot be sent.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Final

from zonda.httpclient.errors import HTTPRequestError, UnknownMethodError
from zonda.httpclient.exchange import Outgoing
from zonda.httpclient.target import Target
from zonda.httputil import HTTPHeaders
from zonda.httputil.codings import available_codings
from zonda.httputil.http1.output import field_lines

if TYPE_CHECKING:
    from zonda.httpclient.request import _RequestProxy

#: The methods that are known, and whether their requests have a body.
METHODS: Final = {
    "GET": False,
    "HEAD": False,
    "POST": True,
    "PUT": True,
    "PATCH": True,
    "DELETE": False,
    "OPTIONS": False,
}

_FORM: Final = "application/x-www-form-urlencoded"


@functools.cache
def default_user_agent() -> str:
    """``Zonda/`` and the version of this package."""
    try:
        return f"Zonda/{metadata.version('zonda-httpclient')}"
    except metadata.PackageNotFoundError:
        return "Zonda"


@functools.cache
def accept_encoding() -> str:
    """The codings that a body can be decompressed from here."""
    return ", ".join(available_codings())


@functools.lru_cache(maxsize=256)
def usual_fields(authority: str, decompress: bool) -> str:
    """The fields of a request that says nothing special and has no body, as text."""
    fields = [("Host", authority), ("User-Agent", default_user_agent())]
    if decompress:
        fields.append(("Accept-Encoding", accept_encoding()))
    return field_lines(fields)


def check_method(request: _RequestProxy) -> None:
    """Refuse an unknown method, and a body where there is none or the reverse.

    Raises:
        UnknownMethodError: The method is not in `METHODS`.
        HTTPRequestError: There is a body and the method has none, or the reverse.
    """
    method = request.method
    wants_body = METHODS.get(method)
    has_body = request.body is not None or request.body_producer is not None
    if wants_body is has_body or request.allow_nonstandard_methods:
        return
    if wants_body is None:
        raise UnknownMethodError(method)
    raise HTTPRequestError(
        f"Body must {'not ' if wants_body else ''}be None for method {method} "
        "(unless allow_nonstandard_methods is true)"
    )


def outgoing(
    request: _RequestProxy, target: Target, path: str, authorization: str | None, cookie: str | None
) -> Outgoing:
    """Put the request together. Most need nothing of this: see `hop`.

    Args:
        request: What the caller asked for.
        target: What its URL says.
        path: The target of the request line; not ``target.path`` for a proxy.
        authorization: Value of the Authorization field, in place of what the caller has set (as
            Tornado does it: user and password say more than a field). None leaves that alone.
        cookie: Value of the Cookie field, to be added to what the caller has set.

    Raises:
        HTTPRequestError: See `check_method`.
        ValueError: A name or value of a field that cannot be sent.
    """
    check_method(request)
    method = request.method
    body = request.body
    producer = request.body_producer if body is None else None
    user_agent = request.user_agent
    decompress = request.decompress_response
    given = request.headers
    # Names and values of our own are known to be right. Host comes first (RFC 9110 section 7.2).
    headers = HTTPHeaders._from_canonical({"Host": target.authority})
    if isinstance(given, HTTPHeaders) or not isinstance(given, Mapping):
        given = HTTPHeaders(given)
        if "Host" in given:
            headers = given
        else:
            for name, value in given.get_all():
                headers.add(name, value.strip(" \t"))  # as a recipient does (RFC 9110 section 5.5)
    else:
        for name, value in given.items():
            headers[name] = value
    if not user_agent and "User-Agent" not in headers:
        headers["User-Agent"] = default_user_agent()
    if decompress and "Accept-Encoding" not in headers:
        headers["Accept-Encoding"] = accept_encoding()
    if user_agent:
        headers["User-Agent"] = user_agent
    if authorization is not None:
        headers["Authorization"] = authorization
    if cookie is not None:
        given_cookie = headers.get("Cookie")
        headers["Cookie"] = f"{given_cookie}; {cookie}" if given_cookie else cookie
    if body is not None:
        headers.pop("Content-Length", None)  # the protocol counts for itself
    if method == "POST" and "Content-Type" not in headers:
        headers["Content-Type"] = _FORM
    expect = request.expect_100_continue and (body is not None or producer is not None)
    if request.expect_100_continue:
        headers["Expect"] = "100-continue"
    return Outgoing(method, path, headers, body, producer, bool(expect))
