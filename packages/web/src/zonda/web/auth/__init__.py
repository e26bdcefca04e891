"""Signing users in through other services: mixins for handlers.

=====================  ========================================================================
`OpenIDConnectMixin`   any OpenID Connect provider: discovery, PKCE, state, nonce, ID tokens
`GoogleOAuth2Mixin`    Google
`FacebookGraphMixin`   Facebook
`TwitterMixin`         Twitter
`OAuth2Mixin`          what services with OAuth 2 have in common
`OAuthMixin`           services with OAuth 1.0 or 1.0a
`OpenIdMixin`          OpenID 2.0
=====================  ========================================================================

A mixin stands beside the handler: ``class Login(RequestHandler, GoogleOAuth2Mixin)``. All of them
speak to the service through ``get_auth_http_client()``, by default zonda-httpclient's
(``zonda-web[auth]`` brings it).
"""

from zonda.web.auth.errors import AuthError
from zonda.web.auth.facebook import FacebookGraphMixin
from zonda.web.auth.google import GoogleOAuth2Mixin
from zonda.web.auth.oauth1 import OAuthMixin
from zonda.web.auth.oauth2 import OAuth2Mixin
from zonda.web.auth.oidc import OpenIDConnectMixin
from zonda.web.auth.openid import OpenIdMixin
from zonda.web.auth.twitter import TwitterMixin

__all__ = [
    "AuthError",
    "FacebookGraphMixin",
    "GoogleOAuth2Mixin",
    "OAuth2Mixin",
    "OAuthMixin",
    "OpenIDConnectMixin",
    "OpenIdMixin",
    "TwitterMixin",
]
