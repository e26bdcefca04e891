"""What a server knows of a connection that has switched from HTTP to another protocol.

`HTTP1Exchange.upgrade` gives such a connection the stream and puts it under the care of the server:
`HTTPServer.drain` and ``close_all_connections`` reach it until it says that it is over.
"""

from collections.abc import Callable
from typing import Protocol


class Upgraded(Protocol):
    """A connection of another protocol."""

    def drain(self) -> None:
        """Say goodbye to the peer and end soon, as the protocol has it."""

    def abort(self) -> None:
        """End at once."""


class Adopter(Protocol):
    """A server that looks after such connections."""

    def adopt(self, connection: Upgraded) -> Callable[[], None]:
        """Take care of ``connection``; to be told of its end by calling what is returned."""


def nobody() -> None:
    """Be told of a connection's end, and do nothing: where no server adopts it."""
