"""Which proxy a request goes through.

In: a setting (or the environment), then scheme, host and port of a request. Out: a `Proxy`, or
None for a direct connection. No I/O. Raises ValueError for a setting that is none, and
`HTTPRequestError` for such arguments of a request.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from zonda.httpclient.errors import HTTPRequestError
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.urls import parse_authority

# As curl has them.
_DEFAULT_PORTS: Final = {"http": 1080, "https": 443, "socks5": 1080, "socks5h": 1080}

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SPACE: Final = re.compile(r"[\x00-\x20\x7f]")
_ENTRY: Final = re.compile(r"(\[[^\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?")


class Proxy(NamedTuple):
    """A proxy, and who we are to it. Equal ones may share connections.

    Attributes:
        scheme: ``"http"``; ``"https"`` for TLS on the way to the proxy; ``"socks5"`` or
            ``"socks5h"``, which differ in who looks names up: we, or the proxy.
        host: Name or address, without brackets.
        port: Its TCP port.
        username: None for nobody.
        password: None or empty for none.
        auth_mode: ``"basic"`` (or None), ``"digest"``.
    """

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = None
    auth_mode: str | None = None

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS, and not HTTP."""
        return self.scheme.startswith("socks")

    def forwards(self, scheme: str) -> bool:
        """Whether it reads requests for URLs of `scheme`: those go to it in absolute form.

        All others go through a tunnel, which shows it nothing but host and port.

        >>> proxy = Proxy("http", "proxy.example", 3128)
        >>> proxy.forwards("http"), proxy.forwards("https")
        (True, False)
        """
        return scheme == "http" and not self.is_socks

    def __str__(self) -> str:
        """Its URL, without the password."""
        user = "" if self.username is None else quote(self.username, safe="") + "@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user}{host}:{self.port}"

    # What holds a password should not end up in a log.
    def __repr__(self) -> str:
        return f"<Proxy {self}>"


def parse_proxy(url: str) -> Proxy:
    """A proxy from its URL, as users write them: scheme and port may be left out.

    Args:
        url: ``[scheme://][user[:password]@]host[:port]``; scheme ``http`` by default, port 1080
            as with curl, or 443 for ``https``.

    Raises:
        ValueError: Another scheme, or no host and port.

    >>> parse_proxy("socks5h://user:secret@proxy.example:9050")
    <Proxy socks5h://user@proxy.example:9050>
    """
    url = url.strip()
    if "://" not in url:
        url = "http://" + url
    if _SPACE.search(url):  # urlsplit would drop some of it without a word
        raise ValueError("white space or a control character in the URL of a proxy")
    parts = urlsplit(url)
    scheme = "socks5" if parts.scheme == "socks" else parts.scheme
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"unsupported scheme of a proxy: {scheme!r}")
    try:
        host, port = parse_authority(parts.netloc.rpartition("@")[2])
    except HTTPInputError as error:
        raise ValueError("no valid host and port of a proxy") from error
    host = host.removeprefix("[").removesuffix("]")
    if not host or port == 0:
        raise ValueError("no host of a proxy")
    username = password = None
    if parts.username is not None:
        username, password = unquote(parts.username), unquote(parts.password or "")
    return Proxy(scheme, host, _DEFAULT_PORTS[scheme] if port is None else port, username, password)


