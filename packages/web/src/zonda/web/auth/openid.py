"""OpenID 2.0 with attribute exchange, checked with the provider itself ("stateless mode", §11.4.2).

OpenID 2.0 is of another time: what providers offer now is OpenID Connect, `OpenIDConnectMixin`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urljoin, urlsplit

from zonda.web.auth.client import Client, Response, default_client
from zonda.web.auth.errors import AuthError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

_SPEC = "http://specs.openid.net/auth/2.0"
_EXCHANGE = "http://openid.net/srv/ax/1.0"
_OAUTH = "http://specs.openid.net/extensions/oauth/1.0"

#: Attribute as callers name it -> its parts as they are asked for: (alias, type).
_TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "name": (
        ("firstname", "http://axschema.org/namePerson/first"),
        ("fullname", "http://axschema.org/namePerson"),
        ("lastname", "http://axschema.org/namePerson/last"),
    ),
    "username": (("username", "http://axschema.org/namePerson/friendly"),),
    "email": (("email", "http://axschema.org/contact/email"),),
    "language": (("language", "http://axschema.org/pref/language"),),
}


class OpenIdMixin:
    """Signs users in through an OpenID 2.0 provider, at ``_OPENID_ENDPOINT``.

    A handler without ``openid.mode`` in its arguments calls `authenticate_redirect`, one with it
    `get_authenticated_user`.
    """

    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        ax_attrs: Iterable[str] = ("name", "email", "language", "username"),
    ) -> None:
        """Send the user to the provider.

        Args:
            callback_uri: Where they come back to, relative to this request; by default here.
            ax_attrs: What to ask for: ``name``, ``email``, ``language``, ``username``.

        Raises:
            KeyError: for another attribute.
        """
        handler = cast("RequestHandler", self)
        callback_uri = callback_uri or handler.request.uri
        assert callback_uri is not None
        arguments = self._openid_args(callback_uri, ax_attrs=ax_attrs)
        handler.redirect(f"{cast(Any, self)._OPENID_ENDPOINT}?{urlencode(arguments)}")

    async def get_authenticated_user(self, http_client: Client | None = None) -> dict[str, Any]:
        """Return the user who has come back from the provider.

        Args:
            http_client: Instead of `get_auth_http_client`'s.

        Returns:
            ``claimed_id``, who it is, and what the provider tells of ``name``, ``first_name``,
            ``last_name``, ``email``, ``locale`` and ``username``.

        Raises:
            AuthError: if the provider has not said so, or not to us.
        """
        handler = cast("RequestHandler", self)
        self._openid_check_return_to()
        arguments: dict[str, Any] = {
            name: values[-1] for name, values in handler.request.arguments.items()
        }
        arguments["openid.mode"] = "check_authentication"
        client = http_client or self.get_auth_http_client()
        response = await client.fetch(
            cast(Any, self)._OPENID_ENDPOINT, method="POST", body=urlencode(arguments)
        )
        return self._on_authentication_verified(response)

    def get_auth_http_client(self) -> Client:
        """Return the client to use; override it to use another."""
        return default_client()

    def _openid_args(
        self,
        callback_uri: str,
        ax_attrs: Iterable[str] = (),
        oauth_scope: str | None = None,
    ) -> dict[str, str]:
        handler = cast("RequestHandler", self)
        url = urljoin(handler.request.full_url(), callback_uri)
        arguments = {
            "openid.ns": _SPEC,
            "openid.claimed_id": f"{_SPEC}/identifier_select",
            "openid.identity": f"{_SPEC}/identifier_select",
            "openid.return_to": url,
            "openid.realm": urljoin(url, "/"),
            "openid.mode": "checkid_setup",
        }
        wanted = set(ax_attrs)
        if wanted:
            if unknown := wanted.difference(_TYPES):
                raise KeyError(min(unknown))
            types = dict(part for name in _TYPES if name in wanted for part in _TYPES[name])
            arguments |= {"openid.ns.ax": _EXCHANGE, "openid.ax.mode": "fetch_request"}
            arguments |= {f"openid.ax.type.{alias}": type_ for alias, type_ in types.items()}
            arguments["openid.ax.required"] = ",".join(types)
        if oauth_scope:
            arguments |= {
                "openid.ns.oauth": _OAUTH,
                "openid.oauth.consumer": handler.request.host.split(":")[0],
                "openid.oauth.scope": oauth_scope,
            }
        return arguments

    def _openid_check_return_to(self) -> None:
        """Refuse what the provider has said to another site (§11.1)."""
        handler = cast("RequestHandler", self)
        if (given := handler.get_argument("openid.return_to", None)) is not None:
            url = urlsplit(given)
            if (url.netloc.lower(), url.path) != (
                handler.request.host.lower(),
                handler.request.path,
            ):
                raise AuthError("the provider's answer was meant for another URL")

    def _on_authentication_verified(self, response: Response) -> dict[str, Any]:
        handler = cast("RequestHandler", self)
        # A line of its own, and not these letters somewhere in the text.
        if b"is_valid:true" not in response.body.split():
            raise AuthError(f"the provider does not confirm its answer: {response.body[:200]!r}")
        signed = handler.get_argument("openid.signed", None)
        names = None if signed is None else {f"openid.{each}" for each in signed.split(",")}

        def argument(name: str) -> str:
            # What the provider has not signed, anybody may have put there.
            if names is not None and name not in names:
                return ""
            return handler.get_argument(name, "") or ""

        prefix = None
        for name in handler.request.arguments:
            if name.startswith("openid.ns.") and argument(name) == _EXCHANGE:
                prefix = "openid." + name[len("openid.ns.") :]
        values_by_type = {}
        if prefix is not None:
            for name in handler.request.arguments:
                if name.startswith(f"{prefix}.type."):
                    alias = name[len(prefix) + len(".type.") :]
                    value = argument(f"{prefix}.value.{alias}") or argument(
                        f"{prefix}.value.{alias}.1"
                    )
                    values_by_type[argument(name)] = value
        values_by_type.pop("", None)
        return _user(values_by_type, argument("openid.claimed_id"))


def _user(values: Mapping[str, str], claimed_id: str) -> dict[str, Any]:
    """Return the user that attributes by type describe."""
    (_, first), (_, full), (_, last) = _TYPES["name"]
    user: dict[str, Any] = {}
    parts = []
    for name, type_ in (("first_name", first), ("last_name", last)):
        if value := values.get(type_):
            user[name] = value
            parts.append(value)
    email = values.get(_TYPES["email"][0][1])
    if name := values.get(full) or " ".join(parts) or (email or "").split("@")[0]:
        user["name"] = name
    if email:
        user["email"] = email
    if language := values.get(_TYPES["language"][0][1]):
        user["locale"] = language.lower()
    if username := values.get(_TYPES["username"][0][1]):
        user["username"] = username
    if claimed_id:
        user["claimed_id"] = claimed_id
    return user
