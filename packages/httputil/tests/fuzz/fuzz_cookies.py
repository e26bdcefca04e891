"""Fuzz cookies: parsing raises nothing, and what may be set comes back as it was.

Run: ``python3 dev fuzz cookies [libFuzzer options]``.
"""

import re
import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.cookies import (
        cookie_jar,
        format_set_cookie,
        parse_cookie,
        quote_cookie,
        unquote_cookie,
    )
    from zonda.httputil.errors import InvalidCookie

ATTRIBUTES = ("domain", "path", "samesite", "max_age", "Expires", "comment", "version", "HttpOnly")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("latin-1")
    cookies = parse_cookie(text)
    for name in cookies:
        assert not set(name) & {";", "="}, name
    assert set(cookie_jar(text)) <= set(cookies)
    assert parse_cookie("; ".join(f"{name}={text}" for name in ("a", "a"))).get("a") is not None

    assert unquote_cookie(quote_cookie(text)) == text
    name, _, value = text.partition("=")
    try:
        setting = format_set_cookie(name, value)
    except InvalidCookie:
        pass
    else:
        assert not CONTROL.search(setting)
        assert ";" not in setting
        assert parse_cookie(setting) == {name: value}
    for attribute in ATTRIBUTES:
        try:
            setting = format_set_cookie("a", "b", **{attribute: text})  # type: ignore[arg-type]
        except InvalidCookie:
            continue
        assert not CONTROL.search(setting)
        assert setting.count(";") <= 1, setting


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
