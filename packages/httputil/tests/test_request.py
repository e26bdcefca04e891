"""HTTPServerRequest: what handlers read, and when it is worked out."""

import copy
import pickle
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.delegates import HTTPConnection
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.form_config import (
    ParseBodyConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
    set_parse_body_config,
)
from zonda.httputil.forms import parse_body_arguments
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.request import HTTPServerRequest
from zonda.httputil.startline import RequestStartLine


def request(
    uri: str = "/",
    method: str = "GET",
    version: str = "HTTP/1.1",
    *,
    body: bytes = b"",
    connection: HTTPConnection | None = None,
    parse_config: ParseBodyConfig | None = None,
    fields: Mapping[str, str] | None = None,
) -> HTTPServerRequest:
    headers = HTTPHeaders({"Host": "example.com", **(fields or {})})
    return HTTPServerRequest(
        start_line=RequestStartLine(method, uri, version),
        headers=headers,
        body=body,
        connection=connection,
        parse_config=parse_config,
    )


URLENCODED = "application/x-www-form-urlencoded"


def form(body: bytes, uri: str = "/", content_type: str = URLENCODED) -> HTTPServerRequest:
    made = request(uri, "POST", fields={"Content-Type": content_type})
    made.body = body
    return made


def test_plain_attributes() -> None:
    server_connection = object()
    headers = HTTPHeaders({"Host": "Example.com:8080"})
    made = HTTPServerRequest(
        start_line=RequestStartLine("POST", "/a", "HTTP/1.1"),
        headers=headers,
        body=b"x",
        server_connection=server_connection,
    )
    assert (made.method, made.uri, made.version, made.body) == ("POST", "/a", "HTTP/1.1", b"x")
    assert made.headers is headers
    assert (made.host, made.host_name) == ("Example.com:8080", "example.com")
    assert (made.remote_ip, made.protocol) == (None, "http")
    assert made.connection is None
    assert made.server_connection is server_connection
    assert made.files == {}


def test_deprecated_keywords() -> None:
    made = HTTPServerRequest(method="GET", uri="/a?b=c", version="HTTP/1.0", host="x:8y")
    assert (made.method, made.path, made.version) == ("GET", "/a", "HTTP/1.0")
    assert made.host == "x:8y"
    mapping = {"host": "a.com", "X-Y": "1"}
    assert HTTPServerRequest("GET", "/", headers=mapping).host == "a.com"
    files = {"f": [HTTPFile(filename="a", body=b"", content_type="t")]}
    assert HTTPServerRequest("GET", "/", files=files).files is files
    bare = HTTPServerRequest()
    assert (bare.method, bare.uri, bare.version) == ("GET", "/", "HTTP/1.0")
    assert (bare.host, len(bare.headers), bare.body) == ("127.0.0.1", 0, b"")
    assert repr(bare) == (
        "HTTPServerRequest(protocol='http', host='127.0.0.1', method='GET', uri='/',"
        " version='HTTP/1.0', remote_ip=None)"
    )


@pytest.mark.parametrize(
    ("uri", "path", "query", "full_url"),
    [
        ("/", "/", "", "http://example.com/"),
        ("/a?b=c?d", "/a", "b=c?d", "http://example.com/a?b=c?d"),
        ("/?", "/", "", "http://example.com/?"),
        ("/a%20b", "/a%20b", "", "http://example.com/a%20b"),
        ("//evil.com/a", "//evil.com/a", "", "http://example.com//evil.com/a"),
        ("/a?http://b/c", "/a", "http://b/c", "http://example.com/a?http://b/c"),
        ("*", "*", "", "http://example.com*"),
        # Absolute-form: its authority is the host (RFC 9112 section 3.2.2).
        ("http://other.com:81/a?b", "/a", "b", "http://other.com:81/a?b"),
        ("http://other.com", "/", "", "http://other.com/"),
        ("http://other.com?b/c", "/", "b/c", "http://other.com/?b/c"),
    ],
)
def test_target(uri: str, path: str, query: str, full_url: str) -> None:
    made = request(uri)
    assert (made.uri, made.path, made.query) == (uri, path, query)
    assert made.full_url() == full_url


