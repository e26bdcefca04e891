"""Fuzz parameters (RFC 8187): parsing raises nothing, and what is formatted comes back.

Run: ``python3 dev fuzz parameters [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.parameters import format_parameters, parse_parameters


def one_input(data: bytes) -> None:
    """What atheris calls."""
    for text in (data.decode("latin-1"), data.decode(errors="replace")):
        value, parameters = parse_parameters(text)
        assert text.strip(" \t").startswith(value)
        for name in parameters:
            assert name == name.lower()
            assert name.isascii()
        assert parse_parameters(f"a; {text}")[0] == "a"
        try:
            formatted = format_parameters("form-data", {"name": text, "size": len(text)})
        except ValueError:
            continue
        expected = ("form-data", {"name": text, "size": str(len(text))})
        assert parse_parameters(formatted) == expected, text
        formatted.encode("latin-1")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
