"""What a connection accepts from its peer at most.

One frozen `Limits` object is shared by all connections of a server or client. Each limit bounds
memory or work for input that the peer chooses; exceeding one is a `RemoteProtocolError` with the
status named beside the field.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for input, all in bytes unless said otherwise.

    Attributes:
        start_line: Request or status line without its CRLF (414 for a request). RFC 9112 §3 asks
            for at least 8000.
        head: Start line, fields and the empty line together (431).
        field_count: Number of field lines in a head or trailer section (431).
        chunk_extension: By how much chunk extensions may outweigh the data that they come with,
            over a whole message, and the length of a single one (400).
        trailer: Trailer section of a chunked message (431).
        body: Content of one message before any decompression (413); `None` for no limit.
            ``set_body_limit`` of a connection overrides it for one message.
        informational: Number of 1xx responses before the final one.

    >>> Limits(body=1024).body
    1024
    """

    start_line: int = 32 * 1024
    head: int = 64 * 1024
    field_count: int = 256
    chunk_extension: int = 16 * 1024
    trailer: int = 16 * 1024
    body: int | None = 100 * 1024 * 1024
    informational: int = 10

    def __post_init__(self) -> None:
        for name in ("start_line", "head", "field_count", "chunk_extension", "trailer", "body"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"limit {name} may not be negative: {value}")


DEFAULT_LIMITS = Limits()
"""The limits of a connection that is given none."""
