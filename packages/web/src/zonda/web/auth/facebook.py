"""Facebook, through OAuth 2 and its Graph API."""

import hashlib
import hmac
from typing import Any

from zonda.web.auth.client import json_object
from zonda.web.auth.errors import AuthError
from zonda.web.auth.oauth2 import OAuth2Mixin

_FIELDS = ("id", "name", "first_name", "last_name", "locale", "picture", "link")


class FacebookGraphMixin(OAuth2Mixin):
    """Signs users in with Facebook, and asks its Graph API.

    A handler without ``code`` in its arguments calls ``authorize_redirect``, one with it
    `get_authenticated_user`.
    """

    _OAUTH_ACCESS_TOKEN_URL = "https://graph.facebook.com/oauth/access_token?"
    _OAUTH_AUTHORIZE_URL = "https://www.facebook.com/dialog/oauth?"
    _OAUTH_NO_CALLBACKS = False
    _FACEBOOK_BASE_URL = "https://graph.facebook.com"

    async def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        extra_fields: set[str] | None = None,
    ) -> dict[str, Any] | None:
        """Return the user who has come back with a code.

        Args:
            redirect_uri: As for ``authorize_redirect``.
            client_id: The application's id.
            client_secret: Its secret.
            code: The argument of that name.
            extra_fields: What to ask for, beside id, name, first_name, last_name, locale, picture
                and link.

        Returns:
            These fields (None for what is not told), ``access_token``, and ``session_expires`` in
            seconds, as text; None if Facebook does not say who it is.

        Raises:
            AuthError: if the code is not taken.
        """
        url = self._oauth_request_token_url(redirect_uri, client_id, client_secret, code)
        response = await self.get_auth_http_client().fetch(url)
        session = json_object(response.body, "Facebook's answer")
        token = session.get("access_token")
        if not isinstance(token, str):
            raise AuthError("Facebook gave no access token")
        fields = [*_FIELDS, *sorted((extra_fields or set()).difference(_FIELDS))]
        # Shows that the one who asks knows the secret, so that a stolen token is not enough.
        proof = hmac.new(client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        user = await self.facebook_request(
            "/me", access_token=token, appsecret_proof=proof, fields=",".join(fields)
        )
        if user is None:
            return None
        expires = session.get("expires_in")
        return {
            **{field: user.get(field) for field in fields},
            "access_token": token,
            "session_expires": None if expires is None else str(expires),
        }

    async def facebook_request(
        self,
        path: str,
        access_token: str | None = None,
        post_args: dict[str, Any] | None = None,
        **args: Any,
    ) -> Any:
        """Ask the Graph API.

        Args:
            path: What for, such as ``/me/feed``.
            access_token: From `get_authenticated_user`.
            post_args: Makes it a POST, with these in a form.
            **args: For the query.
        """
        url = self._FACEBOOK_BASE_URL + path
        return await self.oauth2_request(url, access_token, post_args, **args)
