"""What can go wrong on a stream.

::

    Exception
    ├── OSError
    │   └── StreamClosedError        the stream is closed; ``real_error`` says why
    ├── StreamBufferFullError        a buffer's limit is reached
    ├── UnsatisfiableReadError       ``max_bytes`` is passed and the read cannot be met
    └── AssertionError
        └── AlreadyReadingError      a second read while one is pending

``UnsatisfiableReadError`` and a full read buffer close the stream: what a caller sees is the
``StreamClosedError`` with the cause in ``real_error``.
"""

import sys
from types import TracebackType

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
"""What ``sys.exc_info()`` returns."""


def as_exception(exc_info: "bool | BaseException | ExcInfo | None") -> BaseException | None:
    """The exception that ``exc_info`` stands for, True being the one that is handled now.

    >>> as_exception((OSError, OSError("gone"), None))
    OSError('gone')
    """
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


class StreamClosedError(OSError):
    """The stream is closed.

    Attributes:
        real_error: the error that closed it, or None when it was closed in good order.
    """

    def __init__(self, real_error: BaseException | None = None) -> None:
        super().__init__("Stream is closed")
        self.real_error = real_error


class StreamBufferFullError(Exception):
    """More bytes than a stream's buffer may hold.

    Attributes:
        limit: the buffer's limit in bytes, or None when it is not known.
        direction: ``"read"`` or ``"write"``; of one that a program raises, its own words.
    """

    def __init__(self, direction: str = "read", limit: int | None = None) -> None:
        super().__init__(direction, limit)
        self.direction = direction
        self.limit = limit

    def __str__(self) -> str:
        if self.direction not in ("read", "write"):
            return self.direction
        return f"Reached maximum {self.direction} buffer size"


class UnsatisfiableReadError(Exception):
    """A read went past its ``max_bytes`` without finding what it looks for.

    Attributes:
        what: what was looked for, or None; of one that a program raises, its own words.
        max_bytes: the limit that was passed, or None.
    """

    def __init__(self, what: object = None, max_bytes: int | None = None) -> None:
        super().__init__(what, max_bytes)
        self.what = what
        self.max_bytes = max_bytes

    def __str__(self) -> str:
        if self.max_bytes is None:
            return "" if self.what is None else str(self.what)
        return f"{self.what!r} not found within {self.max_bytes} bytes"


class AlreadyReadingError(AssertionError):
    """A read was asked for while another one (or a sink) takes the stream's data."""

    def __str__(self) -> str:
        return "Already reading"
