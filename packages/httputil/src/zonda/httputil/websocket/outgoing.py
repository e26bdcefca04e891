"""Messages that wait because the peer reads more slowly than we write.

In: messages (`OutgoingQueue.put`). Out: the same in order (`OutgoingQueue.take`), None when there
is none. They are kept as they were given, not as frames: a compressed frame could not be dropped
without losing what later ones refer to. What happens at the limit is the policy:

===========  ==========================================  ==================================
policy       a message that finds the queue at its       who writes
             limit
===========  ==========================================  ==================================
wait         is refused: who does not wait is cut off    waits while anything is queued
drop_oldest  takes the place of those that wait longest  never waits
close        is refused                                  never waits
===========  ==========================================  ==================================

To refuse is `OutgoingQueue.put` returning False; the connection is then to be closed with 1013.
"""

from collections import deque
from typing import Final

from zonda.httputil.websocket.errors import LocalError
from zonda.httputil.websocket.prepared import PreparedMessage

POLICIES: Final = ("wait", "drop_oldest", "close")
"""What may happen at the limit; see the module."""
DEFAULT_LIMIT: Final = 16 * 1024 * 1024
"""Bytes that may wait, by default."""

#: What a message costs beside its content: a flood of empty ones is bounded too.
OVERHEAD: Final = 64

Outgoing = str | bytes | PreparedMessage
"""What may be queued."""


class OutgoingQueue:
    """A queue of messages, bounded in bytes.

    Args:
        limit: Bytes that may wait; each message counts 64 more than it holds. One message is
            taken even if it alone is larger.
        policy: What happens at the limit, one of `POLICIES`; see the module.

    Attributes:
        size: Bytes that wait.
        dropped: Messages that were given up for newer ones.

    Raises:
        ValueError: An unknown policy, or a negative limit.

    >>> queue = OutgoingQueue(limit=150, policy="drop_oldest")
    >>> [queue.put(text) for text in ("one", "two", "three")]
    [True, True, True]
    >>> queue.take(), queue.take(), queue.take(), queue.dropped
    ('two', 'three', None, 1)
    """

    __slots__ = ("_messages", "dropped", "limit", "policy", "size")

    def __init__(self, limit: int = DEFAULT_LIMIT, policy: str = "wait") -> None:
        if policy not in POLICIES:
            raise ValueError(f"a queue policy is one of {', '.join(POLICIES)}, not {policy!r}")
        if limit < 0:
            raise ValueError(f"a queue's limit is not negative, as {limit} is")
        self.limit = limit
        self.policy = policy
        self.size = 0
        self.dropped = 0
        self._messages: deque[tuple[Outgoing, int]] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Outgoing) -> bool:
        """Add a message.

        Returns:
            Whether it was taken.

        Raises:
            LocalError: Text that UTF-8 cannot express.
        """
        cost = OVERHEAD + _size(message)
        messages = self._messages
        if messages and self.size + cost > self.limit:
            if self.policy != "drop_oldest":
                return False
            while messages and self.size + cost > self.limit:
                self.size -= messages.popleft()[1]
                self.dropped += 1
        messages.append((message, cost))
        self.size += cost
        return True

    def take(self) -> Outgoing | None:
        """Remove and return the oldest message; None if there is none."""
        if not self._messages:
            return None
        message, cost = self._messages.popleft()
        self.size -= cost
        return message

    def clear(self) -> None:
        """Give up all of them."""
        self._messages.clear()
        self.size = 0


def _size(message: Outgoing) -> int:
    if isinstance(message, PreparedMessage):
        return message.size
    if isinstance(message, str) and not message.isascii():
        try:
            return len(message.encode())
        except UnicodeEncodeError as error:
            raise LocalError(f"a text message has to be Unicode: {error}") from error
    return len(message)
