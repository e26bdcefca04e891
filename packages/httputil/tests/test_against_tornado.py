"""Where zonda.httputil answers what tornado.httputil answers, and where not and why.

Runs where the original Tornado is installed. Every row is a call made on both; an exception counts
as the answer "refused".
"""

import datetime
import time
from types import ModuleType
from typing import Any

import pytest

import zonda.httputil


@pytest.fixture(scope="module")
def tornado_httputil() -> ModuleType:
    tornado: ModuleType = pytest.importorskip("tornado.httputil")
    if tornado is zonda.httputil:
        pytest.skip("the drop-in is switched on")
    return tornado


def _request(module: Any, uri: str, version: str, fields: str) -> Any:
    return module.HTTPServerRequest(
        start_line=module.RequestStartLine("GET", uri, version),
        headers=module.HTTPHeaders.parse(fields),
    )


def host(module: Any, value: str) -> Any:
    request = _request(module, "/", "HTTP/1.1", f"Host: {value}")
    return request.host, request.host_name


def target(module: Any, uri: str) -> Any:
    request = _request(module, uri, "HTTP/1.1", "Host: a")
    return request.path, request.query, request.arguments, request.full_url(), repr(request)


def cookies(module: Any, value: str) -> Any:
    request = _request(module, "/", "HTTP/1.0", f"Cookie: {value}")
    return {name: morsel.value for name, morsel in request.cookies.items()}


def parse(module: Any, text: str) -> Any:
    headers = module.HTTPHeaders.parse(text)
    return list(headers.get_all()), dict(headers), str(headers)


def add(module: Any, name: str, value: str) -> Any:
    headers = module.HTTPHeaders({"a": "0"})
    headers.add(name, value)
    return list(headers.get_all()), headers.get_list(name), headers.get("A"), name in headers


def call(name: str) -> Any:
    def on(module: Any, *arguments: Any) -> Any:
        result = getattr(module, name)(*arguments)
        return list(result) if name == "qs_to_qsl" else result

    on.__name__ = name
    return on


