"""OAuth 1 signatures with HMAC-SHA1 (RFC 5849 §3.4): a request in, its signature out. Pure.

OAuth 1.0 as it was before revision A did not encode the secrets that make up the key; both ways
are here.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def encode(value: object) -> str:
    """Percent-encode a value as RFC 5849 §3.6 wants it.

    >>> encode("a b~c/\u00e9")
    'a%20b~c%2F%C3%A9'
    """
    return quote(value if isinstance(value, str | bytes) else str(value), safe="~")


def base_string(method: str, url: str, parameters: Mapping[str, object]) -> str:
    """Return what is signed (§3.4.1).

    Args:
        method: The request's method.
        url: Its URL; a query in it is signed too.
        parameters: Those of the protocol and of a form in the body.

    >>> base_string("get", "HTTP://Example.com:80/a?c=d", {"b": "x y"})
    'GET&http%3A%2F%2Fexample.com%2Fa&b%3Dx%2520y%26c%3Dd'
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
    pairs: Iterable[tuple[str, object]] = [
        *parameters.items(),
        *parse_qsl(parts.query, keep_blank_values=True),
    ]
    encoded = sorted((encode(k), encode(v)) for k, v in pairs if k != "oauth_signature")
    normalised = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join(
        encode(e) for e in (method.upper(), f"{scheme}://{host}{parts.path}", normalised)
    )


def sign(
    method: str,
    url: str,
    parameters: Mapping[str, object],
    consumer_secret: str,
    token_secret: str = "",
    *,
    encode_secrets: bool = True,
) -> str:
    """Return the signature of a request (§3.4.2), in base64.

    Args:
        method: As for `base_string`.
        url: As for `base_string`.
        parameters: As for `base_string`.
        consumer_secret: The application's secret.
        token_secret: The secret of the token, empty without one.
        encode_secrets: False for OAuth 1.0 before revision A.
    """
    secrets = (consumer_secret, token_secret)
    key = "&".join(encode(secret) if encode_secrets else secret for secret in secrets)
    text = base_string(method, url, parameters)
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
