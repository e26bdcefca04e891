"""The functions of Tornado's ``http1connection``: the same verdicts as the original's."""

import pytest

from zonda.httpserver.http1connection import (
    is_transfer_encoding_chunked,
    parse_hex_int,
    parse_int,
)
from zonda.httputil import HTTPHeaders, HTTPInputError

NUMBERS = [
    ("1", 1, 1),
    ("0012", 12, 18),
    ("a", None, 10),
    ("fFf", None, 4095),
    *((text, None, None) for text in ("", "+1", "-1", " 1", "1 ", "1\n", "1_0", "0x1", "1.0")),
    ("\u0661", None, None),
    ("\xb3", None, None),
]


@pytest.mark.parametrize(("text", "decimal", "hexadecimal"), NUMBERS)
def test_numbers(text: str, decimal: int | None, hexadecimal: int | None) -> None:
    for parse, value in ((parse_int, decimal), (parse_hex_int, hexadecimal)):
        if value is None:
            with pytest.raises(ValueError, match="integer"):
                parse(text)
        else:
            assert parse(text) == value


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, False),
        ({"Content-Length": "3"}, False),
        ({"Transfer-Encoding": "chunked"}, True),
        ({"transfer-encoding": "CHUNKED"}, True),
        ({"Transfer-Encoding": "gzip, chunked"}, None),
        ({"Transfer-Encoding": "chunked, chunked"}, None),
        ({"Transfer-Encoding": ""}, None),
        ({"Transfer-Encoding": " chunked"}, None),
        ({"Transfer-Encoding": "chunked", "Content-Length": "1"}, None),
    ],
)
def test_codings(fields: dict[str, str], verdict: bool | None) -> None:
    headers = HTTPHeaders(fields)
    if verdict is None:
        with pytest.raises(HTTPInputError):
            is_transfer_encoding_chunked(headers)
    else:
        assert is_transfer_encoding_chunked(headers) is verdict
