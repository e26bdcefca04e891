"""OpenID Connect (Core 1.0): the authorisation code flow with PKCE, state and nonce."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import quote, urlencode, urljoin

from zonda.httputil.urls import url_concat
from zonda.web.auth.client import Client, default_client, json_object
from zonda.web.auth.errors import AuthError
from zonda.web.auth.idtoken import UnknownKeyError, validate
from zonda.web.auth.provider import Provider, discover

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

#: Days that a user may take to sign in: ten minutes.
_DAYS = 10 / (24 * 60)


class OpenIDConnectMixin:
    """Signs users in through any OpenID Connect provider.

    The application's setting ``oidc`` says which one, and as whom:
    ``{"issuer": "https://accounts.example.com", "client_id": ..., "client_secret": ...}``, the
    secret only if there is one. ``cookie_secret`` must be set too: between leaving and coming back
    a signed cookie holds state, nonce and the PKCE verifier (RFC 7636).

        class LoginHandler(RequestHandler, OpenIDConnectMixin):
            async def get(self):
                if self.is_oidc_return():
                    user = await self.get_authenticated_user()
                    self.set_signed_cookie("user", user["sub"])
                    self.redirect("/")
                else:
                    await self.authorize_redirect()

    With several providers, override `get_oidc_settings`, or set ``_OIDC_SETTINGS_KEY`` in a
    handler for each.
    """

    _OIDC_SETTINGS_KEY: ClassVar[str] = "oidc"

    def get_oidc_settings(self) -> dict[str, str]:
        """Return ``issuer``, ``client_id`` and, if there is one, ``client_secret``: a hook."""
        handler = cast("RequestHandler", self)
        handler.require_setting(self._OIDC_SETTINGS_KEY, "OpenID Connect")
        settings: dict[str, str] = handler.settings[self._OIDC_SETTINGS_KEY]
        return settings

    def get_auth_http_client(self) -> Client:
        """Return the client to use; override it to use another."""
        return default_client()

    async def get_oidc_provider(self) -> Provider:
        """Return the provider: a hook, by default what it publishes of itself.

        Raises:
            AuthError: if it publishes nothing of use.
        """
        return await discover(self.get_oidc_settings()["issuer"], self.get_auth_http_client())

    def is_oidc_return(self) -> bool:
        """Whether this request is a user's who comes back from the provider."""
        handler = cast("RequestHandler", self)
        return handler.get_argument("state", None) is not None and (
            handler.get_argument("code", None) is not None
            or handler.get_argument("error", None) is not None
        )

    async def authorize_redirect(
        self,
        redirect_uri: str | None = None,
        scope: tuple[str, ...] | list[str] = ("openid", "profile", "email"),
        extra_params: dict[str, str] | None = None,
    ) -> None:
        """Send the user to the provider.

        Args:
            redirect_uri: Where they come back to, relative to this request and known to the
                provider; by default this handler.
            scope: What is asked for; ``openid`` is always asked for.
            extra_params: More for the URL: ``prompt``, ``login_hint``, ``ui_locales``...

        Raises:
            AuthError: if the provider cannot be found out about.
        """
        handler = cast("RequestHandler", self)
        provider = await self.get_oidc_provider()
        uri = urljoin(handler.request.full_url(), redirect_uri or handler.request.path)
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
        flow = {"state": state, "nonce": nonce, "verifier": verifier, "redirect_uri": uri}
        handler.set_signed_cookie(
            _cookie(state),
            json.dumps(flow),
            expires_days=_DAYS,
            httponly=True,
            samesite="Lax",  # the way back is a link that another site has made
            secure=handler.request.protocol == "https",
        )
        arguments = {
            **(extra_params or {}),
            "response_type": "code",
            "client_id": self.get_oidc_settings()["client_id"],
            "redirect_uri": uri,
            "scope": " ".join(dict.fromkeys(["openid", *scope])),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        handler.redirect(url_concat(provider.authorization_endpoint, arguments))

    async def get_authenticated_user(self) -> dict[str, Any]:
        """Return the user who has come back from the provider.

        Returns:
            The claims of the ID token, of which ``iss`` and ``sub`` together say who it is, and
            ``id_token``, ``access_token`` and whatever else came with them.

        Raises:
            AuthError: if this is not the browser that was sent there, the provider says no, or
                what it says cannot be trusted.
        """
        handler = cast("RequestHandler", self)
        settings = self.get_oidc_settings()
        flow = self._oidc_flow()
        provider = await self.get_oidc_provider()
        # RFC 9207: with several providers, one could pass on another's codes.
        if (given := handler.get_argument("iss", None)) is not None and given != provider.issuer:
            raise AuthError("the answer is another provider's")
        if error := handler.get_argument("error", None):
            description = handler.get_argument("error_description", None)
            raise AuthError("the provider refused", error, description)
        code = handler.get_argument("code", None)
        if not code:
            raise AuthError("the provider gave no code")
        tokens = await self._oidc_tokens(
            provider,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": flow["redirect_uri"],
                "code_verifier": flow["verifier"],
            },
        )
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise AuthError("the provider gave no ID token")
        client = self.get_auth_http_client()
        check = functools.partial(
            validate,
            id_token,
            issuer=provider.issuer,
            client_id=settings["client_id"],
            nonce=flow["nonce"],
            algorithms=provider.algorithms,
            access_token=tokens.get("access_token"),
        )
        try:
            claims = check(await provider.keys(client))
        except UnknownKeyError:
            claims = check(await provider.keys(client, anew=True))
        return {**tokens, **claims}

    async def get_oidc_userinfo(self, user: dict[str, Any]) -> dict[str, Any]:
        """Return what the provider tells of a user beyond the ID token (Core 1.0 §5.3).

        Args:
            user: From `get_authenticated_user`.

        Raises:
            AuthError: if it tells nothing, or of somebody else.
        """
        provider = await self.get_oidc_provider()
        if provider.userinfo_endpoint is None:
            raise AuthError("the provider has no userinfo_endpoint")
        response = await self.get_auth_http_client().fetch(
            provider.userinfo_endpoint,
            headers={"Authorization": f"Bearer {user['access_token']}"},
            raise_error=False,
        )
        if response.code != 200:
            raise AuthError(f"the provider tells nothing of the user: status {response.code}")
        claims = json_object(response.body, "what the provider tells of the user")
        if claims.get("sub") != user["sub"]:
            raise AuthError("the provider tells of another user")
        return claims

    def _oidc_flow(self) -> dict[str, str]:
        """Return what was kept when the user was sent away; it can be had once."""
        handler = cast("RequestHandler", self)
        state = handler.get_argument("state", None) or ""
        name = _cookie(state)
        kept = handler.get_signed_cookie(name, max_age_days=_DAYS) if state else None
        if kept is None:
            raise AuthError("this browser was not sent to the provider, or too long ago")
        handler.clear_cookie(name)
        flow: dict[str, str] = json.loads(kept)
        if not hmac.compare_digest(flow["state"].encode(), state.encode()):
            raise AuthError("the state is not the one in the cookie")
        return flow

    async def _oidc_tokens(self, provider: Provider, form: dict[str, str]) -> dict[str, Any]:
        """Ask the token endpoint (RFC 6749 §4.1.3)."""
        settings = self.get_oidc_settings()
        client_id, secret = settings["client_id"], settings.get("client_secret")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        if secret and "client_secret_basic" in provider.token_auth_methods:
            # RFC 6749 §2.3.1: each part is encoded as in a form before they are joined.
            pair = ":".join(quote(part, safe="") for part in (client_id, secret))
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = client_id
            if secret:
                form["client_secret"] = secret
        response = await self.get_auth_http_client().fetch(
            provider.token_endpoint,
            method="POST",
            headers=headers,
            body=urlencode(form),
            raise_error=False,
        )
        answer = json_object(response.body, "the token endpoint's answer")
        if response.code != 200:
            raise AuthError(
                f"the token endpoint refused with status {response.code}",
                answer.get("error"),
                answer.get("error_description"),
            )
        return answer


def challenge(verifier: str) -> str:
    """Return the code challenge of a verifier, by the method S256 (RFC 7636 §4.2).

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _cookie(state: str) -> str:
    # One for each try: a user may have two windows open.
    return f"_oidc_{hashlib.sha256(state.encode()).hexdigest()[:16]}"
