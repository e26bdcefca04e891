"""The HTTP client that the mixins use, reached only when one of them needs it."""

import importlib
from collections.abc import Awaitable
from typing import Any, Protocol

from zonda.httputil.escape import json_decode
from zonda.web.auth.errors import AuthError


class Response(Protocol):
    """What the mixins read of a response."""

    code: int

    @property
    def body(self) -> bytes:
        """All of it."""


class Client(Protocol):
    """What the mixins want of a client: `zonda.httpclient.AsyncHTTPClient` has it."""

    def fetch(self, request: str, **kwargs: Any) -> Awaitable[Response]:
        """Send a request."""


def default_client() -> Client:
    """Return zonda-httpclient's client.

    Raises:
        RuntimeError: if it is not installed.
    """
    try:
        httpclient = importlib.import_module("zonda.httpclient")
    except ModuleNotFoundError as error:
        if error.name != "zonda.httpclient":
            raise
        raise RuntimeError(
            "zonda.web.auth speaks to the provider through zonda-httpclient: "
            "install zonda-web[auth], or override get_auth_http_client"
        ) from error
    client: Client = httpclient.AsyncHTTPClient()
    return client


def json_object(body: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in a body.

    Args:
        body: The body.
        what: What it is, for the error.

    Raises:
        AuthError: if there is none.
    """
    try:
        value = json_decode(body)
    except ValueError as error:
        raise AuthError(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise AuthError(f"{what} is not a JSON object")
    return value
