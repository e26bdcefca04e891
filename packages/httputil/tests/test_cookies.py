"""Cookies in and out."""

import time
from datetime import datetime
from http.cookies import CookieError, SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.cookies import (
    cookie_jar,
    format_set_cookie,
    parse_cookie,
    quote_cookie,
    unquote_cookie,
)
from zonda.httputil.errors import InvalidCookie


@pytest.mark.parametrize(
    ("value", "cookies", "morsels"),
    [
        # As pairs, and as what is left of them where names must be names. None: the same.
        ("", {}, None),
        ("; ;", {}, None),
        ("a=1; b=2", {"a": "1", "b": "2"}, None),
        ("a=1;b=2;", {"a": "1", "b": "2"}, None),
        ("a = 1 ;\tb=\t2", {"a": "1", "b": "2"}, None),
        ("a=1; a=2", {"a": "2"}, None),
        ("a=b=c", {"a": "b=c"}, None),
        ("a=", {"a": ""}, None),
        ('a=""', {"a": ""}, None),
        (r'a="b\"c"; d=e', {"a": 'b"c', "d": "e"}, None),
        (r'a="\054\377\0"', {"a": ",\xff0"}, None),
        (r'a="\\"', {"a": "\\"}, None),
        (r'a="\400\08"', {"a": "40008"}, None),
        ('a="x" y', {"a": '"x" y'}, None),
        ('a="', {"a": '"'}, None),
        ('a="a"b"', {"a": 'a"b'}, None),
        ("x=\xe9", {"x": "\xe9"}, None),
        # Only a semicolon separates: not a comma, and not inside quotes either.
        ("a=1, b=2", {"a": "1, b=2"}, None),
        ('a="b;c=d"', {"a": '"b', "c": 'd"'}, None),
        ('a="; csrftoken=bad; b="', {"a": '"', "csrftoken": "bad", "b": '"'}, None),
        # White space is SP and TAB: nothing else can hide in front of a prefix that servers trust.
        ("\x85__Host-a=1; \xa0__Host-b=2; \x1c__Host-c=3; d=\xa04",
         {"\x85__Host-a": "1", "\xa0__Host-b": "2", "\x1c__Host-c": "3", "d": "\xa04"},
         {"d": "\xa04"}),
        # No name.
        ("x", {"": "x"}, {}),
        ("=__Host-a=b", {"": "__Host-a=b"}, {}),
        ("=a", {"": "a"}, {}),
        # Names that are none, beside one that is.
        ("a,b=1; good=2; a b=3; [x]=4", {"a,b": "1", "good": "2", "a b": "3", "[x]": "4"},
         {"good": "2"}),
        ("\xe9=1; good=2", {"\xe9": "1", "good": "2"}, {"good": "2"}),
        ("expires=5; Path=/; good=2", {"expires": "5", "Path": "/", "good": "2"}, {"good": "2"}),
        ("$Version=1; a=1; $Path=/", {"$Version": "1", "a": "1", "$Path": "/"}, None),
    ],
)  # fmt: skip
def test_parse(value: str, cookies: dict[str, str], morsels: dict[str, str] | None) -> None:
    assert parse_cookie(value) == cookies
    jar = {name: morsel.value for name, morsel in cookie_jar(value).items()}
    assert jar == (cookies if morsels is None else morsels)


def test_no_header_no_cookies() -> None:
    assert cookie_jar("") == SimpleCookie()


@pytest.mark.parametrize(
    "value",
    [
        'a="' + "\\" * 60_000 + '"',
        'a="' + '\\"' * 60_000 + '"',
        'a="' + "\\054" * 60_000 + '"',
        'a="' * 60_000,
        ";" * 500_000,
        "=" * 500_000,
        " " * 500_000,
        "a=1;" * 60_000,
        ",=1;" * 60_000,
    ],
)
def test_linear(value: str) -> None:
    # CVE-2024-52804: unquoting was quadratic.
    start = time.process_time()
    parse_cookie(value)
    cookie_jar(value)
    assert time.process_time() - start < 0.5


def test_bad_pairs_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0):
        cookie_jar("a,b=1;" * 1000)
    assert not caplog.records


def standard(name: str, value: str, **attributes: object) -> str:
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    for key, setting in attributes.items():
        jar[name][key.replace("_", "-")] = setting
    return jar[name].OutputString()


@pytest.mark.parametrize("value", ["", "b", "b c", 'b"c', "b\\", "b;c", "b,c", "\xe9", "(x)"])
def test_values_come_out_as_from_the_standard_library(value: str) -> None:
    assert format_set_cookie("a", value) == standard("a", value)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"path": "/"},
        {"domain": "x.com", "path": "/p", "secure": True, "httponly": True, "samesite": "Lax",
         "max_age": 5},
        {"secure": False, "httponly": False},
        {"path": "", "domain": ""},
        {"max_age": -1},
        {"version": 1, "comment": "x"},
        {"expires": "Wed, 01 Jan 2020 00:00:00 GMT"},
    ],
)  # fmt: skip
def test_attributes_come_out_as_from_the_standard_library(attributes: dict[str, object]) -> None:
    assert format_set_cookie("a", "b", **attributes) == standard("a", "b", **attributes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"HttpOnly": True, "Max_Age": 7}, "a=b; HttpOnly; Max-Age=7"),
        ({"SameSite": "Strict", "SECURE": 1}, "a=b; SameSite=Strict; Secure"),
        ({"domain": "x.com", "Domain": "y.com"}, "a=b; Domain=y.com"),
        ({"max-age": "7"}, "a=b; Max-Age=7"),
        ({"max_age": 0}, "a=b; Max-Age=0"),
        ({"max_age": 1.9}, "a=b; Max-Age=1"),
        ({"max_age": None, "path": None}, "a=b"),
        ({"expires": 0}, "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ({"expires": datetime(2020, 1, 1)}, "a=b; expires=Wed, 01 Jan 2020 00:00:00 GMT"),
        ({"partitioned": True, "secure": True}, "a=b; Partitioned; Secure"),
    ],
)
def test_attributes(attributes: dict[str, object], text: str) -> None:
    assert format_set_cookie("a", "b", **attributes) == text  # type: ignore[arg-type]


