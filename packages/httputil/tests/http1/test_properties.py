"""What holds for any input: documented errors only, client and server understand each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1 import (
    END_OF_MESSAGE,
    ClientConnection,
    ConnectionClosed,
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
)

FRAGMENTS = [
    b"GET ", b"POST ", b"CONNECT ", b"/ ", b"* ", b"h:80 ", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.1 ",
    b"200 OK", b"204 ", b"101 ", b"100 ", b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"Host: h\r\n",
    b"Content-Length: 3\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"gzip, ",
    b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n", b"Expect: 100-continue\r\n",
    b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b";ext", b" ", b"\t", b":", b",", b"\0",
    b"\xff", b"a", b"5", b"abc",
]  # fmt: skip
soup = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=4), max_size=30)
limits = st.builds(
    Limits,
    start_line=st.integers(0, 60),
    head=st.integers(0, 120),
    field_count=st.integers(0, 4),
    chunk_extension=st.integers(0, 10),
    trailer=st.integers(0, 30),
    body=st.none() | st.integers(0, 10),
    informational=st.integers(0, 3),
) | st.just(Limits())


def drive(connection: ServerConnection | ClientConnection, pieces: list[bytes], end: bool) -> None:
    for piece in pieces:
        if piece:
            connection.receive_data(piece)
        spin(connection)
    if end:
        connection.receive_data(b"")
        spin(connection)


def spin(connection: ServerConnection | ClientConnection) -> None:
    for _ in range(1000):
        try:
            event = connection.next_event()
        except RemoteProtocolError as caught:
            error = caught
            break
        if isinstance(event, Signal | ConnectionClosed):
            return
        if isinstance(event, EndOfMessage):
            try:
                if isinstance(connection, ServerConnection):
                    connection.send_response(200, "OK", HTTPHeaders(), b"")
                connection.start_next_cycle()
                if isinstance(connection, ClientConnection):
                    connection.send_request("GET", "/", HTTPHeaders({"Host": "h"}))
            except LocalProtocolError:
                return
    else:
        raise AssertionError("endless events")
    assert 400 <= error.status <= 505
    assert str(error).isprintable()
    assert connection.keep_alive is False


@given(soup, limits, st.booleans())
def test_server_raises_documented_errors_only(
    pieces: list[bytes], limits: Limits, end: bool
) -> None:
    drive(ServerConnection(limits), pieces, end)


@given(soup, limits, st.booleans(), st.sampled_from(["GET", "HEAD", "CONNECT", "UPGRADE"]))
def test_client_raises_documented_errors_only(
    pieces: list[bytes], limits: Limits, end: bool, method: str
) -> None:
    connection = ClientConnection(limits)
    fields = {"Host": "h", "Connection": "upgrade", "Upgrade": "x"}
    target = "h:1" if method == "CONNECT" else "/"
    connection.send_request(method, target, HTTPHeaders(fields))
    drive(connection, [b"HTTP/1.1 ", *pieces], end)


name = st.sampled_from(["A", "Set-Cookie", "X-Thing", "Content-Type"])
value = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])).map(
    lambda text: text.strip(" \t")
)
fields = st.lists(st.tuples(name, value), max_size=5)
contents = st.lists(st.binary(max_size=50), max_size=5)


def make(pairs: list[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for each, text in pairs:
        headers.add(each, text)
    return headers


def collect(connection: ServerConnection | ClientConnection) -> tuple[object, bytes, object]:
    head = connection.next_event()
    while type(head) is InformationalResponse:
        head = connection.next_event()
    content = b""
    while not isinstance(event := connection.next_event(), EndOfMessage):
        assert isinstance(event, Data)
        content += event.data
    return head, content, event.trailers and list(event.trailers.get_all())


def grouped(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs as HTTPHeaders gives them out: those of one name follow one another."""
    return list(make(pairs).get_all())


@given(
    st.lists(
        st.tuples(fields, contents, fields, contents, st.booleans(), st.booleans()), max_size=3
    ),
    st.integers(1, 100),
)
def test_client_and_server_understand_each_other(
    exchanges: list[
        tuple[
            list[tuple[str, str]],
            list[bytes],
            list[tuple[str, str]],
            list[bytes],
            bool,
            bool,
        ]
    ],
    step: int,
) -> None:
    """Formatted by one side and read by the other, everything comes back as it was."""
    client, server = ClientConnection(), ServerConnection()
    for (
        request_fields,
        request_content,
        response_fields,
        response_content,
        chunked,
        early,
    ) in exchanges:
        request_headers = make([*request_fields, ("Host", "h")])
        length = None if chunked else sum(map(len, request_content))
        wire = b"".join(client.send(Request("PUT", "/x", request_headers, content_length=length)))
        wire += b"".join(b"".join(client.send(Data(piece))) for piece in request_content)
        trailers = make([("Trailing", "yes")]) if chunked else None
        wire += b"".join(client.send(EndOfMessage(trailers)))
        for start in range(0, len(wire), step):
            server.receive_data(wire[start : start + step])
        request, content, received_trailers = collect(server)
        assert isinstance(request, Request)
        assert (request.method, request.target, request.host) == ("PUT", "/x", "h")
        assert content == b"".join(request_content)
        assert received_trailers == ([("Trailing", "yes")] if chunked else None)
        received = [
            pair
            for pair in request.headers.get_all()
            if pair[0] not in ("Host", "Content-Length", "Transfer-Encoding")
        ]
        assert received == grouped(request_fields)

        wire = b""
        if early:
            hints = InformationalResponse(103, "Early Hints", make(response_fields))
            wire = b"".join(server.send(hints))
        headers = make(response_fields)
        if chunked:
            wire += b"".join(server.send(Response(203, "Fine", headers)))
            wire += b"".join(b"".join(server.send(Data(piece))) for piece in response_content)
            wire += b"".join(server.send(END_OF_MESSAGE))
        else:
            whole = b"".join(response_content)
            wire += b"".join(server.send_response(203, "Fine", headers, whole))
        for start in range(0, len(wire), step):
            client.receive_data(wire[start : start + step])
        response, content, received_trailers = collect(client)
        assert isinstance(response, Response)
        assert (response.status, response.reason) == (203, "Fine")
        assert content == b"".join(response_content)
        assert received_trailers is None
        received = [
            pair
            for pair in response.headers.get_all()
            if pair[0] not in ("Content-Length", "Transfer-Encoding")
        ]
        assert received == grouped(response_fields)
        client.start_next_cycle()
        server.start_next_cycle()


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_both_sides_agree_whether_the_connection_persists(
    status: int, method: str, version: str, close: bool, whole: bool
) -> None:
    client, server = ClientConnection(), ServerConnection()
    headers = HTTPHeaders({"Host": "h", "Connection": "close" if close else "keep-alive"})
    request = Request(method, "/", headers, version)
    for buffer in [*client.send(request), *client.send(END_OF_MESSAGE)]:
        server.receive_data(bytes(buffer))
    assert isinstance(server.next_event(), Request)
    assert isinstance(server.next_event(), EndOfMessage)
    if whole:
        buffers = server.send_response(status, "", HTTPHeaders(), b"")
    else:
        buffers = [*server.send(Response(status)), *server.send(END_OF_MESSAGE)]
    for buffer in buffers:
        client.receive_data(bytes(buffer))
    if not server.keep_alive:
        client.receive_data(b"")
    assert isinstance(client.next_event(), Response)
    assert client.next_event() is END_OF_MESSAGE
    assert client.keep_alive == server.keep_alive
    assert not (close and client.keep_alive)
