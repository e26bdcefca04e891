"""What a URL says about a request: whom to connect to, and what to ask for.

In: an absolute ``http`` or ``https`` URL. Out: a `Target`, all of it fit for the wire. Raises
`HTTPRequestError` for anything else; control characters are refused, not removed.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from zonda.httpclient.errors import HTTPRequestError

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""TCP ports of URLs that name none, by scheme."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"(https?)://", re.IGNORECASE)
_HOST: Final = re.compile(r"[0-9A-Za-z._~!$&'()*+,;=%-]+")
_IPV6: Final = re.compile(r"[0-9A-Fa-f:.]+(%[0-9A-Za-z._~%-]+)?")
# What may stand in path and query as it is: all visible ASCII but "#"; "%" is not encoded again.
_SAFE: Final = "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class Target(NamedTuple):
    """Where a request goes.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        host: Name or address to connect to, in lower case and ASCII, without brackets.
        port: TCP port: the URL's, else 80 or 443.
        authority: For the Host field: host, and port unless it is the scheme's.
        path: Path and query, the target of the request line.
        username: From the URL, percent-decoded; None without one.
        password: Likewise.
        url: The URL in that form, without user information and fragment.
    """

    scheme: str
    host: str
    port: int
    authority: str
    path: str
    username: str | None
    password: str | None
    url: str


def parse_url(url: str) -> Target:
    """Take a URL apart.

    Raises:
        HTTPRequestError: Another scheme, no host, a port that is none, a control character.

    >>> target = parse_url("http://user:pw@Example.com:8080/a b?q=\\u00e9#part")
    >>> target.host, target.port, target.authority, target.path, target.username
    ('example.com', 8080, 'example.com:8080', '/a%20b?q=%C3%A9', 'user')
    """
    # A program asks the same few URLs again and again; passwords are not kept here.
    return _parse(url) if "@" in url else _cached(url)


# URLs without anything special about them: what this takes needs no second look.
_PLAIN: Final = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(:[1-9][0-9]{0,4})?(/[!$-;=?-Z_a-z~]*+)?+"
)


def _parse(url: str) -> Target:
    plain = _PLAIN.fullmatch(url)
    if plain is not None:
        scheme, host, port_text, path = plain.groups()
        default = DEFAULT_PORTS[scheme]
        number = default if port_text is None else int(port_text[1:])
        if number < 65536:
            authority = host if number == default else f"{host}:{number}"
            path = path or "/"
            whole = f"{scheme}://{authority}{path}"
            return Target(scheme, host, number, authority, path, None, None, whole)
    match = _SCHEME.match(url)
    if match is None:
        raise HTTPRequestError(f"Unsupported url scheme: {url}")
    if _CONTROL.search(url):
        raise HTTPRequestError(f"control character in the URL: {url!r}")
    scheme = match[1].lower()
    try:
        parts = urlsplit(url)
        name = parts.hostname
        port = parts.port
    except ValueError as error:
        raise HTTPRequestError(f"{error}: {url!r}") from error
    if not name:
        raise HTTPRequestError(f"no host in the URL: {url!r}")
    if "\\" in parts.netloc:
        raise HTTPRequestError(f"invalid authority in the URL: {url!r}")
    if ":" in name:
        if not _IPV6.fullmatch(name):
            raise HTTPRequestError(f"invalid IPv6 address in the URL: {url!r}")
        host = name.replace("%25", "%", 1)
        literal = f"[{host.partition('%')[0]}]"
    else:
        if not name.isascii():
            try:
                name = name.encode("idna").decode("ascii")
            except UnicodeError as error:
                raise HTTPRequestError(f"invalid host in the URL: {url!r}") from error
        if not _HOST.fullmatch(name):
            raise HTTPRequestError(f"invalid host in the URL: {url!r}")
        host = literal = name
    default = DEFAULT_PORTS[scheme]
    if port is None:
        port = default
    authority = literal if port == default else f"{literal}:{port}"
    path = parts.path or "/"
    if parts.query or "?" in url.partition("#")[0]:
        path += "?" + parts.query
    if not path.isascii() or " " in path:
        path = quote(path, safe=_SAFE)
    username = password = None
    if "@" in parts.netloc:
        username = unquote(parts.username or "")
        password = unquote(parts.password or "")
    return Target(
        scheme, host, port, authority, path, username, password, f"{scheme}://{authority}{path}"
    )


_cached = lru_cache(maxsize=256)(_parse)
