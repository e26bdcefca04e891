"""The same bytes to h11 and to httptools (llhttp).

Where both accept a message they have to mean the same by it: a front end and a back end that
disagree are how requests are smuggled. Where one refuses what the other accepts, the tables say
why.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.http1 import (
    Data,
    EndOfMessage,
    RemoteProtocolError,
    Request,
    ServerConnection,
    Signal,
)

# method, target, content of one request; None: refused or incomplete
Meaning = tuple[str, str, bytes] | None

HOST = b"Host: h\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

INPUTS: dict[str, bytes] = {
    "get": b"GET /a?b HTTP/1.1\r\n" + HOST + b"\r\n",
    "http/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "post": POST + b"Content-Length: 3\r\n\r\nabc",
    "chunked": CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "absolute form": b"GET http://h/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "obs-text": b"GET / HTTP/1.1\r\n" + HOST + b"A: \xe9\r\n\r\n",
    "empty line before": b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "LF for CRLF": b"GET / HTTP/1.1\nHost: h\n\n",
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
    "bad Host": b"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n",
    "asterisk with GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "bare word": b"GET foo HTTP/1.1\r\n" + HOST + b"\r\n",
    "raw UTF-8": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "fragment": b"GET /#a HTTP/1.1\r\n" + HOST + b"\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "http/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "http/2.0": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "space before colon": b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\n" + HOST + b"A: \0\r\n\r\n",
    "escape": b"GET / HTTP/1.1\r\n" + HOST + b"A: \x1b\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n",
    "length and chunked": POST
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "equal list": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "unequal lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "underscore": POST + b"Content-Length: 0_3\r\n\r\nabc",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "VT chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "0x chunk": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "signed chunk": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "space behind a chunk size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "LF behind a chunk size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "LF in an extension": CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "XX behind a chunk": CHUNKED + b"3\r\nabcXX0\r\n\r\n",
    "LF behind a chunk": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "Content-Length in a trailer": CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "unknown expectation": b"GET / HTTP/1.1\r\n" + HOST + b"Expect: tea\r\n\r\n",
}

H11_DIFFERS = {
    "raw UTF-8": "h11 takes RFC 9112 §3.2 at its word; curl sends such targets",
    "empty line before": "h11 refuses what RFC 9112 §2.2 asks a server to ignore",
    "LF for CRLF": "RFC 9112 §2.2 allows LF for CRLF, h11 accepts it; here it is refused",
    "bad Host": "h11 does not look at the value of Host",
    "asterisk with GET": "h11 leaves the form of the target to its user",
    "bare word": "h11 leaves the form of the target to its user",
    "fragment": "h11 lets any visible ASCII pass",
    "http/2.0": "h11 leaves the version to its user; here 505",
    "folded": "h11 unfolds; RFC 9112 §5.2 has a server refuse or unfold",
    "escape": "of the control characters h11 refuses NUL and white space only",
    "length and chunked": "h11 lets chunked win; RFC 9112 §6.1 allows to refuse",
    "chunked in 1.0": "h11 ignores the version; RFC 9112 §6.1 calls this faulty framing",
    "space behind a chunk size": "h11 tolerates it for the sake of old peers",
    "Content-Length in a trailer": "h11 hands it on as a trailer",
    "unknown expectation": "h11 leaves it to its user; here 417",
}

HTTPTOOLS_DIFFERS = {
    "raw UTF-8": "llhttp takes RFC 9112 §3.2 at its word; curl sends such targets",
    "no Host": "llhttp leaves Host to its user",
    "two Hosts": "llhttp leaves Host to its user",
    "bad Host": "llhttp leaves Host to its user",
    "asterisk with GET": "llhttp takes an asterisk for a target of any method",
    "fragment": "llhttp tolerates a fragment",
    "unknown method": "llhttp knows a list of methods",
    "http/1.2": "llhttp knows a list of versions; RFC 9110 §6.2 has this read as 1.1",
    "http/2.0": "llhttp accepts the line of an HTTP/2 preface; here 505",
    "equal lengths": "llhttp refuses any second Content-Length",
    "equal list": "llhttp takes nothing but digits; RFC 9110 §8.6 allows equal members",
    "gzip, chunked": "llhttp sees that chunked comes last and leaves gzip to its user; here 501",
    "chunked in 1.0": "llhttp ignores the version; RFC 9112 §6.1 calls this faulty framing",
    "unknown expectation": "llhttp leaves it to its user; here 417",
}


def zonda(data: bytes) -> Meaning:
    connection = ServerConnection()
    connection.receive_data(data)
    content = b""
    try:
        request = connection.next_event()
        if not isinstance(request, Request):
            return None
        while not isinstance(event := connection.next_event(), EndOfMessage):
            if isinstance(event, Signal):
                return None
            assert isinstance(event, Data)
            content += event.data
    except RemoteProtocolError:
        return None
    return request.method, request.target, content


def h11(data: bytes) -> Meaning:
    peer = pytest.importorskip("h11")
    connection = peer.Connection(peer.SERVER)
    connection.receive_data(data)
    content = b""
    try:
        request = connection.next_event()
        if not isinstance(request, peer.Request):
            return None
        while not isinstance(event := connection.next_event(), peer.EndOfMessage):
            if not isinstance(event, peer.Data):
                return None
            content += event.data
    except peer.RemoteProtocolError:
        return None
    return request.method.decode(), request.target.decode(), content


def httptools(data: bytes) -> Meaning:
    peer = pytest.importorskip("httptools")

    class Protocol:
        url = content = method = b""
        complete = False

        def on_url(self, url: bytes) -> None:
            if not self.complete:
                self.url += url

        def on_headers_complete(self) -> None:
            if not self.complete:
                self.method = parser.get_method()

        def on_body(self, content: bytes) -> None:
            if not self.complete:
                self.content += content

        def on_message_complete(self) -> None:
            self.complete = True

    protocol = Protocol()
    parser = peer.HttpRequestParser(protocol)
    try:
        parser.feed_data(data)
    except (peer.HttpParserUpgrade, peer.HttpParserError):
        pass  # possibly behind the first message
    if not protocol.complete:
        return None
    return protocol.method.decode(), protocol.url.decode("latin-1"), protocol.content


PEERS: list[tuple[Callable[[bytes], Meaning], dict[str, str]]] = [
    (h11, H11_DIFFERS),
    (httptools, HTTPTOOLS_DIFFERS),
]


@pytest.mark.parametrize(("peer", "differs"), PEERS, ids=["h11", "httptools"])
@pytest.mark.parametrize("name", INPUTS)
def test_table(name: str, peer: Callable[[bytes], Meaning], differs: dict[str, str]) -> None:
    ours, theirs = zonda(INPUTS[name]), peer(INPUTS[name])
    if name in differs:
        assert differs[name], "a difference is explained"
        assert ours != theirs, "no difference any more: take it out of the table"
        assert ours is None or theirs is None, "both accept and mean different things"
    else:
        assert ours == theirs


@given(
    st.sampled_from(list(INPUTS.values())),
    st.lists(
        st.tuples(
            st.integers(0, 200),
            st.integers(0, 3),
            st.sampled_from(
                [b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b",", b";", b"0", b"3", b"\0",
                 b"\x0b", b"\xa0", b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n"]
            ),
        ),
        max_size=3,
    ),
)  # fmt: skip
@pytest.mark.parametrize("peer", [h11, httptools], ids=["h11", "httptools"])
def test_two_that_accept_agree(
    peer: Callable[[bytes], Meaning], data: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for position, removed, inserted in edits:
        data = data[:position] + inserted + data[position + removed :]
    ours = zonda(data)
    if ours is not None:
        theirs = peer(data)
        assert theirs is None or theirs == ours