def test_full_url_uses_the_protocol() -> None:
    made = request("/a")
    made.protocol = "https"
    assert made.full_url() == "https://example.com/a"


class Context:
    def __init__(self, **attributes: str) -> None:
        vars(self).update(attributes)


class Connection(HTTPConnection):
    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)


def test_context_of_the_connection() -> None:
    context = Context(remote_ip="9.9.9.9", protocol="https")
    made = request(connection=Connection(context=context))
    context.remote_ip = "8.8.8.8"  # type: ignore[attr-defined]
    assert (made.remote_ip, made.protocol) == ("9.9.9.9", "https")
    for connection in (Connection(), Connection(context=Context()), Connection(context=None)):
        made = request(connection=connection)
        assert (made.remote_ip, made.protocol) == (None, "http")


HOSTS_REFUSED = ["a, b", "a b", "a@b", "a/b", "a:x", "a:-1", "a:99999", "[::1", "\xe9", "<a>"]


@pytest.mark.parametrize("host", HOSTS_REFUSED)
def test_invalid_host(host: str) -> None:
    with pytest.raises(HTTPInputError) as caught:
        request(fields={"Host": host})
    assert caught.value.status == 400
    with pytest.raises(HTTPInputError):
        request(f"http://{host.replace('/', '@')}/")
    # The protocol has seen to the Host of a block; if it had not, the first access would.
    block = HTTPHeaders.from_block(f"Host: {host}")
    made = HTTPServerRequest(start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=block)
    with pytest.raises(HTTPInputError):
        made.host  # noqa: B018


@pytest.mark.parametrize(
    ("headers", "version", "host"),
    [
        ("Host: a\r\nHost: a\r\n", "HTTP/1.1", None),
        ("Host: a\r\nHost: b\r\n", "HTTP/1.0", None),
        ("Host:\r\nHost: a\r\n", "HTTP/1.0", None),
        ("", "HTTP/1.1", None),
        ("", "HTTP/1.0", "127.0.0.1"),
        ("Host:\r\n", "HTTP/1.1", ""),
        ("Host:\r\n", "HTTP/1.0", "127.0.0.1"),
        ("Host: [::1]:80\r\n", "HTTP/1.1", "[::1]:80"),
    ],
)
def test_number_of_hosts(headers: str, version: str, host: str | None) -> None:
    start_line = RequestStartLine("GET", "/", version)
    parsed = HTTPHeaders.parse(headers)
    if host is None:
        with pytest.raises(HTTPInputError):
            HTTPServerRequest(start_line=start_line, headers=parsed)
    else:
        made = HTTPServerRequest(start_line=start_line, headers=parsed)
        assert made.host == host


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.com:80", "a.com"), ("a.com:", "a.com"), ("[::1]:8", "[::1]"), ("[::1]", "[::1]")],
)
def test_host_name(host: str, name: str) -> None:
    assert request(fields={"Host": host}).host_name == name


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", {}),
        ("a=1&b=2&a=3", {"a": [b"1", b"3"], "b": [b"2"]}),
        ("a=&b&=x", {"a": [b""], "b": [b""], "": [b"x"]}),
        ("%61=%62+c&d=%ff", {"a": [b"b c"], "d": [b"\xff"]}),
        ("a;b=1", {"a;b": [b"1"]}),
        # UTF-8 as it is, which some clients send: the target is a character an octet.
        ("\xc3\xa9=\xe2\x82\xac", {"\xc3\xa9": ["\u20ac".encode()]}),
    ],
)
def test_query_arguments(query: str, arguments: dict[str, list[bytes]]) -> None:
    made = request(f"/?{query}")
    assert made.query_arguments == arguments
    assert made.arguments == arguments
    assert made.body_arguments == {}
    made.arguments.setdefault("a", []).append(b"mine")
    assert made.query_arguments == arguments


