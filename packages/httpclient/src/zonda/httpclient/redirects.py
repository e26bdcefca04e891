"""Following redirects (RFC 9110 §15.4), decided without I/O.

In: a request and the head of its response. Out: the request to send next, or None if the response
is the end of the matter. Raises `HTTPRedirectError` for a redirect that must not be followed. The
old request is not touched.

What a new request keeps is a matter of two tables: which method it has, and which fields go when
the body goes or when another origin is reached. Credentials never reach an origin that they were
not given for, and the first redirect away strips them for good: a redirect back brings none.
"""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urljoin

from zonda.httpclient.errors import HTTPRedirectError
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.target import Target, parse_url
from zonda.httputil import HTTPHeaders
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.urls import parse_authority

# Which methods become GET. The other two statuses keep them all.
_BECOME_GET: Final[dict[int, Callable[[str], bool]]] = {
    301: lambda method: method == "POST",
    302: lambda method: method == "POST",
    303: lambda method: method != "HEAD",
    307: lambda method: False,
    308: lambda method: False,
}

# Fields that describe a body, beside all Content-* ones; they go with it.
_OF_A_BODY: Final = frozenset({"transfer-encoding", "trailer", "expect", "digest", "repr-digest"})
# Fields that hold secrets of the origin.
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "cookie2", "proxy-authorization"})

# RFC 3986, appendix B.
_REFERENCE: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# All that may be in a URL, and %, as a reference is escaped already.
_URL_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


def follow(
    request: HTTPRequest,
    code: int,
    headers: HTTPHeaders,
    *,
    follow_redirects: bool = True,
    max_redirects: int = 5,
) -> HTTPRequest | None:
    """The request that a response asks for, if it is a redirect that is to be followed.

    Args:
        request: The request that was sent.
        code: Status of the response.
        headers: Its fields.
        follow_redirects: As the request and its client's defaults have it.
        max_redirects: How many more redirects are allowed, likewise.

    Returns:
        A new request with one redirect less, or None: no redirect, one without a Location, or one
        too many.

    Raises:
        HTTPRedirectError: The Location is no valid ``http`` or ``https`` URL, there are several
            different ones, or the body would have to be sent again and cannot be.

    >>> request = HTTPRequest("http://example.com/a", "POST", {"Cookie": "x=1"}, body="b")
    >>> found = follow(request, 303, HTTPHeaders({"Location": "//example.org/c"}))
    >>> found, found.body, dict(found.headers)
    (<HTTPRequest GET 'http://example.org/c'>, None, {})
    """
    become_get = _BECOME_GET.get(code)
    if become_get is None or not follow_redirects or max_redirects <= 0:
        return None
    location = _location(headers)
    if not location:
        return None
    url = resolve(request.url, location)
    new = copy.copy(request)
    new.url = url
    new.max_redirects = max_redirects - 1
    new.headers = kept = _fields(request)
    kept.pop("Host", None)
    if become_get(request.method):
        new.method = "GET"
        new.body = new.body_producer = None
        new.expect_100_continue = False
        for name in list(kept):
            if name.lower().startswith("content-") or name.lower() in _OF_A_BODY:
                del kept[name]
    elif not can_repeat(request):
        raise HTTPRedirectError(
            f"the body cannot be sent again, as redirect {code} asks for", location
        )
    was, now = parse_url(request.url), parse_url(url)
    if was[:3] != now[:3]:  # the origin: scheme, host and port
        _strip_credentials(new, kept)
        if was.scheme == "https" and now.scheme == "http":
            kept.pop("Referer", None)  # RFC 9110 §10.1.3
    else:
        _keep_userinfo(was, now, new)
    return new


def can_repeat(request: HTTPRequest) -> bool:
    """Whether a request can be sent more than once.

    A ``body_producer`` is called again for that, unless it has an attribute ``repeatable`` that
    is false.
    """
    return request.body_producer is None or getattr(request.body_producer, "repeatable", True)


def _location(headers: HTTPHeaders) -> str:
    values = set(headers.get_list("Location"))
    if len(values) > 1:
        raise HTTPRedirectError("a redirect to several places at once", ", ".join(sorted(values)))
    return values.pop().strip(" \t") if values else ""


def resolve(base: str, location: str) -> str:
    """The URL that a Location field means (RFC 9110 §10.2.2).

    What must not be in a URL is percent-encoded: spaces and octets beyond ASCII as they came.

    Args:
        base: URL of the request; its fragment stays if `location` has none.
        location: Value of the field, each octet a character.

    Raises:
        HTTPRedirectError: No ``http`` or ``https`` URL comes out.

    >>> resolve("http://example.com/a/b#c", "../d e")
    'http://example.com/d%20e#c'
    """
    match = _REFERENCE.fullmatch(location)
    if match is None or _CONTROL.search(location):
        raise HTTPRedirectError("a redirect with control characters", location)
    scheme, authority, path, query, fragment = match.groups(default="")
    if scheme and scheme.lower() not in ("http", "https"):
        raise HTTPRedirectError(f"a redirect to the scheme {scheme[:80]!a}", location)
    reference = scheme and scheme + ":"
    if match[2] is not None:
        reference += "//" + _encode_authority(authority, location)
    elif scheme and not path.startswith("/"):
        raise HTTPRedirectError("a redirect to a URL without a host", location)
    reference += _encode(path + query + fragment)
    try:
        url = urljoin(base, reference)
        if fragment == "#":
            url = url.removesuffix("#")  # newer versions of Python keep the mark
        if parse_url(url).port == 0:  # only a resolver of the program's own knows what that is
            raise ValueError(f"port 0 in the URL: {url!r}")
    except ValueError as error:
        raise HTTPRedirectError(f"a redirect to no valid URL: {error}", location) from error
    if not fragment:
        url += base[base.find("#") :] if "#" in base else ""
    return url


def _encode(text: str) -> str:
    return quote(text.encode("latin-1", "replace"), safe=_URL_CHARACTERS)


def _encode_authority(authority: str, location: str) -> str:
    userinfo, at, host = authority.rpartition("@")
    if not host.isascii():
        try:
            name, colon, port = host.partition(":")
            name = name.encode("latin-1").decode("utf-8").encode("idna").decode("ascii")
            host = name + colon + port
        except UnicodeError as error:
            raise HTTPRedirectError("a redirect to an invalid host", location) from error
    try:
        name, _ = parse_authority(host)
    except HTTPInputError as error:
        raise HTTPRedirectError("a redirect to an invalid host", location) from error
    if not name or "\\" in userinfo:
        raise HTTPRedirectError("a redirect to an invalid host", location)
    return _encode(userinfo) + at + host


def _fields(request: HTTPRequest) -> HTTPHeaders:
    """A copy of the fields, whatever they were given as."""
    headers = request.headers
    if isinstance(headers, Mapping):
        return HTTPHeaders(headers)
    copied = HTTPHeaders()
    for name, value in headers:
        copied.add(name, value)
    return copied


def _strip_credentials(request: HTTPRequest, headers: HTTPHeaders) -> None:
    for name in _CREDENTIALS:
        headers.pop(name, None)
    # Empty, not None: the defaults of the client shall not step in.
    request.auth_username = request.auth_password = ""
    request.client_key = request.client_cert = ""


def _keep_userinfo(was: Target, now: Target, new: HTTPRequest) -> None:
    """An absolute Location within the origin does not repeat what the URL says of the user."""
    if was.username is not None and now.username is None:
        new.auth_username, new.auth_password = was.username, was.password
