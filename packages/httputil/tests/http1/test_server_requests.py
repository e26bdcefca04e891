"""What `ServerConnection` makes of the bytes of a client: a row is bytes and what they mean.

Each row is run whole, a byte at a time, in threes, and at splits that hypothesis chooses.
"""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    Data,
    EndOfMessage,
    Limits,
    RemoteProtocolError,
    Request,
    ServerConnection,
)

Feed = Callable[[ServerConnection, Iterable[bytes]], list[tuple[object, ...]]]

HOST = b"Host: example.com\r\n"
END = ("end", None)
SMALL_LIMITS = Limits(
    start_line=100, head=300, field_count=5, chunk_extension=20, trailer=60, body=50
)


def request(
    method: str = "GET",
    target: str = "/",
    version: str = "HTTP/1.1",
    host: str | None = "example.com",
    length: int | None = 0,
    chunked: bool = False,
    keep_alive: bool = True,
    expect: bool = False,
    upgrade: str | None = None,
) -> tuple[object, ...]:
    return (
        "request", method, target, version, host, length, chunked, keep_alive, expect, upgrade,
    )  # fmt: skip


def error(status: int = 400, name: str = "RemoteProtocolError") -> tuple[object, ...]:
    return ("error", status, name)


def head(line: str = "GET / HTTP/1.1", *fields: str, host: bytes = HOST) -> bytes:
    return (
        line.encode("latin-1")
        + b"\r\n"
        + host
        + b"".join(field.encode("latin-1") + b"\r\n" for field in fields)
        + b"\r\n"
    )


BEYOND_ASCII = "".join(map(chr, range(0x80, 0x100)))
POST = "POST / HTTP/1.1"
CHUNKED = head(POST, "Transfer-Encoding: chunked")
POST_CHUNKED = request("POST", length=None, chunked=True)

