"""What the errors of streams say."""

import pytest

from zonda.iostream import StreamBufferFullError, StreamClosedError, UnsatisfiableReadError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StreamClosedError(), "Stream is closed"),
        (StreamClosedError(OSError(5, "io")), "Stream is closed"),
        (StreamBufferFullError(), "Reached maximum read buffer size"),
        (StreamBufferFullError("write", 10), "Reached maximum write buffer size"),
        (StreamBufferFullError("own words"), "own words"),
        (UnsatisfiableReadError(b"\n", 5), r"b'\n' not found within 5 bytes"),
        (UnsatisfiableReadError("own words"), "own words"),
        (UnsatisfiableReadError(), ""),
    ],
)
def test_text(error: Exception, text: str) -> None:
    # Programs raise them, too, with words of their own.
    assert str(error) == text
