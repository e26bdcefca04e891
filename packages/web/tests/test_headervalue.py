"""Values of header fields."""

import datetime
from typing import Any

import pytest

from zonda.web.headervalue import header_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (b"\xe9", "\xe9"),
        (5, "5"),
        (0.5, "0.5"),
        (datetime.datetime(2013, 1, 27, 18, 43, 20), "Sun, 27 Jan 2013 18:43:20 GMT"),
    ],
)
def test_text(value: Any, text: str) -> None:
    assert header_value(value) == text


@pytest.mark.parametrize("value", [True, None, [], object()])
def test_other_types(value: Any) -> None:
    with pytest.raises(TypeError, match="unsupported"):
        header_value(value)
