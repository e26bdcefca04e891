"""Google, through OAuth 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlencode

from zonda.web.auth.client import json_object
from zonda.web.auth.oauth2 import OAuth2Mixin

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


class GoogleOAuth2Mixin(OAuth2Mixin):
    """Signs users in with Google.

    The application's setting ``google_oauth`` is ``{"key": client id, "secret": client secret}``.

        class LoginHandler(RequestHandler, GoogleOAuth2Mixin):
            async def get(self):
                uri = "https://example.com/login"
                if code := self.get_argument("code", None):
                    access = await self.get_authenticated_user(redirect_uri=uri, code=code)
                    user = await self.oauth2_request(
                        self._OAUTH_USERINFO_URL, access_token=access["access_token"]
                    )
                else:
                    self.authorize_redirect(
                        redirect_uri=uri,
                        client_id=self.get_google_oauth_settings()["key"],
                        scope=["profile", "email"],
                    )
    """

    _OAUTH_AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
    _OAUTH_ACCESS_TOKEN_URL = "https://www.googleapis.com/oauth2/v4/token"
    _OAUTH_USERINFO_URL = "https://www.googleapis.com/oauth2/v1/userinfo"
    _OAUTH_NO_CALLBACKS = False
    _OAUTH_SETTINGS_KEY: ClassVar[str] = "google_oauth"

    def get_google_oauth_settings(self) -> dict[str, str]:
        """Return the application's ``key`` and ``secret``: a hook."""
        handler = cast("RequestHandler", self)
        settings: dict[str, str] = handler.settings[self._OAUTH_SETTINGS_KEY]
        return settings

    async def get_authenticated_user(
        self,
        redirect_uri: str,
        code: str,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> dict[str, Any]:
        """Return the access of the user who has come back with a code.

        Args:
            redirect_uri: As for `authorize_redirect`.
            code: The argument of that name.
            client_id: Instead of the setting's.
            client_secret: Instead of the setting's.

        Returns:
            ``access_token``, with which `oauth2_request` asks for more, ``id_token``,
            ``expires_in``...

        Raises:
            AuthError: for an answer that is none.
        """
        settings = {}
        if client_id is None or client_secret is None:
            settings = self.get_google_oauth_settings()
        form = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": client_id if client_id is not None else settings["key"],
            "client_secret": client_secret if client_secret is not None else settings["secret"],
            "grant_type": "authorization_code",
        }
        response = await self.get_auth_http_client().fetch(
            self._OAUTH_ACCESS_TOKEN_URL,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form),
        )
        return json_object(response.body, "Google's answer")
