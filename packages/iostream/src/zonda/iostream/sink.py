"""The push interface: where a stream delivers what it reads.

A stream calls its sink from the loop, never from another thread. ``data_received`` runs
synchronously inside the readable event, and may do anything with the stream: close it, pause it,
give it another sink or none, send. ``connection_lost`` runs once, from the loop, after the stream
has closed for whatever reason; nothing is delivered after it. An exception that escapes a sink is
logged to the application log and closes the stream.

A sink may have one method more, ``lend() -> bool``: somebody calls one of the stream's ``read_*``
methods while the sink is there. If it takes itself away (``set_sink(None)``) and returns True, the
read goes on; in all other cases it raises.
"""

from typing import Protocol


class Sink(Protocol):
    """The receiver of a stream's data and of its changes of state."""

    def data_received(self, data: bytes) -> None:
        """Take a chunk: between 1 and ``read_chunk_size`` bytes (more after ``unread``)."""

    def eof_received(self) -> None:
        """The peer has finished sending (its FIN was read). Our side may still write."""

    def connection_lost(self, error: BaseException | None) -> None:
        """The stream is closed; ``error`` is why, None after ``close()`` or an orderly end."""

    def pause_writing(self) -> None:
        """The outgoing queue has passed the high-water mark: stop sending."""

    def resume_writing(self) -> None:
        """The outgoing queue is below the low-water mark again."""
