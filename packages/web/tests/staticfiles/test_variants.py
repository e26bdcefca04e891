"""Compressed siblings: which count, and which is sent."""

import os
from pathlib import Path

import pytest

from zonda.web.staticfiles import variants
from zonda.web.staticfiles.variants import Variant, choose_variant, find_variants


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.css"
    path.write_bytes(b"x" * 100)
    os.utime(path, (1000, 1000.9))
    return path


def sibling(file: Path, suffix: str, size: int = 10, time: float = 2000) -> None:
    path = Path(f"{file}{suffix}")
    path.write_bytes(b"x" * size)
    os.utime(path, (time, time))


def found(file: Path) -> list[str]:
    return [each.coding for each in find_variants(str(file), file.stat())]


def test_the_smallest_comes_first(file: Path) -> None:
    sibling(file, ".gz", 30)
    sibling(file, ".br", 20)
    sibling(file, ".zst", 25)
    assert found(file) == ["br", "zstd", "gzip"]


def test_one_that_is_older_does_not_count(file: Path) -> None:
    sibling(file, ".br", time=999)
    assert found(file) == []
    sibling(file, ".gz", time=1000)  # the same second: many tools keep no more of it
    assert found(file) == ["gzip"]


def test_one_that_is_larger_does_not_count(file: Path) -> None:
    sibling(file, ".gz", 100)
    assert found(file) == []


def test_one_that_is_no_file_does_not_count(file: Path) -> None:
    Path(f"{file}.gz").mkdir()
    os.mkfifo(f"{file}.br")
    assert found(file) == []


def test_what_comes_later_is_found(file: Path) -> None:
    os.utime(file.parent, (1000, 1000))
    assert found(file) == []
    assert str(file) in variants._without
    sibling(file, ".gz")
    assert found(file) == ["gzip"]


def test_a_folder_that_has_just_changed_is_looked_at_again(file: Path) -> None:
    assert found(file) == []
    assert str(file) not in variants._without


def test_one_that_was_too_old_may_be_written_again(file: Path) -> None:
    sibling(file, ".gz", time=999)
    os.utime(file.parent, (1000, 1000))
    assert found(file) == []
    sibling(file, ".gz")
    os.utime(file.parent, (1000, 1000))  # writing to a file does not change its folder
    assert found(file) == ["gzip"]


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_MOST_KNOWN", 5)
    os.utime(tmp_path, (1000, 1000))
    for number in range(20):
        find_variants(str(tmp_path / str(number)), tmp_path.stat())
        assert len(variants._without) <= 5


def test_a_folder_that_is_gone(file: Path) -> None:
    assert find_variants("/nowhere/at/all", file.stat()) == []


ALL = [Variant("b", "br", 1), Variant("z", "zstd", 2), Variant("g", "gzip", 3)]


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("gzip;q=0, br;q=0", None),
        ("*", "br"),
        ("identity", None),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("deflate", None),
        ("identity;q=0, *;q=0", None),
        ("notgzip", None),
    ],
)
def test_choice(accept: str | None, coding: str | None) -> None:
    variant = choose_variant(ALL, accept)
    assert (None if variant is None else variant.coding) == coding
