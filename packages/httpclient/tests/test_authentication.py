"""Basic and Digest credentials: published examples, counting, nonces that grow stale."""

import hashlib
import re

import pytest

from zonda.httpclient.authentication import BasicAuthentication, DigestAuthentication
from zonda.httpclient.challenges import parse_challenges

SHA_512_256 = "sha512_256" in hashlib.algorithms_available


def fields(value: str) -> dict[str, str]:
    [challenge] = parse_challenges([value])
    assert challenge.scheme == "digest"
    return challenge.parameters


def answer(
    username: str, password: str, cnonce: str, challenge: str, target: str, method: str = "GET"
) -> dict[str, str]:
    attempt = DigestAuthentication(username, password, lambda: cnonce).begin()
    assert attempt.authorization(method, target) is None
    assert attempt.refused([challenge])
    value = attempt.authorization(method, target)
    assert value is not None
    return fields(value)


# -- Basic


def test_basic_is_the_same_for_all_requests_and_never_repeated() -> None:
    attempt = BasicAuthentication("Aladdin", "open sesame").begin()
    assert attempt.authorization("GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert attempt.authorization("PUT", "/x") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert attempt.refused(["Basic realm=x"]) is False


def test_basic_is_utf8() -> None:
    # RFC 7617 §2.1
    assert BasicAuthentication("test", "123\u00a3").authorization("GET", "/") == (
        "Basic dGVzdDoxMjPCow=="
    )


@pytest.mark.parametrize("scheme", [BasicAuthentication, DigestAuthentication])
@pytest.mark.parametrize(
    ("username", "password"), [("a:b", "c"), ("a\n", "c"), ("a", "c\r\nX: y"), ("a", "\0")]
)
def test_what_no_scheme_carries(
    scheme: type[BasicAuthentication | DigestAuthentication], username: str, password: str
) -> None:
    with pytest.raises(ValueError, match="must not have"):
        scheme(username, password)


def test_digest_takes_utf8_only() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        DigestAuthentication(b"\xff", "c")


# -- Digest: what others computed


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    challenge = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{nonce}", opaque="{opaque}"'
    )
    assert answer("Mufasa", "Circle of Life", cnonce, challenge, "/dir/index.html") == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": nonce,
        "nc": "00000001",
        "cnonce": cnonce,
        "qop": "auth",
        "response": response,
        "opaque": opaque,
    }


@pytest.mark.skipif(not SHA_512_256, reason="OpenSSL has no SHA-512/256")
def test_rfc_7616_section_3_9_2_as_corrected() -> None:
    # Erratum 4897: what is printed in the RFC is a truncated SHA-512.
    challenge = (
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    )
    found = answer(
        "J\u00e4s\u00f8n Doe",
        "Secret, or not?",
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        challenge,
        "/doe.json",
    )
    assert found["username"] == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert found["userhash"] == "true"
    assert found["response"] == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"


