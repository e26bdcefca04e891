"""Fuzz Basic credentials: parsing raises nothing, and what is formatted comes back.

Run: ``python3 dev fuzz credentials [libFuzzer options]``.
"""

import sys
import unicodedata

import atheris

with atheris.instrument_imports():
    from zonda.httputil.credentials import format_basic, parse_basic


def one_input(data: bytes) -> None:
    """What atheris calls."""
    for text in (data.decode("latin-1"), data.decode(errors="replace")):
        for value in (text, f"Basic {text}"):
            found = parse_basic(value)
            if found is not None:
                assert ":" not in found[0]
        name, _, password = text.partition(":")
        try:
            value = format_basic(name, password)
        except ValueError:
            continue
        expected = tuple(unicodedata.normalize("NFC", part) for part in (name, password))
        assert parse_basic(value) == expected, text


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
