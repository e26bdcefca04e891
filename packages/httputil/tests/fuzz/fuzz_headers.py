"""Fuzz header blocks and lines: what is accepted comes back from its text, and is harmless.

Run: ``python3 dev fuzz headers [libFuzzer options]``.
"""

import re
import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.headers import HTTPHeaders

HARMFUL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("latin-1")
    line_by_line = HTTPHeaders()
    for line in text.split("\n"):
        before = str(line_by_line)
        try:
            line_by_line.parse_line(line + "\n")
        except HTTPInputError:
            assert str(line_by_line) == before, line
    try:
        headers = HTTPHeaders.parse(text)
    except HTTPInputError:
        return
    pairs = list(headers.get_all())
    assert pairs == list(line_by_line.get_all()), text
    assert not any(HARMFUL.search(name + value) for name, value in pairs), pairs
    for name in headers:
        assert headers[name.swapcase()] == ",".join(headers.get_list(name)), name
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    for again in (HTTPHeaders.parse(lines), HTTPHeaders.from_block(lines.encode("latin-1"))):
        assert list(again.get_all()) == pairs, pairs
    for name in (*headers, "Absent"):
        assert HTTPHeaders.from_block(lines).get(name) == headers.get(name), name
    assert HTTPHeaders.parse(str(headers)) == headers.copy() == headers


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
