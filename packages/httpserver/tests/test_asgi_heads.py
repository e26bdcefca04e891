"""Heads that an application repeats: the third answer is what the first one was."""

import re

import pytest

from zonda.httpserver.accesslog import AccessRecord
from zonda.httpserver.asgi import ASGIContainer, Receive, Scope, Send
from zonda.httpserver.asgi import heads as heads_module
from zonda.httpserver.asgi.heads import known_head
from zonda.httpserver.testing import RawClient, serve
from zonda.httputil.errors import InvalidFieldName

Fields = list[tuple[bytes, bytes]]

# What the application sends; whether the head is known from the third response on.
CASES: dict[str, tuple[int, Fields, bytes, bool]] = {
    "plain": (200, [(b"content-type", b"text/plain")], b"hi", True),
    "with a length": (200, [(b"content-length", b"2"), (b"a", b"b")], b"hi", True),
    "with a date": (200, [(b"date", b"today"), (b"a", b"b")], b"hi", True),
    "repeated": (200, [(b"vary", b"a"), (b"Vary", b"b")], b"hi", True),
    "404": (404, [(b"a", b"b")], b"", True),
    "no fields but the date": (200, [], b"hi", False),
    "chunked": (200, [(b"transfer-encoding", b"chunked"), (b"a", b"b")], b"hi", True),
    "a cookie": (200, [(b"set-cookie", b"a=b")], b"hi", False),
    "closing": (200, [(b"connection", b"close")], b"hi", False),
    "204": (204, [(b"a", b"b")], b"", False),
    "503": (503, [(b"a", b"b")], b"hi", False),
    "obs-text": (200, [(b"a", b"\xe9")], b"hi", False),
    "long": (200, [(b"a", b"b" * 2000)], b"hi", False),
    "many": (200, [(b"a%d" % n, b"b") for n in range(40)], b"hi", False),
    "large body": (200, [(b"a", b"b")], b"x" * 20_000, True),
}


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads_module, "_heads", {})
    monkeypatch.setattr(heads_module, "_seen", set())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("case", CASES)
async def test_all_answers_are_the_same(case: str, method: str) -> None:
    status, fields, body, known = CASES[case]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Equal, not the same: frameworks make them anew each time.
        pairs = [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in fields]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    answers = set()
    request = f"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()
    async with serve(ASGIContainer(app, lifespan="off")) as port:
        for _ in range(4):
            async with RawClient(port) as client:
                await client.send(request)
                answer = await client.reader.readuntil(b"\r\n\r\n")
                if method != "HEAD":
                    answer += await client.reader.readexactly(len(body))
                answers.add(re.sub(rb"Date: \w+, [^\r]*", b"Date: now", answer))
    [answer] = answers
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"\r\nDate: ") == 1
    assert answer.endswith(b"\r\n\r\n" + (b"" if method == "HEAD" else body))
    assert (known_head(status, tuple(fields)) is not None) == known


def test_bad_fields_are_never_known() -> None:
    for _ in range(4):
        assert known_head(200, ((b"a", b"b\r\nc: d"),)) is None
        assert known_head(200, ((b"content-length", b"-1"),)) is None
    assert known_head(200, ((b"a b", b"c"),)) is None
    with pytest.raises(InvalidFieldName):  # as it does who makes such a head the usual way
        known_head(200, ((b"a b", b"c"),))


def test_what_comes_once_is_not_kept() -> None:
    for number in range(3000):
        assert known_head(200, ((b"etag", b"%d" % number),)) is None
    assert not heads_module._heads
    assert len(heads_module._seen) <= 1024


def test_there_is_an_end_to_what_is_kept() -> None:
    for number in range(3000):
        for _ in range(2):
            known_head(200, ((b"etag", b"%d" % number),))
    assert len(heads_module._heads) <= 1024


def test_what_can_be_changed_is_not_kept() -> None:
    for _ in range(3):
        assert known_head(200, ([b"a", b"b"],)) is None  # type: ignore[arg-type]
    assert known_head(200, ((b"a", bytearray(b"b")),)) is None  # type: ignore[arg-type]


async def test_each_answer_is_in_the_access_log() -> None:
    records: list[AccessRecord] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"hi"})

    container = ASGIContainer(app, lifespan="off")
    async with serve(container, access_log=records.append) as port, RawClient(port) as client:
        for _ in range(4):
            await client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [(record.status, record.size) for record in records] == [(200, 2)] * 4