def test_rfc_2617_section_3_5() -> None:
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    found = answer("Mufasa", "Circle Of Life", "0a4f113b", challenge, "/dir/index.html")
    assert found["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in found


@pytest.mark.parametrize("content", [b"", b"{}", bytes(range(256))])
@pytest.mark.parametrize("name", ["MD5", "SHA-256", "MD5-sess"])
@pytest.mark.parametrize("qop", ["auth-int", "AUTH-INT, other"])
def test_rfc_7616_section_3_4_3_hashes_the_content(content: bytes, name: str, qop: str) -> None:
    def digest(*parts: str) -> str:
        text = ":".join(parts).encode()
        return hashlib.new(name.removesuffix("-sess").replace("-", "").lower(), text).hexdigest()

    attempt = DigestAuthentication("user", "pass", lambda: "c").begin()
    assert attempt.authorization("POST", "/a", content) is None
    assert attempt.refused([f'Digest realm="r", nonce="n", qop="{qop}", algorithm={name}'])
    found = fields(attempt.authorization("POST", "/a", content) or "")
    secret = digest("user", "r", "pass")
    if name.endswith("-sess"):
        secret = digest(secret, "n", "c")
    of_content = hashlib.new(name.removesuffix("-sess").replace("-", "").lower(), content)
    action = digest("POST", "/a", of_content.hexdigest())
    assert found["response"] == digest(secret, "n", "00000001", "c", "auth-int", action)
    assert (found["qop"], found["nc"], found["cnonce"]) == ("auth-int", "00000001", "c")


def test_content_that_is_not_known_cannot_be_hashed() -> None:
    wants_it = 'Digest realm="r", nonce="n", qop="auth-int"'
    authentication = DigestAuthentication("user", "pass")
    attempt = authentication.begin()
    assert attempt.authorization("POST", "/", None) is None
    assert not attempt.refused([wants_it])
    assert attempt.refused([wants_it, 'Digest realm="r", nonce="n", qop="auth"'])
    other = authentication.begin()
    assert other.refused([wants_it])
    assert other.authorization("POST", "/", b"x") is not None
    assert other.authorization("POST", "/", None) is None  # nothing that could be right


def test_rfc_2069_has_no_qop() -> None:
    # Section 2.4 as corrected by erratum 749.
    challenge = (
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    found = answer("Mufasa", "CircleOfLife", "0a4f113b", challenge, "/dir/index.html")
    assert found["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert not {"qop", "nc", "cnonce"} & set(found)


@pytest.mark.parametrize("name", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["", ', qop="auth"'])
def test_session_variants_hash_nonces_into_the_secret(name: str, qop: str) -> None:
    def digest(*parts: str) -> str:
        module = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[name]
        return module(":".join(parts).encode()).hexdigest()

    challenge = f'Digest realm="r", nonce="n", algorithm={name}-sess{qop}'
    found = answer("u", "p", "c", challenge, "/x?y", "PUT")
    secret = digest(digest("u", "r", "p"), "n", "c")
    action = digest("PUT", "/x?y")
    middle = ["00000001", "c", "auth"] if qop else []
    assert found["response"] == digest(secret, "n", *middle, action)
    assert found["cnonce"] == "c"
    assert found["algorithm"] == f"{name}-sess"


# -- Digest: the course of events


def test_a_nonce_is_counted_and_a_new_one_starts_again() -> None:
    nonces = iter("abc")
    digest = DigestAuthentication("u", "p", lambda: next(nonces))
    first = digest.begin()
    assert first.refused(['Digest realm="r", nonce="1", qop="auth"'])
    counts = []
    for attempt in (first, digest.begin(), digest.begin()):
        value = fields(attempt.authorization("GET", "/") or "")
        counts.append((value["nonce"], value["cnonce"], value["nc"]))
    later = digest.begin()
    later.refused(['Digest realm="r", nonce="2", qop="auth", stale=true'])
    value = fields(later.authorization("GET", "/") or "")
    counts.append((value["nonce"], value["cnonce"], value["nc"]))
    assert counts == [
        ("1", "a", "00000001"),
        ("1", "a", "00000002"),
        ("1", "a", "00000003"),
        ("2", "b", "00000001"),
    ]


def test_the_same_request_differs_each_time() -> None:
    digest = DigestAuthentication("u", "p")
    attempt = digest.begin()
    attempt.refused(['Digest realm="r", nonce="1", qop="auth"'])
    one, two = (fields(attempt.authorization("GET", "/") or "")["response"] for _ in range(2))
    assert one != two


WRONG = 'Digest realm="r", nonce="2", qop="auth"'
STALE = WRONG + ", stale=TRUE"


@pytest.mark.parametrize(
    ("answers", "repeated"),
    [
        ([WRONG, WRONG], [True, False]),
        ([WRONG, STALE, WRONG], [True, True, False]),
        ([WRONG, STALE, STALE], [True, True, False]),  # no endless loop
        ([STALE, STALE, STALE], [True, True, False]),
        (["Basic realm=x"], [False]),
        ([""], [False]),
        ([WRONG, "Basic realm=x"], [True, False]),
    ],
)
def test_how_often_a_request_is_repeated(answers: list[str], repeated: list[bool]) -> None:
    attempt = DigestAuthentication("u", "p").begin()
    assert [attempt.refused([value]) for value in answers] == repeated


def test_an_old_nonce_may_be_refused_without_being_called_stale() -> None:
    digest = DigestAuthentication("u", "p")
    digest.begin().refused([WRONG])
    assert digest.begin().refused([WRONG]) is True  # not made for this request


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="r", nonce="n", algorithm=SHA-1',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n", qop=""',
        'Digest realm="r"',
        'Digest nonce="n"',
        "Digest",
    ],
)
def test_what_cannot_be_answered_is_not(challenge: str) -> None:
    attempt = DigestAuthentication("u", "p").begin()
    assert not attempt.refused([challenge])
    assert attempt.authorization("GET", "/") is None
    assert attempt.refused([challenge, 'Digest realm="r", nonce="n"'])


def test_the_servers_first_choice_that_is_here_is_taken() -> None:
    values = [
        'Digest realm="r", nonce="n", algorithm=SHA-3',
        'Digest realm="r", nonce="n", algorithm=SHA-256',
        'Digest realm="r", nonce="n", algorithm=MD5',
    ]
    attempt = DigestAuthentication("u", "p").begin()
    assert attempt.refused(values)
    assert fields(attempt.authorization("GET", "/") or "")["algorithm"] == "SHA-256"


# -- Digest: text


def test_names_that_a_quoted_string_cannot_hold() -> None:
    found = answer("J\u00e4s\u00f8n", "p", "c", 'Digest realm="r", nonce="n", qop="auth"', "/")
    assert found["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
    assert "username" not in found


def test_quotes_and_backslashes_survive() -> None:
    found = answer('a"b\\', "p", "c", 'Digest realm="r\\"s\\\\", nonce="n\\"", qop="auth"', "/")
    assert (found["username"], found["realm"], found["nonce"]) == ('a"b\\', 'r"s\\', 'n"')


def test_octets_of_the_realm_are_hashed_as_they_are() -> None:
    realm = "\u00e9".encode().decode("latin-1")  # as a header value arrives
    found = answer("u", "p", "c", f'Digest realm="{realm}", nonce="n"', "/")
    secret = hashlib.md5("u:\u00e9:p".encode()).hexdigest()
    action = hashlib.md5(b"GET:/").hexdigest()
    assert found["response"] == hashlib.md5(f"{secret}:n:{action}".encode()).hexdigest()
    assert found["realm"] == realm


def test_composed_and_decomposed_letters_are_one() -> None:
    challenge = 'Digest realm="r", nonce="n"'
    composed = answer("\u00e9", "\u00e9", "c", challenge, "/")
    assert composed == answer("e\u0301", "e\u0301", "c", challenge, "/")
    attempt = DigestAuthentication("\u00e9".encode(), "\u00e9".encode()).begin()
    attempt.refused([challenge])
    assert fields(attempt.authorization("GET", "/") or "") == composed


def test_no_line_ends_ever() -> None:
    digest = DigestAuthentication('u"', "p")
    attempt = digest.begin()
    attempt.refused(['Digest realm="a\tb", nonce="n", opaque="o", qop=auth'])
    value = attempt.authorization("GET", "/")
    assert value is not None
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
