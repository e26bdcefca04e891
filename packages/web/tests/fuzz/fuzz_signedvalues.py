"""Fuzz signed values and XSRF tokens: nothing raises, nothing that was not signed is accepted.

Run: ``python3 dev fuzz signedvalues [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.web.signedvalues import (
        create_signed_value,
        decode_signed_value,
        get_signature_key_version,
    )
    from zonda.web.xsrf import parse_token

SECRETS = ("secret", {0: "secret", 1: "other"})


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("utf-8", "replace")
    for value in (data, text):
        for secret in SECRETS:
            assert decode_signed_value(secret, "name", value) is None
        get_signature_key_version(value)
    name, _, value = text.partition("=")
    for version in (1, 2):
        signed = create_signed_value("secret", name, value, version=version)
        assert decode_signed_value("secret", name, signed) == value.encode()
        assert decode_signed_value("secret", name + "x", signed) is None
        for damaged in (signed[:-1], signed + b"0", signed.replace(b"|", b"||", 1)):
            assert decode_signed_value("secret", name, damaged) is None
    token = parse_token(text)
    if token is not None:
        for version in (1, 2):
            again = parse_token(token.format(version).decode())
            if len(token.token) <= 256:
                assert again is not None
                assert again.matches(token)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
