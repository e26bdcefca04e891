"""Raw requests and the verdict on each: what is answered, and whether the connection goes on.

A row is written once and run three ways: whole, a byte at a time, and between two other requests
of the same connection. A request always follows: it is answered if, and only if, the server knows
for certain where the one before it ends. Whatever is refused costs one log line, nothing else any.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest

from zonda.httpserver.testing import TIMEOUT, serve
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

OK = ResponseStartLine("HTTP/1.1", 200, "OK")
LIMIT = 999
"""Bytes of content that the server accepts."""
FIRST = b"GET /first HTTP/1.1\r\nHost: first\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
FIRST_ANSWER = (200, None, b"GET /first HTTP/1.1 first ")
NEXT_ANSWER = (200, None, b"GET /next HTTP/1.1 next ")


def echo(request: HTTPServerRequest) -> None:
    """Answer with what arrived, as the server understood it."""
    text = f"{request.method} {request.uri} {request.version} {request.host} ".encode("latin-1")
    connection = request.connection
    assert connection is not None
    text += request.body
    head = HTTPHeaders({"Content-Length": str(len(text))})
    connection.write_headers(OK, head, text)
    connection.finish()


@dataclass(frozen=True)
class Row:
    """A request and the verdict.

    Attributes:
        data: The bytes.
        status: Of the answer.
        seen: What the application saw of it; None if it must not see anything.
        option: ``Connection`` of the answer.
        goes_on: Whether the request behind it is answered.
    """

    data: bytes
    status: int
    seen: bytes | None
    option: str | None
    goes_on: bool


Table = dict[str, Row]


def stays(data: bytes, seen: bytes, option: str | None = None) -> Row:
    """Answered, and the connection goes on."""
    return Row(data, 200, seen, option, True)


def ends(data: bytes, seen: bytes) -> Row:
    """Answered, and the connection ends because the request says so."""
    return Row(data, 200, seen, "close", False)


def refused(status: int, data: bytes) -> Row:
    """Not a request: the connection ends."""
    return Row(data, status, None, "close", False)


def get(*lines: bytes, start: bytes = b"GET /a HTTP/1.1", host: bytes = b"Host: h") -> bytes:
    """A request without content."""
    fields = (start, host, *lines) if host else (start, *lines)
    return b"\r\n".join(fields) + b"\r\n\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """A request with content."""
    return get(*lines, start=b"POST /p HTTP/1.1") + body


def chunked(body: bytes, field: bytes = b"Transfer-Encoding: chunked") -> bytes:
    """A request whose content is chunked."""
    return post(field, body=body)


GOT = b"GET /a HTTP/1.1 h "
POSTED = b"POST /p HTTP/1.1 h "

GOOD: Table = {
    "plain": stays(get(), GOT),
    "empty line in front": stays(b"\r\n" + get(), GOT),
    "four empty lines in front": stays(b"\r\n" * 4 + get(), GOT),
    "HEAD": stays(get(start=b"HEAD /a HTTP/1.1"), b"HEAD /a HTTP/1.1 h "),
    "a method of its own": stays(get(start=b"M-SEARCH /a HTTP/1.1"), b"M-SEARCH /a HTTP/1.1 h "),
    "methods have a case": stays(get(start=b"get /a HTTP/1.1"), b"get /a HTTP/1.1 h "),
    "every character of a token": stays(
        get(start=b"!#$%&'*+-.^_`|~09Az /a HTTP/1.1"), b"!#$%&'*+-.^_`|~09Az /a HTTP/1.1 h "
    ),
    "asterisk form": stays(get(start=b"OPTIONS * HTTP/1.1"), b"OPTIONS * HTTP/1.1 h "),
    "a higher minor version": stays(get(start=b"GET /a HTTP/1.2"), GOT),
    "query": stays(get(start=b"GET /a?b=c&d HTTP/1.1"), b"GET /a?b=c&d HTTP/1.1 h "),
    "two slashes": stays(get(start=b"GET //e.com/ HTTP/1.1"), b"GET //e.com/ HTTP/1.1 h "),
    "dots are the application's": stays(
        get(start=b"GET /../a/%2e%2e HTTP/1.1"), b"GET /../a/%2e%2e HTTP/1.1 h "
    ),
    "backslash and quotes": stays(get(start=b'GET /a\\"<> HTTP/1.1'), b'GET /a\\"<> HTTP/1.1 h '),
    "octets beyond ASCII": stays(
        get(start=b"GET /\xc3\xa9 HTTP/1.1"), b"GET /\xc3\xa9 HTTP/1.1 h "
    ),
    "incomplete escapes": stays(get(start=b"GET /%zz% HTTP/1.1"), b"GET /%zz% HTTP/1.1 h "),
    "a long target": stays(
        get(start=b"GET /" + b"x" * 8000 + b" HTTP/1.1"), b"GET /" + b"x" * 8000 + b" HTTP/1.1 h "
    ),
    "host and port": stays(get(host=b"Host: h:8080"), b"GET /a HTTP/1.1 h:8080 "),
    "IPv6 host": stays(get(host=b"Host: [::1]:80"), b"GET /a HTTP/1.1 [::1]:80 "),
    "white space around the host": stays(get(host=b"Host:\t h \t"), GOT),
    "the host comes last": stays(get(b"X: y", b"Host: h", host=b""), GOT),
    "an empty field": stays(get(b"X:"), GOT),
    "a tab and octets beyond ASCII in a field": stays(get(b"X: a\tb \xe9\xff"), GOT),
    "every character of a field's name": stays(get(b"!#$%&'*+-.^_`|~09Az: x"), GOT),
    "a long field": stays(get(b"X: " + b"y" * 30_000), GOT),
    "many fields": stays(get(*(b"X%d: y" % n for n in range(255))), GOT),
    "equal fields": stays(get(*[b"X: y"] * 200), GOT),
    "a cookie without a name": stays(get(b"Cookie: =__Host-a=b"), GOT),
    "many backslashes": stays(get(b'Cookie: a="' + b"\\" * 30_000 + b'"'), GOT),
    "no space behind the colon": stays(get(b"X:y"), GOT),
    "underscores are not hyphens": stays(get(b"Content_Length: 5", b"Transfer_Encoding: x"), GOT),
    "an upgrade that nobody offers": stays(get(b"Connection: Upgrade", b"Upgrade: h2c"), GOT),
    "options that mean nothing": stays(get(b"Connection: x, keep-alive, ,y"), GOT),
    "a list of nothing": stays(get(b"Connection: ,"), GOT),
    "TE is no framing": stays(get(b"TE: trailers, chunked", b"Connection: TE"), GOT),
    "Keep-Alive is a hint": stays(get(b"Keep-Alive: timeout=0"), GOT),
    "an old proxy's field": stays(get(b"Proxy-Connection: close"), GOT),
    "close": ends(get(b"Connection: close"), GOT),
    "close in capitals": ends(get(b"Connection: CLOSE"), GOT),
    "close in a list": ends(get(b"Connection: x, close"), GOT),
    "close in a second line": ends(get(b"Connection: keep-alive", b"Connection: close"), GOT),
    "HTTP/1.0": ends(get(start=b"GET /a HTTP/1.0"), b"GET /a HTTP/1.0 h "),
    "HTTP/1.0 without a host": ends(b"GET /a HTTP/1.0\r\n\r\n", b"GET /a HTTP/1.0 127.0.0.1 "),
    "HTTP/1.0 keep-alive": stays(
        get(b"Connection: Keep-Alive", start=b"GET /a HTTP/1.0"),
        b"GET /a HTTP/1.0 h ",
        "keep-alive",
    ),
    "HTTP/1.0 keep-alive in a list": stays(
        get(b"Connection: x, keep-alive", start=b"GET /a HTTP/1.0"),
        b"GET /a HTTP/1.0 h ",
        "keep-alive",
    ),
    "HTTP/1.0 with both": ends(
        get(b"Connection: keep-alive, close", start=b"GET /a HTTP/1.0"), b"GET /a HTTP/1.0 h "
    ),
    "HTTP/1.0 does not upgrade": ends(
        get(b"Connection: upgrade", b"Upgrade: x", start=b"GET /a HTTP/1.0"), b"GET /a HTTP/1.0 h "
    ),
}

TARGETS: Table = {
    "absolute form": stays(get(start=b"GET http://h/a HTTP/1.1"), b"GET http://h/a HTTP/1.1 h "),
    "absolute form wins over Host": stays(
        get(start=b"GET http://other:81/a HTTP/1.1"),
        b"GET http://other:81/a HTTP/1.1 other:81 ",
    ),
    "absolute form without a path": stays(
        get(start=b"OPTIONS http://h HTTP/1.1"), b"OPTIONS http://h HTTP/1.1 h "
    ),
    "absolute form without a host": refused(400, get(start=b"GET http:///a HTTP/1.1")),
    "absolute form with a bad port": refused(400, get(start=b"GET http://h:x/ HTTP/1.1")),
    "absolute form with userinfo": refused(400, get(start=b"GET http://u@h/ HTTP/1.1")),
    "absolute form, bracket open": refused(400, get(start=b"GET http://[::1/ HTTP/1.1")),
    "asterisk with GET": refused(400, get(start=b"GET * HTTP/1.1")),
    "a word": refused(400, get(start=b"GET foo HTTP/1.1")),
    "an authority": refused(400, get(start=b"GET h:80 HTTP/1.1")),
    "a scheme alone": refused(400, get(start=b"GET http: HTTP/1.1")),
    "a query alone": refused(400, get(start=b"GET ?a=b HTTP/1.1")),
    "a fragment": refused(400, get(start=b"GET /a#b HTTP/1.1")),
    "a backslash first": refused(400, get(start=b"GET \\a HTTP/1.1")),
    "CONNECT without a port": refused(400, get(start=b"CONNECT h HTTP/1.1")),
    "CONNECT with a path": refused(400, get(start=b"CONNECT /a HTTP/1.1")),
}

REQUEST_LINES: Table = {
    "nothing but a method": refused(400, b"GET\r\n\r\n"),
    "no version": refused(400, b"GET /\r\n\r\n"),
    "no version but a space": refused(400, b"GET / \r\nHost: h\r\n\r\n"),
    "no method": refused(400, get(start=b"/ HTTP/1.1")),
    "a space first": refused(400, get(start=b" GET / HTTP/1.1")),
    "two spaces behind the method": refused(400, get(start=b"GET  / HTTP/1.1")),
    "two spaces behind the target": refused(400, get(start=b"GET /  HTTP/1.1")),
    "a space at the end": refused(400, get(start=b"GET / HTTP/1.1 ")),
    "a tab for a space": refused(400, get(start=b"GET\t/\tHTTP/1.1")),
    "a space in the target": refused(400, get(start=b"GET /a b HTTP/1.1")),
    "a method that is no token": refused(400, get(start=b"G(T / HTTP/1.1")),
    "a method beyond ASCII": refused(400, get(start=b"G\xc9T / HTTP/1.1")),
    "a control character in the target": refused(400, get(start=b"GET /\x1b[31m HTTP/1.1")),
    "NUL in the target": refused(400, get(start=b"GET /\x00 HTTP/1.1")),
    "DEL in the target": refused(400, get(start=b"GET /\x7f HTTP/1.1")),
    "a bare CR in the line": refused(400, get(start=b"GET /\r HTTP/1.1")),
    "HTTP/0.9": refused(505, get(start=b"GET / HTTP/0.9")),
    "HTTP/2.0": refused(505, get(start=b"GET / HTTP/2.0")),
    "HTTP/3.1": refused(505, get(start=b"GET / HTTP/3.1")),
    "the preface of HTTP/2": refused(505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/1": refused(400, get(start=b"GET / HTTP/1")),
    "HTTP/1.": refused(400, get(start=b"GET / HTTP/1.")),
    "HTTP/1.10": refused(400, get(start=b"GET / HTTP/1.10")),
    "HTTP/11": refused(400, get(start=b"GET / HTTP/11")),
    "HTTP/+1.1": refused(400, get(start=b"GET / HTTP/+1.1")),
    "HTTP/1,1": refused(400, get(start=b"GET / HTTP/1,1")),
    "http/1.1": refused(400, get(start=b"GET / http/1.1")),
    "XHTTP/1.1": refused(400, get(start=b"GET / XHTTP/1.1")),
    "a version in Arabic digits": refused(400, get(start="GET / HTTP/1.\u0661".encode())),
    "LF alone": refused(400, b"GET / HTTP/1.1\nHost: h\n\n"),
    "LF alone behind the first line": refused(400, b"GET / HTTP/1.1\nHost: h\r\n\r\n"),
    "CR CR LF": refused(400, b"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"),
    "LF in front": refused(400, b"\n" + get()),
    "LF CR in front": refused(400, b"\n\r" + get()),
    "five empty lines in front": refused(400, b"\r\n" * 5 + get()),
    "a response": refused(400, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "TLS": refused(400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 60),
    "SMTP": refused(400, b"EHLO mail.example\r\nMAIL FROM:<a@b>\r\n"),
    "too long a target": refused(414, get(start=b"GET /" + b"x" * 70_000 + b" HTTP/1.1")),
    "no end of a line": refused(414, b"G" * 70_000),
}

FIELDS: Table = {
    "no host": refused(400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": refused(400, get(b"Host: h")),
    "two hosts, far apart": refused(400, get(b"X: y", b"hOST: g", b"Y: z")),
    "a list of hosts": refused(400, get(host=b"Host: a,b")),
    "a host with a space": refused(400, get(host=b"Host: a b")),
    "a host with a path": refused(400, get(host=b"Host: a/b")),
    "a host with userinfo": refused(400, get(host=b"Host: u@h")),
    "a host with a query": refused(400, get(host=b"Host: h?")),
    "a host with a backslash": refused(400, get(host=b"Host: h\\g")),
    "a port below zero": refused(400, get(host=b"Host: h:-1")),
    "a port too high": refused(400, get(host=b"Host: h:65536")),
    "a port that is a word": refused(400, get(host=b"Host: h:http")),
    "a port in Arabic digits": refused(400, get(host="Host: h:\u0668\u0660".encode())),
    "a bracket that is open": refused(400, get(host=b"Host: [::1")),
    "markup for a host": refused(400, get(host=b"Host: <script>")),
    "a space before the colon": refused(400, get(b"X : y")),
    "a tab before the colon": refused(400, get(b"X\t: y")),
    "a space before the colon of Host": refused(400, get(host=b"Host : h")),
    "a space before a name": refused(400, get(b" X: y")),
    "a space before the first name": refused(400, b"GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
    "a folded field": refused(400, get(b"X: a", b" b")),
    "a field folded with a tab": refused(400, get(b"X: a", b"\tb")),
    "a folded line of white space": refused(400, get(b"X: a", b" ")),
    "no colon": refused(400, get(b"X")),
    "no name": refused(400, get(b": y")),
    "a name in parentheses": refused(400, get(b"(X): y")),
    "a name beyond ASCII": refused(400, get(b"X\xe9: y")),
    "a quoted name": refused(400, get(b'"X": y')),
    "NUL in a name": refused(400, get(b"X\x00: y")),
    "NUL in a value": refused(400, get(b"X: a\x00b")),
    "DEL in a value": refused(400, get(b"X: a\x7fb")),
    "ESC in a value": refused(400, get(b"X: \x1b[31m")),
    "VT in a value": refused(400, get(b"X: a\x0bb")),
    "a bare CR in a value": refused(400, get(b"X: a\rb")),
    "a bare CR before a name": refused(400, get(b"\rX: a")),
    "a bare LF in a value": refused(400, get(b"X: a\nY: b")),
    "LF LF for the end": refused(400, b"GET / HTTP/1.1\r\nHost: h\r\nX: y\n\n"),
    "CR CR LF for the end": refused(400, b"GET / HTTP/1.1\r\nHost: h\r\n\r\r\n"),
    "too many fields": refused(431, get(*[b"X: y"] * 257)),
    "too long a field": refused(431, get(b"X: " + b"y" * 70_000)),
    "too large a head": refused(431, get(*(b"X: " + b"y" * 997,) * 70)),
    "too long a name": refused(431, get(b"x" * 70_000 + b": y")),
    "an expectation of its own": refused(417, get(b"Expect: x")),
    "an expectation among others": refused(417, get(b"Expect: 100-continue, x")),
}

LENGTHS: Table = {
    "a length": stays(post(b"Content-Length: 3", body=b"abc"), POSTED + b"abc"),
    "a length of nothing": stays(post(b"Content-Length: 0"), POSTED),
    "white space around a length": stays(
        post(b"Content-Length:\t 3 \t", body=b"abc"), POSTED + b"abc"
    ),
    "zeros in front": stays(post(b"Content-Length: 003", body=b"abc"), POSTED + b"abc"),
    "equal lengths": stays(
        post(b"Content-Length: 3", b"content-length: 3", body=b"abc"), POSTED + b"abc"
    ),
    "a list of equal lengths": stays(post(b"Content-Length: 3, 3", body=b"abc"), POSTED + b"abc"),
    "the most that is accepted": stays(
        post(b"Content-Length: 999", body=b"x" * LIMIT), POSTED + b"x" * LIMIT
    ),
    "GET with content": stays(get(b"Content-Length: 3") + b"abc", GOT + b"abc"),
    "content that looks like a request": stays(
        post(b"Content-Length: %d" % len(NEXT), body=NEXT), POSTED + NEXT
    ),
    "no length: what follows is a request": stays(post(), POSTED),
    "HTTP/1.0 with a length": ends(
        get(b"Content-Length: 3", start=b"POST /p HTTP/1.0") + b"abc", b"POST /p HTTP/1.0 h abc"
    ),
    "HTTP/1.0 expects nothing": ends(
        get(b"Content-Length: 3", b"Expect: 100-continue", start=b"POST /p HTTP/1.0") + b"abc",
        b"POST /p HTTP/1.0 h abc",
    ),
    "one too many": refused(413, post(b"Content-Length: 1000", body=b"x" * 1000)),
    "very many": refused(413, post(b"Content-Length: 999999999999999999", body=b"abc")),
    "a sign": refused(400, post(b"Content-Length: +3", body=b"abc")),
    "a minus": refused(400, post(b"Content-Length: -3", body=b"abc")),
    "a minus and nothing": refused(400, post(b"Content-Length: -0")),
    "an underscore": refused(400, post(b"Content-Length: 1_0", body=b"x" * 10)),
    "hexadecimal": refused(400, post(b"Content-Length: 0x3", body=b"abc")),
    "an exponent": refused(400, post(b"Content-Length: 3e0", body=b"abc")),
    "a fraction": refused(400, post(b"Content-Length: 3.0", body=b"abc")),
    "a space inside": refused(400, post(b"Content-Length: 1 0", body=b"x" * 10)),
    "quotes": refused(400, post(b'Content-Length: "3"', body=b"abc")),
    "a length of no digits": refused(400, post(b"Content-Length:", body=b"abc")),
    "a word for a length": refused(400, post(b"Content-Length: abc", body=b"abc")),
    "Arabic digits": refused(400, post("Content-Length: \u0663".encode(), body=b"abc")),
    "a superscript digit": refused(400, post(b"Content-Length: \xb3", body=b"abc")),
    "a no-break space": refused(400, post(b"Content-Length: \xa03", body=b"abc")),
    "NEL behind a length": refused(400, post(b"Content-Length: 3\x85", body=b"abc")),
    "two lengths": refused(400, post(b"Content-Length: 3", b"Content-Length: 4", body=b"abc")),
    "a list of two lengths": refused(400, post(b"Content-Length: 3, 4", body=b"abc")),
    "two ways to write a length": refused(400, post(b"Content-Length: 3, 03", body=b"abc")),
    "a list with a gap": refused(400, post(b"Content-Length: 3,,3", body=b"abc")),
    "a list that ends in a comma": refused(400, post(b"Content-Length: 3,", body=b"abc")),
    "one good, one bad length": refused(
        400, post(b"Content-Length: 3", b"Content-Length: x", body=b"abc")
    ),
    "a length that overflows": refused(400, post(b"Content-Length: 18446744073709551619")),
    "a length of many digits": refused(400, post(b"Content-Length: " + b"9" * 5000)),
    "a space before the colon of a length": refused(400, post(b"Content-Length : 3", body=b"abc")),
}

CODINGS: Table = {
    "chunked": stays(chunked(b"3\r\nabc\r\n0\r\n\r\n"), POSTED + b"abc"),
    "chunked in capitals": stays(
        chunked(b"3\r\nabc\r\n0\r\n\r\n", b"transfer-encoding: CHUNKED"), POSTED + b"abc"
    ),
    "white space around chunked": stays(
        chunked(b"3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding:\t chunked \t"), POSTED + b"abc"
    ),
    "GET with chunks": stays(
        get(b"Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\n\r\n", GOT + b"x"
    ),
    "coding and length": refused(
        400, post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    ),
    "length behind the coding": refused(
        400, post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n")
    ),
    "another coding": refused(501, chunked(b"", b"Transfer-Encoding: gzip, chunked")),
    "identity": refused(400, chunked(b"", b"Transfer-Encoding: identity")),
    "identity and a length": refused(
        400, post(b"Transfer-Encoding: identity", b"Content-Length: 3", body=b"abc")
    ),
    "not the last": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked, gzip")),
    "chunked twice": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked, chunked")),
    "chunked twice in two lines": refused(
        400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    ),
    "chunked, then identity": refused(
        400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n")
    ),
    "a prefix": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: xchunked")),
    "a suffix": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunkedx")),
    "a parameter": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked;q=1")),
    "quoted": refused(400, chunked(b"0\r\n\r\n", b'Transfer-Encoding: "chunked"')),
    "a comma in front": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: , chunked")),
    "a comma behind": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked,")),
    "no coding": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding:")),
    "VT in front": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: \x0bchunked")),
    "FS in front": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: \x1cchunked")),
    "NEL in front": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: \x85chunked")),
    "a no-break space in front": refused(
        400, chunked(b"0\r\n\r\n", b"Transfer-Encoding: \xa0chunked")
    ),
    "a Kelvin sign": refused(
        400, chunked(b"0\r\n\r\n", "Transfer-Encoding: chun\u212aed".encode())
    ),
    "a space before the colon of a coding": refused(
        400, chunked(b"0\r\n\r\n", b"Transfer-Encoding : chunked")
    ),
    "a folded coding": refused(400, chunked(b"0\r\n\r\n", b"Transfer-Encoding:\r\n chunked")),
    "a coding behind a bare CR": refused(
        400, chunked(b"0\r\n\r\n", b"X: y\rTransfer-Encoding: chunked")
    ),
    "a coding behind a bare LF": refused(
        400, chunked(b"0\r\n\r\n", b"X: y\nTransfer-Encoding: chunked")
    ),
    "a coding in HTTP/1.0": refused(
        400, get(b"Transfer-Encoding: chunked", start=b"POST /p HTTP/1.0") + b"0\r\n\r\n"
    ),
}

CHUNKS: Table = {
    "no chunks": stays(chunked(b"0\r\n\r\n"), POSTED),
    "many zeros": stays(chunked(b"0000\r\n\r\n"), POSTED),
    "several chunks": stays(chunked(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), POSTED + b"abc"),
    "sizes in both cases": stays(
        chunked(b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), POSTED + b"0123456789" * 2
    ),
    "zeros before a size": stays(chunked(b"0003\r\nabc\r\n0\r\n\r\n"), POSTED + b"abc"),
    "an extension": stays(chunked(b"3;x\r\nabc\r\n0;y=z\r\n\r\n"), POSTED + b"abc"),
    "a quoted extension": stays(chunked(b'3;x="a;b\\"c"\r\nabc\r\n0\r\n\r\n'), POSTED + b"abc"),
    "a trailer": stays(chunked(b"3\r\nabc\r\n0\r\nT: v\r\n\r\n"), POSTED + b"abc"),
    "content that looks like an end": stays(
        chunked(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), POSTED + b"0\r\n\r\n"
    ),
    "tiny chunks": stays(chunked(b"1\r\nx\r\n" * 500 + b"0\r\n\r\n"), POSTED + b"x" * 500),
    "the most in chunks": stays(
        chunked(b"3e7\r\n" + b"x" * LIMIT + b"\r\n0\r\n\r\n"), POSTED + b"x" * LIMIT
    ),
    "too much in one chunk": refused(413, chunked(b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n")),
    "too much in many chunks": refused(
        413, chunked((b"64\r\n" + b"x" * 100 + b"\r\n") * 10 + b"0\r\n\r\n")
    ),
    "a size that overflows": refused(400, chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n")),
    "a size that is all of 64 bits": refused(413, chunked(b"fffffffffffffff\r\nabc\r\n")),
    "a size with 0x": refused(400, chunked(b"0x3\r\nabc\r\n0\r\n\r\n")),
    "a size with an underscore": refused(400, chunked(b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n")),
    "a size with a sign": refused(400, chunked(b"+3\r\nabc\r\n0\r\n\r\n")),
    "a size below zero": refused(400, chunked(b"-3\r\nabc\r\n0\r\n\r\n")),
    "no size": refused(400, chunked(b"\r\nabc\r\n0\r\n\r\n")),
    "no size but an extension": refused(400, chunked(b";x\r\nabc\r\n0\r\n\r\n")),
    "a size that is a word": refused(400, chunked(b"xyz\r\nabc\r\n0\r\n\r\n")),
    "a space before a size": refused(400, chunked(b" 3\r\nabc\r\n0\r\n\r\n")),
    "a no-break space before a size": refused(400, chunked(b"\xa03\r\nabc\r\n0\r\n\r\n")),
    "a size in Arabic digits": refused(400, chunked("\u0663\r\nabc\r\n0\r\n\r\n".encode())),
    "LF behind a size": refused(400, chunked(b"3\nabc\r\n0\r\n\r\n")),
    "CR behind a size": refused(400, chunked(b"3\rabc\r\n0\r\n\r\n")),
    "LF in an extension": refused(400, chunked(b"3;x\ny\r\nabc\r\n0\r\n\r\n")),
    "CR in an extension": refused(400, chunked(b"3;x\ry\r\nabc\r\n0\r\n\r\n")),
    "NUL in an extension": refused(400, chunked(b"3;x\x00\r\nabc\r\n0\r\n\r\n")),
    "an endless extension": refused(400, chunked(b"3;" + b"x" * 70_000)),
    "a chunk too long": refused(400, chunked(b"3\r\nabcd\r\n0\r\n\r\n")),
    "a chunk too short": refused(400, chunked(b"3\r\nab\r\n0\r\n\r\n")),
    "two other bytes behind a chunk": refused(400, chunked(b"3\r\nabcXY0\r\n\r\n")),
    "LF behind a chunk": refused(400, chunked(b"3\r\nabc\n0\r\n\r\n")),
    "LF CR behind a chunk": refused(400, chunked(b"3\r\nabc\n\r0\r\n\r\n")),
    "LF at the end": refused(400, chunked(b"0\r\n\n")),
    "LF and LF at the end": refused(400, chunked(b"0\n\n")),
    "a trailer that frames": refused(400, chunked(b"0\r\nContent-Length: 5\r\n\r\n")),
    "a trailer that is a coding": refused(400, chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "a trailer that routes": refused(400, chunked(b"0\r\nHost: g\r\n\r\n")),
    "a trailer without a colon": refused(400, chunked(b"0\r\nGET /x HTTP/1.1\r\n\r\n")),
    "a folded trailer": refused(400, chunked(b"0\r\nT: v\r\n w\r\n\r\n")),
    "a trailer with NUL": refused(400, chunked(b"0\r\nT: \x00\r\n\r\n")),
    "a trailer with a bare CR": refused(400, chunked(b"0\r\nT: a\rb\r\n\r\n")),
    "endless trailers": refused(431, chunked(b"0\r\n" + b"T: v\r\n" * 10_000)),
    "too long a trailer": refused(431, chunked(b"0\r\nT: " + b"v" * 70_000)),
}

ROWS: Table = {
    f"{kind}: {name}": row
    for kind, table in (
        ("good", GOOD),
        ("target", TARGETS),
        ("line", REQUEST_LINES),
        ("field", FIELDS),
        ("length", LENGTHS),
        ("coding", CODINGS),
        ("chunk", CHUNKS),
    )
    for name, row in table.items()
}

BYTEWISE = 4096
"""Longer ones are sent in pieces of a size that has no relation to anything."""
PIECE = 509

Answer = tuple[int, str | None, bytes]


async def answers(port: int, data: bytes, piece: int | None = None) -> bytes:
    """Everything that the server sends for ``data`` when nothing follows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(TIMEOUT):
            if piece is None:
                writer.write(data)
            else:
                for start in range(0, len(data), piece):
                    writer.write(data[start : start + piece])
                    await asyncio.sleep(0)  # the server's turn
            writer.write_eof()
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def split(stream: bytes, is_head: list[bool]) -> list[Answer]:
    """The final responses in ``stream``, which must hold nothing else."""
    found: list[Answer] = []
    while stream:
        head, end, stream = stream.partition(b"\r\n\r\n")
        assert end, head
        start, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]+", start)
        assert match, start
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(fields) == len(lines), lines
        length = int(fields["content-length"])
        status = int(match[1])
        assert status == 200 or "date" in fields
        body, stream = (b"", stream) if is_head[len(found)] else (stream[:length], stream[length:])
        found.append((status, fields.get("connection"), body))
    return found


