"""Cookies on their way out: one for each name, each a ``Set-Cookie`` field."""

import datetime
import time
from typing import Any

from zonda.httputil.cookies import format_set_cookie
from zonda.httputil.errors import InvalidCookie
from zonda.httputil.escape import native_str

Expires = float | tuple[int, ...] | time.struct_time | datetime.datetime
"""A time: seconds since the epoch, a time tuple in UTC, or a datetime."""


class CookieJar:
    """The cookies that a response will set; setting one again replaces it."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def set(
        self,
        name: str,
        value: str | bytes,
        *,
        expires: Expires | None = None,
        expires_days: float | None = None,
        **attributes: Any,
    ) -> None:
        """Set a cookie.

        Args:
            name: A token.
            value: Its value; bytes are UTF-8.
            expires: When the client forgets it.
            expires_days: The same as a number of days from now.
            **attributes: As for `format_set_cookie`.

        Raises:
            ValueError: A character that could break out of the cookie, anywhere in it.
        """
        if expires_days is not None and expires is None:
            now = datetime.datetime.now(datetime.UTC)
            expires = now + datetime.timedelta(days=expires_days)
        name, value = native_str(name), native_str(value)
        if " " in value:
            # No cookie has one (RFC 6265 §4.1.1), in quotes or without; servers cut there.
            raise InvalidCookie(name, "value", value)
        text = format_set_cookie(name, value, expires=expires, **attributes)
        self._fields.pop(name, None)  # the order is that of the last setting
        self._fields[name] = text

    def clear(self, name: str, *, path: str = "/", **attributes: Any) -> None:
        """Set a cookie so that the client forgets it; ``path`` and ``domain`` must be its own.

        Raises:
            TypeError: ``expires`` or ``max_age`` is given.
        """
        for excluded in ("expires", "max_age"):
            if excluded in attributes:
                raise TypeError(f"clear_cookie() takes no argument {excluded!r}")
        now = datetime.datetime.now(datetime.UTC)
        past = now - datetime.timedelta(days=365)
        self.set(name, "", expires=past, path=path, **attributes)

    def header_values(self) -> list[str]:
        """The values of the ``Set-Cookie`` fields."""
        return list(self._fields.values())
