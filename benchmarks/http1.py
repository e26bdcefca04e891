"""HTTP/1.1 without I/O: what one request and its response cost, against h11 and httptools.

Run: ``python benchmarks/http1.py [--rounds N] [--check]`` in an environment with zonda-httputil,
h11 and httptools. One cycle is: bytes of a GET in, its events out, a 200 with five fields and a
short body as bytes out, ready for the next. All contenders run in turn within each round, so that a
noisy machine hits them alike; the table shows the best round of each and the ratio to zonda (the
median of the ratios of the rounds). ``--check`` fails unless zonda is at least 8 times as fast as
h11 and no slower than httptools (5 % is what repeated runs differ by).

httptools has a parser only: it is driven as servers drive it, callbacks into a Python object that
keeps method, target and fields. Its responses are joined from bytes with the same checks that the
other two make: no line break in a field, the content as long as announced, ``Connection: close``
honoured. It has no states, no Host rules and no limits. "read" looks up one field of each request,
which makes zonda and the httptools driver build their mappings. A client mostly sends the same
fields again and again, which zonda notices; "new each time" has a field that is never what it was.
"""

import argparse
import itertools
import re
import statistics
import sys
import time
from collections.abc import Callable

import h11
import httptools

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import Request, ServerConnection

SMALL = b"GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
BROWSER = (
    b"GET /articles/2026/11/speed?page=2&sort=date HTTP/1.1\r\n"
    b"Host: www.example.com\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: max-age=0\r\n"
    b'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    b" Chrome/130.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    b"Sec-Fetch-Site: none\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-GB,en;q=0.9\r\n"
    b"Cookie: session=2|1:0|10:1700000000|7:session|44:abcdefghijklmnopqrstuvwxyz; theme=dark\r\n"
    b"\r\n"
)
FIELDS = {
    "Server": "Zonda",
    "Content-Type": "text/html; charset=UTF-8",
    "Date": "Mon, 23 Nov 2026 00:00:00 GMT",
    "Etag": '"da39a3ee5e6b4b0d3255bfef95601890afd80709"',
    "Content-Length": "12",
}
BODY = b"Hello world!"

Cycle = Callable[[bytes], object]


def zonda_cycle(read_field: bool) -> Cycle:
    connection = ServerConnection()
    headers = HTTPHeaders(FIELDS)

    def cycle(data: bytes) -> object:
        connection.receive_data(data)
        request = connection.next_event()
        assert type(request) is Request
        if read_field:
            request.headers.get("Accept-Language")
        connection.next_event()
        buffers = connection.send_response(200, "OK", headers, BODY)
        connection.start_next_cycle()
        return buffers

    return cycle


def h11_cycle(read_field: bool) -> Cycle:
    connection = h11.Connection(h11.SERVER)
    headers = [(name.encode(), value.encode()) for name, value in FIELDS.items()]

    def cycle(data: bytes) -> object:
        connection.receive_data(data)
        request = connection.next_event()
        assert type(request) is h11.Request
        if read_field:
            dict(request.headers).get(b"accept-language")
        connection.next_event()
        buffers = [
            connection.send(h11.Response(status_code=200, headers=headers, reason=b"OK")),
            connection.send(h11.Data(data=BODY)),
            connection.send(h11.EndOfMessage()),
        ]
        connection.start_next_cycle()
        return buffers

    return cycle


class HttptoolsServer:
    """A server's use of httptools, without the server."""

    # As uvicorn and others have it: a response may not be split by what an application puts in.
    name_re = re.compile(b'[\x00-\x1f\x7f()<>@,;:[]={} \t\\"]')
    value_re = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.status_line = b"HTTP/1.1 200 OK\r\n"

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = self.parser
        self.method = parser.get_method().decode("ascii")
        self.version = parser.get_http_version()
        self.keep_alive = parser.should_keep_alive()
        self.upgrade = parser.should_upgrade()
        self.target = self.url.decode("ascii")

    def on_body(self, body: bytes) -> None:
        raise AssertionError("no request here has content")

    def on_message_complete(self) -> None:
        self.complete = True

    def respond(self, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
        content = [self.status_line]
        length = None
        for name, value in headers:
            if self.name_re.search(name) or self.value_re.search(value):
                raise ValueError("invalid field")
            name = name.lower()
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                raise NotImplementedError("not needed here")
            elif name == b"connection" and value.lower() == b"close":
                self.keep_alive = False
            content.extend((name, b": ", value, b"\r\n"))
        if length != len(body):
            raise ValueError("content of another length than announced")
        content.append(b"\r\n")
        content.append(body)
        return b"".join(content)


def httptools_cycle(read_field: bool) -> Cycle:
    server = HttptoolsServer()
    headers = [(name.encode(), value.encode()) for name, value in FIELDS.items()]

    def cycle(data: bytes) -> object:
        server.parser.feed_data(data)
        assert server.complete
        if read_field:
            dict(server.headers).get(b"accept-language")
        return server.respond(headers, BODY)

    return cycle


def measure(cycle: Cycle, data: list[bytes], number: int) -> float:
    """Microseconds of CPU time for one cycle."""
    requests = data * (number // len(data))
    start = time.process_time()
    for request in requests:
        cycle(request)
    return (time.process_time() - start) / len(requests) * 1e6


def varied(data: bytes) -> list[bytes]:
    """Requests whose fields are never those of the request before."""
    return [data.replace(b"\r\n\r\n", b"\r\nX-Request-Id: %d\r\n\r\n" % n) for n in range(10, 60)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--number", type=int, default=1000, help="cycles a round (h11: a fifth)")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    arguments = parser.parse_args()
    contenders = {"zonda": zonda_cycle, "httptools": httptools_cycle, "h11": h11_cycle}
    failed = False
    print(f"{'':36}{'zonda':>9}{'httptools':>11}{'h11':>9}   httptools/zonda  h11/zonda")
    requests = [("small", SMALL), ("browser", BROWSER)]
    for read_field, new in itertools.product((False, True), (False, True)):
        for label, request in requests:
            data = varied(request) if new else [request]
            cycles = {name: make(read_field) for name, make in contenders.items()}
            times: dict[str, list[float]] = {name: [] for name in cycles}
            for _ in range(arguments.rounds):
                for name, cycle in cycles.items():
                    number = arguments.number // 5 if name == "h11" else arguments.number
                    times[name].append(measure(cycle, data, number))
            best = {name: min(values) for name, values in times.items()}
            ratio = {
                name: statistics.median(
                    other / own for other, own in zip(times[name], times["zonda"], strict=True)
                )
                for name in ("httptools", "h11")
            }
            fields = data[0].count(b"\r\n") - 2
            row = f"{label}, {fields} field{'s' * (fields > 1)}"
            row += ", new each time" * new + ", read" * read_field
            print(
                f"{row:36}{best['zonda']:7.2f}us{best['httptools']:9.2f}us{best['h11']:7.1f}us"
                f"{ratio['httptools']:17.2f}{ratio['h11']:11.1f}"
            )
            if not read_field and (ratio["h11"] < 8 or ratio["httptools"] < 0.95):
                failed = True
    if arguments.check and failed:
        print("target missed: at least 8 times h11, no slower than httptools")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
