"""OAuth 1 signatures."""

from urllib.parse import parse_qs

import pytest

from zonda.web.auth.signature import base_string, encode, sign

RFC_1_2 = {
    "oauth_consumer_key": "dpf43f3p2l4k3l03",
    "oauth_token": "nnch734d00sl2jdk",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "137131202",
    "oauth_nonce": "chapoH",
}


def test_base_string_of_the_rfc() -> None:
    """RFC 5849 §3.4.1.1; a3 is in the query and in the form."""
    parameters = {
        "c2": "",
        "a3": "2 q",
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
        "oauth_signature": "is not signed",
    }
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    assert base_string("post", url, parameters) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D"
        "%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3"
        "e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkk"
        "k9d7dh3k39sjv7"
    )


def test_signature_of_the_rfc() -> None:
    """RFC 5849 §1.2."""
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    found = sign("GET", url, RFC_1_2, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
    assert found == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


#: What Tornado 6.6.1 signs: method, URL, parameters, token secret -> 1.0, 1.0a.
TORNADO = [
    (
        "get",
        "HTTP://Ex.com/P",
        {"b": "1", "a": "x y"},
        "as",
        "CzIikubnCCxMXEZxnw/RFXUtwm8=",
        "0vB5APhgmN0i/rvcY8h8CtqjOUY=",
    ),
    (
        "GET",
        "https://API.example.com:8443/Path",
        {
            "oauth_consumer_key": "ck",
            "oauth_token": "ak",
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": "1300000000",
            "oauth_nonce": "30313233343536373839616263646566",
            "oauth_version": "1.0",
        },
        "as",
        "11NaeatpmqRfgSHbdOBUQTYvdYE=",
        "eN0VQeerth6v3bWqro3CGD68dm0=",
    ),
]


@pytest.mark.parametrize(("method", "url", "parameters", "secret", "old", "new"), TORNADO)
def test_as_tornado(
    method: str, url: str, parameters: dict[str, str], secret: str, old: str, new: str
) -> None:
    assert sign(method, url, parameters, "c&s", secret, encode_secrets=False) == old
    assert sign(method, url, parameters, "c&s", secret) == new


@pytest.mark.parametrize(
    "url", ["http://example.com:80/", "https://example.com:443/", "https://example.com/"]
)
def test_default_port_is_not_signed(url: str) -> None:
    assert "%3A80" not in base_string("GET", url, {})
    assert "%3A443" not in base_string("GET", url, {})
    assert "%3A443" in base_string("GET", "http://example.com:443/", {})


@pytest.mark.parametrize("text", ["a b", "~-._", "\xe9/", "a+b&c=d%", "\u20ac"])
def test_encoding_is_read_back(text: str) -> None:
    assert parse_qs(f"x={encode(text)}")["x"] == [text]
    assert encode(text.encode()) == encode(text)
