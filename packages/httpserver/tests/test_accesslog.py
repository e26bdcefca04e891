"""The access log: formats, and what gets into it."""

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.accesslog import AccessRecord, as_json, combined, common
from zonda.httpserver.asgi import ASGIContainer, Receive, Scope, Send
from zonda.httpserver.testing import RawClient, port_of, serve, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

if TYPE_CHECKING:
    from conftest import ExpectLog

TIMEOUT = 10.0


def record(**more: Any) -> AccessRecord:
    fields: dict[str, Any] = {
        "time": 1_000_000_000.5,
        "remote_ip": "192.0.2.1",
        "method": "GET",
        "target": "/a",
        "version": "HTTP/1.1",
        "host": "h",
        "referer": "",
        "user_agent": "",
        "status": 200,
        "size": 5,
        "duration": 0.25,
        "complete": True,
    }
    return AccessRecord(**{**fields, **more})


def test_common() -> None:
    line = '192.0.2.1 - - [09/Sep/2001:01:46:40 +0000] "GET /a HTTP/1.1" 200 5'
    assert common(record()) == line
    assert common(record(status=0, size=0)).endswith('" - -')


def test_combined() -> None:
    line = combined(record(referer="http://r/", user_agent="A B"))
    assert line == common(record()) + ' "http://r/" "A B"'


def test_json() -> None:
    found = json.loads(as_json(record()))
    assert (found["remote_ip"], found["status"], found["duration"]) == ("192.0.2.1", 200, 0.25)


@pytest.mark.parametrize("line_of", [common, combined, as_json])
def test_nothing_breaks_a_line(line_of: Any) -> None:
    evil = 'x" 200 1 "\r\n\x1b[31m\\\x9b'
    line = line_of(record(target=evil, user_agent=evil, referer=evil))
    assert line.isprintable()
    assert '" 200 1 "' not in line.replace('\\"', "'")


def test_names() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        HTTPServer(print, access_log="nonsense")


def answer(request: HTTPServerRequest) -> None:
    connection = request.connection
    assert connection is not None
    headers = HTTPHeaders({"Content-Length": "5"})
    connection.write_headers(ResponseStartLine("", 200, "OK"), headers, b"he")
    connection.write(b"llo")
    connection.finish()


async def answer_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/wait":
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        return
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"hello"})


REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\nUser-Agent: B\r\nX-Real-Ip: 192.0.2.9\r\n\r\n"


@pytest.mark.parametrize("application", [answer, ASGIContainer(answer_asgi, lifespan="off")])
async def test_records(application: Any) -> None:
    records: list[AccessRecord] = []
    settings = {"access_log": records.append, "xheaders": True}
    async with serve(application, **settings) as port, RawClient(port) as client:
        assert (await client(REQUEST)).body == b"hello"
        await client.send(REQUEST.replace(b"GET", b"HEAD"))
        await client.response("HEAD")
    found, head = records
    assert (found.remote_ip, found.method, found.target) == ("192.0.2.9", "GET", "/a")
    assert (found.status, found.size, found.complete, found.user_agent) == (200, 5, True, "B")
    assert 0 <= found.duration < TIMEOUT
    assert (head.method, head.status, head.size) == ("HEAD", 200, 0)


async def test_a_client_that_leaves() -> None:
    records: list[AccessRecord] = []
    application = ASGIContainer(answer_asgi, lifespan="off")
    async with serve(application, access_log=records.append) as port:
        async with RawClient(port) as client:
            await client.send(REQUEST.replace(b"/a", b"/wait"))
            await asyncio.sleep(0.01)
        async with asyncio.timeout(TIMEOUT):
            while not records:
                await asyncio.sleep(0.001)
    assert (records[0].status, records[0].complete) == (0, False)


async def test_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "zonda.access"):
        async with serve(answer, access_log="combined") as port, RawClient(port) as client:
            await client(REQUEST)
    [line] = [each.getMessage() for each in caplog.records if each.name == "zonda.access"]
    assert re.fullmatch(r'127\.0\.0\.1 - - \[.*\] "GET /a HTTP/1\.1" 200 5 "-" "B"', line)


async def test_a_hook_that_fails(expect_log: "ExpectLog") -> None:
    def hook(record: AccessRecord) -> None:
        raise ValueError

    with expect_log("zonda.application", "access log's hook"):
        async with serve(answer, access_log=hook) as port, RawClient(port) as client:
            assert (await client(REQUEST)).status == 200