def test_too_many_query_arguments() -> None:
    assert len(request("/?" + "&".join(["a=1"] * 1000)).arguments["a"]) == 1000
    for query in ("&".join(["a=1"] * 1001), "&" * 1000):
        with pytest.raises(HTTPInputError) as caught:
            request(f"/?{query}")
        assert caught.value.status == 400
    # Ampersands in the path are no fields.
    assert request("/" + "&" * 1001 + "?a=1").arguments == {"a": [b"1"]}


def test_limits_of_one_request_come_before_those_of_the_process() -> None:
    few = ParseBodyConfig(urlencoded=ParseUrlEncodedConfig(max_arguments=2))
    many = ParseBodyConfig(urlencoded=ParseUrlEncodedConfig(max_arguments=5000))
    with pytest.raises(HTTPInputError):
        request("/?a&b&c", parse_config=few)
    assert len(request("/?" + "a&" * 3000, parse_config=many).arguments["a"]) == 3000
    made = form(b"a&b&c")
    made.parse_config = few
    with pytest.raises(HTTPInputError):
        made.body_arguments  # noqa: B018
    default = get_parse_body_config()
    set_parse_body_config(few)
    try:
        with pytest.raises(HTTPInputError):
            request("/?a&b&c")
    finally:
        set_parse_body_config(default)


@pytest.mark.parametrize("parse_first", [True, False])
def test_body_arguments(parse_first: bool) -> None:
    made = form(b"a=1&b=2", "/?a=0")
    if parse_first:
        made._parse_body()
    assert made.arguments == {"a": [b"0", b"1"], "b": [b"2"]}
    assert made.body_arguments == {"a": [b"1"], "b": [b"2"]}
    assert made.query_arguments == {"a": [b"0"]}
    assert made.files == {}
    made._parse_body()
    assert made.arguments == {"a": [b"0", b"1"], "b": [b"2"]}


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
)


@pytest.mark.parametrize("parse_first", [True, False])
def test_files(parse_first: bool) -> None:
    made = form(MULTIPART, content_type="multipart/form-data; boundary=x")
    if parse_first:
        made._parse_body()
    (file,) = made.files["f"]
    assert (file.filename, file.body, file.content_type) == ("n.txt", b"hello", "text/plain")
    assert made.body_arguments == made.arguments == {"a": [b"1"]}


def test_a_body_given_by_hand_is_parsed_by_its_maker() -> None:
    # As webargs' tests make requests; with the fields in them already, there were two of each.
    made = request("/", "POST", body=b"a=1", fields={"Content-Type": URLENCODED})
    assert made.body_arguments == {}
    assert made.files == {}
    parse_body_arguments(URLENCODED, made.body, made.body_arguments, made.files)
    assert made.body_arguments == made.arguments == {"a": [b"1"]}


def test_a_body_that_arrives_after_the_first_look() -> None:
    made = form(b"", "/?q=1")
    assert made.arguments == {"q": [b"1"]}
    arguments, body_arguments, files = made.arguments, made.body_arguments, made.files
    made.body = b"a=1"
    made._parse_body()
    assert arguments == {"q": [b"1"], "a": [b"1"]}
    assert body_arguments == {"a": [b"1"]}
    assert files == {}


def test_a_malformed_form_is_an_error_whenever_it_is_looked_at() -> None:
    made = form(b"x", content_type="multipart/form-data; boundary")
    for look in (
        made._parse_body,
        lambda: made.body_arguments,
        lambda: made.files,
        lambda: made.arguments,
    ):
        with pytest.raises(HTTPInputError):
            look()


def test_a_body_that_is_no_form_is_left_alone() -> None:
    made = form(b'{"a": 1}', content_type="application/json")
    made._parse_body()
    assert made.arguments == made.body_arguments == {}
    assert made.files == {}


def test_cookies() -> None:
    made = request(fields={"Cookie": 'a=1; b="2\\054"; =x; c,d=1; e=5'})
    assert not hasattr(made, "_cookies")
    assert {name: morsel.value for name, morsel in made.cookies.items()} == {
        "a": "1",
        "b": "2,",
        "e": "5",
    }
    assert isinstance(made.cookies, SimpleCookie)
    assert made.cookies is made.cookies is made._cookies
    assert request().cookies == {}
    replaced = SimpleCookie("z=1")
    made.cookies = replaced
    assert made.cookies is made._cookies is replaced


