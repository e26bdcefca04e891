"""Streams over sockets, pipes and TLS, TCP servers and clients, subprocesses.

Two interfaces to the same stream: futures (``await stream.read_until(b"\\n")``) and, below
them, a push interface (``stream.set_sink(sink)``) for protocols where each microsecond counts.
"""

import errno

from zonda.ioloop.log import gen_log
from zonda.iostream.errors import (
    AlreadyReadingError,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from zonda.iostream.filerange import FileRange
from zonda.iostream.pipes import PipeIOStream
from zonda.iostream.sink import Sink
from zonda.iostream.sockets import IOStream
from zonda.iostream.stream import BaseIOStream
from zonda.iostream.tls import SSLIOStream

__all__ = [
    "AlreadyReadingError",
    "BaseIOStream",
    "FileRange",
    "IOStream",
    "PipeIOStream",
    "SSLIOStream",
    "Sink",
    "StreamBufferFullError",
    "StreamClosedError",
    "UnsatisfiableReadError",
    "gen_log",
]

# What says that a connection is gone; for programs (webssh) that look at errors themselves.
_ERRNO_CONNRESET = (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT)
