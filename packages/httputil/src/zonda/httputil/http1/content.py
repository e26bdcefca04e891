"""The content of the message that we send, held to the framing that its head announced.

`ContentWriter` takes the pieces and returns buffers to write. Raises `LocalProtocolError` when the
content does not fit the head; nothing of the piece is sent then.
"""

from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.http1.chunked import Buffer, encode_chunk
from zonda.httputil.http1.errors import LocalProtocolError
from zonda.httputil.http1.output import field_lines


class ContentWriter:
    """Writes the content of one message.

    Args:
        length: Bytes that the head announced; `None` if it announced none.
        chunked: Use the chunked transfer coding. With neither, the end of the connection is the
            end.
        discard: Accept content and send nothing of it (the response to HEAD).

    >>> writer = ContentWriter(None, chunked=True)
    >>> writer.data(b"hi"), writer.end(None)
    ([b'2\\r\\nhi\\r\\n'], [b'0\\r\\n\\r\\n'])
    """

    __slots__ = ("_chunked", "_discard", "_remaining")

    def __init__(self, length: int | None, *, chunked: bool = False, discard: bool = False) -> None:
        self._remaining = length
        self._chunked = chunked
        self._discard = discard

    def data(self, data: Buffer) -> list[Buffer]:
        """A piece of content.

        Raises:
            LocalProtocolError: More than the head announced.
        """
        if self._discard:
            return []
        if self._chunked:
            return encode_chunk(data)
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        if not size:
            return []
        if self._remaining is not None:
            if size > self._remaining:
                raise LocalProtocolError(
                    f"{size - self._remaining} bytes more content than announced"
                )
            self._remaining -= size
        return [data]

    def end(self, trailers: HTTPHeaders | None) -> list[Buffer]:
        """The end of the content.

        Trailers need the chunked coding; elsewhere there is no place for them and they are left out
        (RFC 9110 §6.5.1 allows their loss at any hop).

        Raises:
            LocalProtocolError: Less content than announced, or invalid trailers.
        """
        if self._discard:
            return []
        if self._chunked:
            if trailers is None:
                return [b"0\r\n\r\n"]
            return [f"0\r\n{field_lines(trailers.get_all())}\r\n".encode("latin-1")]
        if self._remaining:
            raise LocalProtocolError(f"{self._remaining} bytes less content than announced")
        return []
