"""Reaching the HTTP client."""

import importlib
import sys

import pytest

from zonda.web.auth import AuthError, OAuth2Mixin, OAuthMixin, OpenIDConnectMixin, OpenIdMixin
from zonda.web.auth.client import json_object


@pytest.mark.parametrize("mixin", [OAuth2Mixin, OAuthMixin, OpenIDConnectMixin, OpenIdMixin])
def test_without_httpclient(mixin: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zonda.httpclient", None)
    with pytest.raises(RuntimeError, match=r"zonda-web\[auth\]"):
        mixin().get_auth_http_client()


def test_other_missing_modules_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'x'", name="x")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="'x'"):
        OAuth2Mixin().get_auth_http_client()


async def test_with_httpclient() -> None:
    httpclient = pytest.importorskip("zonda.httpclient")
    client = OAuth2Mixin().get_auth_http_client()
    assert isinstance(client, httpclient.AsyncHTTPClient)
    client.close()


@pytest.mark.parametrize("body", [b"", b"nope", b"[1]", b"null", b"\xff"])
def test_json_object(body: bytes) -> None:
    assert json_object(b'{"a": 1}', "x") == {"a": 1}
    with pytest.raises(AuthError, match="the answer is not"):
        json_object(body, "the answer")
