"""The language that a browser asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.httputil.accept import parse_accept

if TYPE_CHECKING:
    from zonda.web.locale import Locale


def browser_locale(accept_language: str | None, default: str) -> Locale:
    """Return the locale that fits ``Accept-Language`` best.

    Args:
        accept_language: The field's value; None if it is not there.
        default: A code for when nothing in it is known.
    """
    from zonda.web.locale import get  # noqa: PLC0415 - translations are for those who translate

    if accept_language:
        ranked = sorted(parse_accept(accept_language), key=lambda each: each.quality, reverse=True)
        codes = [name for name, _, quality in ranked if quality > 0 and name != "*"]
        if codes:
            return get(*codes)
    return get(default)
