"""`HTTPFile`: one uploaded file of a form, a dict whose keys are attributes too."""

from typing import Any


class HTTPFile(dict[str, Any]):
    """One uploaded file: ``filename`` (str), ``body`` (bytes) and ``content_type`` (str).

    The keys can be read, set and deleted as attributes.

    >>> upload = HTTPFile(filename="a.txt", body=b"hello", content_type="text/plain")
    >>> upload.filename, upload["body"]
    ('a.txt', b'hello')
    """

    filename: str
    body: bytes
    content_type: str

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None
