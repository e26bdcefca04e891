"""ID tokens, good and bad."""

import base64
import hashlib
import json
import time
from typing import Any

import pytest

jwt = pytest.importorskip("jwt")
pytest.importorskip("cryptography")

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402
from cryptography.hazmat.primitives.serialization import (  # noqa: E402
    Encoding,
    PublicFormat,
)

from zonda.web.auth import AuthError, idtoken  # noqa: E402
from zonda.web.auth.idtoken import UnknownKeyError, validate  # noqa: E402

ISSUER = "https://provider.example"
CLIENT = "client"
NONCE = "nonce"

RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, algorithm: str, **more: str) -> dict[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**made, **more}


KEYS = {
    "keys": [
        public(RSA, "RS256", kid="rsa", use="sig"),
        public(EC, "ES256", kid="ec"),
        public(ED, "EdDSA", kid="ed"),
        {"kty": "oct", "k": base64.urlsafe_b64encode(b"shared" * 8).decode(), "kid": "oct"},
        {"kty": "from the future", "kid": "odd"},
        "not a key",
    ]
}


class In(int):
    """A time, in seconds from when the test runs."""


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    changes = {name: now + v if isinstance(v, In) else v for name, v in changes.items()}
    good = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": CLIENT,
        "exp": now + 300,
        "iat": now,
        "nonce": NONCE,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **changes: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    made: str = jwt.encode(claims(**changes), key, algorithm, headers)
    return made


def check(text: str, **arguments: Any) -> dict[str, Any]:
    keys = arguments.pop("keys", KEYS)
    options = {"issuer": ISSUER, "client_id": CLIENT, "nonce": NONCE, **arguments}
    return validate(text, keys, **options)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        *((RSA, f"{kind}{size}", "rsa") for kind in ("RS", "PS") for size in (256, 384, 512)),
        (EC, "ES256", "ec"),
        (ED, "EdDSA", "ed"),
        (RSA, "RS256", None),
        (EC, "ES256", None),
        (ED, "EdDSA", None),
    ],
)
def test_good(key: Any, algorithm: str, kid: str | None) -> None:
    assert check(token(key, algorithm, kid))["sub"] == "ann"


def test_each_key_of_the_kind_is_tried() -> None:
    keys = {"keys": [public(OTHER, "RS256"), public(RSA, "RS256")]}
    assert check(token(kid=None), keys=keys)["sub"] == "ann"
    with pytest.raises(AuthError, match="not good"):
        check(token(kid=None), keys={"keys": keys["keys"][:1]})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"azp": CLIENT},
        {"exp": In(-30)},  # clocks differ
        {"iat": In(30)},
        {"nbf": In(-30)},
    ],
)
def test_good_claims(changes: dict[str, Any]) -> None:
    assert check(token(**changes))["sub"] == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"aud": "other"},
        {"aud": []},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": In(-120)},
        {"iat": In(120)},
        {"nbf": In(120)},
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": 3},
        {"at_hash": "other"},
        *({name: None} for name in ("iss", "sub", "aud", "exp", "iat")),
    ],
    ids=repr,
)
def test_bad_claims(changes: dict[str, Any]) -> None:
    with pytest.raises(AuthError):
        check(token(**changes), access_token="access")


@pytest.mark.parametrize(
    ("key", "algorithm", "kid", "hashed"),
    [
        (RSA, "RS256", "rsa", hashlib.sha256),
        (RSA, "PS512", "rsa", hashlib.sha512),
        (EC, "ES256", "ec", hashlib.sha256),
        (ED, "EdDSA", "ed", hashlib.sha512),
    ],
)
def test_hash_of_the_access_token(key: Any, algorithm: str, kid: str, hashed: Any) -> None:
    made = hashed(b"access").digest()
    half = base64.urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
    text = token(key, algorithm, kid, at_hash=half)
    assert check(text, access_token="access")["at_hash"] == half
    assert check(text)["at_hash"] == half
    with pytest.raises(AuthError, match="access token"):
        check(text, access_token="another")


def test_hash_of_the_specification() -> None:
    """OpenID Connect Core 1.0, appendix A.3."""
    access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert idtoken._half_hash(access_token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_signature_of_another_key() -> None:
    with pytest.raises(AuthError, match="Signature"):
        check(token(OTHER))


@pytest.mark.parametrize("kid", ["new", ""])
def test_unknown_key(kid: str) -> None:
    with pytest.raises(UnknownKeyError):
        check(token(kid=kid))
    with pytest.raises(UnknownKeyError):
        check(token(), keys={})


@pytest.mark.parametrize("kid", ["ec", "ed", "oct", "odd"])
def test_key_of_another_kind(kid: str) -> None:
    with pytest.raises(AuthError):
        check(token(kid=kid))


def test_key_for_other_uses() -> None:
    for more in ({"use": "enc"}, {"alg": "RS512"}):
        with pytest.raises(UnknownKeyError):
            check(token(), keys={"keys": [public(RSA, "RS256", **{"kid": "rsa", **more})]})


def test_no_signature_is_no_signature() -> None:
    unsigned = jwt.encode(claims(), None, "none")
    with pytest.raises(AuthError, match="not accepted"):
        check(unsigned, algorithms=("none", "RS256"))


def test_public_key_is_no_shared_secret() -> None:
    """The classic: HMAC with the public key, which everybody has, as its secret."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "rsa"}, claims())
    ]
    mac = jwt.get_algorithm_by_name("HS256").__class__(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(mac.sign(b".".join(parts), pem)).rstrip(b"=")
    with pytest.raises(AuthError, match="not accepted"):
        check(b".".join([*parts, signature]).decode(), algorithms=("HS256", "RS256"))


def test_only_what_the_provider_signs_with() -> None:
    with pytest.raises(AuthError, match="not accepted"):
        check(token(), algorithms=("ES256",))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "\u20ac", token() + "x", token()[:-10]])
def test_garbage(text: str) -> None:
    with pytest.raises(AuthError):
        check(text)


def test_any_change_is_noticed() -> None:
    head, body, signature = token().split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(sub="boss")).encode()).rstrip(b"=").decode()
    with pytest.raises(AuthError):
        check(f"{head}.{forged}.{signature}")
    assert body != forged


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idtoken, "jwt", None)
    with pytest.raises(RuntimeError, match=r"zonda-web\[auth\]"):
        check("x")
