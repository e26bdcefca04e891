"""Output transforms: they see, and may change, a response on its way out."""

from zonda.httputil import HTTPHeaders, HTTPServerRequest


class OutputTransform:
    """Changes nothing: the base of transforms. One object is made for each request.

    Args:
        request: The request.
    """

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
