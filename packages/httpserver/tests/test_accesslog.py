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
from zonda.httpserver.testing import RawClient, serve
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