CALLS: list[tuple[Any, list[tuple[Any, ...]]]] = [
    (host, [(v,) for v in (
        "a.com", "A.com:80", "[::1]:8", "a_b.c", "a%41", "a'b", "", "a, b", "a b", "a@b", "a/b",
        "a.com:x", "a.com:-1", "a.com:99999", "a:", "[::1",
    )]),
    (target, [(v,) for v in (
        "/", "/a?b", "/?", "/?x", "*", "//e/p?q=1", "/a?b=1#f", "/?a=&b&c=1&=x", "/a%20b?%61=%62+c",
        "/?\xe9=\xfc", "/?a;b=1", "/?" + "a&" * 999, "/?" + "a&" * 1000, "http://a/b?c=d",
    )]),
    (cookies, [(v,) for v in (
        "a=1; b=2", "=__Host-a=b", "x", "; ;", r'a="b\"c"; d=e', 'a="b;c"', "a=1; a=2",
        "a = 1 ;b= 2",
        r'a="\054\377\0"', r'a="\\"', "a=b=c", 'a="x" y', "\xe9=\xfc", 'a="', 'a=""', 'a="a\\',
        r'a="\400\08"', "a,b=1", 'a="a"b"', "$Version=1; a=1; $Path=/", "\x85a=1",
    )]),
    (call("parse_cookie"), [(v,) for v in (
        "", "a=1; b=2", "=__Host-a=b", "x", "; ;", r'a="b\"c"; d=e', 'a="b;c"', "a=1; a=2",
    )]),
    (parse, [(v,) for v in (
        "a:1\n", "a:1\r\n", "a: 1 \r\n", "a:\r\n", "a:1\r\n\r\nb:2\r\n",
        "a:1\r\nb:2\r\nA:3\r\n", "",
        "\r\n", "a: \xe9", "a:\xa01", "a:\x851", "a:b:c", "content-TYPE: x\r\nx__y-1z: 1",
        "a:1\r\n b\r\n", " b\r\n", "a : 1\r\n", "a", "a:1\rb", "a:\x0b1\r\n", "a:1\r\n \r\n",
        "a:\u20ac", "a:1\r\r\n", ":x", "a:1\u2028b:2",
    )]),
    (add, [
        ("A", "1"), ("b", "1"), ("a b", "1"), ("", "1"), ("\xe9", "1"), ("a\n", "1"), ("a", " 1"),
        ("a", "1\r\n"), ("a", "\x00"), ("a", "\t"), ("a", "1\t1"), ("a", "\x7f"), ("a", "\u20ac"),
    ]),
    (call("parse_request_start_line"), [(v,) for v in (
        "GET /foo HTTP/1.1", "get /foo HTTP/1.0", "GET  /foo HTTP/1.1", "GET /foo HTTP/1.1 ",
        "GET /foo HTTP/2.0", "GET /foo", "GET /a b HTTP/1.1", "G@T / HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET / HTTP/1.1\n", "GET\t/ HTTP/1.1", "GET \x00 HTTP/1.1",
    )]),
    (call("parse_response_start_line"), [(v,) for v in (
        "HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 20 OK", "HTTP/1.1 099 x",
        "HTTP/2.0 200 OK", "HTTP/1.1 200 a\x00", "HTTP/1.0 999 x", "HTTP/1.1 \u0662\u0660\u0660 x",
    )]),
    (call("split_host_and_port"), [(v,) for v in (
        "a.com:80", "[::1]", "[::1]:8", "a", "a:", "a:x", "::1", "a:80:90", "", ":80", "a:\u0663",
    )]),
    (call("url_concat"), [
        ("/a", {"b": 1}), ("/a?x=1", {"b": "\xe9"}), ("/a?x=1#f", [("b", "2"), ("b", "3")]),
        ("/a", None), ("/a?", {}), ("/a?x", {"y": "z"}), ("/a", "b=1"), ("/a", {"b": [1, 2]}),
        ("?a=%20+", {"b": "+"}), ("/a#f", {}), ("/a?x=1&&y", {"a": 1}), ("/a\nb", {"b": 1}),
        (" /a", {"b": 1}), ("x:y", {"b": 1}), ("///x", {"b": 1}), ("http://h:80/;?", {"b": 1}),
    ]),
    (call("qs_to_qsl"), [({"a": [b"1", b"2"], "b": []},), ({"a": "xy"},)]),
    (call("encode_username_password"), [("u", "p"), ("\xfc", "e\u0301"), (b"\xff", b":")]),
    (call("format_timestamp"), [(v,) for v in (
        0, 1359312200.9, -1, True, time.gmtime(5), (2013, 1, 27, 18, 43, 20),
        datetime.datetime(2013, 1, 27, 18, 43, 20),
        datetime.datetime(2013, 1, 27, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        "x", None, 1e20, float("nan"), 253402300800, -62135596800,
    )]),
    (call("_parse_header"), [(v,) for v in (
        "", "x", "x; a", "x; a=", "x; a=1; A=2", 'form-data; name="a"; filename="b.txt"', "x;;a=1",
        r'form-data; foo="b\\a\"r"', "x; filename*=utf-8''%e2%82%ac", "x; a*0=ab; a*1=cd", "; a=1",
        'x;a="b;c"', 'x; a="b', 'x; a="b; c=1', 'x; a="\\"; b=1', r'x; f="C:\dir\f.txt"',
        "x; a*0*=utf-8''%41; a*1=b", "x; a=y; a*0=x", 'x; a=b"c;d"; e=f', "x; a*=bogus",
        "x; a*=utf-8''%ff", "x; =1",
    )]),
    (call("_encode_header"), [
        ("a", {}), ("a", {"z": 5, "b": None}), ("a", {"b": ""}), ("a", {"b": "x y"}),
    ]),
    (call("_parse_request_range"), [(v,) for v in (
        "bytes=0-1", "bytes=1-", "bytes=-5", "bytes=-0", "items=0-1", "bytes=0-1,2-3", "bytes=a-b",
        "", "bytes=5-1", "bytes=", "bytes= 0 - 1", "bytes=1_0-", "BYTES=0-1", "bytes=\u0663-",
    )]),
    (call("_get_content_range"), [(0, 1, 10), (None, 5, 10), (3, None, 10), (None, None, 10)]),
    (call("_int_or_none"), [("",), ("5",), (" 5 ",), ("x",), ("1_0",)]),
]  # fmt: skip

RFC = "RFC 9110: "
DIFFERS: list[tuple[str, tuple[Any, ...], str]] = [
    ("host", ("a.com:x",), "a port is digits, or the Host is invalid"),
    ("host", ("a.com:-1",), "a port is digits"),
    ("host", ("a.com:99999",), "a port is below 65536"),
    ("host", ("a:",), "an empty port is no part of the name"),
    ("host", ("[::1",), "an open bracket is no address"),
    ("target", ("http://a/b?c=d",), "absolute-form is taken apart (RFC 9112 section 3.2.2)"),
    ("cookies", ("\x85a=1",), "white space is SP and TAB, so this is no name"),
    ("parse_response_start_line", ("HTTP/1.1 200 ",), "no reason is an empty one, not None"),
    ("parse_response_start_line", ("HTTP/1.1 099 x",), RFC + "the first digit is 1 to 9"),
    ("split_host_and_port", ("a:\u0663",), "digits are ASCII digits"),
    ("url_concat", ("///x", {"b": 1}), "an empty authority stays: /x is another place"),
    ("url_concat", ("http://h:80/;?", {"b": 1}), "empty path parameters stay"),
    ("_parse_header", ("x; a*=bogus",), "RFC 8187: to be ignored"),
    ("_parse_header", ("x; a*=utf-8''%ff",), "RFC 8187: to be ignored"),
    ("_parse_header", ("x; =1",), "a name is a token"),
    ("_encode_header", ("a", {"b": ""}), RFC + "a parameter has a value or is quoted"),
    ("_encode_header", ("a", {"b": "x y"}), RFC + "what is no token is quoted"),
    ("_parse_request_range", ("bytes=5-1",), RFC + "invalid, to be ignored"),
    ("_parse_request_range", ("bytes=",), "invalid: None and not (None, None)"),
    ("_parse_request_range", ("bytes= 0 - 1",), RFC + "no white space inside a range"),
    ("_parse_request_range", ("bytes=1_0-",), "digits are ASCII digits"),
    ("_parse_request_range", ("bytes=\u0663-",), "digits are ASCII digits"),
    ("_parse_request_range", ("BYTES=0-1",), RFC + "units have no case"),
    ("_int_or_none", ("1_0",), "digits are ASCII digits"),
]  # fmt: skip

ROWS = [(function, arguments) for function, many in CALLS for arguments in many]


def _answer(function: Any, module: Any, arguments: tuple[Any, ...]) -> str:
    try:
        return repr(function(module, *arguments))
    except Exception:
        return "refused"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        pytest.param(function, arguments, id=f"{function.__name__}-{ascii(arguments)[:40]}")
        for function, arguments in ROWS
    ],
)
def test_same_answer(
    tornado_httputil: ModuleType, function: Any, arguments: tuple[Any, ...]
) -> None:
    theirs = _answer(function, tornado_httputil, arguments)
    ours = _answer(function, zonda.httputil, arguments)
    explained = any(function.__name__ == name and arguments == given for name, given, _ in DIFFERS)
    assert (ours == theirs) is not explained, (ours, theirs)
