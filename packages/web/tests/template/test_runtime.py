"""Values to bytes."""

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.escape import xhtml_escape
from zonda.web.template.runtime import escape_value, escaper, result, to_bytes


class Loud(str):
    def __str__(self) -> str:
        return "loud"

    def replace(self, *args: object, **kwargs: object) -> str:
        raise AssertionError("the text itself is wanted")


class Colour(str, enum.Enum):  # noqa: UP042 - its str() is not its text
    RED = "r<d"


ROWS: list[tuple[object, bytes, bytes]] = [
    # value, as it is, escaped
    ("a", b"a", b"a"),
    ("<a & \"b\" 'c'>", b"<a & \"b\" 'c'>", b"&lt;a &amp; &quot;b&quot; &#x27;c&#x27;&gt;"),
    ("&lt;", b"&lt;", b"&amp;lt;"),
    (b"<", b"<", b"&lt;"),
    ("caf\xe9", b"caf\xc3\xa9", b"caf\xc3\xa9"),
    (None, b"None", b"None"),
    (3, b"3", b"3"),
    (["<"], b"['<']", b"[&#x27;&lt;&#x27;]"),
    (Loud("<"), b"<", b"&lt;"),
    (Colour.RED, b"r<d", b"r&lt;d"),
]


@pytest.mark.parametrize(("value", "plain", "escaped"), ROWS)
def test_rows(value: object, plain: bytes, escaped: bytes) -> None:
    assert to_bytes(value) == plain
    assert escape_value(value) == escaped


@given(st.text() | st.binary().filter(lambda b: b.decode(errors="replace").encode() == b))
def test_escapes_as_xhtml_escape(value: str | bytes) -> None:
    assert escape_value(value) == xhtml_escape(value).encode()


def test_bytes_that_are_not_text_pass_unescaped_only() -> None:
    assert to_bytes(b"\xff") == b"\xff"
    with pytest.raises(UnicodeDecodeError):
        escape_value(b"\xff")


def test_other_escape_function() -> None:
    assert escaper(xhtml_escape) is escape_value
    assert escaper(lambda value: b"[" + value + b"]")("a") == b"[a]"


@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_result_of_a_function_is_text(value: object) -> None:
    assert result("\xe9") == b"\xc3\xa9"
    assert result(b"\xff") == b"\xff"
    with pytest.raises(TypeError, match=type(value).__name__):
        result(value)  # type: ignore[arg-type]
