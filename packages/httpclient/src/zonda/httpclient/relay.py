"""A plain stream in front of one that is encrypted already: what TLS inside TLS needs.

In: an open stream that nobody reads. Out: another one, on a socket of its own, through which the
same bytes go: TLS can be started on it. Closing either closes the other.
"""

import socket

from zonda.iostream import IOStream


class _Half:
    """A sink that carries what one stream reads to the other one."""

    def __init__(self, source: IOStream, target: IOStream) -> None:
        self._target = target
        source.set_sink(self)

    def data_received(self, data: bytes) -> None:
        self._target.send(data)

    # Nobody here ends one direction only.
    def eof_received(self) -> None:
        self._target.close_when_flushed()

    def connection_lost(self, error: BaseException | None) -> None:
        self._target.close_when_flushed()

    # Our source takes no more for now, and that all comes from the target.
    def pause_writing(self) -> None:
        self._target.pause_reading()

    def resume_writing(self) -> None:
        self._target.resume_reading()


def relay(stream: IOStream) -> IOStream:
    """A stream that stands for `stream`, which belongs to it from now on.

    Raises:
        OSError: There are no more descriptors.
    """
    ours, theirs = socket.socketpair()
    near, far = IOStream(ours, max_buffer_size=stream.max_buffer_size), IOStream(theirs)
    _Half(stream, far)
    _Half(far, stream)
    return near
