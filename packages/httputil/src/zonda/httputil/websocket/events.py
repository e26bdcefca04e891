"""What a WebSocket connection tells its driver."""

import enum
from typing import Final


class Signal(enum.Enum):
    """What ``next_event`` returns when there is no event."""

    NEED_DATA = "need data"
    """Feed more with ``receive_data``, then ask again."""

    MORE = "more"
    """So many fragments and no end of their message: ask again when others had their turn."""


class Message:
    """A whole message, fragments put together, decompressed.

    Attributes:
        data: `str` for a text message, `bytes` for a binary one.
    """

    __slots__ = ("data",)
    __match_args__ = ("data",)

    def __init__(self, data: str | bytes) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<Message {self.data[:40]!r}{'...' if len(self.data) > 40 else ''}>"


class Ping:
    """The peer wants a Pong with the same payload.

    Attributes:
        payload: At most 125 bytes.
    """

    __slots__ = ("payload",)
    __match_args__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.payload!r}>"


class Pong(Ping):
    """The answer to a Ping, or one that nobody asked for."""

    __slots__ = ()


class Close:
    """The peer closes. Answer with ``send_close`` unless we have closed before.

    Attributes:
        code: Its code, None if it gave none.
        reason: Its reason.
    """

    __slots__ = ("code", "reason")
    __match_args__ = ("code", "reason")

    def __init__(self, code: int | None, reason: str) -> None:
        self.code = code
        self.reason = reason

    def __repr__(self) -> str:
        return f"<Close {self.code} {self.reason!r}>"


Event = Message | Ping | Pong | Close
"""What ``next_event`` returns, if not a `Signal`."""
NEED_DATA: Final = Signal.NEED_DATA
"""`Signal.NEED_DATA`."""
MORE: Final = Signal.MORE
"""`Signal.MORE`."""
