"""Values that a handler signs and verifies with the keys of its application's settings.

``cookie_secret`` is a key, or a dictionary of keys by version numbers of which ``key_version``
names the one that signs. The format is that of `zonda.web.signedvalues`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.web.signedvalues import create_signed_value, decode_signed_value

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


def sign(handler: RequestHandler, name: str, value: str | bytes, version: int | None) -> bytes:
    """Return a signed value.

    Args:
        handler: The handler.
        name: What it is the value of.
        value: The value.
        version: The format.

    Raises:
        RuntimeError: A setting is missing.
    """
    handler.require_setting("cookie_secret", "signed cookies")
    secret = handler.settings["cookie_secret"]
    key_version = None
    if not isinstance(secret, str | bytes):
        key_version = handler.settings.get("key_version")
        if key_version is None:  # 0 is a version, which `require_setting` would deny
            raise RuntimeError("several keys in cookie_secret need the setting key_version")
    return create_signed_value(secret, name, value, version=version, key_version=key_version)


def verify(
    handler: RequestHandler,
    name: str,
    value: str | None,
    max_age_days: float,
    min_version: int | None,
) -> bytes | None:
    """Return what was signed; None for what is missing, forged or too old.

    Args:
        handler: The handler.
        name: What it is the value of.
        value: The signed text; None for that of the cookie of this name.
        max_age_days: Those that were signed more days ago are too old.
        min_version: The oldest format to accept.

    Raises:
        RuntimeError: The setting is missing.
    """
    handler.require_setting("cookie_secret", "signed cookies")
    return decode_signed_value(
        handler.settings["cookie_secret"],
        name,
        handler.get_cookie(name) if value is None else value,
        max_age_days=max_age_days,
        min_version=min_version,
    )
