"""Signed values: vectors made by Tornado 6.6.1, tampering, key versions, and both ways with it."""

import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web import signedvalues
from zonda.web.signedvalues import (
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)

NOW = 1300000000
DAY = 86400


def at(seconds: float) -> Callable[[], float]:
    return lambda: seconds


# What Tornado 6.6.1 made of the same arguments at `NOW`.
VECTORS: list[tuple[Any, str, str | bytes, dict[str, Any], bytes]] = [
    (
        "secret",
        "name",
        "value",
        {},
        b"2|1:0|10:1300000000|4:name|8:dmFsdWU=|"
        b"dde970934c3dca1ee18c228683b8f88369d856f5b9b7f0fd5eab44aa165210bd",
    ),
    (
        "secret",
        "name",
        "value",
        {"version": 1},
        b"dmFsdWU=|1300000000|9e7727150808365bebff0a6404df2acfefd24d51",
    ),
    (
        {0: "s", 1: "t"},
        "name",
        b"value",
        {"key_version": 1},
        b"2|1:1|10:1300000000|4:name|8:dmFsdWU=|"
        b"37942474e02fce4e94c0a894bfdbb6275b710f3e90991f98417d7943992b22a2",
    ),
    (
        b"s",
        "n",
        "\xe9",
        {},
        b"2|1:0|10:1300000000|1:n|4:w6k=|"
        b"5737cd9ff39624a351509ed805d2365dfc12c2042baa326571135c7105c82ca8",
    ),
    (
        "s",
        "n",
        b"\xff",
        {},
        b"2|1:0|10:1300000000|1:n|4:/w==|"
        b"af9323f0d8b8c912de80784171ecf563b72cf5a911aa2bbd1bf93a1af6f9fe85",
    ),
]
SIGNED = VECTORS[0][-1]
SIGNED_1 = VECTORS[1][-1]
OF_KEY_1 = VECTORS[2][-1]


@pytest.mark.parametrize(("secret", "name", "value", "options", "signed"), VECTORS)
def test_vectors(
    secret: Any, name: str, value: str | bytes, options: dict[str, Any], signed: bytes
) -> None:
    assert create_signed_value(secret, name, value, clock=at(NOW), **options) == signed
    expected = value.encode() if isinstance(value, str) else value
    for form in (signed, signed.decode()):
        assert decode_signed_value(secret, name, form, clock=at(NOW)) == expected


@pytest.mark.parametrize("signed", [SIGNED, SIGNED_1])
def test_tampering(signed: bytes) -> None:
    for position in range(len(signed)):
        for byte in (b"0", b"|", b"A", b":", b"\x00", b"\xff"):
            changed = signed[:position] + byte + signed[position + 1 :]
            if changed != signed:
                assert decode_signed_value("secret", "name", changed, clock=at(NOW)) is None
        assert decode_signed_value("secret", "name", signed[:position], clock=at(NOW)) is None
    assert decode_signed_value("secret", "name", signed + b"0", clock=at(NOW)) is None


@pytest.mark.parametrize("signed", [SIGNED, SIGNED_1])
def test_name_and_secret_count(signed: bytes) -> None:
    assert decode_signed_value("secret", "nam", signed, clock=at(NOW)) is None
    assert decode_signed_value("other", "name", signed, clock=at(NOW)) is None


def test_no_byte_moves_from_the_name_into_the_value() -> None:
    """Tornado 3.2.1: what was signed as ``na`` + ``me`` must not verify as ``n`` + ``ame``."""
    signed = create_signed_value("secret", "ab", "cdef", version=2, clock=at(NOW))
    moved = signed.replace(b"|2:ab|8:", b"|1:a|9:b")
    assert moved != signed
    assert decode_signed_value("secret", "a", moved, clock=at(NOW)) is None


def test_format_1_digits_do_not_move_into_the_time() -> None:
    # "MTIz" + "4567..." signed together: the border between value and time is not signed.
    signed = create_signed_value("secret", "n", b"\xd7m\xf8", version=1, clock=at(NOW))
    encoded, timestamp, signature = signed.split(b"|")
    assert encoded == b"1234"
    for moved in (
        b"|".join((b"", encoded + timestamp, signature)),
        b"|".join((encoded[:2], encoded[2:] + timestamp, signature)),
        b"|".join((encoded + timestamp[:4], timestamp[4:], signature)),
    ):
        assert decode_signed_value("secret", "n", moved, clock=at(NOW)) is None
    zeros = create_signed_value("secret", "n", b"\xd3\x4d\x34", version=1, clock=at(NOW))
    encoded, timestamp, signature = zeros.split(b"|")
    moved = b"|".join((b"", encoded + timestamp, signature))
    assert decode_signed_value("secret", "n", moved, clock=at(NOW)) is None


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("days", "expected"), [(-32, None), (-30, b"v"), (0, b"v"), (30, b"v"), (32, "future")]
)
def test_age(version: int, days: int, expected: object) -> None:
    signed = create_signed_value("s", "n", "v", version=version, clock=at(NOW + days * DAY))
    if expected == "future":  # only format 1 has something to fear from it
        expected = None if version == 1 else b"v"
    assert decode_signed_value("s", "n", signed, clock=at(NOW)) == expected


def test_max_age() -> None:
    assert decode_signed_value("secret", "name", SIGNED, 2, clock=at(NOW + 1.9 * DAY)) == b"value"
    assert decode_signed_value("secret", "name", SIGNED, 2, clock=at(NOW + 2.1 * DAY)) is None


