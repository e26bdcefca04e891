"""Fuzz the decompressors: any split gives the same, output is bounded, errors are documented.

Run: ``python3 dev fuzz decompression [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.codings import available_codings
    from zonda.httputil.compression import compressor_for
    from zonda.httputil.decompression import decoder_for
    from zonda.httputil.errors import HTTPInputError

LIMIT = 100_000
CODINGS = [*available_codings(), "gzip, deflate"]


def outcome(coding: str, data: bytes, step: int, max_length: int) -> bytes | None:
    """What comes out; None for an error."""
    decoder = decoder_for(coding, LIMIT)
    assert decoder is not None
    output = []
    try:
        for i in range(0, len(data), step):
            chunk = decoder.feed(data[i : i + step], max_length)
            output.append(chunk)
            while decoder.unconsumed:
                assert len(chunk) <= max_length
                chunk = decoder.feed(b"", max_length)
                output.append(chunk)
        decoder.finish()
    except HTTPInputError:
        return None
    return b"".join(output)


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if len(data) < 2:
        return
    step, max_length, body = data[0] + 1, data[1] * 7 + 1, data[2:]
    for coding in CODINGS:
        whole = outcome(coding, body, len(body) or 1, LIMIT)
        assert whole is None or len(whole) <= LIMIT
        assert whole == outcome(coding, body, step, max_length)
    for coding in available_codings():
        encoder = compressor_for(coding, 1)
        packed = encoder.compress(body) + encoder.finish()
        assert outcome(coding, packed, step, max_length) == body


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
