"""The cookie jar: a row is who set what, and who gets it back."""

import http.cookiejar
import time

import pytest

from zonda.httpclient.cookies import Cookies
from zonda.httputil import HTTPHeaders


def fields(*values: str) -> HTTPHeaders:
    return HTTPHeaders.from_block("".join(f"Set-Cookie: {value}\r\n" for value in values))


@pytest.mark.parametrize(
    ("origin", "cookie", "url", "sent"),
    [
        ("http://example.com/", "a=1", "http://example.com/x", "a=1"),
        ("http://example.com/", "a=1", "http://example.com:8080/", "a=1"),  # ports do not count
        ("http://example.com/", "a=1", "https://example.com/", "a=1"),
        ("http://u:p@example.com/", "a=1", "http://example.com", "a=1"),
        ("http://u:p@example.com:81", "a=1", "http://v@example.com:82?x", "a=1"),
        ("http://[::1]:81/", "a=1", "http://[::1]/", "a=1"),
        ("http://127.0.0.1:81/", "a=1", "http://127.0.0.1/", "a=1"),
        ("http://localhost/", "a=1", "http://localhost:81/", "a=1"),
        # Host-only, unless a domain is named.
        ("http://example.com/", "a=1", "http://sub.example.com/", None),
        ("http://example.com/", "a=1", "http://example.org/", None),
        ("http://example.com/", "a=1; Domain=example.com", "http://sub.example.com/", "a=1"),
        ("http://sub.example.com/", "a=1; Domain=.example.com", "http://example.com/", "a=1"),
        ("http://example.com/", "a=1; Domain=example.com", "http://badexample.com/", None),
        ("http://example.com/", "a=1; Domain=example.org", "http://example.org/", None),
        ("http://example.com/", "a=1; Domain=sub.example.com", "http://sub.example.com/", None),
        ("http://example.com/", "a=1; Domain=com", "http://example.com/", None),
        ("http://example.co.uk/", "a=1; Domain=co.uk", "http://other.co.uk/", None),
        ("http://127.0.0.1/", "a=1; Domain=0.0.1", "http://9.0.0.1/", None),
        ("http://127.0.0.1/", "a=1; Domain=.0.0.1", "http://127.0.0.1/", None),
        # Paths.
        ("http://h.test/dir/page", "a=1", "http://h.test/dir/other", "a=1"),
        ("http://h.test/dir/page", "a=1", "http://h.test/", None),
        ("http://h.test/dir/page", "a=1; Path=/", "http://h.test/", "a=1"),
        ("http://h.test/", "a=1; Path=/dir", "http://h.test/dir/x", "a=1"),
        ("http://h.test/", "a=1; Path=/dir", "http://h.test/directory", None),
        # Secure.
        ("https://h.test/", "a=1; Secure", "https://h.test/", "a=1"),
        ("https://h.test/", "a=1; Secure", "http://h.test/", None),
        ("http://h.test/", "a=1; Secure", "https://h.test/", None),
        ("https://h.test/", "__Secure-a=1", "https://h.test/", None),
        ("https://h.test/", "__Secure-a=1; Secure", "https://h.test/", "__Secure-a=1"),
        ("https://h.test/", "__Host-a=1; Secure; Path=/", "https://h.test/", "__Host-a=1"),
        ("https://h.test/", "__host-a=1; Secure; Path=/x", "https://h.test/x", None),
        (
            "https://h.test/",
            "__Host-a=1; Secure; Path=/; Domain=h.test",
            "https://h.test/",
            None,
        ),
        # Time.
        ("http://h.test/", "a=1; Max-Age=0", "http://h.test/", None),
        ("http://h.test/", "a=1; Max-Age=60", "http://h.test/", "a=1"),
        ("http://h.test/", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h.test/", None),
        ("http://h.test/", "a=1; Expires=nonsense", "http://h.test/", "a=1"),
        # Size and form.
        ("http://h.test/", "a=" + "x" * 4095, "http://h.test/", "a=" + "x" * 4095),
        ("http://h.test/", "a=" + "x" * 4096, "http://h.test/", None),
        ("http://h.test/", 'a="quoted"', "http://h.test/", 'a="quoted"'),
        ("http://h.test/", "a=\u00c3\u00a9", "http://h.test/", "a=\u00c3\u00a9"),  # octets
        ("http://h.test/", "", "http://h.test/", None),
        ("http://h.test/", ";;=", "http://h.test/", None),
    ],
)
def test_who_gets_a_cookie(origin: str, cookie: str, url: str, sent: str | None) -> None:
    cookies = Cookies()
    cookies.store(origin, fields(cookie))
    assert cookies.header(url) == sent


def test_several_at_once_and_one_that_changes() -> None:
    cookies = Cookies()
    cookies.store("http://h.test/", fields("a=1", "b=2", "a=3"))
    header = cookies.header("http://h.test/")
    assert header is not None
    assert sorted(header.split("; ")) == ["a=3", "b=2"]
    cookies.store("http://h.test/", fields("a=; Max-Age=0"))
    assert cookies.header("http://h.test/") == "b=2"


def test_a_server_cannot_fill_the_memory() -> None:
    cookies = Cookies()
    for start in range(0, 400, 100):
        cookies.store("http://h.test/", fields(*(f"c{n}=x" for n in range(start, start + 100))))
    assert len(cookies.jar) == 180
    header = cookies.header("http://h.test/")
    assert header is not None
    assert "c399=x" in header
    assert "c0=x" not in header


def test_nor_can_many() -> None:
    cookies = Cookies()
    for host in range(40):
        cookies.store(f"http://h{host}.test/", fields(*(f"c{n}=x" for n in range(100))))
    assert len(cookies.jar) == 3000
    assert cookies.header("http://h0.test/") is None
    assert cookies.header("http://h39.test/") is not None


def test_a_jar_of_ones_own() -> None:
    jar = http.cookiejar.CookieJar()
    cookies = Cookies(jar)
    cookies.store("http://h.test/", fields("a=1"))
    assert [cookie.name for cookie in jar] == ["a"]
    assert cookies.jar is jar


@pytest.mark.parametrize(
    "value",
    ["a=" + "\\" * 60_000, 'a="' + ";" * 60_000, "a=b; " * 12_000, "a=1; expires=" + "1 " * 30_000],
    ids=lambda value: value[:12],
)
def test_cost_is_linear(value: str) -> None:
    start = time.process_time()
    Cookies().store("http://h.test/", fields(value))
    assert time.process_time() - start < 0.5