def expected(row: Row) -> list[Answer]:
    """The answers to a row and to what follows it."""
    own = (row.status, row.option, b"" if row.seen is None else row.seen)
    return [own, NEXT_ANSWER] if row.goes_on else [own]


@pytest.mark.parametrize("way", ["whole", "bytewise", "pipelined"])
@pytest.mark.parametrize("name", ROWS)
async def test_verdict(name: str, way: str, caplog: pytest.LogCaptureFixture) -> None:
    row = ROWS[name]
    caplog.set_level("INFO")
    data, wanted = row.data + NEXT, expected(row)
    if way == "bytewise" and row.seen is not None and not row.goes_on:
        data = row.data  # the server closes with the last byte, as it was asked to
    if way == "pipelined":
        data, wanted = FIRST + data, [FIRST_ANSWER, *wanted]
    piece = None if way != "bytewise" else 1 if len(data) <= BYTEWISE else PIECE
    async with serve(echo, max_body_size=LIMIT) as port:
        stream = await answers(port, data, piece)
    heads = [row.data.lstrip().startswith(b"HEAD"), False]
    found = split(stream, [False, *heads] if way == "pipelined" else [*heads, False])
    if row.seen is None:
        # What a refusal says is not the point; that there is something to read is.
        assert len(found[-1][2]) > 0
        found[-1] = (*found[-1][:2], b"")
    elif heads[0]:
        wanted[-2] = (*wanted[-2][:2], b"")
    assert found == wanted
    lines = [record for record in caplog.records if record.name.startswith("zonda.")]
    assert len(lines) == (row.seen is None)
    for record in lines:
        assert record.levelname == "INFO"
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 300


