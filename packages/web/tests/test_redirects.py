"""Redirects stay where they should."""

import pytest

from zonda.web.redirects import as_browser, as_location, leads_away, same_place

AWAY = [
    "//b.example",
    "//b.example/../dir",
    r"/\b.example",
    r"\/b.example",
    r"\\b.example",
    "/\t/b.example",
    "/\r\n/b.example",
    "\t//b.example",
    " //b.example",
    "\x00//b.example",
    "\x01\x1f /\\b.example",
    "https://b.example",
    "HTTPS:b.example",
    "javascript:alert(1)",
    "//[",
]


@pytest.mark.parametrize("path", AWAY)
def test_leads_away(path: str) -> None:
    assert leads_away(path)
    assert not same_place("{0}", path)
    assert not same_place("/x", path)


@pytest.mark.parametrize("path", ["/", "/a", "/a//b", "/a?b=//c", "/a/\\b", "a/b", "?a", "/a:b"])
def test_stays(path: str) -> None:
    assert not leads_away(path)
    assert same_place("{0}", path)


@pytest.mark.parametrize(
    ("template", "url", "same"),
    [
        ("https://a.example/{0}", "https://a.example/x", True),
        ("https://a.example/{0}", "https://a.example//x", True),
        ("https://a.example{0}", "https://a.example/x", True),
        ("https://a.example{0}", "https://a.example.evil.example/", False),
        ("https://a.example/{0}", "http://a.example/x", False),
        ("HTTPS://a.example/{0}", "https://a.example/x", True),
        ("https:{0}", "https:///evil.example", False),
        ("//{0}", "//evil.example", False),
        ("/{a}/{b}", "/x/y", True),
        ("/{0}", "/\\?/x", False),
        ("/{0}", "//", False),
        ("{0}/x", "//x", False),
        ("/a{{b}}/{0}", "/a{b}/c", True),
        ("https://a.example", "https://a.example", True),
        ("", "", True),
        ("https://a.example{0}", "https://a.example@evil.example/", False),
        ("https://{0}/", "https://evil.example/", False),
        ("/{0}", "//evil.example", False),
        ("/{0}", "/\\evil.example", False),
        ("/x/{0}", "/x//evil.example", True),
        ("{0}", "///evil.example", False),
        ("/x/{0}", "/x/a\r\nSet-Cookie: a=b", False),
        ("/x/{0}", "/x/\x00", False),
        ("//a.example/{0}", "//a.example/x", True),
        ("//a.example/{0}", "//b.example/x", False),
    ],
)
def test_same_place(template: str, url: str, same: bool) -> None:
    assert same_place(template, url) is same


def test_as_browser() -> None:
    assert as_browser(" \x00/\t\\a\r\nb\\c\x1f ") == "//ab/c"


def test_as_location() -> None:
    assert as_location('/\u00e9 %20\\<>"?a=b&c[]=d#e') == "/%C3%A9%20%20%5C%3C%3E%22?a=b&c[]=d#e"
