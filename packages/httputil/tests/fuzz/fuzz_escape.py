"""Fuzz percent-decoding, forms, HTML references and links against the standard library.

Run: ``python3 dev fuzz escape [libFuzzer options]``.
"""

import html
import sys
from urllib.parse import parse_qsl, unquote_to_bytes

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.escape import (
        linkify,
        parse_qs_bytes,
        percent_decode,
        squeeze,
        xhtml_escape,
        xhtml_unescape,
    )
    from zonda.httputil.forms import parse_body_arguments


def one_input(data: bytes) -> None:
    """What atheris calls."""
    assert percent_decode(data) == unquote_to_bytes(data)
    fields = parse_qs_bytes(data, keep_blank_values=True)
    expected: dict[str, list[bytes]] = {}
    pairs = parse_qsl(
        data.decode("latin-1"), keep_blank_values=True, encoding="latin-1", errors="strict"
    )
    for name, value in pairs:
        expected.setdefault(name, []).append(value.encode("latin-1"))
    assert fields == expected
    try:
        parse_body_arguments("application/x-www-form-urlencoded", data, {}, {})
    except HTTPInputError:
        pass
    text = data.decode(errors="replace")
    assert xhtml_unescape(xhtml_escape(text)) == text
    if "&#" not in text:  # very long numbers differ
        assert xhtml_unescape(text) == html.unescape(text)
    xhtml_unescape(text)
    assert "  " not in squeeze(text)
    for shorten in (False, True):
        linked = linkify(text, shorten=shorten)
        assert linked.count("<") == 2 * linked.count("<a href=")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
