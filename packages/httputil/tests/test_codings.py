"""Names of content codings."""

import pytest

from zonda.httputil.codings import available_codings, parse_content_encoding


@pytest.mark.parametrize(
    ("value", "codings"),
    [
        ("", []),
        ("identity", []),
        ("gzip", ["gzip"]),
        ("GZip", ["gzip"]),
        ("x-gzip", ["gzip"]),
        ("gzip, br", ["gzip", "br"]),
        ("gzip ,\tbr,,identity", ["gzip", "br"]),
        ("foo", ["foo"]),
        ("gzip\xa0", ["gzip\xa0"]),
        ("gzip gzip", ["gzip gzip"]),
    ],
)
def test_parse_content_encoding(value: str, codings: list[str]) -> None:
    assert parse_content_encoding(value) == codings


def test_zlib_is_always_there() -> None:
    assert available_codings()[-2:] == ("gzip", "deflate")
