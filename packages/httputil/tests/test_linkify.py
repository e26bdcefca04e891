"""Links in plain text, and the same calls made to the original where it is installed."""

import importlib.util
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.escape import linkify

MODULES = ["zonda.httputil.escape"]
if importlib.util.find_spec("tornado"):
    MODULES.append("tornado.escape")


class Case(NamedTuple):
    text: str | bytes
    result: str
    options: dict[str, object] = {}  # noqa: RUF012 - never written to


def link(url: str, shown: str | None = None, attributes: str = "") -> str:
    return f'<a href="{url}"{attributes}>{url if shown is None else shown}</a>'


def clipped(url: str, shown: str, scheme: str = "") -> Case:
    return Case(url, link(scheme + url, shown, f' title="{scheme}{url}"'), {"shorten": True})


CASES = [
    Case("", ""),
    Case("example.com <b>", "example.com &lt;b&gt;"),
    Case("hello http://w.com/!", f"hello {link('http://w.com/')}!"),
    Case(b"http://a.com/\xc3\xa9", link("http://a.com/é")),
    Case("http://w.com/?a=b&c=d#e", link("http://w.com/?a=b&amp;c=d#e")),
    Case("(see http://a.com/b_c)", f"(see {link('http://a.com/b_c')})"),
    Case("http://a.com/b_(c)", link("http://a.com/b_(c)")),
    Case("http://a.com/b_(c)_(d)_e.", link("http://a.com/b_(c)_(d)_e") + "."),
    Case("http://a.com/((a))", link("http://a.com/") + "((a))"),
    Case("http://a.com/(a", link("http://a.com/") + "(a"),
    Case("http://a.com/a)b", link("http://a.com/a") + ")b"),
    Case("http://(a)b", link("http://(a)b")),
    Case("<http://a.com/b>", f"&lt;{link('http://a.com/b')}&gt;"),
    Case('"http://a.com"', f"&quot;{link('http://a.com')}&quot;"),
    Case("'http://a.com'", f"&#x27;{link('http://a.com')}&#x27;"),
    Case('http://a.com/"x', link("http://a.com/&quot;x")),
    Case("http://a.com/x...", link("http://a.com/x") + "..."),
    Case("http://a.com:", link("http://a.com") + ":"),
    Case("http://a.com:8080", link("http://a.com:8080")),
    Case("http://u:p@a.com/", link("http://u:p@a.com/")),
    Case("http://a\nhttp://b", link("http://a") + "\n" + link("http://b")),
    Case("http://a\u2003b", link("http://a") + "\u2003b"),
    Case("http://", link("http://")),
    Case("http:/", "http:/"),
    Case("http:/a", link("http:/a")),
    Case("http:a", "http:a"),
    Case("http:///", link("http:///")),
    Case("www.a.com", link("http://www.a.com", "www.a.com")),
    Case("www.", "www."),
    Case("www.!", "www.!"),
    Case("xwww.a.com WWW.a.com", "xwww.a.com WWW.a.com"),
    Case("x-www.a.com", "x-" + link("http://www.a.com", "www.a.com")),
    Case("www.a http://b", "www.a " + link("http://b"), {"require_protocol": True}),
    Case("HTTP://a a_http://b 1http://b x-http://b", "HTTP://a a_http://b 1http://b x-http://b"),
    Case("-http://b", "-" + link("http://b")),
    Case("éhttp://b", "éhttp://b"),
    Case("ftp://a javascript:/a", "ftp://a javascript:/a"),
    Case("javascript:alert(1)", "javascript:alert(1)", {"permitted_protocols": ["javascript"]}),
    Case("ftp://a http://b", link("ftp://a") + " http://b", {"permitted_protocols": ["ftp"]}),
    Case("file:///etc", link("file:///etc"), {"permitted_protocols": ("file",)}),
    Case(
        "http://a www.b", "http://a " + link("http://www.b", "www.b"), {"permitted_protocols": []}
    ),
    Case("http://a", link("http://a", attributes=' rel="x"'), {"extra_params": ' rel="x" '}),
    Case(
        "www.a/?b&c",
        '<a href="http://www.a/?b&amp;c" data-url="http://www.a/?b&amp;c">www.a/?b&amp;c</a>',
        {"extra_params": lambda href: f' data-url="{href}" '},
    ),
    Case(
        "http://a.b/1234567890123456789", link("http://a.b/1234567890123456789"), {"shorten": True}
    ),
    clipped("http://a.b/12345678901234567890", "http://a.b/12345678..."),
    clipped("https://a.b/1234567890123456789012", "https://a.b/12345678..."),
    clipped("http://e.com/abcd/efghijklmnop/qrstuvwxyz", "http://e.com/abcd..."),
    clipped("http://e.com/?a=bcdefghijklmnopqrstuvwxyz", "http://e.com/..."),
    clipped("http://e.com/abcd.efghijklmnopqrstuvwxyz", "http://e.com/abcd..."),
    clipped("www.external.org/aaaaaaaaaaaaaaaaaaaaaaa", "www.external.org/aaaaaaaa...", "http://"),
    clipped(
        "http://www.averylonghostnameindeed.that.is.really.long.example.com/x",
        "http://www.averylonghostnamein...",
    ),
]

# Where the original and we differ, and why.
DIFFERENT = {
    "cut inside a reference": (
        Case(
            "http://e.com/aaaaaaa&bbbbbbbbbbbbbbbbbbbb",
            link(
                "http://e.com/aaaaaaa&amp;bbbbbbbbbbbbbbbbbbbb",
                "http://e.com/aaaaaaa...",
                ' title="http://e.com/aaaaaaa&amp;bbbbbbbbbbbbbbbbbbbb"',
            ),
            {"shorten": True},
        ),
        "a lone & is not escaped text",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.text))
@pytest.mark.parametrize("module", MODULES)
def test_case(module: str, case: Case) -> None:
    assert importlib.import_module(module).linkify(case.text, **case.options) == case.result


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    case, _ = DIFFERENT[name]
    assert linkify(case.text, **case.options) == case.result  # type: ignore[arg-type]


_prose = st.lists(
    st.sampled_from(
        [
            *("http", "https", "ftp", "www", "a", "b-c", "d_e", "é", "example.com", "x" * 12),
            *(":", "/", "//", "://", ".", "-", "(", ")", "&", '"', "'", "<", ">", " ", "\n", "!"),
            *("?", "=", "#", ";", "amp;", "\u2003"),
        ]
    ),
    max_size=30,
).map("".join)


@given(_prose, st.booleans(), st.booleans())
def test_like_the_original(text: str, require_protocol: bool, shorten: bool) -> None:
    theirs = pytest.importorskip("tornado.escape")
    expected = theirs.linkify(text, shorten, "rel=x", require_protocol)
    ours = linkify(text, shorten, "rel=x", require_protocol)
    if ours != expected:
        # The one known difference: what is shown of a long URL with references in it.
        assert shorten
        assert "&" in text
        assert "..." in ours
        assert ours.count("<a ") == expected.count("<a ")


@given(_prose)
def test_only_links_are_added(text: str) -> None:
    html = linkify(text)
    rest = html.split("<a ")
    assert all("<" not in rest[0] and piece.count("<") == 1 for piece in rest[1:])