def test_there_are_enough_of_them() -> None:
    assert len(ROWS) >= 200


# What a client that goes away in the middle has sent: answers and log lines.
TRUNCATED = {
    "nothing": (b"", [], 0),
    "an empty line": (b"\r\n", [], 0),
    "a word": (b"GET", [400], 1),
    "a line": (b"GET / HTTP/1.1\r\n", [400], 1),
    "a head without its end": (get()[:-2], [400], 1),
    "a request and a half": (get() + get()[:-1], [200, 400], 1),
    "some of a body": (post(b"Content-Length: 3", body=b"ab"), [400], 1),
    "none of a body": (post(b"Content-Length: 3"), [400], 1),
    "half a size": (chunked(b"3"), [400], 1),
    "half a chunk": (chunked(b"3\r\nab"), [400], 1),
    "a chunk without its end": (chunked(b"3\r\nabc"), [400], 1),
    "no last chunk": (chunked(b"3\r\nabc\r\n"), [400], 1),
    "no end of the trailers": (chunked(b"0\r\n"), [400], 1),
    "half a trailer": (chunked(b"0\r\nT: v\r\n"), [400], 1),
}


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("name", TRUNCATED)
async def test_the_client_stops_in_the_middle(
    name: str, bytewise: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data, statuses, lines = TRUNCATED[name]
    caplog.set_level("INFO")
    async with serve(echo, max_body_size=LIMIT) as port:
        stream = await answers(port, data, 1 if bytewise else None)
    found = split(stream, [False] * 3)
    assert [status for status, _, _ in found] == statuses
    assert len([one for one in caplog.records if one.name.startswith("zonda.")]) == lines


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue", b" ,100-CONTINUE\t"])
@pytest.mark.parametrize("waits", [False, True])
async def test_expect(value: bytes, waits: bool) -> None:
    head, body = post(b"Expect: " + value, b"Content-Length: 3"), b"abc" + NEXT
    async with serve(echo, max_body_size=LIMIT) as port:
        if waits:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head)
            async with asyncio.timeout(TIMEOUT):
                assert await reader.readexactly(len(INTERIM)) == INTERIM
                writer.write(body)
                writer.write_eof()
                stream = await reader.read()
            writer.close()
            await writer.wait_closed()
        else:
            stream = await answers(port, head + body)  # content that is there is not asked for
    assert split(stream, [False] * 2) == [(200, None, POSTED + b"abc"), NEXT_ANSWER]
