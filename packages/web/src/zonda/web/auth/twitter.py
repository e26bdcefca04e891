"""Twitter, through OAuth 1.0a."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from zonda.httputil.escape import json_decode
from zonda.web.auth.oauth1 import OAuthMixin, Token

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


class TwitterMixin(OAuthMixin):
    """Signs users in with Twitter, and asks its API.

    The application's settings ``twitter_consumer_key`` and ``twitter_consumer_secret`` are what
    Twitter gave it. The user has a ``username`` beside what the API says of them.
    """

    _OAUTH_REQUEST_TOKEN_URL = "https://api.twitter.com/oauth/request_token"
    _OAUTH_ACCESS_TOKEN_URL = "https://api.twitter.com/oauth/access_token"
    _OAUTH_AUTHORIZE_URL = "https://api.twitter.com/oauth/authorize"
    _OAUTH_AUTHENTICATE_URL = "https://api.twitter.com/oauth/authenticate"
    _OAUTH_NO_CALLBACKS = False
    _TWITTER_BASE_URL = "https://api.twitter.com/1.1"

    async def authenticate_redirect(self, callback_uri: str | None = None) -> None:
        """As `authorize_redirect`, but users who have agreed before are not asked again.

        Args:
            callback_uri: Where the user comes back to, relative to this request.
        """
        client = self.get_auth_http_client()
        response = await client.fetch(self._oauth_request_token_url(callback_uri))
        self._on_request_token(self._OAUTH_AUTHENTICATE_URL, None, response)

    async def twitter_request(
        self,
        path: str,
        access_token: Token,
        post_args: dict[str, Any] | None = None,
        **args: Any,
    ) -> Any:
        """Ask the API and return the JSON of the answer.

        Args:
            path: What for, such as ``/statuses/user_timeline``; or a whole URL.
            access_token: From `get_authenticated_user`.
            post_args: Makes it a POST, with these in a form.
            **args: For the query.
        """
        if path.startswith(("http:", "https:")):
            url = path
        else:
            url = f"{self._TWITTER_BASE_URL}{path}.json"
        method = "GET" if post_args is None else "POST"
        parameters = {**args, **(post_args or {})}
        query = {**args, **self._oauth_request_parameters(url, access_token, parameters, method)}
        client = self.get_auth_http_client()
        url += "?" + urlencode(query)
        if post_args is None:
            response = await client.fetch(url)
        else:
            response = await client.fetch(url, method=method, body=urlencode(post_args))
        return json_decode(response.body)

    def _oauth_consumer_token(self) -> Token:
        handler = cast("RequestHandler", self)
        handler.require_setting("twitter_consumer_key", "Twitter OAuth")
        handler.require_setting("twitter_consumer_secret", "Twitter OAuth")
        return {
            "key": handler.settings["twitter_consumer_key"],
            "secret": handler.settings["twitter_consumer_secret"],
        }

    async def _oauth_get_user_future(self, access_token: Token) -> dict[str, Any]:
        user: dict[str, Any] = await self.twitter_request(
            "/account/verify_credentials", access_token=access_token
        )
        if user:
            user["username"] = user["screen_name"]
        return user
