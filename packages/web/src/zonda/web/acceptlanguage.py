"""The language that a browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zonda.httputil.accept import parse_accept

if TYPE_CHECKING:
    from zonda.web.locale import Locale

_closest: Callable[..., Locale] | None = None  # `zonda.web.locale.get`, once it has been wanted


def browser_locale(accept_language: str | None, default: str) -> Locale:
    """Return the locale that fits ``Accept-Language`` best.

    Args:
        accept_language: The field's value; None if it is not there.
        default: A code for when nothing in it is known.
    """
    global _closest
    if _closest is None:
        from zonda.web.locale import get  # noqa: PLC0415 - translations are for those who translate

        _closest = get
    if accept_language:
        ranked = sorted(parse_accept(accept_language), key=lambda each: each.quality, reverse=True)
        codes = [name for name, _, quality in ranked if quality > 0 and name != "*"]
        if codes:
            return _closest(*codes)
    return _closest(default)
