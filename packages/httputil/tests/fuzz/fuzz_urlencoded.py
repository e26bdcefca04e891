"""Fuzz urlencoded forms: the standard library agrees, limits hold, one error is raised.

Run: ``python3 dev fuzz urlencoded [libFuzzer options]``.
"""

import sys
from urllib.parse import parse_qsl, urlencode

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.form_config import ParseBodyConfig, ParseUrlEncodedConfig
    from zonda.httputil.forms import parse_body_arguments, parse_urlencoded
    from zonda.httputil.urls import qs_to_qsl

LIMIT = 5
CONFIG = ParseUrlEncodedConfig(max_arguments=LIMIT)


def one_input(data: bytes) -> None:
    """What atheris calls."""
    expected = [
        (name, value.encode("latin-1"))
        for name, value in parse_qsl(
            data.decode("latin-1"), keep_blank_values=True, encoding="latin-1", errors="strict"
        )
    ]
    try:
        fields = parse_urlencoded(data, CONFIG)
    except HTTPInputError:
        assert data.count(b"&") >= LIMIT, data
        return
    assert parse_urlencoded(data.decode("latin-1"), CONFIG) == fields
    pairs = list(qs_to_qsl(fields))
    assert len(pairs) <= LIMIT
    assert sorted(pairs) == sorted(expected), data
    assert parse_urlencoded(urlencode(pairs, encoding="latin-1"), CONFIG) == fields
    for content_type in (
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded;x",
    ):
        arguments: dict[str, list[bytes]] = {}
        config = ParseBodyConfig(urlencoded=CONFIG)
        parse_body_arguments(content_type, data, arguments, {}, config=config)
        assert arguments == fields


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
