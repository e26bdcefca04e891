"""Whether a peer is gone, asked without reading.

A connection that is not being read (its peer has sent more than is wanted for now) hears nothing of
a disconnect from the loop.
"""

import select


def hung_up(descriptor: int) -> bool:
    """Say whether the peer of a socket has closed or reset the connection.

    Args:
        descriptor: The socket's. Where the system cannot tell, the answer is False.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(descriptor, getattr(select, "POLLRDHUP", 0))  # hang-ups and errors come unasked
    return bool(poll.poll(0))