SPLITTERS = [";", "x; Domain=evil", "\r\nX: y", "\n", "\r", "\x00", "\x01", "\t", "\x7f", "\u20ac"]


@pytest.mark.parametrize("bad", SPLITTERS)
@pytest.mark.parametrize(
    "attribute",
    ["domain", "path", "samesite", "max_age", "expires", "comment", "version", "Domain", "PATH",
     "SameSite", "MAX_AGE", "Max_Age", "max-age", "Expires"],
)  # fmt: skip
def test_attributes_cannot_split_the_header(attribute: str, bad: str) -> None:
    with pytest.raises(InvalidCookie) as caught:
        format_set_cookie("a", "b", **{attribute: bad})  # type: ignore[arg-type]
    assert caught.value.cookie == "a"
    assert caught.value.given == bad
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "bad", ["\r\nX: y", "\n", "\r", "\x00", "\x01", "\x1f", "\t", "\x7f", "\u20ac"]
)
def test_values_have_no_control_characters(bad: str) -> None:
    with pytest.raises(InvalidCookie):
        format_set_cookie("a", bad)


@pytest.mark.parametrize(
    "name", ["", "a b", "a=", "a;", "a,", "\xe9", "a\n", "a\x00", '"a"', "path", "Expires", "a\t"]
)
def test_names_are_tokens(name: str) -> None:
    with pytest.raises(InvalidCookie):
        format_set_cookie(name, "b")


@pytest.mark.parametrize(
    "attributes",
    [
        {"bogus": "x"},
        {"max_age": "1; evil"},
        {"max_age": "1e3"},
        {"max_age": "\u0661"},
        {"max_age": float("nan")},
        {"max_age": float("inf")},
        {"max_age": []},
        {"expires": []},
        {"expires": float("nan")},
        {"expires": 1e20},
        {"expires": (2013, 13)},
    ],
)
def test_attributes_that_are_none(attributes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="cookie 'a'"):
        format_set_cookie("a", "b", **attributes)  # type: ignore[arg-type]
    with pytest.raises(CookieError):
        format_set_cookie("a", "b", **attributes)  # type: ignore[arg-type]


printable = st.text(st.characters(max_codepoint=0xFF).filter(lambda c: c >= " " and c != "\x7f"))


@given(printable)
def test_values_are_read_back(value: str) -> None:
    assert unquote_cookie(quote_cookie(value)) == value
    text = format_set_cookie("a", value)
    assert parse_cookie(text) == {"a": value}
    assert text.count(";") == 0


@given(st.text(), st.text(), st.text())
def test_what_comes_out_has_the_attributes_asked_for(name: str, value: str, path: str) -> None:
    try:
        text = format_set_cookie(name, value, path=path)
    except InvalidCookie:
        return
    assert not any(character < " " or character == "\x7f" for character in text)
    assert text.count(";") == bool(path)
    assert text.startswith(f"{name}=")


@given(st.text('ab=;"\\ 0123,') | st.text())
def test_parsing_raises_nothing(value: str) -> None:
    pairs = parse_cookie(value)
    jar = cookie_jar(value)
    assert all(jar[name].value == pairs[name] for name in jar)


@given(st.dictionaries(st.text("abc_-.", min_size=1), printable))
def test_what_the_standard_library_sends_is_read(cookies: dict[str, str]) -> None:
    jar: SimpleCookie = SimpleCookie()
    for name, value in cookies.items():
        jar[name] = value
    header = "; ".join([f"{name}={morsel.coded_value}" for name, morsel in jar.items()])
    assert parse_cookie(header) == cookies


# Cookie headers as werkzeug reads them, where it does not agree.
WERKZEUG_DIFFERS = {
    "x": "a name without a value there, a value without a name (as in browsers) here",
    "=__Host-a=b": "no name: left out there, under the empty name here",
    'a="b;c"': "quotes protect a semicolon there; not here, nor in browsers",
    "a=1; a=2": "both there",
    r'a="\054\377\0"': "octets are UTF-8 there, Latin-1 (as Python's http.cookies) here",
    'a="x" y': "left out there, kept as it is here",
    'a="a"b"': "left out there",
}


@pytest.mark.parametrize(
    "value",
    ["", "a=1; b=2", "a = 1 ;b= 2", r'a="b\"c"; d=e', r'a="\\"', "a=b=c", 'a=""', "; ;",
     "a,b=1", "$Version=1; a=2", *WERKZEUG_DIFFERS],
)  # fmt: skip
def test_against_werkzeug(value: str) -> None:
    http = pytest.importorskip("werkzeug.http")
    theirs = list(http.parse_cookie(value).items(multi=True))
    same = list(parse_cookie(value).items()) == theirs
    assert same is (value not in WERKZEUG_DIFFERS), theirs
