"""Make ``multipart/form-data`` bodies (RFC 7578), buffer by buffer.

Fields and files go in; a content type, a length when it is known and an iterator over the buffers
of the body come out. Files are read while the body is iterated over, 64 KiB at a time. Text that
could break out of a part's header raises ``HTTPOutputError``.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from zonda.httputil.errors import HTTPOutputError

__all__ = ["MultipartEncoder", "Readable"]

_READ_SIZE = 64 * 1024
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=?]{1,70}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@runtime_checkable
class Readable(Protocol):
    """A binary file."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        ...


class MultipartEncoder:
    r"""A form with files, to be sent as the body of a request.

    Args:
        boundary: What separates the parts; it must not occur in any. A random one by default.

    >>> form = MultipartEncoder(boundary="XX")
    >>> form.add_field("title", "Zonda")
    >>> form.add_file("text", "a.txt", b"hello", content_type="text/plain")
    >>> form.content_type, form.content_length
    ('multipart/form-data; boundary=XX', 173)
    >>> len(b"".join(form))
    173

    Attributes:
        boundary: The boundary in use.
        content_type: Value for the Content-Type field of the request.
        content_length: Length of the body in bytes; None when a part's length is not known (a file
            or an iterable was added), in which case the body is sent in chunks.

    Raises:
        HTTPOutputError: for a boundary that RFC 2046 does not allow.
    """

    def __init__(self, boundary: str | None = None) -> None:
        self.boundary = secrets.token_hex(16) if boundary is None else boundary
        if not _BOUNDARY.fullmatch(self.boundary):
            raise HTTPOutputError(f"illegal multipart boundary {self.boundary!a}")
        token = re.fullmatch(r"[0-9A-Za-z'+_.\-]+", self.boundary)
        value = self.boundary if token else f'"{self.boundary}"'
        self.content_type = f"multipart/form-data; boundary={value}"
        self.content_length: int | None = len(self.boundary) + len("----\r\n")
        self._parts: list[tuple[bytes, bytes | Readable | Iterable[bytes]]] = []

    def add_field(self, name: str, value: str | bytes, content_type: str | None = None) -> None:
        """Add a field; text is sent as UTF-8.

        Raises:
            HTTPOutputError: for control characters in ``name`` or ``content_type``.
        """
        self._add(name, None, value.encode() if isinstance(value, str) else value, content_type)

    def add_file(
        self,
        name: str,
        filename: str,
        content: bytes | Readable | Iterable[bytes],
        content_type: str = "application/octet-stream",
    ) -> None:
        """Add a file.

        Args:
            name: Name of the form field.
            filename: What the server is told the file is called.
            content: Its bytes, a binary file to read them from, or an iterable of buffers. A file
                or an iterator can be sent only once.
            content_type: Its media type.

        Raises:
            HTTPOutputError: for control characters in ``name``, ``filename`` or ``content_type``.
        """
        self._add(name, filename, content, content_type)

    def _add(
        self,
        name: str,
        filename: str | None,
        content: bytes | Readable | Iterable[bytes],
        content_type: str | None,
    ) -> None:
        head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if filename is not None:
            head += f'; filename="{_quoted(filename)}"'
        if content_type is not None:
            if _CONTROL.search(content_type):
                raise HTTPOutputError(f"control characters in content type {content_type!a}")
            head += f"\r\nContent-Type: {content_type}"
        encoded = f"{head}\r\n\r\n".encode()
        self._parts.append((encoded, content))
        if not isinstance(content, bytes):
            self.content_length = None
        elif self.content_length is not None:
            self.content_length += len(encoded) + len(content) + 2

    def __iter__(self) -> Iterator[bytes]:
        for head, content in self._parts:
            yield head
            if isinstance(content, bytes):
                yield content
            elif isinstance(content, Readable):  # binary files are iterable too, but by lines
                while chunk := content.read(_READ_SIZE):
                    yield chunk
            else:
                yield from content
            yield b"\r\n"
        yield f"--{self.boundary}--\r\n".encode()


def _quoted(text: str) -> str:
    if _CONTROL.search(text):
        raise HTTPOutputError(f"control characters in the name of a form field or file: {text!a}")
    return text.replace("\\", "\\\\").replace('"', '\\"')