def test_several_cookie_fields() -> None:
    made = request(fields={"Cookie": "a=1; b=2"})
    made.headers.add("Cookie", "c=3")
    assert {name: morsel.value for name, morsel in made.cookies.items()} == {
        "a": "1",
        "b": "2",
        "c": "3",
    }


def test_everything_can_be_set() -> None:
    made = request("/a?b=c")
    names = (
        "method uri version headers body host host_name remote_ip protocol connection path query"
        " arguments query_arguments body_arguments files server_connection _start_time"
        " _finish_time something_of_their_own"
    )
    for name in names.split():
        value = object()
        setattr(made, name, value)
        assert getattr(made, name) is value


def test_lazy_attributes_are_worked_out_once() -> None:
    made = request("/a?b=c")
    for name in ("path", "query", "arguments", "query_arguments", "host_name", "files"):
        assert getattr(made, name) is getattr(made, name)


def test_request_time() -> None:
    made = request()
    assert 0 <= made.request_time() < 60
    made._start_time = time.time() - 100
    assert 100 <= made.request_time() < 160
    made._finish_time = made._start_time + 5
    assert made.request_time() == pytest.approx(5)


class Socket:
    def __init__(self, certificate: object) -> None:
        self.certificate = certificate

    def getpeercert(self, binary_form: bool = False) -> object:
        if isinstance(self.certificate, Exception):
            raise self.certificate
        return b"der" if binary_form else self.certificate


class Stream:
    def __init__(self, socket: object) -> None:
        self.socket = socket


def test_certificate() -> None:
    certificate = {"subject": ()}
    made = request(connection=Connection(stream=Stream(Socket(certificate))))
    assert made.get_ssl_certificate() is certificate
    assert made.get_ssl_certificate(binary_form=True) == b"der"


@pytest.mark.parametrize(
    "connection",
    [
        None,
        Connection(),
        Connection(stream=None),
        Connection(stream=Stream(None)),
        Connection(stream=Stream(object())),
        Connection(stream=Stream(Socket(None))),
        Connection(stream=Stream(Socket(OSError()))),
        Connection(stream=Stream(Socket(ValueError()))),
    ],
)
def test_no_certificate(connection: HTTPConnection | None) -> None:
    assert request(connection=connection).get_ssl_certificate() is None


def test_copies() -> None:
    made = form(b"a=1", "/?q=2")
    made.headers["Cookie"] = "c=3"
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other.arguments == {"q": [b"2"], "a": [b"1"]}
        assert other.cookies["c"].value == "3"
        assert other.host == "example.com"


def test_subclasses() -> None:
    class Mine(HTTPServerRequest):
        @property
        def path(self) -> str:
            return "/mine"

    made = Mine("GET", "/a?b=c")
    assert (made.path, made.query) == ("/mine", "b=c")
    assert repr(made).startswith("Mine(")


def test_headers_stay_unread_until_somebody_asks() -> None:
    headers = HTTPHeaders.from_block(b"Host: a\r\nCookie: b=c\r\n")
    made = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/a?b=c", "HTTP/1.1"), headers=headers
    )
    assert (made.path, made.query, made.arguments) == ("/a", "b=c", {"b": [b"c"]})
    made._parse_body()
    assert headers._block is not None
    assert made.host == "a"
    assert headers._block is None


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f")),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")),
    st.binary(),
)
def test_nothing_else_is_raised(uri: str, value: str, body: bytes) -> None:
    for target in (uri, f"/{uri}", f"/?{uri}", f"http://{uri}"):
        for name in ("Host", "Cookie", "Content-Type"):
            try:
                made = request(target, body=body, fields={name: value.strip()})
            except HTTPInputError:
                continue
            for attribute in ("host_name", "path", "query", "cookies", "arguments", "files"):
                try:
                    getattr(made, attribute)
                except HTTPInputError:
                    pass
            assert made.full_url().startswith("http://")
            assert repr(made)
