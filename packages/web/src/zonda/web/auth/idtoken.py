"""ID tokens of OpenID Connect: a token and the provider's keys in, its claims out. No I/O.

Signatures are PyJWT's work (the extra ``auth``): the best kept of the JWT libraries, small, on top
of `cryptography`, which no program should do without for this. What OpenID Connect Core 1.0
§3.1.3.7 asks for beyond a signature is checked here.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from zonda.web.auth.errors import AuthError

try:
    import jwt
except ImportError:
    jwt = None  # type: ignore[assignment]

#: Signatures made with a key of the provider's own. ``none`` is no signature, and with HMAC each
#: of the application's parts that knows the secret could make tokens.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)

#: Seconds by which the clocks of provider and application may differ.
LEEWAY = 60


class UnknownKeyError(AuthError):
    """The token names a key that is not among those known: the provider may have a new one."""


def validate(
    token: str,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str | None,
    algorithms: Collection[str] = ALGORITHMS,
    access_token: str | None = None,
) -> dict[str, Any]:
    """Return the claims of an ID token that is good.

    Args:
        token: The token.
        keys: The provider's keys, a JSON Web Key Set (RFC 7517 §5).
        issuer: The provider.
        client_id: The application, for whom the token must be.
        nonce: What was sent with the user, and must have come back.
        algorithms: What the provider signs with; of these only those in `ALGORITHMS` are taken.
        access_token: What came with it; checked if the token has a hash of it.

    Raises:
        UnknownKeyError: if the key that signed it is not among ``keys``.
        AuthError: for any other reason not to trust it.
        RuntimeError: if PyJWT is not installed.
    """
    if jwt is None:
        raise RuntimeError("OpenID Connect needs PyJWT: install zonda-web[auth]")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS or algorithm not in algorithms:
            raise AuthError(f"the ID token is signed with {algorithm!r}, which is not accepted")
        claims = _verified(token, _candidates(keys, header), algorithm, issuer, client_id)
    except jwt.PyJWTError as error:
        raise AuthError(f"the ID token is not good: {error}") from error
    party = claims.get("azp")
    audience = claims["aud"]
    if party is None and isinstance(audience, list) and len(audience) > 1:
        raise AuthError("the ID token is for several parties and does not say who got it")
    if party is not None and party != client_id:
        raise AuthError("the ID token was given to another party")
    if nonce is not None and not _same(claims.get("nonce"), nonce):
        raise AuthError("the ID token does not belong to this sign-in: its nonce is another one")
    expected = None if access_token is None else _half_hash(access_token, algorithm)
    if expected is not None and not _same(claims.get("at_hash", expected), expected):
        raise AuthError("the ID token does not belong to the access token")
    return claims


def _candidates(keys: Mapping[str, Any], header: Mapping[str, Any]) -> Sequence["jwt.PyJWK"]:
    """Return the keys that may have signed a token with this header."""
    kid = header.get("kid")
    wanted = [
        key
        for key in keys.get("keys", ())
        if isinstance(key, dict)
        and key.get("use", "sig") == "sig"
        and key.get("kty") != "oct"  # a shared secret has no place in a published set
        and (kid is None or key.get("kid") == kid)
        and key.get("alg", header["alg"]) == header["alg"]
    ]
    found = []
    for key in wanted:
        try:
            found.append(jwt.PyJWK(key, algorithm=header["alg"]))
        except jwt.PyJWTError:
            continue  # of another kind
    if not found:
        raise UnknownKeyError(f"no key of the provider's fits the ID token's (kid {kid!r})")
    return found


def _verified(
    token: str, keys: Sequence["jwt.PyJWK"], algorithm: str, issuer: str, client_id: str
) -> dict[str, Any]:
    for number, key in enumerate(keys, 1):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=client_id,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.InvalidSignatureError:
            if number == len(keys):
                raise
        else:
            return claims
    raise AssertionError("no keys")


def _half_hash(access_token: str, algorithm: str) -> str:
    """Return ``at_hash`` of an access token (OpenID Connect Core 1.0 §3.1.3.6)."""
    name = "sha512" if algorithm == "EdDSA" else f"sha{algorithm[2:]}"
    digest = hashlib.new(name, access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())
