"""What is kept of one request makes no difference to what is made of the next.

Requests are put together from lines, field sections and bodies, good and bad, and run four ways:
with what the connection keeps and without (it is told to forget before each step), through events
and taken whole where that works. All four have to come to the same.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    ConnectionClosed,
    Data,
    EndOfMessage,
    Limits,
    LocalProtocolError,
    RemoteProtocolError,
    Request,
    ServerConnection,
    State,
)
from zonda.httputil.http1.known_fields import LONGEST, KnownFields

LIMITS = Limits(start_line=120, head=400, field_count=6, body=20)
HOST = b"Host: example.com\r\n"
LINES = [
    *[b"GET / HTTP/1.1", b"GET /a?b=c HTTP/1.1", b"POST /\xe9 HTTP/1.1", b"HEAD / HTTP/1.1"],
    *[b"GET http://example.org/x HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT h:1 HTTP/1.1"],
    *[b"CONNECT / HTTP/1.1", b"GET / HTTP/1.0", b"GET / HTTP/1.2", b"GET / HTTP/2.0"],
    *[b"GET  / HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /#x HTTP/1.1", b"G@T / HTTP/1.1"],
    *[b"GET /" + 113 * b"x" + b" HTTP/1.1", b"GET /" + 100 * b"x" + b" HTTP/1.1"],
    *[b"\r\nGET / HTTP/1.1", b"GET / HTTP/1.1\nX: y", b""],
]
BLOCKS = [
    *[HOST, b"", HOST + HOST, HOST + b"X-A: 1\r\nx-a: 2\r\n", b"Host: other\r\nAccept: */*\r\n"],
    *[HOST + b"Content-Length: 3\r\n", HOST + b"Content-Length: 5\r\n"],
    *[HOST + b"Content-Length: 21\r\n", HOST + b"Content-Length: 0\r\n"],
    *[HOST + b"Content-Length: 3, 4\r\n", HOST + b"Transfer-Encoding: chunked\r\n"],
    *[HOST + b"Connection: close\r\n", HOST + b"Connection: keep-alive\r\n"],
    *[HOST + b"Connection: Upgrade\r\nUpgrade: x\r\n", HOST + b"Expect: 100-continue\r\n"],
    *[HOST + b"Content-Length: 3\r\nExpect: 100-continue\r\n", HOST + b" folded\r\n"],
    *[HOST + 6 * b"A: b\r\n", HOST + b"X: " + 300 * b"y" + b"\r\n", HOST + b"X: \x00\r\n"],
]
BODIES = [b"", b"abc", b"abcde", b"0\r\n\r\n", 21 * b"x", b"abc" + HOST + b"\r\n"]

requests = st.builds(
    lambda line, block, body: line + b"\r\n" + block + b"\r\n" + body,
    st.sampled_from(LINES),
    st.sampled_from(BLOCKS),
    st.sampled_from(BODIES),
)
# Most of a connection's requests have the same fields: a few sections, each many times.
alike = st.builds(
    lambda blocks, parts: [
        line + b"\r\n" + blocks[which % len(blocks)] + b"\r\n" + body for line, which, body in parts
    ],
    st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=2),
    st.lists(
        st.tuples(st.sampled_from(LINES), st.integers(0, 3), st.sampled_from(BODIES)), max_size=6
    ),
)
reads = st.one_of(alike, st.lists(requests, max_size=5))


def answer(connection: ServerConnection, seen: list[object]) -> bool:
    """Answer, and note how; whether there may be another request."""
    headers = HTTPHeaders({"Server": "Zonda"})
    state, keep_alive = connection.our_state, connection.keep_alive
    whole = connection.respond(200, "OK", headers, b"hi")
    if whole is not None:
        seen.append(whole)
        assert connection.our_state is connection.their_state is State.IDLE
        return True
    assert (connection.our_state, connection.keep_alive) == (state, keep_alive)  # nothing happened
    try:
        seen.append(b"".join(connection.send_response(200, "OK", headers, b"hi")))
        connection.start_next_cycle()
    except LocalProtocolError as error:
        seen.append(str(error))
        return False
    return True


def run(data: list[bytes], *, remember: bool, whole: bool) -> list[object]:
    connection = ServerConnection(LIMITS)
    seen: list[object] = []
    content = b""
    for read in [*data, b""]:
        if not remember:
            connection.forget_fields()
        taken = connection.receive_request(read) if whole and read else None
        if taken is not None:
            start_line, headers, content = taken
            seen += [tuple(start_line), list(headers.get_all()), content]
            headers["X-Leak"] = "no other request has this"
            if not answer(connection, seen):
                return seen
            content = b""
            continue
        connection.receive_data(read)
        while True:
            if not remember:
                connection.forget_fields()
            try:
                event = connection.next_event()
            except RemoteProtocolError as error:
                return [*seen, (error.status, str(error))]
            if isinstance(event, Request):
                seen += [(event.method, event.target, event.version)]
                seen += [list(event.headers.get_all())]
                event.headers["X-Leak"] = "no other request has this"
                content = b""
            elif isinstance(event, Data):
                content += event.data
            elif isinstance(event, EndOfMessage):
                seen.append(content)
                if not answer(connection, seen):
                    return seen
                content = b""
            else:
                if isinstance(event, ConnectionClosed):
                    return seen
                break
    return seen


@settings(max_examples=300)
@given(reads)
def test_it_makes_no_difference_what_is_kept(data: list[bytes]) -> None:
    expected = run(data, remember=False, whole=False)
    for remember, whole in ((True, False), (False, True), (True, True)):
        assert run(data, remember=remember, whole=whole) == expected


def facts(request: object) -> tuple[object, ...]:
    assert isinstance(request, Request)
    return (
        *(request.method, request.target, request.version, request.host),
        *(request.content_length, request.chunked, request.keep_alive),
        *(request.expect_continue, request.upgrade, list(request.headers.get_all())),
    )


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("block", BLOCKS)
def test_facts_of_known_fields(line: bytes, block: bytes) -> None:
    head = line + b"\r\n" + block + b"\r\n"
    found = []
    for first in (b"POST / HTTP/1.1\r\n" + block + b"\r\n", None):
        connection = ServerConnection(LIMITS)
        if first is not None:
            # Fields are kept when they have come twice.
            for _ in range(2):
                connection.receive_data(first)
                try:
                    connection.next_event()
                except RemoteProtocolError:
                    return
                before, connection = connection, ServerConnection(LIMITS)
                connection._known, connection._seen = before._known, before._seen
        connection.receive_data(head)
        try:
            found.append(facts(connection.next_event()))
        except RemoteProtocolError as error:
            found.append((error.status, str(error)))
    assert found[0] == found[1]


def test_equal_fields_are_shared_and_others_are_not() -> None:
    connection = ServerConnection()
    blocks = []
    for target in (b"/0", b"/1", b"/2", b"/3"):
        taken = connection.receive_request(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert taken is not None
        blocks.append(taken[1]._block)
        assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"") is not None
    # Those that are not repeated cost nothing to keep.
    assert blocks[0] == HOST.decode()
    assert blocks[1] is blocks[2] is blocks[3]
    for _ in range(2):
        assert connection._known is not None
        assert connection._known.host != "other"
        assert connection.receive_request(b"GET / HTTP/1.1\r\nHost: other\r\n\r\n") is not None
        assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"") is not None
    assert connection._known is not None
    assert connection._known.host == "other"
    connection.forget_fields()
    assert connection._known is None


def test_content_is_taken_with_known_fields() -> None:
    connection = ServerConnection()
    post = b"POST /%d HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
    for _ in range(2):
        connection.receive_data(post % 1)
        assert isinstance(connection.next_event(), Request)
        assert isinstance(connection.next_event(), Data)
        assert isinstance(connection.next_event(), EndOfMessage)
        assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"") is not None
    for rest in (b"", b"d"):
        assert connection.receive_request((post % 2)[:-1] + rest[1:]) is None  # not all there
        assert connection.receive_request(post % 2 + b"d") is None  # and more
    taken = connection.receive_request(post % 2)
    assert taken is not None
    assert taken[0].path == "/2"
    assert taken[2] == b"abc"


def test_content_is_taken_with_fields_that_are_new() -> None:
    connection = ServerConnection()
    post = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n%s"
    kept = []
    for content in (b"a", b"ab", b"abc", b"abc", b"a" * 70_000):
        taken = connection.receive_request(post % (len(content), content))
        assert taken is not None
        assert (taken[0].path, taken[2]) == ("/", content)
        assert taken[1]["Content-Length"] == str(len(content))
        assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"") is not None
        kept.append(connection._known is not None)
    assert kept == [False, False, False, True, True]


@pytest.mark.parametrize(
    "read",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
        b"Content-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabcdefghi",  # over the limit
        b"POST / HTTP/1.1\r\nHost: a\r\nB: 1\r\nC: 2\r\nContent-Length: 3\r\n\r\nabc",  # so is this
        b"POST / HTTP/1.1\r\nHost: a",
        b"abc",
    ],
)
def test_content_that_is_not_taken(read: bytes) -> None:
    connection = ServerConnection(Limits(body=8, field_count=3))
    assert connection.receive_request(read) is None
    assert (connection.their_state, connection.bytes_buffered) == (State.IDLE, 0)


@pytest.mark.parametrize("extra", [0, 1])
def test_long_sections_are_not_kept(extra: int) -> None:
    connection = ServerConnection()
    fill = LONGEST - len(HOST) - len(b"X: \r\n\r\n") + extra
    head = b"GET / HTTP/1.1\r\n" + HOST + b"X: " + fill * b"x" + b"\r\n\r\n"
    for _ in range(2):
        assert connection.receive_request(head) is not None
        assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"") is not None
    assert (connection._known is None) == bool(extra)


def test_known_fields_without_an_end_are_never_whole() -> None:
    known = KnownFields(b"", "", "a", None, chunked=True)
    assert len(b"x" * 65536) - known.total < 0
    assert KnownFields(b"12", "", "a", 3).total == 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Connection": "close"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Length": "3"},
        {"X": "\xe9"},
        {},
    ],
)
def test_respond_leaves_decisions_to_others(headers: dict[str, str]) -> None:
    connection = ServerConnection()
    assert connection.receive_request(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") is not None
    assert connection.respond(200, "OK", HTTPHeaders(headers), b"hi") is None
    for status in (204, 304, 299, 101):
        assert connection.respond(status, "", HTTPHeaders({"A": "b"}), b"") is None
    assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"hi") is not None
    assert connection.respond(200, "OK", HTTPHeaders({"A": "b"}), b"hi") is None  # no request


def test_a_template_is_checked_when_it_is_sent() -> None:
    connection = ServerConnection()
    assert connection.receive_request(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") is not None
    headers = HTTPHeaders.from_template(HTTPHeaders({"Server": "Zonda"}).template())
    headers._put("Etag", "x\r\nX-Evil: 1")
    assert connection.respond(200, "OK", headers, b"") is None
    with pytest.raises(LocalProtocolError):
        connection.send_response(200, "OK", headers, b"")
