"""Outgoing forms: bytes on the wire, lengths, and what is refused."""

import io
from collections.abc import Iterable, Iterator

import pytest

from zonda.httputil.errors import HTTPOutputError
from zonda.httputil.multipart_encoder import MultipartEncoder, Readable


def test_bytes_on_the_wire() -> None:
    form = MultipartEncoder("XX")
    form.add_field("a", "é")
    form.add_field("b", b"\xff", content_type="application/json")
    form.add_file("f", 'caf\u00e9 "1"\\2.txt', b"hello", content_type="text/plain")
    form.add_file("g", "", b"")
    body = b"".join(form)
    assert body == (
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xa9\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="b"\r\n'
        b"Content-Type: application/json\r\n\r\n\xff\r\n"
        b'--XX\r\nContent-Disposition: form-data; name="f"; '
        b'filename="caf\xc3\xa9 \\"1\\"\\\\2.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="g"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n"
        b"--XX--\r\n"
    )
    assert form.content_length == len(body)
    assert b"".join(form) == body  # as often as one likes, as nothing was a file
    assert form.content_type == "multipart/form-data; boundary=XX"


def test_empty_form() -> None:
    form = MultipartEncoder("XX")
    assert list(form) == [b"--XX--\r\n"]
    assert form.content_length == 8


class Source:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sizes: list[int] = []

    def read(self, size: int, /) -> bytes:
        self.sizes.append(size)
        chunk, self._data = self._data[:size], self._data[size:]
        return chunk


def _generated() -> Iterator[bytes]:
    yield b"hel"
    yield b""
    yield b"lo\n"


@pytest.mark.parametrize(
    "content", [io.BytesIO(b"hello\n"), Source(b"hello\n"), _generated(), [b"hello\n"]]
)
def test_streamed_content(content: Readable | Iterable[bytes]) -> None:
    form = MultipartEncoder("XX")
    form.add_field("a", "1")
    form.add_file("f", "b", content)
    form.add_field("a", "2")
    assert form.content_length is None
    assert b"\r\n\r\nhello\n\r\n--XX\r\n" in b"".join(form)


def test_files_are_read_in_steps_when_asked_for() -> None:
    source = Source(bytes(150_000))
    form = MultipartEncoder()
    form.add_file("f", "b", source)
    assert source.sizes == []
    buffers = iter(form)
    next(buffers)
    assert source.sizes == []
    assert len(next(buffers)) == 65536
    assert source.sizes == [65536]
    assert sum(map(len, buffers)) > 150_000 - 65536
    assert len(source.sizes) == 4


BAD = ["a\r\nX: y", "a\nb", "a\rb", "a\x00b", "a\x7f", "a\tb"]


@pytest.mark.parametrize("bad", BAD)
def test_control_characters_are_refused(bad: str) -> None:
    # CVE-2026-34514: CR and LF in what goes into the header of a part.
    form = MultipartEncoder("XX")
    for field, content_type in [(bad, None), ("x", bad)]:
        with pytest.raises(HTTPOutputError, match="control characters"):
            form.add_field(field, "x", content_type)
    for file in [(bad, "x", b"", "x"), ("x", bad, b"", "x"), ("x", "x", b"", bad)]:
        with pytest.raises(HTTPOutputError, match="control characters"):
            form.add_file(*file)
    assert list(form) == [b"--XX--\r\n"]


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a b", "a\r\n", 'a"', "é", "a;b"])
def test_bad_boundary(boundary: str) -> None:
    with pytest.raises(HTTPOutputError, match="boundary"):
        MultipartEncoder(boundary)


def test_boundary() -> None:
    assert MultipartEncoder("a/b:c").content_type == 'multipart/form-data; boundary="a/b:c"'
    assert MultipartEncoder().boundary != MultipartEncoder().boundary
    assert len(MultipartEncoder().boundary) >= 32
