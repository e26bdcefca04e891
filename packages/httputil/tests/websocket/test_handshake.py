"""The opening handshake: what a server takes, what a client takes, and what each says."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.websocket import (
    Agreement,
    ClientHandshake,
    DeflateAgreement,
    DeflateOptions,
    HandshakeError,
    accept,
    accept_key,
    read_request,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 §1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
Fields = dict[str, str | list[str] | None]

GOOD: Fields = {
    "Host": "example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
ANSWER: Fields = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Accept": ACCEPT,
}


def headers_of(fields: Fields, changes: Fields) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in (fields | changes).items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                headers.add(name, each)
    return headers


ACCEPTED: dict[str, Fields] = {
    "as it is": {},
    "upper case": {"Upgrade": "WebSocket", "Connection": "UPGRADE"},
    "lists": {"Upgrade": "h2c, websocket", "Connection": "keep-alive,\tUpgrade"},
    "two lines": {"Connection": ["keep-alive", "Upgrade"]},
    "subprotocols": {"Sec-WebSocket-Protocol": "chat, superchat"},
    "empty members": {"Sec-WebSocket-Protocol": "chat,,superchat,"},
    "an unknown extension": {"Sec-WebSocket-Extensions": "x-webkit-deflate-frame; a; a"},
    "a key of any bits": {"Sec-WebSocket-Key": "+/+/AAAAAAAAAAAAAAAAAx=="},
    "an origin": {"Origin": "https://elsewhere.example"},
}

# change -> status (with GET and HTTP/1.1)
REFUSED: dict[str, tuple[Fields, int]] = {
    "no upgrade": ({"Upgrade": None}, 400),
    "another upgrade": ({"Upgrade": "h2c"}, 400),
    "almost an upgrade": ({"Upgrade": "websockets"}, 400),
    "no connection": ({"Connection": None}, 400),
    "another connection": ({"Connection": "keep-alive"}, 400),
    "no host": ({"Host": None}, 400),
    "no version": ({"Sec-WebSocket-Version": None}, 426),
    "version 8": ({"Sec-WebSocket-Version": "8"}, 426),
    "versions": ({"Sec-WebSocket-Version": "13, 8"}, 426),
    "versions on two lines": ({"Sec-WebSocket-Version": ["13", "8"]}, 426),
    "version 013": ({"Sec-WebSocket-Version": "013"}, 426),
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "two keys": ({"Sec-WebSocket-Key": [KEY, KEY]}, 400),
    "empty key": ({"Sec-WebSocket-Key": ""}, 400),
    "short key": ({"Sec-WebSocket-Key": base64.b64encode(b"x" * 15).decode()}, 400),
    "long key": ({"Sec-WebSocket-Key": base64.b64encode(b"x" * 17).decode()}, 400),
    "key without padding": ({"Sec-WebSocket-Key": KEY[:-2]}, 400),
    "key in base64url": ({"Sec-WebSocket-Key": "-_" + KEY[2:]}, 400),
    "key with spaces": ({"Sec-WebSocket-Key": KEY[:10] + " " + KEY[11:]}, 400),
    "key with an accent": ({"Sec-WebSocket-Key": "é" + KEY[1:]}, 400),
    "subprotocol": ({"Sec-WebSocket-Protocol": "a b"}, 400),
    "subprotocol in quotes": ({"Sec-WebSocket-Protocol": '"a"'}, 400),
    "extensions": ({"Sec-WebSocket-Extensions": "a; ="}, 400),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_requests(name: str) -> None:
    request = read_request("GET", "HTTP/1.1", headers_of(GOOD, ACCEPTED[name]))
    assert request.key == ACCEPTED[name].get("Sec-WebSocket-Key", KEY)
    wanted = ["chat", "superchat"] if "Sec-WebSocket-Protocol" in ACCEPTED[name] else []
    assert request.subprotocols == wanted
    headers, agreement = accept(request)
    assert headers["Sec-WebSocket-Accept"] == accept_key(request.key)
    assert agreement == Agreement()


@pytest.mark.parametrize("name", REFUSED)
def test_requests_refused(name: str) -> None:
    """Each is answered by what the error says, the malformed key among them."""
    changes, status = REFUSED[name]
    with pytest.raises(HandshakeError) as info:
        read_request("GET", "HTTP/1.1", headers_of(GOOD, changes))
    assert info.value.status == status
    assert str(info.value) == info.value.message != ""
    if status == 426:
        assert info.value.headers == {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    else:
        assert info.value.headers == {}


@pytest.mark.parametrize(
    ("method", "version", "status"),
    [
        ("POST", "HTTP/1.1", 405),
        ("get", "HTTP/1.1", 405),
        ("GET", "HTTP/1.0", 400),
        ("GET", "HTTP/0.9", 400),
        ("GET", "HTTP/2.0", 400),
        ("GET", "", 400),
    ],
)
def test_methods_and_versions(method: str, version: str, status: int) -> None:
    with pytest.raises(HandshakeError) as info:
        read_request(method, version, headers_of(GOOD, {}))
    assert info.value.status == status
    assert info.value.headers == ({"Allow": "GET"} if status == 405 else {})


def test_many_headers() -> None:
    """npm ws CVE-2024-37890: a handshake with any number of fields is a handshake."""
    changes: Fields = {f"X-{number}": "x" for number in range(5000)}
    assert read_request("GET", "HTTP/1.1", headers_of(GOOD, changes)).key == KEY
    many: Fields = {
        "Sec-WebSocket-Protocol": [f"p{number}" for number in range(5000)],
        "Connection": ["Upgrade"] * 5000,
    }
    assert len(read_request("GET", "HTTP/1.1", headers_of(GOOD, many)).subprotocols) == 5000
    with pytest.raises(HandshakeError, match="too many"):
        read_request(
            "GET", "HTTP/1.1", headers_of(GOOD, {"Sec-WebSocket-Extensions": ["a"] * 5000})
        )


NAMES = ("Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key",
         "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions")  # fmt: skip
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"))


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_fields(changes: dict[str, str]) -> None:
    statuses = set()
    try:
        accept(read_request("GET", "HTTP/1.1", headers_of(GOOD, {**changes})), None, DEFLATE)
    except HandshakeError as error:
        statuses.add(error.status)
    try:
        ClientHandshake(["a"], DEFLATE, KEY).read_response(101, headers_of(ANSWER, {**changes}))
    except HandshakeError as error:
        statuses.add(error.status)
    assert statuses <= {400, 426}


DEFLATE = DeflateOptions()


def test_accept_takes_the_first_offer_that_is_well_formed() -> None:
    offers = "x; a, permessage-deflate; foo, permessage-deflate; cn=1, permessage-deflate; " + (
        "server_max_window_bits=10, permessage-deflate"
    )
    request = read_request(
        "GET", "HTTP/1.1", headers_of(GOOD, {"Sec-WebSocket-Extensions": offers})
    )
    headers, agreement = accept(request, None, DEFLATE)
    expected = "permessage-deflate; server_max_window_bits=10"
    assert headers.get_list("Sec-WebSocket-Extensions") == [expected]
    assert agreement.deflate == DeflateAgreement(server_max_window_bits=10)
    headers, agreement = accept(request)
    assert "Sec-WebSocket-Extensions" not in headers
    assert agreement.deflate is None


def test_accept_a_subprotocol() -> None:
    request = read_request("GET", "HTTP/1.1", headers_of(GOOD, {"Sec-WebSocket-Protocol": "a, b"}))
    headers, agreement = accept(request, "b")
    assert headers["Sec-WebSocket-Protocol"] == agreement.subprotocol == "b"
    with pytest.raises(ValueError, match="not offered"):
        accept(request, "c")


def test_key_of_the_rfc() -> None:
    assert accept_key(KEY) == ACCEPT


# response to a client that offers subprotocols a and b, and deflate -> what is agreed
RESPONSES: dict[str, tuple[Fields, Agreement]] = {
    "as it is": ({}, Agreement()),
    "upper case": ({"Upgrade": "WebSocket", "Connection": "keep-alive, UPGRADE"}, Agreement()),
    "subprotocol": ({"Sec-WebSocket-Protocol": "b"}, Agreement("b")),
    "deflate": (
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=10"},
        Agreement(None, DeflateAgreement(client_max_window_bits=10)),
    ),
}
BAD_RESPONSES: dict[str, Fields] = {
    "no upgrade": {"Upgrade": None},
    "another upgrade": {"Upgrade": "h2c"},
    "two upgrades": {"Upgrade": "websocket, h2c"},
    "no connection": {"Connection": None},
    "connection: close": {"Connection": "close"},
    "no accept": {"Sec-WebSocket-Accept": None},
    "another accept": {"Sec-WebSocket-Accept": accept_key(KEY[:5] + "A" + KEY[6:])},
    "accept in lower case": {"Sec-WebSocket-Accept": ACCEPT.lower()},
    "two accepts": {"Sec-WebSocket-Accept": [ACCEPT, ACCEPT]},
    "a subprotocol that was not offered": {"Sec-WebSocket-Protocol": "c"},
    "a subprotocol in upper case": {"Sec-WebSocket-Protocol": "A"},
    "two subprotocols": {"Sec-WebSocket-Protocol": "a, b"},
    "subprotocols on two lines": {"Sec-WebSocket-Protocol": ["a", "b"]},
    "an extension that was not offered": {"Sec-WebSocket-Extensions": "x"},
    "deflate twice": {"Sec-WebSocket-Extensions": "permessage-deflate, permessage-deflate"},
    "malformed deflate": {"Sec-WebSocket-Extensions": "permessage-deflate; a"},
    "malformed extensions": {"Sec-WebSocket-Extensions": ";"},
}


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name: str) -> None:
    changes, agreement = RESPONSES[name]
    client = ClientHandshake(["a", "b"], DEFLATE, KEY)
    assert client.read_response(101, headers_of(ANSWER, changes)) == agreement


@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_responses_refused(name: str) -> None:
    client = ClientHandshake(["a", "b"], DEFLATE, KEY)
    with pytest.raises(HandshakeError) as info:
        client.read_response(101, headers_of(ANSWER, BAD_RESPONSES[name]))
    assert info.value.status == 400


@pytest.mark.parametrize("status", [200, 302, 400, 403, 426, 500])
def test_other_statuses(status: int) -> None:
    with pytest.raises(HandshakeError) as info:
        ClientHandshake(key=KEY).read_response(status, headers_of(ANSWER, {}))
    assert info.value.status == status


def test_deflate_that_was_not_offered() -> None:
    changes: Fields = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    with pytest.raises(HandshakeError, match="not offered"):
        ClientHandshake(key=KEY).read_response(101, headers_of(ANSWER, changes))


def test_what_a_client_says() -> None:
    headers = ClientHandshake(["a", "b"], DEFLATE, KEY).headers()
    assert dict(headers) == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-Websocket-Key": KEY,
        "Sec-Websocket-Version": "13",
        "Sec-Websocket-Protocol": "a, b",
        "Sec-Websocket-Extensions": "permessage-deflate; client_max_window_bits",
    }
    one, other = ClientHandshake(), ClientHandshake()
    assert one.key != other.key
    assert len(base64.b64decode(one.key, validate=True)) == 16
    assert "Sec-WebSocket-Protocol" not in one.headers()
    assert "Sec-WebSocket-Extensions" not in one.headers()


@pytest.mark.parametrize(
    ("subprotocols", "key"),
    [(["a b"], None), ([""], None), (["a\r\nX: y"], None), (["a", "a"], None), ([], "short"),
     ([], KEY + "\r\nX: y")],
)  # fmt: skip
def test_what_a_client_cannot_say(subprotocols: list[str], key: str | None) -> None:
    with pytest.raises(ValueError):
        ClientHandshake(subprotocols, key=key)
