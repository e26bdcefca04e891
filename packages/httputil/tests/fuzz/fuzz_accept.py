"""Fuzz content negotiation: nothing raises, and nothing is chosen that was not offered.

Run: ``python3 dev fuzz accept [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.accept import (
        choose_encoding,
        choose_language,
        choose_media_type,
        media_type_quality,
        parse_accept,
    )

TYPES = ["text/html", "application/json; charset=utf-8", "text/html;level=1", "*/*", "image/"]
ENCODINGS = ["br", "gzip", "deflate"]
LANGUAGES = ["en", "de_CH", "zh-Hant-TW", "x-klingon"]


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("latin-1")
    preferences = parse_accept(text)
    for name, parameters, quality in preferences:
        assert name == name.lower() != ""
        assert name.isascii()
        assert "q" not in parameters
        assert 0 <= quality <= 1
    # Each member alone means what it means in the list.
    plain = [each for each in preferences if not each.parameters]
    again = ", ".join(f"{name};q={quality:.3f}" for name, _, quality in plain)
    assert parse_accept(again) == plain, text
    chosen = choose_media_type(text, [*TYPES, text])
    assert chosen is None or chosen in [*TYPES, text]
    assert all(0 <= media_type_quality(text, offer) <= 1 for offer in [*TYPES, text])
    if chosen is not None:
        best = max(media_type_quality(text, offer) for offer in [*TYPES, text])
        assert media_type_quality(text, chosen) == best > 0
    assert choose_encoding(text, ENCODINGS) in [None, "identity", *ENCODINGS]
    assert choose_language(text, [*LANGUAGES, text]) in [None, *LANGUAGES, text]


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