class Proxies:
    """Which proxy to use for which URLs.

    Args:
        urls: From ``"http"``, ``"https"`` or ``"all"`` to a proxy's URL; the scheme of the
            requested URL counts, then ``"all"``. A plain str is for all.
        no_proxy: Where to go directly: hosts, separated by commas or spaces. A name stands for
            itself and what is below it, ``10.0.0.0/8`` for a network, ``*`` for everything; with
            a port (``name:8080``) for that port only.

    Raises:
        ValueError: Something that is no proxy, or another key.

    >>> proxies = Proxies({"all": "http://proxy.example:3128"}, "localhost, .internal, 10.0.0.0/8")
    >>> proxies.choose("https", "example.com", 443)
    <Proxy http://proxy.example:3128>
    >>> proxies.choose("https", "db.internal", 443), proxies.choose("http", "10.1.2.3", 80)
    (None, None)
    """

    def __init__(self, urls: Mapping[str, str] | str, no_proxy: str = "") -> None:
        if isinstance(urls, str):
            urls = {"all": urls}
        unknown = set(urls) - {"http", "https", "all"}
        if unknown:
            raise ValueError(f"proxies are for http, https or all, not for {sorted(unknown)}")
        self._by_scheme = {scheme: parse_proxy(url) for scheme, url in urls.items() if url}
        self._exceptions = [_Exception(entry) for entry in re.split(r"[\s,]+", no_proxy) if entry]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Proxies":
        """What ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` say.

        Lower case counts more than upper case. ``HTTP_PROXY`` does not count in a CGI program:
        there, it is the ``Proxy`` field of a request, and anybody's to choose.

        Raises:
            ValueError: A variable holds something that is no proxy.
        """

        def find(name: str) -> str:
            value = environ.get(name)
            if not value and not (name == "http_proxy" and "REQUEST_METHOD" in environ):
                value = environ.get(name.upper())
            return value or ""

        urls = {scheme: find(f"{scheme}_proxy") for scheme in ("http", "https", "all")}
        return cls(urls, find("no_proxy"))

    @classmethod
    def from_setting(cls, setting: "Proxies | Mapping[str, str] | str | None") -> "Proxies":
        """What the ``proxies`` argument of a client means.

        Args:
            setting: None for no proxies, ``"environment"``, a proxy's URL for all requests, a
                mapping as above, or an object of this class.

        Raises:
            ValueError: It means nothing.
        """
        if isinstance(setting, Proxies):
            return setting
        if setting == "environment":
            return cls.from_environment()
        return cls({} if setting is None else setting)

    def __bool__(self) -> bool:
        return bool(self._by_scheme)

    def choose(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for a request.

        Args:
            scheme: ``"http"`` or ``"https"``.
            host: Name or address, without brackets.
            port: The server's: entries of ``no_proxy`` may name one.
        """
        proxy = self._by_scheme.get(scheme) or self._by_scheme.get("all")
        if proxy is None or not self._exceptions:
            return proxy
        name = host.lower().rstrip(".")
        address = _address(name)
        if any(exception.covers(name, address, port) for exception in self._exceptions):
            return None
        return proxy


class _Exception:
    """One entry of ``no_proxy``; what cannot be read covers nothing, as with curl."""

    def __init__(self, entry: str) -> None:
        self._port: int | None = None
        self._network: _Network | None = None
        if entry.count(":") < 2 or entry.startswith("["):  # not an IPv6 address as it is
            match = _ENTRY.fullmatch(entry)
            if match is not None:
                entry = match[1].removeprefix("[").removesuffix("]")
                self._port = int(match[2]) if match[2] else None
        try:
            self._network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            pass
        self._name = entry.lower().removeprefix("*.").strip(".") if entry != "*" else "*"

    def covers(self, name: str, address: _Address | None, port: int) -> bool:
        if self._port is not None and self._port != port:
            return False
        if self._name == "*":
            return True
        if address is not None:
            return self._network is not None and address in self._network
        return bool(self._name) and (name == self._name or name.endswith("." + self._name))


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def proxy_of_request(
    host: str | None,
    port: int | None,
    username: str | None = None,
    password: str | None = None,
    auth_mode: str | None = None,
) -> Proxy | None:
    """The proxy that a request names itself.

    Args:
        host: Its ``proxy_host``: a name or address, also with a scheme in front
            (``socks5://host``). Empty or None for none.
        port: Its ``proxy_port``.
        username: Its ``proxy_username``.
        password: Its ``proxy_password``.
        auth_mode: Its ``proxy_auth_mode``.

    Raises:
        HTTPRequestError: No port, something that is no host, or an unknown mode.
    """
    if not host:
        return None
    if not port:
        raise HTTPRequestError("proxy_host needs a proxy_port")
    if auth_mode not in (None, "basic", "digest"):
        raise HTTPRequestError(f"unsupported proxy_auth_mode {auth_mode!r}")
    scheme, separator, rest = host.rpartition("://")
    if ":" in rest and not rest.startswith("["):
        rest = f"[{rest}]"
    try:
        proxy = parse_proxy(f"{scheme}{separator}{rest}:{port}")
    except ValueError as error:
        raise HTTPRequestError(str(error)) from error
    if username:
        proxy = proxy._replace(username=username, password=password or "")
    return proxy._replace(auth_mode=auth_mode or "basic") if proxy.username else proxy
