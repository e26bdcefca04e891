"""The states of the two sides of a connection.

Each connection keeps one state for what the client says and one for what the server says::

            head           end of body           start_next_cycle
    IDLE ---------> BODY --------------> DONE ----------------------> IDLE
      |               |                    |
      |               |                    +--> SWITCHED  101, or 2xx to CONNECT
      +---------------+-----------------------> ERROR     the peer erred; sticky
      +---------------------------------------> CLOSED    the peer's stream ended between messages
"""

import enum


class State(enum.Enum):
    """Where one side of a connection is in its message."""

    IDLE = "idle"
    """No message begun (after informational responses, too)."""
    BODY = "body"
    """The head is through, the end of the message is not."""
    DONE = "done"
    """The message is complete; see ``start_next_cycle``."""
    SWITCHED = "switched"
    """Another protocol has taken over; ``trailing_data`` is its first input."""
    CLOSED = "closed"
    """The stream ended where a message could have begun."""
    ERROR = "error"
    """A protocol error; nothing more is parsed."""