LONG = b"GET /" + b"a" * 70_000
# What comes -> its line in the log: request and status.
REFUSED: dict[str, tuple[bytes, str]] = {
    "nonsense": (b"nonsense\r\n\r\n", '"nonsense" 400'),
    "control characters": (b"\x16\x03\x01\r\n\r\n", r'"\x16\x03\x01" 400'),
    "quotes": (b'"\r\n\r\n', r'"\"" 400'),
    "no Host": (b"GET /a HTTP/1.1\r\n\r\n", '"GET /a HTTP/1.1" 400'),
    "a space in the name": (
        b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
        '"GET /a HTTP/1.1" 400',
    ),
    "too long a line": (LONG, '"' + LONG[:1024].decode() + '" 414'),
    "too large a head": (
        b"GET /a HTTP/1.1\r\nHost: a\r\nA: " + LONG + b"\r\n\r\n",
        '"GET /a HTTP/1.1" 431',
    ),
    "another version": (b"GET /a HTTP/2.0\r\nHost: a\r\n\r\n", '"GET /a HTTP/2.0" 505'),
    "an unknown coding": (
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        '"POST /a HTTP/1.1" 501',
    ),
    "an unknown expectation": (
        b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\n",
        '"POST /a HTTP/1.1" 417',
    ),
    "a bad chunk": (
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        '"POST /a HTTP/1.1" 400',
    ),
    "too large a body": (
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
        '"POST /a HTTP/1.1" 413',
    ),
    "cut off": (b"GET /a HT", '"GET /a HT" 400'),
    "the second of two": (REQUEST + b"nonsense\r\n\r\n", '"nonsense" 400'),
}


@pytest.mark.parametrize("how", ["common", "combined", "json", "hook"])
@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused(case: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    data, expected = REFUSED[case]
    records: list[AccessRecord] = []
    hook = records.append if how == "hook" else how
    with caplog.at_level(logging.INFO, "zonda.access"):
        async with serving(answer, access_log=hook, max_body_size=1000) as server:
            async with RawClient(port_of(server)) as client:
                await client.send(data)
                client.writer.write_eof()
                got = await client.closed()
            counters = server.counters
    size = len(got.rpartition(b"\r\n\r\n")[2])
    lines = [each.getMessage() for each in caplog.records if each.name == "zonda.access"]
    status = int(expected[-3:])
    assert (counters.refused, counters.errors) == (1, status >= 500)
    assert f"HTTP/1.1 {status} ".encode() in got
    if how == "hook":
        assert (records[-1].status, records[-1].size) == (status, size)
        assert records[-1].complete
        assert records[-1].remote_ip == "127.0.0.1"
        assert f'"{common(records[-1])}'.count(expected) == 1
    elif how == "json":
        found = json.loads(lines[-1])
        assert (found["status"], found["size"], found["complete"]) == (status, size, True)
    else:
        end = ' "-" "-"' if how == "combined" else ""
        assert lines[-1].startswith("127.0.0.1 - - [")
        assert lines[-1].endswith(f"] {expected} {size}{end}")
    assert len(lines or records) == (2 if case == "the second of two" else 1)


@pytest.mark.parametrize(
    ("data", "target"),
    [(b"GET /a", "GET /a"), (b"POST /a HTTP/1.1\r\nHost: a\r\n", "/a"), (b"P", "P")],
)
async def test_who_is_too_slow(data: bytes, target: str) -> None:
    records: list[AccessRecord] = []
    async with serving(answer, access_log=records.append) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(data)
            async with asyncio.timeout(TIMEOUT):
                while server.counters.bytes_in < len(data):
                    await asyncio.sleep(0)
            [connection] = server._connections
            timer = server._timer
            assert timer is not None
            timer.now += 61
            connection.check_deadlines(timer.now)
            assert b" 408 " in await client.closed()
    [found] = records
    assert (found.target, found.status) == (target, 408)
    assert found.duration >= 60


async def test_what_fails_in_the_application(expect_log: "ExpectLog") -> None:
    def application(request: HTTPServerRequest) -> None:
        raise ValueError

    records: list[AccessRecord] = []
    with expect_log("zonda.application", "Uncaught exception"):
        async with serve(application, access_log=records.append) as port, RawClient(port) as client:
            assert (await client(REQUEST)).status == 500
    [found] = records
    assert (found.status, found.target, found.user_agent) == (500, "/a", "B")
