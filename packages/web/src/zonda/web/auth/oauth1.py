"""OAuth 1.0 and 1.0a (RFC 5849): signing in with a request token that the user authorises."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlencode, urljoin

from zonda.web.auth.client import Client, Response, default_client
from zonda.web.auth.errors import AuthError
from zonda.web.auth.signature import sign

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

Token = dict[str, Any]
"""``key``, ``secret``, and what else the service said."""

_COOKIE = "_oauth_request_token"


class OAuthMixin:
    """Signs users in through a service that speaks OAuth 1.

    A handler without ``oauth_token`` in its arguments calls `authorize_redirect`; when the user
    comes back, with it, the handler calls `get_authenticated_user`. A subclass for a service says:

    - ``_OAUTH_REQUEST_TOKEN_URL``, ``_OAUTH_AUTHORIZE_URL``, ``_OAUTH_ACCESS_TOKEN_URL``
    - ``_OAUTH_VERSION``: ``"1.0"`` or ``"1.0a"``, the default
    - ``_OAUTH_NO_CALLBACKS``: True if it always returns users to a URL it was told beforehand
    - ``_oauth_consumer_token()``: the application's ``{"key": ..., "secret": ...}``
    - ``_oauth_get_user_future(access_token)``: who that is, a dict, from a coroutine
    """

    async def authorize_redirect(
        self,
        callback_uri: str | None = None,
        extra_params: dict[str, Any] | None = None,
        http_client: Client | None = None,
    ) -> None:
        """Get a request token and send the user to the service to authorise it.

        Args:
            callback_uri: Where the user comes back to, relative to this request; ``oob`` if there
                is no such place: then the response is the URL to go to.
            extra_params: More for the request token, such as a scope (1.0a).
            http_client: Instead of `get_auth_http_client`'s.

        Raises:
            AuthError: if the service gives no token.
            ValueError: for a ``callback_uri`` with a service that takes none.
        """
        if callback_uri and getattr(self, "_OAUTH_NO_CALLBACKS", False):
            raise ValueError("this service takes no callback_uri")
        client = http_client or self.get_auth_http_client()
        if self._is_1_0a():
            url = self._oauth_request_token_url(callback_uri, extra_params)
        else:
            url = self._oauth_request_token_url()
        response = await client.fetch(url)
        self._on_request_token(cast(Any, self)._OAUTH_AUTHORIZE_URL, callback_uri, response)

    async def get_authenticated_user(self, http_client: Client | None = None) -> dict[str, Any]:
        """Return the user who has come back from the service.

        Args:
            http_client: Instead of `get_auth_http_client`'s.

        Returns:
            What ``_oauth_get_user_future`` says, and ``access_token``, a dict with ``key`` and
            ``secret``.

        Raises:
            AuthError: if this is not the browser that was sent there, or the service says no.
        """
        handler = cast("RequestHandler", self)
        cookie = handler.get_cookie(_COOKIE)
        if not cookie:
            raise AuthError("no cookie with a request token has come back")
        handler.clear_cookie(_COOKIE)
        given = handler.get_argument("oauth_token", "")
        verifier = handler.get_argument("oauth_verifier", None)
        try:
            key, secret = (base64.b64decode(part).decode() for part in cookie.split("|"))
        except (ValueError, binascii.Error) as error:
            raise AuthError("the cookie with the request token is broken") from error
        if not hmac.compare_digest(key.encode(), given.encode()):
            raise AuthError("the request token is not the one in the cookie")
        token: Token = {"key": key, "secret": secret}
        if verifier:
            token["verifier"] = verifier
        client = http_client or self.get_auth_http_client()
        response = await client.fetch(self._oauth_access_token_url(token))
        access_token = parse_token(response.body)
        user = await self._oauth_get_user_future(access_token)
        if not user:
            raise AuthError("the service does not say who the user is")
        user["access_token"] = access_token
        return user

    # What a subclass may want

    def _oauth_consumer_token(self) -> Token:
        raise NotImplementedError

    async def _oauth_get_user_future(self, access_token: Token) -> dict[str, Any]:
        raise NotImplementedError

    def _oauth_request_parameters(
        self,
        url: str,
        access_token: Token,
        parameters: dict[str, Any] | None = None,
        method: str = "GET",
    ) -> dict[str, Any]:
        """Return the parameters that sign a request with an access token.

        Args:
            url: Where it goes.
            access_token: From `get_authenticated_user`.
            parameters: The request's own, in query and form.
            method: Its method.
        """
        return self._signed(url, parameters or {}, access_token, method)

    def get_auth_http_client(self) -> Client:
        """Return the client to use; override it to use another."""
        return default_client()

    # The steps

    def _is_1_0a(self) -> bool:
        return bool(getattr(self, "_OAUTH_VERSION", "1.0a") == "1.0a")

    def _signed(
        self,
        url: str,
        parameters: dict[str, Any],
        token: Token | None = None,
        method: str = "GET",
        own: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        consumer = self._oauth_consumer_token()
        protocol = {"oauth_consumer_key": consumer["key"]}
        if token:
            protocol["oauth_token"] = token["key"]
        protocol |= {
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(time.time())),
            "oauth_nonce": secrets.token_hex(16),
            "oauth_version": "1.0",
            **(own or {}),
        }
        protocol["oauth_signature"] = sign(
            method,
            url,
            {**parameters, **protocol},
            consumer["secret"],
            token["secret"] if token else "",
            encode_secrets=self._is_1_0a(),
        )
        return protocol

    def _oauth_request_token_url(
        self, callback_uri: str | None = None, extra_params: dict[str, Any] | None = None
    ) -> str:
        handler = cast("RequestHandler", self)
        url: str = cast(Any, self)._OAUTH_REQUEST_TOKEN_URL
        own: dict[str, Any] = {}
        if self._is_1_0a():
            if callback_uri == "oob":
                own["oauth_callback"] = "oob"
            elif callback_uri:
                own["oauth_callback"] = urljoin(handler.request.full_url(), callback_uri)
            own |= extra_params or {}
        return f"{url}?{urlencode(self._signed(url, {}, own=own))}"

    def _on_request_token(
        self, authorize_url: str, callback_uri: str | None, response: Response
    ) -> None:
        handler = cast("RequestHandler", self)
        token = parse_token(response.body)
        key, secret = (base64.b64encode(token[each].encode()) for each in ("key", "secret"))
        handler.set_cookie(
            _COOKIE,
            b"|".join([key, secret]),
            httponly=True,
            samesite="Lax",  # the way back is a link that another site has made
            secure=handler.request.protocol == "https",
        )
        arguments = {"oauth_token": token["key"]}
        if callback_uri == "oob":
            handler.finish(f"{authorize_url}?{urlencode(arguments)}")
            return
        if callback_uri:
            arguments["oauth_callback"] = urljoin(handler.request.full_url(), callback_uri)
        handler.redirect(f"{authorize_url}?{urlencode(arguments)}")

    def _oauth_access_token_url(self, request_token: Token) -> str:
        url: str = cast(Any, self)._OAUTH_ACCESS_TOKEN_URL
        own = {}
        if "verifier" in request_token:
            own["oauth_verifier"] = request_token["verifier"]
        return f"{url}?{urlencode(self._signed(url, {}, request_token, own=own))}"


def parse_token(body: bytes) -> Token:
    """Return the token in a response.

    >>> parse_token(b"oauth_token=a&oauth_token_secret=b&user_id=3")
    {'user_id': '3', 'key': 'a', 'secret': 'b'}

    Raises:
        AuthError: if there is none.
    """
    try:
        fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        token = {"key": fields.pop("oauth_token"), "secret": fields.pop("oauth_token_secret")}
    except (KeyError, ValueError) as error:
        raise AuthError("the service gave no token") from error
    return {**fields, **token}
