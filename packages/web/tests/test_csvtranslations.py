"""CSV files of translations."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from zonda.web.csvtranslations import Translations, detect_encoding, read_translations

ROWS: list[tuple[str, Translations]] = [
    ("", {}),
    ("a\n\n,\n", {"unknown": {"": ""}}),
    ("a,b", {"unknown": {"a": "b"}}),
    (" a , b \r\n", {"unknown": {"a": "b"}}),
    ('"a,b","say ""c"""', {"unknown": {"a,b": 'say "c"'}}),
    ('a,"two\nlines"', {"unknown": {"a": "two\nlines"}}),
    (
        "a,b,plural\na,c,singular\na,d, unknown\na,e,",
        {
            "plural": {"a": "b"},
            "singular": {"a": "c"},
            "unknown": {"a": "e"},
        },
    ),
    ("a,b,plural,more", {"plural": {"a": "b"}}),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_rows(tmp_path: Path, text: str, expected: Translations) -> None:
    path = tmp_path / "fr.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_translations(str(path)) == expected


ENCODINGS: list[tuple[bytes, str | None, str]] = [
    # the file, the encoding given, what it says
    ("a,caf\xe9".encode(), None, "caf\xe9"),
    ("a,caf\xe9".encode("utf-8-sig"), None, "caf\xe9"),
    ("a,caf\xe9".encode("utf-16"), None, "caf\xe9"),
    (b"\xfe\xff" + "a,caf\xe9".encode("utf-16-be"), None, "caf\xe9"),
    ("a,caf\xe9".encode("latin-1"), "latin-1", "caf\xe9"),
    ("a,caf\xe9".encode("utf-16-le"), "utf-16-le", "caf\xe9"),
]


@pytest.mark.parametrize(("data", "encoding", "expected"), ENCODINGS)
def test_encodings(tmp_path: Path, data: bytes, encoding: str | None, expected: str) -> None:
    path = tmp_path / "fr.csv"
    path.write_bytes(data)
    assert read_translations(str(path), encoding) == {"unknown": {"a": expected}}


def test_wrong_encoding(tmp_path: Path) -> None:
    path = tmp_path / "fr.csv"
    path.write_bytes("a,caf\xe9".encode("latin-1"))
    with pytest.raises(UnicodeDecodeError):
        read_translations(str(path))


def test_unknown_form_is_told(
    tmp_path: Path, expect_log: Callable[..., AbstractContextManager[object]]
) -> None:
    path = tmp_path / "fr.csv"
    path.write_text("a,b\n\nc,d,PLURAL\ne,f")
    with expect_log("zonda.general", r"fr\.csv line 3: .*'PLURAL'"):
        assert read_translations(str(path)) == {"unknown": {"a": "b", "e": "f"}}


@pytest.mark.parametrize(
    ("head", "encoding"),
    [(b"", "utf-8-sig"), (b"\xff", "utf-8-sig"), (b"\xfe\xff", "utf-16"), (b"\xff\xfe", "utf-16")],
)
def test_detect_encoding(head: bytes, encoding: str) -> None:
    assert detect_encoding(head) == encoding
