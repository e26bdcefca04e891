"""OAuth 2 (RFC 6749): the authorisation code flow, as far as services agree on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from zonda.httputil.escape import json_decode
from zonda.httputil.urls import url_concat
from zonda.web.auth.client import Client, default_client

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


class OAuth2Mixin:
    """What services with OAuth 2 have in common.

    A subclass says ``_OAUTH_AUTHORIZE_URL`` and ``_OAUTH_ACCESS_TOKEN_URL``, and how a user is got
    for a code: see `GoogleOAuth2Mixin`. A ``state`` against forged returns is the application's, in
    ``extra_params``; `OpenIDConnectMixin` has one of its own.
    """

    def authorize_redirect(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        extra_params: dict[str, Any] | None = None,
        scope: list[str] | None = None,
        response_type: str = "code",
    ) -> None:
        """Send the user to the service.

        Args:
            redirect_uri: Where they come back to, absolute and as the service knows it.
            client_id: The application's id there.
            client_secret: Not used, and there only because callers of Tornado pass it: a secret
                has no place in a URL that the browser sees.
            extra_params: More for the URL.
            scope: What is asked for.
            response_type: What they come back with.
        """
        handler = cast("RequestHandler", self)
        arguments: dict[str, Any] = {"response_type": response_type}
        if redirect_uri is not None:
            arguments["redirect_uri"] = redirect_uri
        if client_id is not None:
            arguments["client_id"] = client_id
        arguments |= extra_params or {}
        if scope:
            arguments["scope"] = " ".join(scope)
        handler.redirect(url_concat(cast(Any, self)._OAUTH_AUTHORIZE_URL, arguments))

    def _oauth_request_token_url(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        code: str | None = None,
        extra_params: dict[str, Any] | None = None,
    ) -> str:
        arguments: dict[str, Any] = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        arguments = {name: value for name, value in arguments.items() if value is not None}
        arguments |= extra_params or {}
        return url_concat(cast(Any, self)._OAUTH_ACCESS_TOKEN_URL, arguments)

    async def oauth2_request(
        self,
        url: str,
        access_token: str | None = None,
        post_args: dict[str, Any] | None = None,
        **args: Any,
    ) -> Any:
        """Fetch a URL with an access token and return the JSON that is there.

        Args:
            url: What to fetch.
            access_token: Goes into the query.
            post_args: Makes it a POST, with these in a form.
            **args: More for the query.
        """
        arguments = {"access_token": access_token, **args} if access_token else args
        if arguments:
            url = url_concat(url, arguments)
        client = self.get_auth_http_client()
        if post_args is not None:
            response = await client.fetch(url, method="POST", body=urlencode(post_args))
        else:
            response = await client.fetch(url)
        return json_decode(response.body)

    def get_auth_http_client(self) -> Client:
        """Return the client to use; override it to use another."""
        return default_client()