def test_min_version() -> None:
    assert decode_signed_value("secret", "name", SIGNED_1, clock=at(NOW), min_version=1) is not None
    assert decode_signed_value("secret", "name", SIGNED_1, clock=at(NOW), min_version=2) is None
    with pytest.raises(ValueError, match="version 3"):
        decode_signed_value("secret", "name", SIGNED, clock=at(NOW), min_version=3)
    for version in (0, 3):
        with pytest.raises(ValueError, match="version"):
            create_signed_value("secret", "name", "value", version=version)


def test_a_number_too_long_for_a_version_is_base64() -> None:
    signed = create_signed_value("s", "n", b"\xd7m\xf8", version=1, clock=at(NOW))
    assert signed.startswith(b"1234|")
    assert decode_signed_value("s", "n", signed, clock=at(NOW)) == b"\xd7m\xf8"


def test_key_versions() -> None:
    assert get_signature_key_version(OF_KEY_1) == 1
    assert get_signature_key_version(OF_KEY_1.decode()) == 1
    assert get_signature_key_version(SIGNED) == 0
    assert get_signature_key_version(SIGNED_1) is None
    assert decode_signed_value({1: "t"}, "name", OF_KEY_1, clock=at(NOW)) == b"value"
    assert decode_signed_value("t", "name", OF_KEY_1, clock=at(NOW)) == b"value"
    assert decode_signed_value({0: "t"}, "name", OF_KEY_1, clock=at(NOW)) is None
    assert decode_signed_value({1: "s"}, "name", OF_KEY_1, clock=at(NOW)) is None
    # Format 1 has no key versions: several keys cannot have signed it.
    assert decode_signed_value({0: "secret"}, "name", SIGNED_1, clock=at(NOW)) is None
    with pytest.raises(ValueError, match="key_version"):
        create_signed_value({0: "s"}, "n", "v")
    with pytest.raises(KeyError):
        create_signed_value({0: "s"}, "n", "v", key_version=1)
    with pytest.raises(ValueError, match="version 1"):
        create_signed_value({0: "s"}, "n", "v", version=1, key_version=0)


MALFORMED = [
    None,
    "",
    b"",
    "|",
    "||",
    "2",
    "2|",
    "3|1:0|",
    "999|1:0|",
    "2|1:0|10:1300000000|",
    "2|1:a|10:1300000000|4:name|8:dmFsdWU=|x",
    "2|1:0|10:13000x0000|4:name|8:dmFsdWU=|x",
    "2|+1:0|10:1300000000|4:name|8:dmFsdWU=|x",
    "2|1:0|10:1300000000|4:name|-8:dmFsdWU=|x",
    "2|1:0|10:1300000000|4:name|999999999999999:dmFsdWU=|x",
    "2|" + "9" * 5000 + ":0|",
    "2|5000:" + "9" * 5000 + "|10:1300000000|4:name|0:||",
    "1" * 5000,
    "a|b|c",
    "a|" + "9" * 5000 + "|c",
    "\ud800",
    "\u0660|\u0661|\u0662",
    "2|\u0661:0|10:1300000000|4:name|8:dmFsdWU=|x",
]


@pytest.mark.parametrize("value", MALFORMED)
def test_malformed_is_none(value: str | bytes | None) -> None:
    for secret in ("secret", {0: "secret"}):
        assert decode_signed_value(secret, "name", value, clock=at(NOW)) is None
    get_signature_key_version(value)


@given(st.one_of(st.text(), st.binary()))
def test_nothing_raises(value: str | bytes) -> None:
    assert decode_signed_value("secret", "name", value) is None
    get_signature_key_version(value)


@given(st.text(), st.binary(), st.sampled_from([1, 2]))
def test_round_trip(name: str, value: bytes, version: int) -> None:
    signed = create_signed_value("secret", name, value, version=version, clock=at(NOW))
    assert decode_signed_value("secret", name, signed, clock=at(NOW)) == value


def test_signed_base64_that_is_none() -> None:
    # Only the holder of the secret can make it.
    body = b"2|1:0|10:1300000000|4:name|3:abc|"
    signed = body + signedvalues._sign_2("secret", body)
    assert decode_signed_value("secret", "name", signed, clock=at(NOW)) is None


def tornado_web() -> ModuleType:
    tornado: ModuleType = pytest.importorskip("tornado.web")
    if tornado.create_signed_value is create_signed_value:
        pytest.skip("the drop-in is switched on")
    return tornado


def test_constants_are_those_of_tornado() -> None:
    theirs = tornado_web()
    for name in (
        "DEFAULT_SIGNED_VALUE_VERSION",
        "DEFAULT_SIGNED_VALUE_MIN_VERSION",
        "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
        "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    ):
        assert getattr(signedvalues, name) == getattr(theirs, name)


@pytest.mark.parametrize("version", [1, 2])
def test_both_ways_with_tornado(version: int, caplog: pytest.LogCaptureFixture) -> None:
    theirs = tornado_web()
    generator = random.Random(version)
    for _ in range(300):
        secret = generator.randbytes(generator.randrange(1, 80))
        # ASCII, as all names of cookies are: Tornado itself cannot read what it signs for others.
        name = "".join(generator.choices("abc|:2 ", k=generator.randrange(6)))
        value = generator.randbytes(generator.randrange(30))
        clock = at(NOW + generator.randrange(-40, 40) * DAY)
        ours = create_signed_value(secret, name, value, version=version, clock=clock)
        assert ours == theirs.create_signed_value(secret, name, value, version=version, clock=clock)
        damaged = bytearray(ours)
        if generator.random() < 0.5:
            damaged[generator.randrange(len(damaged))] = generator.choice(b"|:019Aa=")
        for signed in (ours, bytes(damaged)):
            assert decode_signed_value(
                secret, name, signed, clock=at(NOW)
            ) == theirs.decode_signed_value(secret, name, signed, clock=at(NOW))
        assert get_signature_key_version(ours) == theirs.get_signature_key_version(ours)
    caplog.clear()  # the other one warns
