"""What `ServerConnection` sends, and how exchanges follow one another."""

from collections.abc import Callable, Iterable

import pytest

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    Data,
    EndOfMessage,
    InformationalResponse,
    Limits,
    LocalProtocolError,
    RemoteProtocolError,
    Request,
    Response,
    ServerConnection,
    Signal,
    State,
)

Feed = Callable[[ServerConnection, Iterable[bytes]], list[tuple[object, ...]]]

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def connection_with(request: bytes = GET) -> ServerConnection:
    connection = ServerConnection()
    connection.receive_data(request)
    assert isinstance(connection.next_event(), Request)
    return connection


def sent(buffers: list[bytes | bytearray | memoryview]) -> bytes:
    return b"".join(buffers)


def request_bytes(line: str, *fields: str) -> bytes:
    return "".join(f"{part}\r\n" for part in (line, "Host: h", *fields, "")).encode()


# request, status, fields of the response, content -> what is sent, whether the connection persists
WHOLE: dict[str, tuple[bytes, int, dict[str, str], bytes, bytes, bool]] = {
    "length is added": (
        GET, 200, {"A": "b"}, b"hi", b"200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi", True,
    ),
    "length is there": (
        GET, 200, {"Content-Length": "2", "A": "b"}, b"hi",
        b"200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nhi", True,
    ),
    "no content": (GET, 200, {}, b"", b"200 OK\r\nContent-Length: 0\r\n\r\n", True),
    "chunked at the application's wish": (
        GET, 200, {"Transfer-Encoding": "chunked"}, b"hi",
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", True,
    ),
    "204 has no content and no length": (
        GET, 204, {"Content-Length": "0", "Transfer-Encoding": "chunked"}, b"",
        b"204 No Content\r\n\r\n", True,
    ),
    "304 keeps the length of what it stands for": (
        GET, 304, {"Content-Length": "99"}, b"",
        b"304 Not Modified\r\nContent-Length: 99\r\n\r\n", True,
    ),
    "304 gets no length": (GET, 304, {}, b"", b"304 Not Modified\r\n\r\n", True),
    "205 says that it has no content": (
        GET, 205, {}, b"", b"205 Reset Content\r\nContent-Length: 0\r\n\r\n", True,
    ),
    "HEAD: content is announced, not sent": (
        request_bytes("HEAD / HTTP/1.1"), 200, {}, b"hi",
        b"200 OK\r\nContent-Length: 2\r\n\r\n", True,
    ),
    "HEAD: the application's length stays": (
        request_bytes("HEAD / HTTP/1.1"), 200, {"Content-Length": "9"}, b"",
        b"200 OK\r\nContent-Length: 9\r\n\r\n", True,
    ),
    "the client closes": (
        request_bytes("GET / HTTP/1.1", "Connection: close"), 200, {}, b"",
        b"200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False,
    ),
    "the application closes": (
        GET, 200, {"Connection": "x, Close"}, b"",
        b"200 OK\r\nContent-Length: 0\r\nConnection: x, close\r\n\r\n", False,
    ),
    "other options stay": (
        GET, 426, {"Connection": "upgrade", "Upgrade": "h2c"}, b"",
        b"426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 0\r\nConnection: upgrade\r\n\r\n",
        True,
    ),
    "HTTP/1.0": (
        request_bytes("GET / HTTP/1.0"), 200, {}, b"hi",
        b"200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", False,
    ),
    "HTTP/1.0 keep-alive": (
        request_bytes("GET / HTTP/1.0", "Connection: keep-alive"), 200, {}, b"hi",
        b"200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", True,
    ),
    "HTTP/1.0 is sent no chunks": (
        request_bytes("GET / HTTP/1.0", "Connection: keep-alive"), 200,
        {"Transfer-Encoding": "chunked"}, b"hi",
        b"200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", True,
    ),
    "an unknown status": (GET, 299, {}, b"", b"299 Odd\r\nContent-Length: 0\r\n\r\n", True),
    "obs-text": (GET, 200, {"A": "caf\xe9"}, b"",
                 b"200 OK\r\nA: caf\xe9\r\nContent-Length: 0\r\n\r\n", True),
}  # fmt: skip
REASONS = {
    200: "OK", 204: "No Content", 205: "Reset Content", 299: "Odd", 304: "Not Modified",
    426: "Upgrade Required",
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_send_response(name: str) -> None:
    request, status, fields, content, expected, keep_alive = WHOLE[name]
    connection = connection_with(request)
    assert connection.next_event() is END_OF_MESSAGE
    buffers = connection.send_response(status, REASONS[status], HTTPHeaders(fields), content)
    assert sent(buffers) == b"HTTP/1.1 " + expected
    assert connection.our_state is State.DONE
    assert connection.keep_alive is keep_alive
    if keep_alive:
        connection.start_next_cycle()
        assert connection.next_event() is Signal.NEED_DATA
    else:
        with pytest.raises(LocalProtocolError):
            connection.start_next_cycle()


@pytest.mark.parametrize("name", WHOLE)
def test_send_in_pieces_comes_to_the_same_content(name: str) -> None:
    request, status, fields, content, expected, _ = WHOLE[name]
    connection = connection_with(request)
    buffers = connection.send(Response(status, REASONS[status], HTTPHeaders(fields)))
    if content:
        buffers += connection.send(Data(content[:1]))
        buffers += connection.send(Data(memoryview(content)[1:]))
    result = sent(buffers + connection.send(END_OF_MESSAGE))
    assert connection.our_state is State.DONE
    head, _, body = result.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        # Where the length is not known in advance the framing differs, the content does not.
        assert body in (b"0\r\n\r\n", b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n")
    else:
        assert body == expected.partition(b"\r\n\r\n")[2]


def test_small_content_shares_the_buffer_of_the_head() -> None:
    assert len(connection_with().send_response(200, "OK", HTTPHeaders(), b"x" * 16384)) == 1


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_large_content_is_not_copied(kind: Callable[[bytes], bytes]) -> None:
    content = kind(b"x" * 16385)
    buffers = connection_with().send_response(200, "OK", HTTPHeaders(), content)
    assert buffers[1] is content
    assert len(buffers) == 2


def test_large_chunk_is_not_copied() -> None:
    connection = connection_with()
    connection.send(Response(200, "OK"))
    content = b"x" * 100_000
    assert connection.send(Data(content)) == [b"186a0\r\n", content, b"\r\n"]


def test_memoryview_counts_bytes_not_items() -> None:
    content = memoryview(b"12345678").cast("I")
    assert sent(connection_with().send_response(200, "", HTTPHeaders(), content)).startswith(
        b"HTTP/1.1 200 \r\nContent-Length: 8\r\n\r\n1234"
    )


def test_http10_without_length_ends_with_the_connection() -> None:
    connection = connection_with(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    buffers = connection.send(Response(200, "OK"))
    assert sent(buffers) == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    assert connection.send(Data(b"abc")) == [b"abc"]
    assert connection.send(END_OF_MESSAGE) == []
    assert not connection.keep_alive


def test_trailers() -> None:
    connection = connection_with()
    connection.send(Response(200, "OK"))
    trailers = HTTPHeaders({"Server-Timing": "db;dur=53"})
    assert connection.send(EndOfMessage(trailers)) == [b"0\r\nServer-Timing: db;dur=53\r\n\r\n"]


def test_content_of_another_length_than_announced() -> None:
    headers = HTTPHeaders({"Content-Length": "3"})
    connection = connection_with()
    connection.send(Response(200, "OK", headers))
    with pytest.raises(LocalProtocolError, match="1 bytes more"):
        connection.send(Data(b"abcd"))
    assert connection.send(Data(b"ab")) == [b"ab"]
    with pytest.raises(LocalProtocolError, match="1 bytes less"):
        connection.send(END_OF_MESSAGE)
    with pytest.raises(LocalProtocolError, match="Content-Length is 3"):
        connection_with().send_response(200, "OK", headers, b"abcd")


@pytest.mark.parametrize("status", [204, 205, 304])
def test_content_where_there_is_none(status: int) -> None:
    connection = connection_with()
    with pytest.raises(LocalProtocolError):
        connection.send_response(status, "", HTTPHeaders(), b"x")
    connection.send(Response(status, ""))
    with pytest.raises(LocalProtocolError):
        connection.send(Data(b"x"))


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Length": "2", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "gzip, chunked"},
        {"Content-Length": "+2"},
        {"Content-Length": "two"},
    ],
)
def test_contradicting_fields_of_ours(fields: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        connection_with().send_response(200, "OK", HTTPHeaders(fields), b"ab")
    with pytest.raises(LocalProtocolError):
        connection_with().send(Response(200, "OK", HTTPHeaders(fields)))


class Unchecked(HTTPHeaders):
    """Headers as a program could make them behind the back of `HTTPHeaders`."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__()
        self._fields[name] = value


CONTROLS = [*range(9), *range(10, 32), 127]


@pytest.mark.parametrize("length", [{}, {"Content-Length": "0"}], ids=["general", "hot path"])
@pytest.mark.parametrize("code", [*CONTROLS, 0x10A, 0x2028])
def test_nothing_of_a_split_response_is_sent(code: int, length: dict[str, str]) -> None:
    connection = connection_with()
    headers = Unchecked("A", f"b{chr(code)}Set-Cookie: evil")
    headers.update(length)
    with pytest.raises(LocalProtocolError, match="value of A"):
        connection.send_response(200, "OK", headers, b"")
    assert connection.our_state is State.IDLE
    with pytest.raises(LocalProtocolError):
        connection.send(Response(200, "OK", headers))
    with pytest.raises(LocalProtocolError):
        connection.send(InformationalResponse(103, "", headers))
    with pytest.raises(LocalProtocolError):
        connection.send_response(200, f"O{chr(code)}K", HTTPHeaders(length), b"")
    # The connection is still good for the error page.
    assert sent(connection.send_response(500, "", HTTPHeaders(), b"oh")).endswith(b"\r\n\r\noh")


@pytest.mark.parametrize("name", ["a\r\nb", "a b", "a\0", "", "caf\xe9", "a\n"])
def test_names_have_to_be_tokens(name: str) -> None:
    for headers in (Unchecked(name, "x"), Unchecked(name, "x\r\n")):
        with pytest.raises(LocalProtocolError):
            connection_with().send(InformationalResponse(103, "", headers))
    if "\r" in name or "\n" in name or "\0" in name:
        with pytest.raises(LocalProtocolError):
            connection_with().send_response(200, "OK", Unchecked(name, "x"), b"")


@pytest.mark.parametrize("name", ["A\r\nB", "A\nB", "A\0", "A\x1b"])
def test_trailer_names_and_values(name: str) -> None:
    connection = connection_with()
    connection.send(Response(200, "OK"))
    with pytest.raises(LocalProtocolError):
        connection.send(EndOfMessage(Unchecked(name, "b")))
    with pytest.raises(LocalProtocolError):
        connection.send(EndOfMessage(Unchecked("A", name)))
    assert connection.send(END_OF_MESSAGE) == [b"0\r\n\r\n"]


@pytest.mark.parametrize("status", [0, 99, 100, 199, 1000, -200])
def test_status_out_of_range(status: int) -> None:
    with pytest.raises(LocalProtocolError):
        connection_with().send_response(status, "", HTTPHeaders(), b"")


def test_order_of_events() -> None:
    connection = connection_with()
    for event in (Data(b"x"), END_OF_MESSAGE):
        with pytest.raises(LocalProtocolError):
            connection.send(event)
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    connection.send_response(200, "OK", HTTPHeaders(), b"")
    for again in (Response(200), InformationalResponse(100), Data(b"x"), END_OF_MESSAGE):
        with pytest.raises(LocalProtocolError):
            connection.send(again)
    with pytest.raises(LocalProtocolError):
        connection.send_response(200, "OK", HTTPHeaders(), b"")
    with pytest.raises(LocalProtocolError):  # the end of the request has not been seen
        connection.start_next_cycle()


# Pipelining.


def test_pipelined_requests_wait() -> None:
    connection = connection_with(
        GET + b"POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" + GET
    )
    targets = []
    for _ in range(2):
        while not isinstance(event := connection.next_event(), EndOfMessage):
            assert isinstance(event, Data)
        assert connection.next_event() is Signal.PAUSED
        connection.send_response(200, "OK", HTTPHeaders(), b"")
        assert connection.next_event() is Signal.PAUSED
        connection.start_next_cycle()
        request = connection.next_event()
        assert isinstance(request, Request)
        targets.append(request.target)
    assert targets == ["/2", "/"]
    assert connection.trailing_data == b""


def test_request_behind_an_error_is_never_run() -> None:
    connection = ServerConnection()
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n" + GET)
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            connection.next_event()
        connection.receive_data(GET)
    assert connection.their_state is State.ERROR
    answer = sent(connection.send_response(400, "Bad Request", HTTPHeaders(), b""))
    assert answer == (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    with pytest.raises(RemoteProtocolError):
        connection.next_event()
    assert len(connection.trailing_data) < 100  # what came behind the error was not gathered


def test_content_left_unread_never_becomes_a_request() -> None:
    connection = connection_with(
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n" + GET + b"x"
    )
    connection.send_response(200, "OK", HTTPHeaders(), b"")
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    assert isinstance(connection.next_event(), Data)


def test_half_closed_client_gets_its_answer() -> None:
    connection = connection_with()
    connection.receive_data(b"")
    assert connection.next_event() is END_OF_MESSAGE
    assert connection.next_event() is Signal.PAUSED
    connection.send_response(200, "OK", HTTPHeaders(), b"x")
    connection.start_next_cycle()
    assert connection.next_event() is CONNECTION_CLOSED
    assert connection.next_event() is CONNECTION_CLOSED
    connection.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"x")


def test_response_without_a_request_closes() -> None:
    connection = ServerConnection()
    connection.receive_data(b"GET / HT")
    assert connection.next_event() is Signal.NEED_DATA
    answer = sent(connection.send_response(408, "Request Timeout", HTTPHeaders(), b""))
    assert b"\r\nConnection: close\r\n" in answer
    assert not connection.keep_alive


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_drain(when: str) -> None:
    connection = ServerConnection()
    if when == "before":
        connection.close_after_response()
    connection.receive_data(GET)
    connection.next_event()
    connection.next_event()
    if when == "between":
        connection.close_after_response()
    answer = sent(connection.send_response(200, "OK", HTTPHeaders({"Content-Length": "0"}), b""))
    if when == "after":
        connection.close_after_response()
    else:
        assert b"\r\nConnection: close\r\n" in answer
    assert not connection.keep_alive
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()


# Expect: 100-continue.

EXPECTING = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"


def waits(connection: ServerConnection) -> bool:
    return connection.expects_continue


def test_continue() -> None:
    connection = connection_with(EXPECTING)
    assert waits(connection)
    assert connection.next_event() is Signal.NEED_DATA
    buffers = connection.send(InformationalResponse(100, "Continue"))
    assert sent(buffers) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert not waits(connection)
    connection.receive_data(b"ab")
    assert isinstance(connection.next_event(), Data)
    assert connection.next_event() is END_OF_MESSAGE
    connection.send_response(200, "OK", HTTPHeaders({"Content-Length": "0"}), b"")
    assert connection.keep_alive


def test_client_does_not_wait_after_all() -> None:
    connection = connection_with(EXPECTING + b"a")
    assert not waits(connection)
    connection = connection_with(EXPECTING)
    connection.receive_data(b"a")
    connection.next_event()
    assert not waits(connection)


def test_refusal_without_continue_closes() -> None:
    connection = connection_with(EXPECTING)
    answer = sent(connection.send_response(413, "", HTTPHeaders({"Content-Length": "0"}), b""))
    assert b"\r\nConnection: close\r\n" in answer
    assert not waits(connection)


def test_informational_responses() -> None:
    connection = connection_with()
    links = HTTPHeaders({"Link": "</a.css>; rel=preload", "Content-Length": "3"})
    assert sent(connection.send(InformationalResponse(103, "Early Hints", links))) == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    )
    with pytest.raises(LocalProtocolError):
        connection.send(InformationalResponse(200))
    old = connection_with(b"GET / HTTP/1.0\r\n\r\n")
    assert old.send(InformationalResponse(103)) == []


# Other protocols.


def test_upgrade() -> None:
    upgrade = request_bytes("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
    connection = connection_with(upgrade + b"\x81\x00frames")
    headers = HTTPHeaders({"Connection": "Upgrade", "Upgrade": "websocket"})
    buffers = connection.send(InformationalResponse(101, "Switching Protocols", headers))
    assert sent(buffers) == (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    assert connection.our_state is connection.their_state is State.SWITCHED
    assert connection.next_event() is Signal.PAUSED
    connection.receive_data(b" more")
    assert connection.trailing_data == b"\x81\x00frames more"
    for action in (connection.start_next_cycle, lambda: connection.send(Data(b"x"))):
        with pytest.raises(LocalProtocolError):
            action()


def test_upgrade_declined() -> None:
    upgrade = request_bytes("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c")
    connection = connection_with(upgrade + GET)
    assert connection.next_event() is END_OF_MESSAGE
    connection.send_response(200, "OK", HTTPHeaders(), b"")
    connection.start_next_cycle()
    assert isinstance(connection.next_event(), Request)


def test_upgrade_that_was_not_offered_or_comes_too_early() -> None:
    with pytest.raises(LocalProtocolError):
        connection_with().send(InformationalResponse(101))
    upgrade = ("POST / HTTP/1.1", "Connection: Upgrade", "Upgrade: x", "Content-Length: 2")
    connection = connection_with(request_bytes(*upgrade) + b"a")
    with pytest.raises(LocalProtocolError):
        connection.send(InformationalResponse(101))
    connection.receive_data(b"b")
    while connection.next_event() is not END_OF_MESSAGE:
        pass
    assert connection.send(InformationalResponse(101))


def test_connect() -> None:
    connection = connection_with(b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\x16\x03")
    headers = HTTPHeaders({"Content-Length": "0", "Transfer-Encoding": "chunked"})
    answer = sent(connection.send_response(200, "Connection established", headers, b""))
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert connection.our_state is State.SWITCHED
    assert connection.trailing_data == b"\x16\x03"


def test_connect_refused() -> None:
    connection = connection_with(b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
    assert connection.next_event() is END_OF_MESSAGE
    assert sent(connection.send_response(403, "Forbidden", HTTPHeaders(), b"no")) == (
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    )
    connection.start_next_cycle()


def test_successful_connect_has_no_content() -> None:
    connection = connection_with(b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
    with pytest.raises(LocalProtocolError):
        connection.send_response(200, "OK", HTTPHeaders(), b"no")


# Limits.


def test_body_limit_of_one_message() -> None:
    post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n12345678"
    connection = ServerConnection(Limits(body=4))
    for limit in (8, None):
        connection.receive_data(post)
        connection.next_event()
        connection.set_body_limit(limit)
        assert isinstance(connection.next_event(), Data)
        assert connection.next_event() is END_OF_MESSAGE
        connection.send_response(200, "OK", HTTPHeaders(), b"")
        connection.start_next_cycle()
    connection.receive_data(post)
    connection.next_event()
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert caught.value.status == 413


def test_body_limit_of_a_chunked_message() -> None:
    connection = ServerConnection(Limits(body=4))
    head = request_bytes("POST / HTTP/1.1", "Transfer-Encoding: chunked")
    connection.receive_data(head + b"8\r\n12345678\r\n0\r\n\r\n")
    connection.next_event()
    connection.set_body_limit(8)
    assert isinstance(connection.next_event(), Data)
    assert connection.next_event() is END_OF_MESSAGE


def test_empty_lines_do_not_add_up_over_requests(feed: Feed) -> None:
    connection = ServerConnection()
    for _ in range(20):
        connection.receive_data(b"\r\n")
        assert connection.next_event() is Signal.NEED_DATA
        connection.receive_data(GET)
        assert isinstance(connection.next_event(), Request)
        assert connection.next_event() is END_OF_MESSAGE
        connection.send_response(200, "OK", HTTPHeaders(), b"")
        connection.start_next_cycle()


@pytest.mark.parametrize("name", ["start_line", "head", "field_count", "trailer", "body"])
def test_limits_are_not_negative(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: -1})


def test_repr() -> None:
    connection = connection_with()
    assert repr(END_OF_MESSAGE) == "<EndOfMessage trailers=None>"
    assert repr(CONNECTION_CLOSED) == "<ConnectionClosed>"
    assert repr(Data(b"abc")) == "<Data 3 bytes>"
    assert repr(Response(200, "OK")) == "<Response 200 'OK' HTTP/1.1>"
    assert connection.next_event() is END_OF_MESSAGE


def test_a_response_that_has_begun_is_not_the_last() -> None:
    connection = ServerConnection()
    connection.receive_data(GET)
    connection.next_event()
    connection.next_event()
    head = Response(200, "OK", HTTPHeaders({"Content-Length": "0"}))
    assert b"close" not in sent(connection.send(head))
    connection.announce_close()
    assert connection.closing
    connection.send(EndOfMessage())
    connection.start_next_cycle()
    connection.receive_data(GET)
    connection.next_event()
    connection.next_event()
    answer = sent(connection.send_response(200, "OK", HTTPHeaders(), b""))
    assert b"\r\nConnection: close\r\n" in answer
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()


@pytest.mark.parametrize("known", [False, True])
def test_who_has_been_told_to_go_on_is_told_to_stop(known: bool) -> None:
    connection = ServerConnection()
    for _ in range(3 if known else 1):
        assert connection.receive_request(GET) is not None
        headers = HTTPHeaders({"Server": "Zonda"})
        assert connection.respond(200, "OK", headers, b"") is not None
    connection.announce_close()
    assert connection.receive_request(GET) is not None
    answer = sent(connection.send_response(200, "OK", HTTPHeaders(), b""))
    assert b"\r\nConnection: close\r\n" in answer
