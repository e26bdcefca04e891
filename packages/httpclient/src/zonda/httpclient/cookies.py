"""An optional cookie jar for a client, over the standard library's.

In: URLs, the fields of responses. Out: the value of a Cookie field. What a server may not set is
left out without a word, as everywhere (RFC 6265 §5.3). No I/O.
"""

import http.cookiejar
import ipaddress
from collections import Counter
from typing import Final
from urllib.request import Request

from zonda.httpclient.target import parse_url
from zonda.httputil import HTTPHeaders

# RFC 6265 §6.1 asks for as many at least; browsers keep about as many.
_PER_DOMAIN: Final = 180
_IN_ALL: Final = 3000
_LARGEST: Final = 4096
_PREFIXES: Final = ("__secure-", "__host-")


class CookiePolicy(http.cookiejar.DefaultCookiePolicy):
    """Which cookies are taken and sent: as browsers do it, without a list of public suffixes.

    A cookie without a domain goes back to its host only. A domain has to be the host or above it,
    with a dot inside, and not be a country's second level (``co.uk``); an address has none above.
    Secure cookies come and go over https only, the prefixes ``__Secure-`` and ``__Host-`` are
    heeded, and name and value have 4096 bytes at most.
    """

    def __init__(self) -> None:
        super().__init__(strict_domain=True, strict_ns_domain=self.DomainStrictNonDomain)

    def set_ok(self, cookie: http.cookiejar.Cookie, request: Request) -> bool:
        """Whether the response to a request may set a cookie."""
        if not super().set_ok(cookie, request):
            return False
        if len(cookie.name) + len(cookie.value or "") > _LARGEST:
            return False
        if cookie.secure and request.type != "https":
            return False
        name = cookie.name.lower()
        if name.startswith(_PREFIXES) and not cookie.secure:
            return False
        if name.startswith("__host-") and (cookie.domain_specified or cookie.path != "/"):
            return False
        return not (cookie.domain_specified and _is_address(cookie.domain.lstrip(".")))

    def set_ok_domain(self, cookie: http.cookiejar.Cookie, request: Request) -> bool:
        """Whether the domain of a cookie fits the host."""
        if cookie.domain_specified and _is_address(parse_url(request.full_url).host):
            return False
        return super().set_ok_domain(cookie, request)


class Cookies:
    """What a client remembers of the cookies of servers.

    Args:
        jar: Where they are kept. By default a new jar under `CookiePolicy`; one of your own has
            its own policy, and may be saved to a file, say.

    Attributes:
        jar: The jar, to look into, to add to, to clear.

    >>> cookies = Cookies()
    >>> cookies.store("http://example.com/", HTTPHeaders({"Set-Cookie": "a=1; Path=/"}))
    >>> cookies.header("http://example.com/page"), cookies.header("http://example.org/")
    ('a=1', None)
    """

    def __init__(self, jar: http.cookiejar.CookieJar | None = None) -> None:
        self.jar = http.cookiejar.CookieJar(CookiePolicy()) if jar is None else jar

    def header(self, url: str) -> str | None:
        """The value of the Cookie field for a request, None if there are no cookies for it."""
        request = _request(url)
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def store(self, url: str, headers: HTTPHeaders) -> None:
        """Take the cookies of a response.

        Args:
            url: URL of the request.
            headers: Fields of the response.
        """
        if "Set-Cookie" in headers:
            response = _Response(headers)
            # All that it asks of a response is info().get_all().
            self.jar.extract_cookies(response, _request(url))  # type: ignore[arg-type]
            self._limit()

    def _limit(self) -> None:
        """Drop what is too much, the cookies that have been there longest first."""
        self.jar.clear_expired_cookies()
        domains = Counter(cookie.domain for cookie in self.jar)
        total = domains.total()
        if total <= _IN_ALL and all(count <= _PER_DOMAIN for count in domains.values()):
            return
        for cookie in list(self.jar):
            if total > _IN_ALL or domains[cookie.domain] > _PER_DOMAIN:
                self.jar.clear(cookie.domain, cookie.path, cookie.name)
                domains[cookie.domain] -= 1
                total -= 1


class _Response:
    """A response as `http.cookiejar` wants to see it."""

    def __init__(self, headers: HTTPHeaders) -> None:
        self._headers = headers

    def info(self) -> "_Response":
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._headers.get_list(name) or default


def _request(url: str) -> Request:
    """A request as `http.cookiejar` wants to see it; user information would confuse it."""
    return Request(parse_url(url).url)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
