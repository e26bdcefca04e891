"""Output transforms: they see, and may change, a response on its way out.

`GZipContentEncoding` and `ContentEncoding` compress it (RFC 9110 §8.4) where the client accepts
that and it pays. Nothing is raised for anything that a client asks for.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from zonda.httputil import HTTPHeaders, HTTPServerRequest
from zonda.httputil.accept import choose_encoding
from zonda.httputil.compression import Compressor, available_codings, compressor_for
from zonda.web.vary import add_vary


class OutputTransform:
    """Changes nothing: the base of transforms. One object is made for each request.

    Args:
        request: The request.
    """

    # Whether all of it may be done in another thread than the loop's, piece by piece.
    _bears_threads: ClassVar[bool] = False

    def __init__(self, request: HTTPServerRequest) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Return status, headers and the first piece of the body as they shall be sent.

        Args:
            status_code: The status.
            headers: The fields; may be changed in place.
            chunk: The first piece, which may be empty.
            finishing: Whether it is the whole body.
        """
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Return a further piece of the body as it shall be sent.

        Args:
            chunk: The piece.
            finishing: Whether it is the last.
        """
        return chunk


class GZipContentEncoding(OutputTransform):
    """Compresses responses with gzip for clients that accept it.

    What is sent as it is: small bodies, types that do not shrink, what is encoded already, ranges,
    streams of events (whose compression would hold them back in some clients), responses with
    ``Cache-Control: no-transform``. A compressed response has a weak entity tag: it is not byte for
    byte what the application has tagged.

    Attributes:
        CONTENT_TYPES: Media types that shrink, besides ``text/*``, ``*+json`` and ``*+xml``.
        MIN_LENGTH: Bytes below which nothing is gained.
        GZIP_LEVEL: zlib's level, 0 to 9.
        CODINGS: What is offered, most preferred first.
        coding: The coding in use; None while, or if, there is none.
    """

    CONTENT_TYPES: ClassVar[set[str]] = {
        "application/atom+xml",
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/wasm",
        "application/x-javascript",
        "application/x-ndjson",
        "application/xhtml+xml",
        "application/xml",
        "image/svg+xml",
    }
    MIN_LENGTH: ClassVar[int] = 1024
    GZIP_LEVEL: ClassVar[int] = 6
    CODINGS: ClassVar[tuple[str, ...]] = ("gzip",)

    _bears_threads = True
    coding: str | None = None
    _compressor: Compressor

    def __init__(self, request: HTTPServerRequest) -> None:
        self._accepted = request.headers.get("Accept-Encoding")

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Decide, and compress what there is of the body."""
        add_vary(headers, "Accept-Encoding")
        if self._accepted is None or not self._worth_it(status_code, headers, chunk, finishing):
            return status_code, headers, chunk
        offers = [each for each in self.CODINGS if each in available_codings()]
        coding = choose_encoding(self._accepted, offers)
        if coding is None or coding == "identity":
            return status_code, headers, chunk
        self.coding = coding
        self._compressor = compressor_for(coding, self.GZIP_LEVEL if coding == "gzip" else None)
        headers["Content-Encoding"] = coding
        etag = headers.get("Etag")
        if etag is not None and not etag.startswith("W/"):
            headers["Etag"] = f"W/{etag}"
        for name in ("Content-Length", "Accept-Ranges"):  # they are of the body as it was
            if name in headers:
                del headers[name]
        chunk = self.transform_chunk(chunk, finishing)
        if finishing:
            headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a piece; the client can read all of it at once."""
        if self.coding is None:
            return chunk
        compressor = self._compressor
        data = compressor.compress(chunk) if chunk else b""
        return data + (compressor.finish() if finishing else compressor.flush())

    def wants(self, body: bytes) -> bool:
        """Whether a whole body might be compressed: the client accepts it, and it is not short."""
        return self._accepted is not None and len(body) >= self.MIN_LENGTH

    def encode(self, chunk: bytes) -> bytes:
        """Compress a piece, more of which is about to follow: what comes out may be less, or none.

        Only where `coding` is not None.
        """
        return self._compressor.compress(chunk)

    def _worth_it(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> bool:
        if status_code < 200 or status_code in (204, 206, 304):
            return False
        if "Content-Encoding" in headers or "Content-Range" in headers:
            return False
        if not self._is_compressible(headers.get("Content-Type", "")):
            return False
        if "no-transform" in headers.get("Cache-Control", "").lower():
            return False
        if finishing:
            return len(chunk) >= self.MIN_LENGTH
        length = headers.get("Content-Length")
        return length is None or not length.isdigit() or int(length) >= self.MIN_LENGTH

    def _is_compressible(self, content_type: str) -> bool:
        """Whether bodies of a media type shrink."""
        media_type = content_type.partition(";")[0].strip(" \t").lower()
        if media_type == "text/event-stream":
            return False
        return (
            media_type.startswith("text/")
            or media_type in self.CONTENT_TYPES
            or media_type.endswith(("+json", "+xml"))
        )


class ContentEncoding(GZipContentEncoding):
    """Compresses responses with the coding that the client likes best, of those installed.

    zstd and brotli need their library (see `zonda.httputil.compression`); where a client has no
    preference they go before gzip, because they are smaller and faster. Everything else is as for
    `GZipContentEncoding`. This is what the setting ``compress_response`` turns on.
    """

    CODINGS: ClassVar[tuple[str, ...]] = ("zstd", "br", "gzip")


def transforms_of(settings: Mapping[str, Any]) -> list[type[OutputTransform]]:
    """Return the transforms that an application's settings ask for.

    Args:
        settings: ``compress_response``, or ``gzip``, its name in Tornado 3.

    >>> transforms_of({"compress_response": True})
    [<class 'zonda.web.transforms.ContentEncoding'>]
    """
    if settings.get("compress_response") or settings.get("gzip"):
        return [ContentEncoding]
    return []
