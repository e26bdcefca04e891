"""The states of a WebSocket connection (RFC 6455 §7), and what may be said in each.

=============================  ========  ==============  ========  =====
so far                         message   fragment of a   Ping,     Close
                                         message begun   Pong
=============================  ========  ==============  ========  =====
nobody has closed              yes       yes             yes       yes
the peer has sent Close        no        yes             no        yes
we have sent Close             no        no              no        ignored
the connection has failed      no        no              no        yes
=============================  ========  ==============  ========  =====
"""

import enum


class State(enum.Enum):
    """Where the closing handshake stands (RFC 6455 §7)."""

    OPEN = "open"
    CLOSING = "closing"
    """One side has sent Close."""
    CLOSED = "closed"
    """Both have, or the connection has failed."""
