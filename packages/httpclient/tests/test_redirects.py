"""What follows a redirect: a row is a request, a response and the next request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httpclient.errors import HTTPRedirectError
from zonda.httpclient.redirects import follow, resolve
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.target import parse_url
from zonda.httputil import HTTPHeaders

URL = "http://example.com/dir/page?q"


def to(location: str) -> HTTPHeaders:
    return HTTPHeaders.from_block(f"Location: {location}\r\n")


def followed(request: HTTPRequest, location: str, code: int = 302) -> HTTPRequest:
    new = follow(request, code, to(location))
    assert new is not None
    return new


# -- methods and bodies


@pytest.mark.parametrize(
    ("code", "method", "then"),
    [
        (301, "GET", "GET"),
        (301, "HEAD", "HEAD"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (301, "DELETE", "DELETE"),
        (302, "GET", "GET"),
        (302, "HEAD", "HEAD"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (302, "PATCH", "PATCH"),
        (303, "GET", "GET"),
        (303, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "OPTIONS", "GET"),
        (307, "POST", "POST"),
        (307, "PUT", "PUT"),
        (307, "GET", "GET"),
        (308, "POST", "POST"),
        (308, "PATCH", "PATCH"),
        (308, "HEAD", "HEAD"),
    ],
)
def test_methods(code: int, method: str, then: str) -> None:
    body = b"x" if method in ("POST", "PUT", "PATCH") else None
    headers = {"Content-Type": "text/plain", "X-Other": "stays"} if body else {"X-Other": "stays"}
    request = HTTPRequest(URL, method, headers, body=body)
    new = followed(request, "/next", code)
    assert new.method == then
    expected = headers if then == method else {"X-Other": "stays"}
    if then == method:
        assert new.body == body
    elif then == "GET":
        assert new.body is None
    assert dict(new.headers) == expected
    assert (request.method, request.body, dict(request.headers)) == (method, body, headers)


def test_everything_that_describes_a_body_goes_with_it() -> None:
    fields = {
        "Content-Type": "a/b",
        "content-encoding": "gzip",
        "Content-Language": "en",
        "Content-MD5": "x",
        "Content-Length": "1",
        "Transfer-Encoding": "chunked",
        "Trailer": "x",
        "Expect": "100-continue",
        "Digest": "x",
        "Accept": "*/*",
    }
    request = HTTPRequest(URL, "POST", fields, body="x", expect_100_continue=True)
    new = followed(request, "/next", 303)
    assert dict(new.headers) == {"Accept": "*/*"}
    assert new.expect_100_continue is False
    assert dict(followed(request, "/next", 307).headers) == dict(HTTPHeaders(fields))


async def _produce(write: object) -> None:
    raise AssertionError("only a driver calls this")


class _Once:
    repeatable = False

    async def __call__(self, write: object) -> None:
        raise AssertionError("only a driver calls this")


@pytest.mark.parametrize("code", [307, 308])
def test_a_producer_is_asked_again(code: int) -> None:
    request = HTTPRequest(URL, "POST", body_producer=_produce)
    assert followed(request, "/next", code).body_producer is _produce


@pytest.mark.parametrize(
    ("method", "code"), [("POST", 307), ("POST", 308), ("PUT", 301), ("PUT", 302)]
)
def test_a_body_that_cannot_be_sent_again_is_an_error(method: str, code: int) -> None:
    request = HTTPRequest(URL, method, body_producer=_Once())
    with pytest.raises(HTTPRedirectError, match="cannot be sent again"):
        follow(request, code, to("/next"))
    assert followed(request, "/next", 303).body_producer is None


# -- whether


@pytest.mark.parametrize("code", [200, 201, 300, 304, 305, 306, 309, 404, 500])
def test_other_statuses_are_no_redirects(code: int) -> None:
    assert follow(HTTPRequest(URL), code, to("/next")) is None


@pytest.mark.parametrize("block", ["", "Location:\r\n", "Location:  \t\r\n"])
def test_without_a_location_the_response_is_final(block: str) -> None:
    assert follow(HTTPRequest(URL), 302, HTTPHeaders.from_block(block)) is None


def test_only_when_asked_to_and_only_so_often() -> None:
    request = HTTPRequest(URL)
    assert follow(request, 302, to("/next"), follow_redirects=False) is None
    assert follow(request, 302, to("/next"), max_redirects=0) is None
    new = follow(request, 302, to("/next"), max_redirects=2)
    assert new is not None
    assert new.max_redirects == 1
    assert request.max_redirects is None


def test_the_same_location_twice_is_one_and_different_ones_are_none() -> None:
    same = HTTPHeaders.from_block("Location: /a\r\nLocation: /a\r\n")
    new = follow(HTTPRequest(URL), 302, same)
    assert new is not None
    assert new.url == "http://example.com/a"
    with pytest.raises(HTTPRedirectError, match="several"):
        follow(HTTPRequest(URL), 302, HTTPHeaders.from_block("Location: /a\r\nLocation: /b\r\n"))


# -- where to

PLACES = [
    ("/next", "http://example.com/next"),
    ("next", "http://example.com/dir/next"),
    ("../next", "http://example.com/next"),
    ("./", "http://example.com/dir/"),
    ("?other", "http://example.com/dir/page?other"),
    ("//example.org/x", "http://example.org/x"),
    ("https://example.org", "https://example.org"),
    ("HTTP://EXAMPLE.org/", "http://EXAMPLE.org/"),
    ("http:/next", "http://example.com/next"),
    ("http://example.org:8080/x?y#z", "http://example.org:8080/x?y#z"),
    ("http://[::1]:80/", "http://[::1]:80/"),
    ("/a:b", "http://example.com/a:b"),
    ("./a:b", "http://example.com/dir/a:b"),
    # What must not be in a URL
    ("/a b", "http://example.com/a%20b"),
    ("/a\tb", "http://example.com/a%09b"),
    ("  /a ", "http://example.com/a"),
    ('/"<>\\^`{|}', "http://example.com/%22%3C%3E%5C%5E%60%7B%7C%7D"),
    ("/\\evil.com", "http://example.com/%5Cevil.com"),
    ("/100%", "http://example.com/100%"),
    ("/%zz%41", "http://example.com/%zz%41"),
    ("/caf\u00c3\u00a9", "http://example.com/caf%C3%A9"),  # octets of UTF-8
    ("/caf\u00e9?\u00e9", "http://example.com/caf%E9?%E9"),  # and of Latin-1
    ("http://b\u00c3\u00bccher.example:81/", "http://xn--bcher-kva.example:81/"),
]


@pytest.mark.parametrize(("location", "url"), PLACES)
def test_places(location: str, url: str) -> None:
    assert followed(HTTPRequest(URL), location).url == url


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/next", "http://h/next#old"),
        ("/next#new", "http://h/next#new"),
        ("/next#", "http://h/next"),
        ("?q", "http://h/?q#old"),
        ("http://other/", "http://other/#old"),
    ],
)
def test_fragments(location: str, url: str) -> None:
    assert resolve("http://h/#old", location) == url


@pytest.mark.parametrize(
    "location",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_x",
        "ws://example.com/",
        "localhost:8080/x",
        "http://[::1/",
        "http://[::1]x/",
        "http://::1/",
        "http://",
        "https:/x",
        "http:x",
        "https:",
        "//",
        "///x",
        "////example.org/",
        "http://:80/",
        "http://user@/",
        "http://example.org:99999/",
        "http://example.org:8o/",
        "http://example.org:-1/",
        "http://example.org:0/",
        "http://exa mple.org/",
        "http://example.org\\@example.com/",
        "http://a,b/",
        "http://\u00ff/",
        "/a\rb",
        "/a\nHost: x",
        "http://example.org\n/",
        "/a\0",
        "\x7f",
    ],
)
@pytest.mark.parametrize("base", [URL, "https://example.com/"])
def test_places_that_must_not_be_visited(base: str, location: str) -> None:
    if location == "https:/x" and base.startswith("https"):
        pytest.skip("a path of the same origin")
    with pytest.raises(HTTPRedirectError) as caught:
        resolve(base, location)
    assert caught.value.location == location
    assert caught.value.code == 599
    assert isinstance(caught.value, ValueError)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_location_gives_a_clean_url_or_a_clean_error(location: str) -> None:
    try:
        url = resolve(URL, location)
    except HTTPRedirectError:
        return
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert parse_url(url).scheme in ("http", "https")


# -- credentials

SECRETS = {
    "Authorization": "Basic eA==",
    "authorization": "Basic eA==",
    "Cookie": "session=1",
    "Proxy-Authorization": "Basic eA==",
}
ELSEWHERE = [
    "http://example.org/",
    "http://sub.example.com/",
    "http://example.com:8080/",
    "https://example.com/",
    "https://example.com:80/",
    "//other/",
    "http://example.com./",
]
SAME = ["/x", "http://example.com/", "http://EXAMPLE.com:80/x", "//example.com/", "http:/x"]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ELSEWHERE)
def test_nothing_secret_reaches_another_origin(location: str, code: int) -> None:
    request = HTTPRequest(
        "http://user:pass@example.com/",
        headers={**SECRETS, "X-Other": "stays", "Host": "example.com"},
        auth_username="name",
        auth_password="secret",
        client_key="key.pem",
        client_cert="cert.pem",
    )
    new = followed(request, location, code)
    assert dict(new.headers) == {"X-Other": "stays"}
    assert "@" not in new.url
    # Falsy, but not None: defaults of the client must not be looked up.
    assert (new.auth_username, new.auth_password) == ("", "")
    assert (new.client_key, new.client_cert) == ("", "")
    back = followed(new, "http://example.com/")
    assert dict(back.headers) == {"X-Other": "stays"}
    assert back.auth_username == ""


@pytest.mark.parametrize("location", SAME)
def test_within_an_origin_all_is_kept_but_host(location: str) -> None:
    request = HTTPRequest(
        URL,
        headers={**SECRETS, "Host": "virtual"},
        auth_username="name",
        auth_password="secret",
        client_key="key.pem",
    )
    new = followed(request, location)
    assert dict(new.headers) == dict(HTTPHeaders(SECRETS))
    assert (new.auth_username, new.auth_password) == ("name", "secret")
    assert new.client_key == "key.pem"


@pytest.mark.parametrize("location", SAME)
def test_who_the_user_is_stays_within_the_origin(location: str) -> None:
    new = followed(HTTPRequest("http://us%65r:p%40ss@example.com/"), location)
    if "@" in new.url:
        assert new.url.startswith("http://us%65r:p%40ss@example.com")
    else:
        assert (new.auth_username, new.auth_password) == ("user", "p@ss")


def test_the_location_may_bring_a_user() -> None:
    new = followed(HTTPRequest("http://user:pass@example.com/"), "http://a:b@example.org/")
    assert new.url == "http://a:b@example.org/"
    assert new.auth_username == ""


@pytest.mark.parametrize(
    ("url", "location", "kept"),
    [
        ("https://h/", "http://h/", False),
        ("https://h/", "http://other/", False),
        ("https://h/", "https://other/", True),
        ("http://h/", "https://h/", True),
        ("http://h/", "http://other/", True),
    ],
)
def test_no_referer_from_a_secure_place_to_an_insecure_one(
    url: str, location: str, kept: bool
) -> None:
    new = followed(HTTPRequest(url, headers={"Referer": "https://h/secret"}), location)
    assert ("Referer" in new.headers) is kept


@pytest.mark.parametrize(
    "headers",
    [{"a": "1", "cookie": "x"}, [("a", "1"), ("cookie", "x")], HTTPHeaders(a="1", cookie="x")],
    ids=["dict", "pairs", "HTTPHeaders"],
)
def test_headers_in_any_form(headers: dict[str, str]) -> None:
    new = followed(HTTPRequest(URL, headers=headers), "http://example.org/")
    assert list(new.headers.get_all()) == [("A", "1")]
