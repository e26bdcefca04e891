"""Versions of content: computed from it, remembered as long as it stays."""

import hashlib
import os
from pathlib import Path

import pytest

from zonda.web.staticfiles.versions import UNKNOWN, Versions, VersionTooLarge, digest, fingerprint


@pytest.mark.parametrize("chunks", [b"hello", [b"hel", b"lo"], iter([b"h", b"", b"ello"])])
def test_digest(chunks: bytes) -> None:
    assert digest(chunks, 5) == hashlib.sha512(b"hello").hexdigest()


@pytest.mark.parametrize("chunks", [b"hello", [b"hel", b"lo"]])
def test_too_large(chunks: bytes) -> None:
    with pytest.raises(VersionTooLarge, match=r"MAX_VERSION_CONTENT_SIZE \(4 bytes\)") as caught:
        digest(chunks, 4)
    assert caught.value.limit == 4


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    os.utime(file, ns=(1, 1))
    seen = {fingerprint(file.stat())}
    file.write_bytes(b"four")
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint(file.stat()))
    os.utime(file, ns=(1, 2))
    seen.add(fingerprint(file.stat()))
    other = tmp_path / "other"
    other.write_bytes(b"five")
    os.utime(other, ns=(1, 2))
    other.replace(file)
    seen.add(fingerprint(file.stat()))
    assert len(seen) == 4


def test_remembering() -> None:
    hashes: dict[str, str | None] = {}
    versions = Versions(hashes, {})
    assert versions.get("/a", (1,)) is UNKNOWN
    versions.put("/a", "x", (1,), 10)
    assert versions.get("/a", (1,)) == "x"
    assert versions.get("/a", None) == "x", "nothing says that it has changed"
    assert versions.get("/a", (2,)) is UNKNOWN
    versions.put("/a", None, None, 10)
    assert versions.get("/a", None) is None
    assert versions.get("/a", (1,)) is UNKNOWN, "there was nothing then, there is something now"
    hashes["/b"] = "by hand"
    assert versions.get("/b", (1,)) == "by hand"
    hashes.clear()
    assert versions.get("/a", None) is UNKNOWN


def test_it_forgets_the_oldest() -> None:
    hashes: dict[str, str | None] = {}
    fingerprints: dict[str, tuple[int, ...] | None] = {}
    versions = Versions(hashes, fingerprints)
    for number in range(10):
        versions.put(f"/{number}", "x", (number,), 3)
    assert list(hashes) == list(fingerprints) == ["/7", "/8", "/9"]


def test_what_others_have_emptied_does_not_pile_up() -> None:
    fingerprints: dict[str, tuple[int, ...] | None] = {}
    for number in range(100):
        hashes: dict[str, str | None] = {}  # as tests do: _static_hashes = {}
        Versions(hashes, fingerprints).put(f"/{number}", "x", (1,), 3)
    assert len(fingerprints) <= 10
