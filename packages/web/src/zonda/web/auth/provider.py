"""What an OpenID Connect provider publishes of itself: its endpoints and its keys.

Both are fetched when first needed and kept in the process, endpoints for an hour; keys until a
token names one that is not there, and then fetched again, at most once a minute.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from zonda.web.auth.client import Client, Response, json_object
from zonda.web.auth.errors import AuthError
from zonda.web.auth.idtoken import ALGORITHMS

#: Seconds.
METADATA_AGE = 3600.0
#: Seconds between two requests for keys: a forged token names a new key each time.
KEYS_INTERVAL = 60.0


@dataclass
class Provider:
    """A provider, as it describes itself (OpenID Connect Discovery 1.0 §3).

    Attributes:
        issuer: Its name, a URL.
        authorization_endpoint: Where users are sent.
        token_endpoint: Where codes become tokens.
        jwks_uri: Where its keys are.
        userinfo_endpoint: Where it tells more of a user, if it does.
        end_session_endpoint: Where users sign out, if they can.
        token_auth_methods: How the application may show its secret.
        algorithms: What ID tokens are signed with.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_auth_methods: tuple[str, ...] = ("client_secret_basic",)
    algorithms: tuple[str, ...] = ALGORITHMS
    _keys: dict[str, Any] | None = field(default=None, repr=False)
    _keys_at: float = field(default=-KEYS_INTERVAL, repr=False)
    _made_at: float = field(default_factory=lambda: time.monotonic(), repr=False)

    @classmethod
    def from_metadata(cls, issuer: str, metadata: dict[str, Any]) -> Provider:
        """Return the provider that a document describes.

        Args:
            issuer: Whose document it should be.
            metadata: The document.

        Raises:
            AuthError: if it is another's, lacks what is needed, or leads to plain HTTP.
        """
        if metadata.get("issuer") != issuer:
            raise AuthError(f"{issuer} calls itself {metadata.get('issuer')!r}")

        def endpoint(name: str) -> str | None:
            url = metadata.get(name)
            if url is None:
                return None
            if not isinstance(url, str) or urlsplit(url).scheme not in _schemes(issuer):
                raise AuthError(f"{issuer} has a {name} that is no good: {url!r}")
            return url

        def needed(name: str) -> str:
            url = endpoint(name)
            if url is None:
                raise AuthError(f"{issuer} has no {name}")
            return url

        methods = metadata.get("token_endpoint_auth_methods_supported")
        signed = metadata.get("id_token_signing_alg_values_supported")
        return cls(
            issuer,
            needed("authorization_endpoint"),
            needed("token_endpoint"),
            needed("jwks_uri"),
            endpoint("userinfo_endpoint"),
            endpoint("end_session_endpoint"),
            tuple(methods) if isinstance(methods, list) else ("client_secret_basic",),
            tuple(signed) if isinstance(signed, list) else ALGORITHMS,
        )

    async def keys(self, client: Client, *, anew: bool = False) -> dict[str, Any]:
        """Return its keys, a JSON Web Key Set.

        Args:
            client: Fetches them.
            anew: What is known already did not do.
        """
        waited = time.monotonic() - self._keys_at >= KEYS_INTERVAL
        if self._keys is None or (anew and waited):
            self._keys_at = time.monotonic()
            response = await client.fetch(self.jwks_uri, raise_error=False)
            self._keys = _document(response, f"the key set of {self.issuer}")
        return self._keys


def _schemes(issuer: str) -> tuple[str, ...]:
    # One that is not itself reached by HTTPS is on the developer's machine.
    return ("http", "https") if urlsplit(issuer).scheme == "http" else ("https",)


def _document(response: Response, what: str) -> dict[str, Any]:
    if response.code != 200:
        raise AuthError(f"{what} is not there: status {response.code}")
    return json_object(response.body, what)


_known: dict[str, Provider] = {}


async def discover(issuer: str, client: Client) -> Provider:
    """Return a provider, from what it publishes below its name (Discovery 1.0 §4).

    Args:
        issuer: Its name, a URL.
        client: Fetches the document.

    Raises:
        AuthError: if there is nothing, or nothing of use.
    """
    provider = _known.get(issuer)
    if provider is None or time.monotonic() - provider._made_at > METADATA_AGE:
        url = issuer.removesuffix("/") + "/.well-known/openid-configuration"
        response = await client.fetch(url, raise_error=False)
        metadata = _document(response, f"the description of {issuer}")
        provider = _known[issuer] = Provider.from_metadata(issuer, metadata)
    return provider


def forget() -> None:
    """Forget all providers: each is asked again when it is next needed."""
    _known.clear()
