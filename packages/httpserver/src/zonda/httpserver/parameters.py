"""The settings of a server's HTTP/1.1 connections: what they accept and how long they wait."""

from dataclasses import dataclass

from zonda.httputil.http1 import DEFAULT_LIMITS, Limits

DEFAULT_CHUNK_SIZE = 64 * 1024
"""Bytes that are read at once, by default: 64 KiB."""


@dataclass(slots=True)
class HTTP1ConnectionParameters:
    """Settings of an HTTP/1.1 connection. Sizes are bytes, times seconds; None means no limit.

    Args:
        no_keep_alive: Close after each response.
        chunk_size: The largest piece of a body that the application gets at a time; None stands
            for 64 KiB, and for 256 KiB where ``Content-Length`` says more than 64 KiB.
        max_header_size: The largest head, start line included; None stands for 64 KiB.
        header_timeout: From a request's first byte to the end of its head.
        max_body_size: The largest body, after decompression; None stands for 100 MiB.
        body_timeout: From the end of the head to the end of the body.
        decompress: Decode bodies with ``Content-Encoding: gzip``.
        idle_timeout: From the connection's start, or a response, to the next request's first byte.
        read_timeout: Without one byte of a body that is being received.
        write_timeout: Without the peer taking one byte of what is queued.
        min_body_rate: Bytes a second that a body has to come with, on average, after its first ten
            seconds. What is slower holds a connection to no end but that.
        linger_timeout: After an error response, to let the peer read it before the connection is
            closed: closing with unread bytes resets it and the peer may lose the answer.
    """

    no_keep_alive: bool = False
    chunk_size: int | None = None
    max_header_size: int | None = None
    header_timeout: float | None = 60.0
    max_body_size: int | None = None
    body_timeout: float | None = None
    decompress: bool = False
    idle_timeout: float | None = 75.0
    read_timeout: float | None = 60.0
    write_timeout: float | None = 60.0
    min_body_rate: float | None = 240.0
    linger_timeout: float = 2.0

    def limits(self) -> Limits:
        """The limits of the HTTP/1.1 protocol that these settings stand for."""
        default = DEFAULT_LIMITS
        head = self.max_header_size or default.head
        body = default.body if self.max_body_size is None else self.max_body_size
        return Limits(start_line=min(default.start_line, head), head=head, body=body)