ROWS: dict[str, tuple[bytes, list[tuple[object, ...]]]] = {
    # Request line (RFC 9112 §3).
    "get": (head(), [request(), END]),
    "target": (head("GET /a/b?c=d&e=%20 HTTP/1.1"), [request(target="/a/b?c=d&e=%20"), END]),
    "empty line before": (b"\r\n" + head(), [request(), END]),
    "four empty lines before": (b"\r\n" * 4 + head(), [request(), END]),
    "five empty lines before": (b"\r\n" * 5 + head(), [error()]),
    "bare LF before": (b"\n" + head(), [error()]),
    "CR CR LF behind the request line": (
        b"GET / HTTP/1.1\r\r\n" + HOST + b"\r\n",
        [error()],
    ),
    "LF behind the request line": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", [error()]),
    "two spaces": (head("GET  / HTTP/1.1"), [error()]),
    "tab for a space": (head("GET\t/ HTTP/1.1"), [error()]),
    "trailing space": (head("GET / HTTP/1.1 "), [error()]),
    "leading space": (head(" GET / HTTP/1.1"), [error()]),
    "no version": (head("GET /"), [error()]),
    "lower-case version": (head("GET / http/1.1"), [error()]),
    "version without minor": (head("GET / HTTP/1"), [error()]),
    "two digits of minor version": (head("GET / HTTP/1.10"), [error()]),
    "unicode digit in the version": (head("GET / HTTP/1.\xb9"), [error()]),
    "HTTP/1.2 is 1.1": (head("GET / HTTP/1.2"), [request(), END]),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [error(505)]),
    "HTTP/0.9": (b"GET / HTTP/0.9\r\n\r\n", [error(505)]),
    "HTTP/3": (head("GET / HTTP/3.0"), [error(505)]),
    "method is a token": (head("M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1"),
                          [request("M-SEARCH!#$%&'*+.^_`|~"), END]),
    "lower-case method stays": (head("get / HTTP/1.1"), [request("get"), END]),
    "method that is no token": (head("G@T / HTTP/1.1"), [error()]),
    # Not what RFC 9112 §3.2 says, but what curl and older browsers send.
    "raw UTF-8 in the target": (
        head("GET /caf\xc3\xa9?q=\xe2\x82\xac HTTP/1.1"),
        [request(target="/caf\xc3\xa9?q=\xe2\x82\xac"), END],
    ),
    "every octet beyond ASCII in the target": (
        head(f"GET /{BEYOND_ASCII} HTTP/1.1"),
        [request(target=f"/{BEYOND_ASCII}"), END],
    ),
    "raw UTF-8 in an absolute form": (
        head("GET http://h/caf\xc3\xa9 HTTP/1.1"),
        [request(target="http://h/caf\xc3\xa9", host="h"), END],
    ),
    "raw UTF-8 in the authority of an absolute form": (
        head("GET http://caf\xc3\xa9/ HTTP/1.1"),
        [error()],
    ),
    "raw UTF-8 in an authority form": (head("CONNECT caf\xc3\xa9:80 HTTP/1.1"), [error()]),
    "raw UTF-8 in front of the target": (head("GET caf\xc3\xa9 HTTP/1.1"), [error()]),
    "no-break space between method and target": (head("GET\xa0/ HTTP/1.1"), [error()]),
    "no-break space in front of the version": (head("GET /\xa0HTTP/1.1"), [error()]),
    "DEL in the target": (head("GET /\x7f HTTP/1.1"), [error()]),
    "space in the target": (head("GET /a b HTTP/1.1"), [error()]),
    "control character in the target": (head("GET /\x1b[31m HTTP/1.1"), [error()]),
    "NUL in the target": (head("GET /\0 HTTP/1.1"), [error()]),
    "fragment in the target": (head("GET /a#b HTTP/1.1"), [error()]),
    "TLS client hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [error()]),
    # Forms of the target (RFC 9112 §3.2).
    "absolute form": (
        head("GET http://other.example:8080/x?y HTTP/1.1"),
        [request(target="http://other.example:8080/x?y", host="other.example:8080"), END],
    ),
    "absolute form without path": (
        head("GET http://other.example HTTP/1.1"),
        [request(target="http://other.example", host="other.example"), END],
    ),
    "absolute form with an empty authority": (head("GET http:///x HTTP/1.1"), [error()]),
    "absolute form with userinfo": (head("GET http://u:p@h/ HTTP/1.1"), [error()]),
    "absolute form with a bad port": (head("GET http://h:99999/ HTTP/1.1"), [error()]),
    "absolute form, Host missing": (head("GET http://h/ HTTP/1.1", host=b""), [error()]),
    "asterisk": (head("OPTIONS * HTTP/1.1"), [request("OPTIONS", "*"), END]),
    "asterisk with GET": (head("GET * HTTP/1.1"), [error()]),
    "authority": (
        head("CONNECT other.example:443 HTTP/1.1"),
        [request("CONNECT", "other.example:443", host="other.example:443"), END],
    ),
    "authority without port": (head("CONNECT other.example HTTP/1.1"), [error()]),
    "authority without host": (head("CONNECT :443 HTTP/1.1"), [error()]),
    "path with CONNECT": (head("CONNECT / HTTP/1.1"), [error()]),
    "authority with GET": (head("GET h:80 HTTP/1.1"), [error()]),
    "bare word": (head("GET foo HTTP/1.1"), [error()]),
    # Host (RFC 9110 §7.2).
    "no Host": (head(host=b""), [error()]),
    "no Host in HTTP/1.0": (
        head("GET / HTTP/1.0", host=b""),
        [request(version="HTTP/1.0", host=None, keep_alive=False), END],
    ),
    "two Hosts": (head("GET / HTTP/1.1", "host: example.com"), [error()]),
    "two Hosts joined": (head(host=b"Host: a, b\r\n"), [error()]),
    "empty Host": (head(host=b"Host:\r\n"), [request(host=""), END]),
    "Host with white space": (head(host=b"Host: \t h:80 \t\r\n"), [request(host="h:80"), END]),
    "Host in capitals": (head(host=b"HOST: h\r\n"), [request(host="h"), END]),
    "Host last": (head("GET / HTTP/1.1", "A: b", "hOsT: h", host=b""), [request(host="h"), END]),
    "IPv6": (head(host=b"Host: [::1]:80\r\n"), [request(host="[::1]:80"), END]),
    "IPvFuture": (head(host=b"Host: [v1.x:y]\r\n"), [request(host="[v1.x:y]"), END]),
    "empty port": (head(host=b"Host: h:\r\n"), [request(host="h:"), END]),
    "negative port": (head(host=b"Host: h:-1\r\n"), [error()]),
    "port out of range": (head(host=b"Host: h:65536\r\n"), [error()]),
    "port of letters": (head(host=b"Host: h:http\r\n"), [error()]),
    "path in Host": (head(host=b"Host: h/x\r\n"), [error()]),
    "userinfo in Host": (head(host=b"Host: u@h\r\n"), [error()]),
    "space in Host": (head(host=b"Host: h x\r\n"), [error()]),
    "obs-text in Host": (head(host=b"Host: caf\xe9\r\n"), [error()]),
    "unclosed bracket": (head(host=b"Host: [::1\r\n"), [error()]),
    # Field lines (RFC 9112 §5).
    "obs-text in a value": (head("GET / HTTP/1.1", "A: caf\xe9"), [request(), END]),
    "empty value": (head("GET / HTTP/1.1", "A:"), [request(), END]),
    "space before the colon": (head("GET / HTTP/1.1", "A : b"), [error()]),
    "space in a name": (head("GET / HTTP/1.1", "A b: c"), [error()]),
    "empty name": (head("GET / HTTP/1.1", ": b"), [error()]),
    "no colon": (head("GET / HTTP/1.1", "A"), [error()]),
    "obs-text in a name": (head("GET / HTTP/1.1", "\xc5: b"), [error()]),
    "folded line": (head("GET / HTTP/1.1", "A: b", " c"), [error()]),
    "folded line behind the request line": (head(host=b" Host: h\r\n"), [error()]),
    "NUL in a value": (head("GET / HTTP/1.1", "A: b\0"), [error()]),
    "DEL in a value": (head("GET / HTTP/1.1", "A: b\x7f"), [error()]),
    "escape in a value": (head("GET / HTTP/1.1", "A: \x1b"), [error()]),
    "bare CR in a value": (head("GET / HTTP/1.1", "A: b\rc"), [error()]),
    "bare CR before the line end": (head("GET / HTTP/1.1", "A: b\r"), [error()]),
    "bare LF in a value": (head("GET / HTTP/1.1", "A: b\nContent-Length: 3"), [error()]),
    "LF LF for an end": (b"GET / HTTP/1.1\nHost: h\n\n", [error()]),
    "NEL is no line end": (head("GET / HTTP/1.1", "A: b\x85Content-Length: 3"), [request(), END]),
    # Persistence (RFC 9112 §9.3).
    "close": (head("GET / HTTP/1.1", "Connection: close"), [request(keep_alive=False), END]),
    "close in a list": (
        head("GET / HTTP/1.1", "Connection: x, Close"), [request(keep_alive=False), END],
    ),
    "close in a second field": (
        head("GET / HTTP/1.1", "Connection: keep-alive", "connection: close"),
        [request(keep_alive=False), END],
    ),
    "keep-alive": (head("GET / HTTP/1.1", "Connection: keep-alive"), [request(), END]),
    "HTTP/1.0": (
        head("GET / HTTP/1.0"), [request(version="HTTP/1.0", keep_alive=False), END],
    ),
    "HTTP/1.0 keep-alive": (
        head("GET / HTTP/1.0", "Connection: Keep-Alive"), [request(version="HTTP/1.0"), END],
    ),
    "HTTP/1.0 keep-alive and close": (
        head("GET / HTTP/1.0", "Connection: keep-alive, close"),
        [request(version="HTTP/1.0", keep_alive=False), END],
    ),
    # Upgrade (RFC 9110 §7.8).
    "upgrade": (
        head("GET / HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket"),
        [request(upgrade="websocket"), END],
    ),
    "upgrade without the option": (head("GET / HTTP/1.1", "Upgrade: websocket"), [request(), END]),
    "upgrade in HTTP/1.0": (
        head("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: websocket"),
        [request(version="HTTP/1.0", keep_alive=False), END],
    ),
    # Expectations (RFC 9110 §10.1.1).
    "100-continue": (
        head(POST, "Content-Length: 2", "Expect: 100-Continue") + b"ab",
        [request("POST", length=2, expect=True), ("data", b"ab"), END],
    ),
    "100-continue in HTTP/1.0": (
        head("POST / HTTP/1.0", "Content-Length: 2", "Expect: 100-continue") + b"ab",
        [request("POST", version="HTTP/1.0", length=2, keep_alive=False), ("data", b"ab"), END],
    ),
    "unknown expectation": (head(POST, "Expect: tea"), [error(417)]),
    "unknown expectation in a list": (head(POST, "Expect: 100-continue, tea"), [error(417)]),
    # Content-Length (RFC 9112 §6.2).
    "content": (
        head(POST, "Content-Length: 5") + b"abcde",
        [request("POST", length=5), ("data", b"abcde"), END],
    ),
    "no content": (head(POST, "Content-Length: 0"), [request("POST"), END]),
    "leading zeros": (
        head(POST, "Content-Length: 002") + b"ab",
        [request("POST", length=2), ("data", b"ab"), END],
    ),
    "equal duplicates": (
        head(POST, "Content-Length: 2", "Content-Length: 2") + b"ab",
        [request("POST", length=2), ("data", b"ab"), END],
    ),
    "equal list": (
        head(POST, "Content-Length: 2, 2") + b"ab",
        [request("POST", length=2), ("data", b"ab"), END],
    ),
    "unequal duplicates": (head(POST, "Content-Length: 2", "Content-Length: 3"), [error()]),
    "unequal list": (head(POST, "Content-Length: 2, 3"), [error()]),
    "differently written duplicates": (head(POST, "Content-Length: 2", "content-length: 02"),
                                       [error()]),
    "empty length": (head(POST, "Content-Length:"), [error()]),
    "list with an empty member": (head(POST, "Content-Length: 2,"), [error()]),
    "plus": (head(POST, "Content-Length: +5"), [error()]),
    "minus": (head(POST, "Content-Length: -5"), [error()]),
    "underscore": (head(POST, "Content-Length: 1_0"), [error()]),
    "hexadecimal": (head(POST, "Content-Length: 0x10"), [error()]),
    "space inside": (head(POST, "Content-Length: 1 0"), [error()]),
    "superscript digit": (head(POST, "Content-Length: \xb2"), [error()]),
    "no-break space": (head(POST, "Content-Length: \xa05"), [error()]),
    "vertical tab": (head(POST, "Content-Length: \x0b5"), [error()]),
    "too many digits": (head(POST, "Content-Length: " + "1" * 19), [error()]),
    "far too many digits": (head(POST, "Content-Length: " + "1" * 5000), [error()]),
    "more than the limit": (
        head(POST, "Content-Length: 104857601"), [request("POST", length=104857601), error(413)],
    ),
    "end of the stream inside": (
        head(POST, "Content-Length: 5") + b"abc",
        [request("POST", length=5), ("data", b"abc"), error(400, "IncompleteMessage")],
    ),
    # Transfer-Encoding (RFC 9112 §6.1).
    "chunked": (
        CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        [POST_CHUNKED, ("data", b"abc0123456789"), END],
    ),
    "chunked in capitals": (
        head(POST, "TRANSFER-ENCODING: \t CHUNKED \t") + b"1\r\na\r\n0\r\n\r\n",
        [POST_CHUNKED, ("data", b"a"), END],
    ),
    "both lengths": (head(POST, "Content-Length: 3", "Transfer-Encoding: chunked"), [error()]),
    "chunked in HTTP/1.0": (head("POST / HTTP/1.0", "Transfer-Encoding: chunked"), [error()]),
    "xchunked": (head(POST, "Transfer-Encoding: xchunked"), [error()]),
    "identity": (head(POST, "Transfer-Encoding: identity"), [error()]),
    "gzip, chunked": (head(POST, "Transfer-Encoding: gzip, chunked"), [error(501)]),
    "gzip and chunked in two fields": (
        head(POST, "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), [error(501)],
    ),
    "chunked, gzip": (head(POST, "Transfer-Encoding: chunked, gzip"), [error()]),
    "chunked twice": (head(POST, "Transfer-Encoding: chunked, chunked"), [error()]),
    "chunked in two fields": (
        head(POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), [error()],
    ),
    "chunked with parameter": (head(POST, "Transfer-Encoding: chunked;q=1"), [error()]),
    "chunked in quotes": (head(POST, 'Transfer-Encoding: "chunked"'), [error()]),
    "empty coding": (head(POST, "Transfer-Encoding:"), [error()]),
    "trailing comma": (head(POST, "Transfer-Encoding: chunked,"), [error()]),
    "coding behind a no-break space": (head(POST, "Transfer-Encoding: \xa0chunked"), [error()]),
    "coding behind NEL": (head(POST, "Transfer-Encoding: \x85chunked"), [error()]),
    "coding behind a vertical tab": (head(POST, "Transfer-Encoding: \x0bchunked"), [error()]),
    "coding behind a file separator": (head(POST, "Transfer-Encoding: \x1cchunked"), [error()]),
    # Chunks (RFC 9112 §7.1).
    "extensions": (
        CHUNKED + b'1;a\r\nx\r\n1 ; b="c"\r\ny\r\n0;d=e\r\n\r\n',
        [POST_CHUNKED, ("data", b"xy"), END],
    ),
    "leading zeros of a chunk": (
        CHUNKED + b"0003\r\nabc\r\n000\r\n\r\n", [POST_CHUNKED, ("data", b"abc"), END],
    ),
    "trailers": (
        CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n",
        [POST_CHUNKED, ("data", b"x"), ("end", [("A", "b"), ("C", "d")])],
    ),
    "signed chunk size": (CHUNKED + b"+3\r\nabc\r\n", [POST_CHUNKED, error()]),
    "negative chunk size": (CHUNKED + b"-5\r\nabc\r\n", [POST_CHUNKED, error()]),
    "underscore in a chunk size": (CHUNKED + b"1_0\r\n", [POST_CHUNKED, error()]),
    "0x chunk size": (CHUNKED + b"0x5\r\nabcde\r\n", [POST_CHUNKED, error()]),
    "empty chunk size": (CHUNKED + b"\r\nabc\r\n", [POST_CHUNKED, error()]),
    "no chunk size before an extension": (CHUNKED + b";a\r\nabc\r\n", [POST_CHUNKED, error()]),
    "space before a chunk size": (CHUNKED + b" 3\r\nabc\r\n", [POST_CHUNKED, error()]),
    "space behind a chunk size": (CHUNKED + b"3 \r\nabc\r\n", [POST_CHUNKED, error()]),
    "Unicode digit as chunk size": (CHUNKED + "٣\r\nabc\r\n".encode(), [POST_CHUNKED, error()]),
    "chunk size overflow": (CHUNKED + b"1" + b"0" * 16 + b"\r\n", [POST_CHUNKED, error()]),
    "huge chunk": (CHUNKED + b"ffffffffffffffff\r\n", [POST_CHUNKED, error(413)]),
    "chunk size ended by LF": (CHUNKED + b"3\nabc\r\n", [POST_CHUNKED, error()]),
    "LF in an extension": (CHUNKED + b"3;a\nb\r\nabc\r\n", [POST_CHUNKED, error()]),
    "CR in an extension": (CHUNKED + b"3;a\rb\r\nabc\r\n", [POST_CHUNKED, error()]),
    "two other bytes behind chunk data": (
        CHUNKED + b"3\r\nabcXX0\r\n\r\n", [POST_CHUNKED, ("data", b"abc"), error()],
    ),
    "LF behind chunk data": (
        CHUNKED + b"3\r\nabc\n0\r\n\r\n", [POST_CHUNKED, ("data", b"abc"), error()],
    ),
    "fault behind good chunks": (
        CHUNKED + b"1\r\na\r\n1\r\nb\r\nxyz\r\n", [POST_CHUNKED, ("data", b"ab"), error()],
    ),
    "end of the stream inside chunks": (
        CHUNKED + b"3\r\nab",
        [POST_CHUNKED, ("data", b"ab"), error(400, "IncompleteMessage")],
    ),
    "smuggling trailer": (
        CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", [POST_CHUNKED, error()],
    ),
    "Host in a trailer": (CHUNKED + b"0\r\nhost: x\r\n\r\n", [POST_CHUNKED, error()]),
    "malformed trailer": (CHUNKED + b"0\r\nA b: c\r\n\r\n", [POST_CHUNKED, error()]),
    "folded trailer": (CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n", [POST_CHUNKED, error()]),
    "LF in a trailer": (CHUNKED + b"0\r\nA: b\nC: d\r\n\r\n", [POST_CHUNKED, error()]),
    # Ends of the stream.
    "nothing": (b"", [("closed",)]),
    "an empty line and nothing": (b"\r\n", [("closed",)]),
    "half a head": (b"GET / HT", [error(400, "IncompleteMessage")]),
}  # fmt: skip

LIMITED: dict[str, tuple[bytes, list[tuple[object, ...]]]] = {
    "start line at the limit": (
        head("GET /" + "a" * 86 + " HTTP/1.1"), [request(target="/" + "a" * 86), END],
    ),
    "start line over the limit": (head("GET /" + "a" * 87 + " HTTP/1.1"), [error(414)]),
    "start line without end": (b"a" * 200, [error(414)]),
    "control character within the limit": (b"a" * 100 + b"\0" + b"a" * 100, [error(400)]),
    "control character beyond the limit": (b"a" * 101 + b"\0" + b"a" * 100, [error(414)]),
    "head at the limit": (
        head("GET / HTTP/1.1", "A: " + "a" * (300 - 42)), [request(), END],
    ),
    "head over the limit": (head("GET / HTTP/1.1", "A: " + "a" * (300 - 41)), [error(431)]),
    "head without end": (b"GET / HTTP/1.1\r\nA: " + b"a" * 400, [error(431)]),
    "as many fields as allowed": (head("GET / HTTP/1.1", *["A: b"] * 4), [request(), END]),
    "too many fields": (head("GET / HTTP/1.1", *["A: b"] * 5), [error(431)]),
    "bad field before too many": (head("GET / HTTP/1.1", "A b: c", *["A: b"] * 5), [error(400)]),
    "too many fields before a bad one": (
        head("GET / HTTP/1.1", *["A: b"] * 5, "A b: c"), [error(431)],
    ),
    "length at the limit": (
        head(POST, "Content-Length: 50") + b"a" * 50,
        [request("POST", length=50), ("data", b"a" * 50), END],
    ),
    "length over the limit": (
        head(POST, "Content-Length: 51") + b"a" * 51, [request("POST", length=51), error(413)],
    ),
    "chunks at the limit": (
        CHUNKED + b"19\r\n" + b"a" * 25 + b"\r\n19\r\n" + b"b" * 25 + b"\r\n0\r\n\r\n",
        [POST_CHUNKED, ("data", b"a" * 25 + b"b" * 25), END],
    ),
    "chunks over the limit": (
        CHUNKED + b"19\r\n" + b"a" * 25 + b"\r\n1A\r\n" + b"b" * 26,
        [POST_CHUNKED, ("data", b"a" * 25), error(413)],
    ),
    "an extension within the limit": (
        CHUNKED + b"1;" + b"x" * 19 + b"\r\na\r\n0\r\n\r\n", [POST_CHUNKED, ("data", b"a"), END],
    ),
    "an extension over the limit": (
        CHUNKED + b"1;" + b"x" * 21 + b"\r\na\r\n0\r\n\r\n", [POST_CHUNKED, error()],
    ),
    "an extension without end": (CHUNKED + b"1;" + b"x" * 300, [POST_CHUNKED, error()]),
    "extensions that add up": (
        CHUNKED + b"1;xxxxxxxxx\r\na\r\n" * 4, [POST_CHUNKED, ("data", b"aa"), error()],
    ),
    "extensions that the data outweigh": (
        CHUNKED + b"9;xxxxxxx\r\naaaaaaaaa\r\n" * 5 + b"0\r\n\r\n",
        [POST_CHUNKED, ("data", b"a" * 45), END],
    ),
    "trailers over the limit": (
        CHUNKED + b"0\r\nA: " + b"b" * 60 + b"\r\n\r\n", [POST_CHUNKED, error(431)],
    ),
    "trailers without end": (CHUNKED + b"0\r\nA: " + b"b" * 600, [POST_CHUNKED, error(431)]),
    "too many trailers": (CHUNKED + b"0\r\n" + b"A:\r\n" * 6 + b"\r\n", [POST_CHUNKED, error(431)]),
}  # fmt: skip

ALL = [(data, seen, Limits()) for data, seen in ROWS.values()] + [
    (data, seen, SMALL_LIMITS) for data, seen in LIMITED.values()
]
NAMES = [*ROWS, *(f"limits: {name}" for name in LIMITED)]


def check(
    feed: Feed, pieces: Iterable[bytes], expected: list[tuple[object, ...]], limits: Limits
) -> None:
    seen = feed(ServerConnection(limits), [*(piece for piece in pieces if piece), b""])
    # The fields themselves are the business of another test.
    assert [entry[:10] if entry[0] == "request" else entry for entry in seen] == expected


@pytest.mark.parametrize(("data", "expected", "limits"), ALL, ids=NAMES)
@pytest.mark.parametrize("size", [0, 1, 3], ids=["whole", "bytewise", "in threes"])
def test_request(
    feed: Feed, data: bytes, expected: list[tuple[object, ...]], limits: Limits, size: int
) -> None:
    step = size or len(data) or 1
    check(feed, [data[i : i + step] for i in range(0, len(data), step)], expected, limits)


@given(st.sampled_from(ALL), st.data())
def test_splits(
    feed: Feed, row: tuple[bytes, list[tuple[object, ...]], Limits], source: st.DataObject
) -> None:
    data, expected, limits = row
    cuts = sorted(source.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    check(feed, pieces, expected, limits)


# Found by the fuzz target: the same bytes, another outcome when they came in pieces.
CONTENT_5 = head(POST, "Content-Length: 5")
FOUND: dict[str, tuple[bytes, list[tuple[object, ...]]]] = {
    "bare LF in trailers behind content": (
        CHUNKED + b"1\r\nx\r\n0\r\nC:d\n\r\n", [POST_CHUNKED, ("data", b"x"), error()],
    ),
    "no extension behind white space": (CHUNKED + b"abc abc", [POST_CHUNKED, error()]),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("size", [0, 1, 3], ids=["whole", "bytewise", "in threes"])
def test_found_by_fuzzing(feed: Feed, name: str, size: int) -> None:
    data, expected = FOUND[name]
    step = size or len(data)
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    check(feed, pieces, expected, Limits())


def test_a_content_that_ends_in_cr_does_not_excuse_a_bare_lf(feed: Feed) -> None:
    connection = ServerConnection()
    connection.receive_data(CONTENT_5 + b"abcd\r\nGET")
    for _ in range(3):
        connection.next_event()
    connection.send_response(200, "OK", HTTPHeaders(), b"")
    connection.start_next_cycle()
    assert feed(connection, [b" "]) == [error()]


def test_a_bare_cr_at_the_end_of_a_field_line_comes_before_what_follows(feed: Feed) -> None:
    data = head("GET / HTTP/1.1", "A: b", "A: b\r", *["A: b"] * 9)
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        assert feed(ServerConnection(SMALL_LIMITS), pieces) == [error(400)]


@pytest.mark.parametrize(
    ("content", "truncated"),
    [
        (b"Content-Length: 3\r\n\r\nab", True),
        (b"Content-Length: 3\r\n\r\nabc", False),
        (b"Transfer-Encoding: chunked\r\n\r\n", True),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", True),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", True),
        (b"Transfer-Encoding: chunked\r\n\r\nx", True),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", False),
    ],
)
def test_a_client_that_ends_inside_its_content_is_known_before_it_is_read(
    content: bytes, truncated: bool
) -> None:
    connection = ServerConnection()
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: h\r\n" + content)
    assert isinstance(connection.next_event(), Request)
    seen = [connection.truncated]  # not yet: it may go on
    connection.receive_data(b"")
    seen.append(connection.truncated)
    assert seen == [False, truncated]
    # Looking has changed nothing.
    if truncated:
        with pytest.raises(RemoteProtocolError):
            while True:
                connection.next_event()
    else:
        event = connection.next_event()
        assert isinstance(event, Data)
        assert event.data == b"abc"
        assert isinstance(connection.next_event(), EndOfMessage)
