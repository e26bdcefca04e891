"""`ClientConnection`: what it sends, and what it makes of the bytes of a server.

Rows of responses are run whole, a byte at a time, in threes, and at splits that hypothesis chooses.
"""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    ClientConnection,
    Data,
    EndOfMessage,
    InformationalResponse,
    Limits,
    LocalProtocolError,
    RemoteProtocolError,
    Request,
    Response,
    Signal,
    State,
)
from zonda.httputil.http1.output import known_head

Feed = Callable[[ClientConnection, Iterable[bytes]], list[tuple[object, ...]]]
Row = tuple[str, bytes, list[tuple[object, ...]], bool]

END = ("end", None)


def response(
    status: int = 200, reason: str = "OK", version: str = "HTTP/1.1", **fields: str
) -> tuple[object, ...]:
    pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return ("response", status, reason, version, pairs)


def error(name: str = "RemoteProtocolError", status: int = 400) -> tuple[object, ...]:
    return ("error", status, name)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKED_OK = response(Transfer_Encoding="chunked")

# method of the request, bytes, what they mean, whether the connection persists
ROWS: dict[str, Row] = {
    "length": (
        "GET", OK + b"Content-Length: 2\r\n\r\nhi",
        [response(Content_Length="2"), ("data", b"hi"), END], True,
    ),
    "no content": (
        "GET", OK + b"Content-Length: 0\r\n\r\n", [response(Content_Length="0"), END], True,
    ),
    "chunked": (
        "GET", CHUNKED + b"2\r\nhi\r\n0\r\nA: b\r\n\r\n",
        [CHUNKED_OK, ("data", b"hi"), ("end", [("A", "b")])], True,
    ),
    "until close": (
        "GET", OK + b"\r\nhello", [response(), ("data", b"hello"), END], False,
    ),
    "until close, empty": ("GET", OK + b"\r\n", [response(), END], False),
    "HEAD": (
        "HEAD", OK + b"Content-Length: 5\r\n\r\n", [response(Content_Length="5"), END], True,
    ),
    "HEAD, chunked": ("HEAD", CHUNKED, [CHUNKED_OK, END], True),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", [response(204, "No Content"), END], True),
    "304 with a length": (
        "GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        [response(304, "Not Modified", Content_Length="5"), END], True,
    ),
    "close": (
        "GET", OK + b"Connection: x, Close\r\nContent-Length: 0\r\n\r\n",
        [response(Connection="x, Close", Content_Length="0"), END], False,
    ),
    "HTTP/1.0": (
        "GET", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        [response(version="HTTP/1.0", Content_Length="0"), END], False,
    ),
    "HTTP/1.0 keep-alive": (
        "GET", b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
        [response(version="HTTP/1.0", Connection="Keep-Alive", Content_Length="0"), END], True,
    ),
    "informational": (
        "GET",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + OK + b"Content-Length: 0\r\n\r\n",
        [
            response(100, "Continue"), response(103, "Early Hints", Link="</a>"),
            response(Content_Length="0"), END,
        ],
        True,
    ),
    "ten informational": (
        "GET", b"HTTP/1.1 103 \r\n\r\n" * 10 + b"HTTP/1.1 204 \r\n\r\n",
        [response(103, "")] * 10 + [response(204, ""), END], True,
    ),
    "eleven informational": (
        "GET", b"HTTP/1.1 103 \r\n\r\n" * 11, [response(103, "")] * 10 + [error()], False,
    ),
    "more than was asked for": (
        "GET", OK + b"Content-Length: 0\r\n\r\nHTTP/1.1",
        [response(Content_Length="0"), END], False,
    ),
    # Status line (RFC 9112 §4).
    "no reason": ("GET", b"HTTP/1.1 204 \r\n\r\n", [response(204, ""), END], True),
    "no reason and no space": ("GET", b"HTTP/1.1 204\r\n\r\n", [response(204, ""), END], True),
    "obs-text in the reason": (
        "GET", b"HTTP/1.1 204 caf\xe9\r\n\r\n", [response(204, "caf\xe9"), END], True,
    ),
    "unknown status": (
        "GET", b"HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
        [response(799, "Odd", Content_Length="0"), END], True,
    ),
    "status of two digits": ("GET", b"HTTP/1.1 20 OK\r\n\r\n", [error()], False),
    "status of four digits": ("GET", b"HTTP/1.1 2000 OK\r\n\r\n", [error()], False),
    "status 099": ("GET", b"HTTP/1.1 099 OK\r\n\r\n", [error()], False),
    "signed status": ("GET", b"HTTP/1.1 +20 OK\r\n\r\n", [error()], False),
    "HTTP/2": ("GET", b"HTTP/2.0 200 OK\r\n\r\n", [error(status=505)], False),
    "not HTTP": ("GET", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", [error()], False),
    "control character in the reason": ("GET", b"HTTP/1.1 200 O\0K\r\n\r\n", [error()], False),
    "CR in the reason": ("GET", b"HTTP/1.1 200 O\rK\r\n\r\n", [error()], False),
    # Fields (RFC 9112 §5).
    "folded line": (
        "GET", b"HTTP/1.1 204 \r\nA: b\r\n \t c\r\n\r\n", [response(204, "", A="b c"), END], True,
    ),
    "folded line behind the status line": (
        "GET", b"HTTP/1.1 204 \r\n A: b\r\n\r\n", [error()], False,
    ),
    "space before the colon": ("GET", b"HTTP/1.1 204 \r\nA : b\r\n\r\n", [error()], False),
    "NUL in a value": ("GET", b"HTTP/1.1 204 \r\nA: b\0\r\n\r\n", [error()], False),
    "NUL in a folded value": ("GET", b"HTTP/1.1 204 \r\nA: b\r\n \0\r\n\r\n", [error()], False),
    "LF for CRLF": ("GET", b"HTTP/1.1 204 \nA: b\n\n", [error()], False),
    # Framing (RFC 9112 §6.3).
    "both lengths": (
        "GET", OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", [error()], False,
    ),
    "unequal lengths": (
        "GET", OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", [error()], False,
    ),
    "unknown coding": ("GET", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", [error()], False),
    "chunked in HTTP/1.0": (
        "GET", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [error()], False,
    ),
    "length cut short": (
        "GET", OK + b"Content-Length: 5\r\n\r\nabc",
        [response(Content_Length="5"), ("data", b"abc"), error("IncompleteMessage")], False,
    ),
    "chunks cut short": (
        "GET", CHUNKED + b"5\r\nabc",
        [CHUNKED_OK, ("data", b"abc"), error("IncompleteMessage")], False,
    ),
    "last chunk missing": (
        "GET", CHUNKED + b"3\r\nabc\r\n",
        [CHUNKED_OK, ("data", b"abc"), error("IncompleteMessage")], False,
    ),
    "malformed chunk": (
        "GET", CHUNKED + b"3\r\nabc\r\n0x3\r\n", [CHUNKED_OK, ("data", b"abc"), error()], False,
    ),
    "head cut short": ("GET", b"HTTP/1.1 200 OK\r\nA", [error("IncompleteMessage")], False),
    "nothing": ("GET", b"", [("closed",)], False),
    # Other protocols.
    "connect": (
        "CONNECT", OK + b"Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\n\x16\x03",
        [response(Content_Length="5", Transfer_Encoding="x")], False,
    ),
    "connect refused": (
        "CONNECT", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
        [response(403, "Forbidden", Content_Length="2"), ("data", b"no"), END], True,
    ),
    "101 that nobody asked for": (
        "GET", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", [error()], False,
    ),
}  # fmt: skip


def asking(method: str, limits: Limits | None = None) -> ClientConnection:
    connection = ClientConnection() if limits is None else ClientConnection(limits)
    target = "example.com:443" if method == "CONNECT" else "/"
    connection.send_request(method, target, HTTPHeaders({"Host": "example.com"}))
    return connection


def check(feed: Feed, row: Row, pieces: Iterable[bytes]) -> None:
    method, _, expected, keep_alive = row
    connection = asking(method)
    seen = feed(connection, [*(piece for piece in pieces if piece), b""])
    assert seen == expected
    if seen[-1][0] != "error":
        assert connection.keep_alive is keep_alive


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
@pytest.mark.parametrize("size", [0, 1, 3], ids=["whole", "bytewise", "in threes"])
def test_response(feed: Feed, row: Row, size: int) -> None:
    data = row[1]
    step = size or len(data) or 1
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    if row is ROWS["more than was asked for"]:
        pieces = [data]  # what is behind the end has to arrive with it to be seen
    check(feed, row, pieces)


@given(st.sampled_from([row for name, row in ROWS.items() if name[:4] != "more"]), st.data())
def test_splits(feed: Feed, row: Row, source: st.DataObject) -> None:
    data = row[1]
    cuts = sorted(source.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    check(feed, row, pieces)


# Requests.

HOST = {"Host": "h"}

WHOLE: dict[str, tuple[str, str, dict[str, str], bytes, bytes]] = {
    "get": ("GET", "/a?b", HOST, b"", b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"),
    "post": (
        "POST", "/", HOST, b"hi", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
    ),
    "post without content": (
        "POST", "/", HOST, b"", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    ),
    "get with content": (
        "GET", "/", HOST, b"hi", b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
    ),
    "length is there": (
        "PUT", "/", {**HOST, "Content-Length": "2"}, b"hi",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
    ),
    "chunked": (
        "PUT", "/", {**HOST, "Transfer-Encoding": "chunked"}, b"hi",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ),
    "absolute form": (
        "GET", "http://h/x", HOST, b"", b"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n",
    ),
    "asterisk": ("OPTIONS", "*", HOST, b"", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
    "connect": ("CONNECT", "h:443", HOST, b"", b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
    "empty host": ("GET", "/", {"Host": ""}, b"", b"GET / HTTP/1.1\r\nHost: \r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_send_request(name: str) -> None:
    method, target, fields, content, expected = WHOLE[name]
    connection = ClientConnection()
    buffers = connection.send_request(method, target, HTTPHeaders(fields), content)
    assert b"".join(buffers) == expected
    assert connection.our_state is State.DONE


BAD: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "no Host": ("GET", "/", {}, b""),
    "bad Host": ("GET", "/", {"Host": "h/x"}, b""),
    "space in the target": ("GET", "/a b", HOST, b""),
    "line break in the target": ("GET", "/ HTTP/1.1\r\nA: b\r\n\r\n", HOST, b""),
    "NUL in the target": ("GET", "/\0", HOST, b""),
    "non-ASCII target": ("GET", "/caf\xe9", HOST, b""),
    "fragment": ("GET", "/#a", HOST, b""),
    "empty target": ("GET", "", HOST, b""),
    "relative target": ("GET", "a/b", HOST, b""),
    "asterisk with GET": ("GET", "*", HOST, b""),
    "connect to a path": ("CONNECT", "/", HOST, b""),
    "line break in the method": ("GET / HTTP/1.1\r\nA: b\r\n\r\nGET", "/", HOST, b""),
    "empty method": ("", "/", HOST, b""),
    "wrong length": ("PUT", "/", {**HOST, "Content-Length": "3"}, b"hi"),
    "both lengths": (
        "PUT", "/", {**HOST, "Content-Length": "2", "Transfer-Encoding": "chunked"}, b"hi",
    ),
    "unknown coding": ("PUT", "/", {**HOST, "Transfer-Encoding": "gzip"}, b"hi"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused_requests(name: str) -> None:
    method, target, fields, content = BAD[name]
    connection = ClientConnection()
    with pytest.raises(LocalProtocolError):
        connection.send_request(method, target, HTTPHeaders(fields), content)
    assert connection.our_state is State.IDLE
    connection.send_request("GET", "/", HTTPHeaders(HOST))


@pytest.mark.parametrize("character", ["\r", "\n", "\r\n", "\0", "\x1b", "\x7f", "\u010a"])
def test_control_characters_in_fields(character: str) -> None:
    headers = HTTPHeaders(HOST)
    headers._fields["A"] = f"b{character}C: d"  # HTTPHeaders itself would refuse most of these
    with pytest.raises(LocalProtocolError, match="value of A"):
        ClientConnection().send_request("GET", "/", headers)


def test_two_hosts() -> None:
    headers = HTTPHeaders(HOST)
    headers.add("Host", "i")
    with pytest.raises(LocalProtocolError):
        ClientConnection().send_request("GET", "/", headers)


def streamed(request: Request) -> bytes:
    connection = ClientConnection()
    buffers = [*connection.send(request), *connection.send(Data(b"hi"))]
    return b"".join([*buffers, *connection.send(END_OF_MESSAGE)])


def test_request_in_pieces() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: h\r\n"
    assert streamed(Request("PUT", "/", HTTPHeaders(HOST), content_length=2)) == (
        head + b"Content-Length: 2\r\n\r\nhi"
    )
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    assert streamed(Request("PUT", "/", HTTPHeaders(HOST), content_length=None)) == chunked
    assert streamed(Request("PUT", "/", HTTPHeaders(HOST), chunked=True)) == chunked
    assert streamed(Request("PUT", "/", HTTPHeaders(), host="h", chunked=True)) == chunked


def test_http10_request() -> None:
    connection = ClientConnection()
    head = connection.send(Request("GET", "/", HTTPHeaders(), "HTTP/1.0"))
    assert head == [b"GET / HTTP/1.0\r\n\r\n"]
    assert not connection.keep_alive
    for request in (
        Request("PUT", "/", HTTPHeaders(), "HTTP/1.0", chunked=True),
        Request("PUT", "/", HTTPHeaders({"Transfer-Encoding": "chunked"}), "HTTP/1.0"),
        Request("GET", "/", HTTPHeaders(HOST), "HTTP/1.2"),
        Request("GET", "/", HTTPHeaders(HOST), "HTTP/1.1\r\n"),
    ):
        with pytest.raises(LocalProtocolError):
            ClientConnection().send(request)


def test_large_content_is_not_copied() -> None:
    content = b"x" * 16385
    buffers = ClientConnection().send_request("PUT", "/", HTTPHeaders(HOST), content)
    assert buffers[1] is content


def test_order_of_events() -> None:
    connection = ClientConnection()
    for event in (Data(b"x"), END_OF_MESSAGE):
        with pytest.raises(LocalProtocolError):
            connection.send(event)
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    connection.send_request("GET", "/", HTTPHeaders(HOST))
    with pytest.raises(LocalProtocolError):
        connection.send_request("GET", "/", HTTPHeaders(HOST))
    with pytest.raises(LocalProtocolError):
        connection.send(END_OF_MESSAGE)


# Exchanges.


def test_cycles_and_trailers() -> None:
    connection = ClientConnection()
    for _ in range(3):
        connection.send(Request("POST", "/", HTTPHeaders(HOST), chunked=True))
        connection.send(Data(b"x"))
        trailers = HTTPHeaders({"A": "b"})
        assert connection.send(EndOfMessage(trailers)) == [b"0\r\nA: b\r\n\r\n"]
        connection.receive_data(b"HTTP/1.1 103 \r\n\r\n" * 10 + b"HTTP/1.1 204 \r\n\r\n")
        while not isinstance(event := connection.next_event(), Response):
            assert isinstance(event, InformationalResponse)
        assert connection.next_event() is END_OF_MESSAGE
        assert connection.next_event() is Signal.PAUSED
        connection.start_next_cycle()
        assert connection.next_event() is Signal.NEED_DATA


def test_response_before_the_end_of_the_request() -> None:
    connection = ClientConnection()
    connection.send(Request("PUT", "/", HTTPHeaders(HOST), content_length=10))
    connection.receive_data(b"HTTP/1.1 413 \r\nContent-Length: 0\r\n\r\n")
    assert isinstance(connection.next_event(), Response)
    assert connection.next_event() is END_OF_MESSAGE
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    assert connection.send(Data(b"0123456789"))
    connection.send(END_OF_MESSAGE)
    connection.start_next_cycle()


@pytest.mark.parametrize("data", [b"H", b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n"])
def test_unsolicited_bytes(data: bytes) -> None:
    connection = ClientConnection()
    connection.receive_data(data)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            connection.next_event()


def test_server_closes_an_idle_connection() -> None:
    connection = ClientConnection()
    connection.receive_data(b"")
    assert connection.next_event() is CONNECTION_CLOSED
    with pytest.raises(LocalProtocolError):
        connection.send_request("GET", "/", HTTPHeaders(HOST))


def test_upgrade() -> None:
    connection = ClientConnection()
    fields = {**HOST, "Connection": "Upgrade", "Upgrade": "websocket"}
    connection.send_request("GET", "/", HTTPHeaders(fields))
    connection.receive_data(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes")
    event = connection.next_event()
    assert isinstance(event, InformationalResponse)
    assert event.status == 101
    assert connection.next_event() is Signal.PAUSED
    assert connection.trailing_data == b"frames"
    assert connection.our_state is connection.their_state is State.SWITCHED
    assert not connection.keep_alive


def test_tunnel() -> None:
    connection = asking("CONNECT")
    connection.receive_data(b"HTTP/1.1 200 Connection established\r\n\r\n\x16\x03")
    assert isinstance(connection.next_event(), Response)
    assert connection.next_event() is Signal.PAUSED
    assert connection.trailing_data == b"\x16\x03"


# Limits.


@pytest.mark.parametrize(
    ("limits", "data", "status"),
    [
        (Limits(start_line=20), b"HTTP/1.1 200 " + b"a" * 20, 400),
        (Limits(head=50), b"HTTP/1.1 200 OK\r\nA: " + b"a" * 50, 431),
        (Limits(field_count=2), OK + b"A: b\r\n" * 3 + b"\r\n", 431),
        (Limits(body=2), OK + b"Content-Length: 3\r\n\r\n", 413),
        (Limits(body=2), OK + b"\r\nabc", 413),
        (Limits(body=2), CHUNKED + b"3\r\n", 413),
        (Limits(trailer=9), CHUNKED + b"0\r\nA: " + b"b" * 9, 431),
        (Limits(chunk_extension=9), CHUNKED + b"1;" + b"x" * 200, 400),
        (Limits(informational=0), b"HTTP/1.1 100 \r\n\r\n", 400),
    ],
)
@pytest.mark.parametrize("size", [0, 1], ids=["whole", "bytewise"])
def test_limits(feed: Feed, limits: Limits, data: bytes, status: int, size: int) -> None:
    step = size or len(data)
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    assert feed(asking("GET", limits), pieces)[-1] == error(status=status)


def test_body_limit_of_one_message() -> None:
    connection = asking("GET", Limits(body=2))
    connection.receive_data(OK + b"\r\n")
    connection.next_event()
    connection.set_body_limit(4)
    connection.receive_data(b"abcd")
    assert isinstance(connection.next_event(), Data)
    connection.receive_data(b"e")
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


def test_a_head_that_is_known() -> None:
    connection = ClientConnection()
    head = known_head("GET", "/a?b", "Host: a\r\nX: y\r\n")
    assert head == b"GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
    connection.send_known("GET", head)
    connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert isinstance(connection.next_event(), Response)
    assert connection.next_event() is END_OF_MESSAGE
    with pytest.raises(LocalProtocolError):
        connection.send_known("GET", head)
    connection.start_next_cycle()
    connection.send_known("GET", head)
    assert connection.our_state is State.DONE


@pytest.mark.parametrize(
    ("method", "target"), [("G T", "/"), ("GET", "/a b"), ("GET", "*"), ("GET", "/\r\nX: y")]
)
def test_a_head_that_cannot_be_made(method: str, target: str) -> None:
    with pytest.raises(LocalProtocolError):
        known_head(method, target, "Host: a\r\n")


# -- a response with the head of the one before

ONE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nhi"


def ask(connection: ClientConnection, method: str = "GET", first: bool = False) -> None:
    if not first:
        connection.start_next_cycle()
    connection.send_request(method, "/", HTTPHeaders({"Host": "a"}))


def asked_before(answer: bytes = ONE) -> ClientConnection:
    """A connection that has had an answer and sent the next request."""
    connection = ClientConnection()
    ask(connection, first=True)
    assert connection.receive_whole(answer) is None
    connection.receive_data(answer)
    while not isinstance(connection.next_event(), EndOfMessage):
        pass
    ask(connection)
    return connection


def test_a_response_with_the_head_of_the_last_one() -> None:
    connection = asked_before()
    for content in (b"hi", b"ho", b"\r\n"):
        whole = connection.receive_whole(ONE[:-2] + content)
        assert whole is not None
        head, data = whole
        assert (head.status, head.reason, head.version, data) == (200, "OK", "HTTP/1.1", content)
        assert list(head.headers.get_all()) == [("Content-Length", "2"), ("X", "y")]
        head.headers["X"] = "mine"  # and nobody else's
        assert connection.their_state is State.DONE
        assert connection.next_event() is Signal.PAUSED
        assert connection.keep_alive
        ask(connection)


@pytest.mark.parametrize(
    "data",
    [
        ONE[:-1],
        ONE + b"x",
        ONE.replace(b"X: y", b"X: z"),
        ONE.replace(b"200", b"201"),
        ONE[:-2],
        b"",
        ONE.replace(b"Content-Length: 2", b"Content-Length: 3") + b"!",
    ],
)
def test_what_is_no_such_response(data: bytes) -> None:
    connection = asked_before()
    assert connection.receive_whole(data) is None
    assert (connection.their_state, connection.bytes_buffered) == (State.IDLE, 0)
    connection.receive_data(data)
    if data:
        event = connection.next_event()
        assert isinstance(event, Response) or len(data) < len(ONE) - 2


def test_when_there_can_be_no_such_response() -> None:
    head = asked_before()
    head.receive_data(ONE)
    while not isinstance(head.next_event(), EndOfMessage):
        pass
    ask(head, "HEAD")
    assert head.receive_whole(ONE) is None  # its content would be the next response
    pieces = asked_before()
    pieces.receive_data(ONE[:5])
    assert pieces.receive_whole(ONE) is None
    ended = asked_before()
    ended.receive_data(b"")
    assert ended.receive_whole(ONE) is None
    large = asked_before()
    large.set_body_limit(1)
    assert large.receive_whole(ONE) is None
    idle = asked_before()
    assert idle.receive_whole(ONE) is not None
    assert idle.receive_whole(ONE) is None  # nobody has asked
    for framing in (b"Connection: close", b"Transfer-Encoding: chunked", b"connection: x"):
        unusual = ONE.replace(b"X: y", framing)
        connection = ClientConnection()
        ask(connection, first=True)
        connection.receive_data(unusual)
        try:
            connection.next_event()
        except RemoteProtocolError:
            continue
        assert connection._known is None
